#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Requests to a scripted proxy: every odd 407 at every place, and what must not be touched."""

import harness
from harness import equal, run
from simproxy import BASE64, CHALLENGE, CHALLENGE_10, CHALLENGES, Simproxy
from http_victims import (ASKING, AUTH, CLOSING, OPENED, compare, environment, loop, requests,
                     without_interim)

METHODS = ("block", "epoll", "edge")
PASS = "expect\nreport\n"


def odd(user):
    for name, challenge, then in CHALLENGES:
        for method in METHODS:
            compare(user, f"{name}, {method}", loop(method, "-n", 2),
                    f"conn\n{PASS}{PASS}finish\n",
                    f"conn\nexpect\n{challenge}{then}{PASS}{PASS}finish\n")


def nth(user):
    """A proxy may ask for the password at any time."""
    count = 51
    for n in (1, 2, 50):
        before, after = PASS * (n - 1), AUTH * (count - n)
        for method in METHODS:
            compare(user, f"407 to request {n} of {count}, {method}",
                    loop(method, "-n", count), OPENED, f"conn\n{before}{AUTH}{after}finish\n")
            compare(user, f"407 to request {n} of {count}, which closes, {method}",
                    loop(method, "-n", count), OPENED,
                    f"conn\n{before}auth {BASE64} close\nconn\n{AUTH}{after}finish\n")


def pipelined(user):
    """Several requests in one write; each that came without the password is answered 407."""
    for name, options in (("GET", []), ("HEAD", ["-v", "HEAD"]),
                          ("POST", ["-v", "POST", "-b", 1000]),
                          ("chunked POST", ["-v", "POST", "-b", 1000, "-C"])):
        for method in METHODS:
            for kind, asking in (
                    ("407 to the first", ASKING),
                    ("407 to the first, which closes", CLOSING),
                    ("407 to the third", f"conn\n{PASS}{PASS}{AUTH * 20}finish\n"),
                    ("407 to the third, which closes",
                     f"conn\n{PASS}{PASS}auth {BASE64} close\nconn\n{AUTH * 20}finish\n")):
                compare(user, f"pipelined {name}, {kind}, {method}",
                        loop(method, "-n", 10, "-k", 5, *options), OPENED, asking)


def head(user):
    length = "Content-Length: 3069\\r\\n\\r\\n"
    for name, challenge in (
            ("with a length and no body", f"send {CHALLENGE}{length}\n"),
            ("in chunks, of which none comes",
             f"send {CHALLENGE}Transfer-Encoding: chunked\\r\\n\\r\\n\n"),
            ("with a body, closed", f"send {CHALLENGE_10}\\r\\nbody\nclose\nconn\n"),
            ("with a length and a body, closed",
             f"send {CHALLENGE}Connection: close\\r\\n{length}\nbody 3069\nclose\nconn\n")):
        for method in METHODS:
            compare(user, f"HEAD, 407 {name}, {method}", loop(method, "-v", "HEAD", "-n", 2),
                    OPENED, f"conn\nexpect\n{challenge}{PASS}{PASS}finish\n")


def interim(user):
    """1xx before the 407 and before the reply. The former may be seen or not."""
    first, second = r"HTTP/1.1 100 Continue\r\n\r\n", r"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n"
    for method in METHODS:
        compare(user, f"1xx before the 407 and the reply, {method}", loop(method, "-n", 2),
                f"conn\nexpect\nsend {second}\n{PASS.removeprefix('expect')[1:]}{PASS}finish\n",
                f"conn\nexpect\nsend {first}{second}{CHALLENGE}Content-Length: 3\\r\\n\\r\\nabc\n"
                f"expect\nsend {second}\nreport\n{PASS}finish\n", view=without_interim)


