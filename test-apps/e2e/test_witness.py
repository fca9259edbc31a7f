#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The witness tells what reached it: the tests of clients rely on it."""

import hashlib
import socket

import harness
import origin
from harness import check, equal
from witness import PAGE, Witness, receipt


def talk(port, *messages):
    """Says each and hears until the end."""
    with socket.create_connection(("127.0.0.1", port), 5) as link:
        for message in messages:
            link.sendall(message)
        link.shutdown(socket.SHUT_WR)
        heard = b""
        while data := link.recv(65536):
            heard += data
    return heard


def summary(method, path, body=b""):
    return method, path, len(body), hashlib.sha256(body).hexdigest()


def main():
    witness = Witness(origin.Authority())
    port = witness.http_port
    heard = talk(port, b"GET /a HTTP/1.1\r\nProxy-Authorization: x\r\n\r\n"
                 b"HEAD http://x.test/b HTTP/1.1\r\n\r\n",
                 b"POST /c HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", b"c")
    told = witness.requests
    equal([request.summary for request in told],
          [summary("GET", "/a"), summary("HEAD", "/b"), summary("POST", "/c", b"abc")],
          "each request is told")
    equal([request.proxys for request in told], [["proxy-authorization"], [], []],
          "fields for the proxy are seen")
    check(PAGE in heard and heard.endswith(receipt(3, told[2].digest.hexdigest())),
          "GET gets the page, POST the receipt", heard[-200:])
    equal(heard.count(b" 200 OK"), 3, "each is answered")

    witness.forget()
    heard = talk(port, b"PUT /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
                 b"Expect: 100-continue\r\n\r\n2;x\r\nab\r\n1\r\nc\r\n0\r\nT: y\r\n\r\n")
    equal([request.summary for request in witness.requests], [summary("PUT", "/d", b"abc")],
          "chunks are put together")
    equal(heard.count(b" 100 Continue"), 1, "100 Continue", heard)
    talk(port, b"POST /e HTTP/1.1\r\nContent-Length: 3\r\n\r\nab")
    equal((witness.requests[-1].whole, witness.requests[-1].length), (False, 2),
          "a body that is cut short is not whole")
    for path, status in (("204", 204), ("304", 304), ("401", 401), ("407", 407), ("early", 413),
                         ("chunked", 200), ("close", 200), ("slow", 200)):
        heard = talk(port, f"GET /{path} HTTP/1.1\r\n\r\n".encode())
        equal(int(heard.split()[1]), status, f"/{path}", heard[:200])
    heard = talk(port, b"GET /upgrade HTTP/1.1\r\n\r\nan echo")
    check(heard.startswith(b"HTTP/1.1 101") and heard.endswith(b"\r\n\r\nan echo"), "/upgrade",
          heard)


harness.main(main)
