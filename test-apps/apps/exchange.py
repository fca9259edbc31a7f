#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""exchange.py [METHOD URL SOURCE]...: requests with urllib, one after the other; prints of each
reply its status, length and SHA-256. SOURCE is a file with the body, +file sends it in chunks, -
is none. Programs of that name in other languages do the same."""

import hashlib
import sys
import urllib.error
import urllib.request


def pieces(path):
    with open(path, "rb") as file:
        while piece := file.read(65536):
            yield piece


def exchange(method, url, source):
    request = urllib.request.Request(url, method=method)
    if source.startswith("+"):
        request.data = pieces(source[1:])
    elif source != "-":
        with open(source, "rb") as file:
            request.data = file.read()
    try:
        reply = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        reply = error
    body = reply.read()
    print(reply.status, len(body), hashlib.sha256(body).hexdigest(), flush=True)


arguments = iter(sys.argv[1:])
for method, url, source in zip(arguments, arguments, arguments):
    exchange(method, url, source)
