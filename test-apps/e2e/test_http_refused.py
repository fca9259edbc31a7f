#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A proxy that lets nobody through to a port by CONNECT: HTTP goes as requests, and whatever else
is told so, late but soon."""

import harness
from harness import APPS, check, equal, run
from simproxy import BASE64, Simproxy

DESTINATION = ("198.51.100.7", "8000")
URL = f"http://{DESTINATION[0]}:{DESTINATION[1]}/page"
REFUSAL = r"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
PAGE = r"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npage\n"
# The tunnel is refused to those who have the password, too.
REFUSING = f"conn\nauth {BASE64}\nsend {REFUSAL}\nclose\nconn\nauth {BASE64}\nsend {PAGE}\nfinish\n"


def forwarded(user):
    proxy = Simproxy(REFUSING * 2)
    bare = run(["curl", "-sS", "-p", "-x", proxy.url, URL], user.env())
    check("407" in bare.err, "407 without us", bare)
    proxy.stop()
    proxy = Simproxy(REFUSING * 2)
    env = user.preload(proxy.url_with_password)
    for name in ("the first", "another"):
        result = run(["curl", "-sS", URL], env)
        equal(result.out, "page\n", f"HTTP is forwarded: {name}", result)
    equal(proxy.told("request"), [f"CONNECT {DESTINATION[0]}:{DESTINATION[1]} HTTP/1.1",
                                  f"CONNECT {DESTINATION[0]}:{DESTINATION[1]} HTTP/1.1",
                                  f"GET {URL} HTTP/1.1"] +
          [f"CONNECT {DESTINATION[0]}:{DESTINATION[1]} HTTP/1.1", f"GET {URL} HTTP/1.1"],
          "and the password is sent at once from then on", proxy.events)
    proxy.end()


def others(user):
    """The program has been told that it is connected, so its next call says that it is not."""
    proxy = Simproxy(f"conn\nauth {BASE64}\nsend {REFUSAL}\nclose\nconn\nhold\n" * 3)
    env = user.preload(proxy.url_with_password)
    result = run([APPS / "echo_client", *DESTINATION, "no HTTP"], env)
    check(result.code and "Permission denied" in result.err, "another protocol: EACCES", result)
    result = run([APPS / "echo_client", *DESTINATION, "\x16\x03\x01\n"], env)
    check(result.code and "Permission denied" in result.err, "TLS: EACCES", result)
    result = run(["/usr/bin/python3", "-c", WAIT, *DESTINATION], env)
    equal(result.out, "13\n", "one who waits for the server to speak: EACCES", result)
    equal(proxy.told("data"), [], "and the proxy gets nothing of it", proxy.events)
    proxy.end()


WAIT = """
import select, socket, sys
link = socket.create_connection((sys.argv[1], int(sys.argv[2])))
link.setblocking(False)
select.select([link], [], [], 20)
try:
    link.recv(99)
except OSError as error:
    print(error.errno)
"""


def secure(user):
    """Ports of TLS are told at once, as there is nothing else to try."""
    proxy = Simproxy(f"conn\nexpect\nsend {REFUSAL}\nclose\nrepeat\n")
    result = run([APPS / "connect_errno", DESTINATION[0], 443], user.preload(proxy.url))
    equal(result.out.split()[:1], ["EACCES"], "TLS's port: EACCES from connect()", result)
    proxy.end()


def main():
    user = harness.User("alice")
    forwarded(user)
    others(user)
    secure(user)


harness.main(main)