def origin_replies(user):
    """What the origin says is the program's, and nobody else's."""
    for name, reply in (
            ("401", r"HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"o\"\r\n"
                    r"Content-Length: 3\r\n\r\nwho"),
            ("204", r"HTTP/1.1 204 Nothing\r\n\r\n"),
            ("304 with a length", r"HTTP/1.1 304 Same\r\nContent-Length: 30\r\n\r\n"),
            ("a chunked 200", r"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                              r"5;x\r\nhello\r\n0\r\nT: y\r\n\r\n"),
            ("a reply that quotes a 407", r"HTTP/1.1 200 OK\r\nContent-Length: 44\r\n\r\n"
                                          r"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n"),
            ("503", r"HTTP/1.1 503 Busy\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n")):
        reply = f"send {reply}\n".replace('\\"', '"')
        for method in METHODS:
            compare(user, f"{name} after a 407, {method}", loop(method, "-n", 3),
                    f"conn\nexpect\n{reply}loop\nrepeat\n",
                    f"conn\nauth {BASE64}\n{reply}loop\nrepeat\n")


def closed_between(user):
    """A server may close a connection that it kept, when the next request is on its way."""
    for method in METHODS:
        compare(user, f"closed between requests, {method}", loop(method, "-n", 4),
                f"conn\n{PASS}expect\nclose\nrepeat\n", f"conn\n{AUTH}expect\nclose\nrepeat\n")


def half_closed(user):
    for method in METHODS:
        for kind, asking in (("kept", ASKING), ("closed", CLOSING)):
            compare(user, f"the program sends no more, 407 {kind}, {method}",
                    loop(method, "-n", 1, "-s"), OPENED, asking)


ONE_WAIT = """
import select, socket, sys
link = socket.create_connection((sys.argv[2], int(sys.argv[3])))
link.setblocking(False)
def poll():
    waiter = select.poll()
    waiter.register(link, select.POLLIN)
    return [event for _, event in waiter.poll(60000)]
def epoll():
    waiter = select.epoll()
    waiter.register(link, select.EPOLLIN)
    return [event for _, event in waiter.poll(60)]
link.sendall(f"GET {''.join(sys.argv[4:])}/ HTTP/1.1\\r\\nHost: origin.gatepass.test\\r\\n\\r\\n".encode())
print({"poll": poll, "epoll": epoll}[sys.argv[1]]())
try:
    print(link.recv(65536))
except BlockingIOError:
    print("nothing was there")
"""


def one_wait(user):
    """A single wait goes on for as long as there is only what the program does not get."""
    length, page = r"Content-Length: 5\r\n\r\n", r"send HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    opened = f"conn\nexpect\nwait 50\n{page}\nfinish\n"
    answer = f"expect\nwait 50\n{page}\nfinish\n"
    for name, challenge in (
            ("at once", f"send {CHALLENGE}{length}abcde\n"),
            ("in two pieces", f"send {CHALLENGE}{length}ab\nwait 50\nsend cde\n"),
            ("cut in its head", f"send {CHALLENGE}\nwait 50\nsend {length}abcde\n"),
            ("that closes", f"send {CHALLENGE}Connection: close\\r\\n{length}abcde\n"
                            "close\nconn\n")):
        for method in ("poll", "epoll"):
            compare(user, f"a single {method}(), 407 {name}",
                    ["/usr/bin/python3", "-c", ONE_WAIT, method], opened,
                    f"conn\nexpect\n{challenge}{answer}")


TALK = """
import socket, sys
link = socket.create_connection((sys.argv[1], int(sys.argv[2])))
link.sendall(sys.stdin.buffer.read())
while data := link.recv(65536):
    sys.stdout.buffer.write(data)
"""
# What a program sends, and how it arrives: the request line, and the fields beside the
# credentials; None: as they were. At last, where it has connected to.
FORWARDED = [
    ("a path", "GET /a?b=http://c HTTP/1.1\r\nHost: x.test\r\nAccept: */*\r\n\r\n",
     "GET http://x.test/a?b=http://c HTTP/1.1", None, "far.example:80"),
    ("a Host with a port", "GET /a HTTP/1.1\r\nHost: x.test:8080\r\n\r\n",
     "GET http://x.test:8080/a HTTP/1.1", None, "far.example:80"),
    ("a Host without the port", "GET /a HTTP/1.1\r\nHost: x.test\r\n\r\n",
     "GET http://x.test:8080/a HTTP/1.1", ["Host: x.test:8080"], "far.example:8080"),
    ("spelling and order", "GET /a HTTP/1.1\r\nuser-AGENT: y\r\nhost: x.test\r\nB: 1\r\nb: 2\r\n\r\n",
     "GET http://x.test/a HTTP/1.1", None, "far.example:80"),
    ("HTTP/1.0 without Host", "GET /a HTTP/1.0\r\nAccept: x\r\n\r\n",
     "GET http://far.example/a HTTP/1.0", None, "far.example:80"),
    ("HTTP/1.0 without Host, elsewhere", "GET /a HTTP/1.0\r\nAccept: x\r\n\r\n",
     "GET http://far.example:8080/a HTTP/1.0", None, "far.example:8080"),
    ("HTTP/1.1 without Host", "GET /a HTTP/1.1\r\nAccept: x\r\n\r\n",
     "GET http://far.example/a HTTP/1.1", ["Accept: x", "Host: far.example"], "far.example:80"),
    ("an empty line before", "\r\nGET /a HTTP/1.1\r\nHost: x.test\r\n\r\n",
     "GET http://x.test/a HTTP/1.1", None, "far.example:80"),
    ("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: x.test\r\n\r\n",
     "OPTIONS http://x.test HTTP/1.1", None, "far.example:80"),
]
OBSERVED = [
    ("an absolute target", "GET http://x.test/a HTTP/1.1\r\nHost: x.test\r\n"
     "Proxy-Connection: Keep-Alive\r\nuser-AGENT: y\r\n\r\n",
     "GET http://x.test/a HTTP/1.1", None, None),
    ("HTTP/1.0", "GET http://x.test/a HTTP/1.0\r\n\r\n", "GET http://x.test/a HTTP/1.0", None,
     None),
    ("ftp", "GET ftp://x.test/a HTTP/1.1\r\nHost: x.test\r\n\r\n",
     "GET ftp://x.test/a HTTP/1.1", None, None),
]


def sent_as(user, name, way, text, line, fields, authority):
    proxy = Simproxy(f"conn\nauth {BASE64}\nreport\nclose\nrepeat\n")
    with environment(user, proxy, way, authority=authority) as (env, destination):
        result = run(["/usr/bin/python3", "-c", TALK, *destination[:2]], env, text)
    if fields is None:
        fields = [field for field in text.strip().split("\r\n")[1:] if field]
    got = [(request.line, sorted(f"{field}: {value}" for field, value in request.fields
                                 if field != "Proxy-Authorization"))
           for request in requests(proxy) if not request.challenged]
    equal(got, [(line, sorted(fields))], f"{way}, {name}: how it arrives", result)
    proxy.stop()


def rewritten(user):
    for way, table in (("forward", FORWARDED), ("observe", OBSERVED)):
        for name, *case in table:
            sent_as(user, name, way, *case)


def main():
    user = harness.User("alice")
    odd(user)
    nth(user)
    pipelined(user)
    head(user)
    interim(user)
    origin_replies(user)
    closed_between(user)
    half_closed(user)
    one_wait(user)
    rewritten(user)


harness.main(main)
