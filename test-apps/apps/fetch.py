#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fetch.py URL...: all at once with asyncio; prints the bodies in the URLs' order."""

import asyncio
import os
import ssl
import sys
from urllib.parse import urlsplit


async def fetch(url):
    proxy = os.environ.get("http_proxy")
    to, page = urlsplit(proxy or url), urlsplit(url)
    reader, writer = await asyncio.open_connection(
        to.hostname, to.port,
        ssl=ssl.create_default_context() if to.scheme == "https" else None)
    target = url if proxy else page.path
    writer.write(f"GET {target} HTTP/1.0\r\nHost: {page.netloc}\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    if b" 200 " not in head.splitlines()[0]:
        sys.exit(head.decode())
    return body


async def main():
    for body in await asyncio.gather(*map(fetch, sys.argv[1:])):
        sys.stdout.buffer.write(body)


asyncio.run(main())
