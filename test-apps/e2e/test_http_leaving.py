#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Connections that are HTTP at first and then not, or that never were: CONNECT by the program
itself, Upgrade, and other protocols and silence on a port that is meant for HTTP."""

import re

import harness
from harness import APPS, check, equal, run
from http_victims import AWAY, compare, environment, loop, requests
from simproxy import BASE64, CHALLENGE, OK, Simproxy

METHODS = ("block", "poll", "select", "epoll", "edge")
AUTHORITY = "far.example:80"
SWITCH = r"HTTP/1.1 101 Switching\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n"
# What must pass untouched: it looks like a request and like a 407.
TRAP = ("GET http://x.test/ HTTP/1.1\r\nHost: x.test\r\n\r\n" +
        CHALLENGE.replace("\\r\\n", "\r\n") + "Content-Length: 0\r\n\r\n\x7f\xff\x01")
KINDS = {"kept": f"auth {BASE64}", "closed": f"auth {BASE64} close"}
BANNER = "220 mail.example.org ESMTP"


def own_connect(user):
    """The program speaks CONNECT to the proxy itself."""
    for kind, auth in KINDS.items():
        for method in METHODS:
            compare(user, f"CONNECT by the program, 407 {kind}, {method}",
                    loop(method, "-v", "CONNECT", "-t", TRAP),
                    f"conn\nexpect\nsend {OK}\necho\nrepeat\n",
                    f"conn\n{auth}\nsend {OK}\necho\nrepeat\n", ways=["observe"])
    # The server's first words come in the same segment as the 200.
    for method in METHODS:
        compare(user, f"CONNECT by the program, the server speaks first, {method}",
                loop(method, "-v", "CONNECT", "-t", BANNER[:3]),
                f"conn\nexpect\nbanner {BANNER[:3]}\nfinish\nrepeat\n",
                f"conn\nauth {BASE64}\nbanner {BANNER[:3]}\nfinish\nrepeat\n", ways=["observe"])


def upgrade(user):
    """Where the program asks the proxy, it upgrades through it; else a tunnel takes it there."""
    fields = "Connection: Upgrade\r\nUpgrade: echo"
    opened = f"conn\nexpect\nsend {SWITCH}\necho\nrepeat\n"
    for kind, auth in KINDS.items():
        for method in METHODS:
            argv = loop(method, "-f", fields, "-t", TRAP)
            point = f"Upgrade, 407 {kind}, {method}"
            compare(user, point, argv, opened, f"conn\n{auth}\nsend {SWITCH}\necho\nrepeat\n",
                    ways=["observe"])
            compare(user, point, argv, opened,
                    f"conn\n{auth}\nsend {OK}\nexpect\nsend {SWITCH}\necho\nrepeat\n",
                    ways=["forward"], tunnelled=True)


def tunnelled(user, name, argv, script, wanted, **options):
    """Through a tunnel, of which the program sees nothing."""
    proxy = Simproxy(script)
    with environment(user, proxy, "forward") as (env, _):
        result = run(argv, env, **options)
    check(result.out == wanted != "", f"{name}: it gets through", lambda: f"{result}\n{proxy.events}")
    passed = [request for request in requests(proxy) if not request.challenged]
    equal([(request.line, request.values("proxy-authorization")) for request in passed],
          [(f"CONNECT {AUTHORITY} HTTP/1.1", [f"Basic {BASE64}"])], f"{name}: by CONNECT",
          proxy.events)
    proxy.stop()


def other_protocols(user):
    for name, text in (
            ("TLS", "\x16\x03\x01\x02hello"), ("SSH", "SSH-2.0-OpenSSH_9.2\r\n"),
            ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), ("HTTP/0.9", "GET /\r\n"),
            ("SMTP", "EHLO x.test\r\n"), ("one octet", "x"), ("a line end", "\n"),
            ("a lower-case method", "get / http/1.1\r\n\r\n"),
            ("octets above 127", "\udcff\udcfe\udc80"), ("4,000 octets", "y " * 2000)):
        proxy = Simproxy("conn\necho\nrepeat\n")
        bare = run([APPS / "echo_client", "127.0.0.1", proxy.port, text], user.env())
        proxy.stop()
        for kind, auth in KINDS.items():
            tunnelled(user, f"{name}, 407 {kind}", [APPS / "echo_client", *AWAY, text],
                      f"conn\n{auth}\nsend {OK}\necho\nrepeat\n", bare.out, timeout=20)


def event_loops(user):
    """What waits without blocking says "hello", which is no HTTP."""
    for method in run([APPS / "loop", "--list"]).out.split():
        proxy = Simproxy("conn\necho\nrepeat\n")
        bare = run([APPS / "loop", method, "127.0.0.1", proxy.port, 2], user.env())
        proxy.stop()
        proxy = Simproxy(f"conn\nwait 10\nauth {BASE64} close\nsend {OK}\necho\nrepeat\n")
        with environment(user, proxy, "forward") as (env, _):
            result = run([APPS / "loop", method, *AWAY, 2], env, timeout=100)
        check(bare.out.count("echo hello\n") == 2, f"{method}: works alone", bare)
        # Edge-triggered sets may tell twice that the socket is writable.
        without = (lambda out: re.sub(r"waits \d+", "", out)) if "edge" in method else str
        equal(without(result.out), without(bare.out), f"{method}, no HTTP: it gets through",
              result)
        proxy.stop()


# Waits for what the server says first, as the selector's name tells.
LISTEN = """
import selectors, socket, sys
link = socket.socket()
link.setblocking(False)
chosen = getattr(selectors, sys.argv[3])()
chosen.register(link, selectors.EVENT_WRITE)
link.connect_ex((sys.argv[1], int(sys.argv[2])))
chosen.select(30)
chosen.modify(link, selectors.EVENT_READ)
chosen.select(30)
print(link.recv(100).decode(), end="")
"""


def silence(user):
    """A server that speaks first, and a client that waits for that."""
    script = f"conn\nauth {BASE64}\nbanner {BANNER}\nfinish\nrepeat\n"
    listen = ["/usr/bin/python3", "-c", LISTEN, *AWAY]
    for selector in ("SelectSelector", "PollSelector", "EpollSelector"):
        tunnelled(user, f"silence, {selector}", [*listen, selector], script, BANNER)
    code = ("import socket, sys; link = socket.create_connection((sys.argv[1], "
            "int(sys.argv[2]))); {}; print(link.recv(100).decode(), end='')")
    for name, setting in (("blocking", "pass"), ("with a timeout", "link.settimeout(30)")):
        tunnelled(user, f"silence, {name}",
                  ["/usr/bin/python3", "-c", code.format(setting), *AWAY], script, BANNER)


def other_proxies(user):
    """A request for a proxy, to a host that is none that we know: it is one of the origin's."""
    text = "GET http://y.test/a HTTP/1.1\r\nHost: y.test\r\n\r\n"
    proxy = Simproxy("conn\necho\n")
    bare = run([APPS / "echo_client", "127.0.0.1", proxy.port, text], user.env())
    proxy.stop()
    tunnelled(user, "a request in absolute form", [APPS / "echo_client", *AWAY, text],
              f"conn\nauth {BASE64}\nsend {OK}\necho\nrepeat\n", bare.out)


def refused(user):
    """The proxy lets no tunnel to that port: the program sees an error, and is not kept waiting."""
    proxy = Simproxy(r"conn" "\n" f"auth {BASE64}\n"
                     r"send HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" "\nloop\nrepeat\n")
    with environment(user, proxy, "forward") as (env, _):
        result = run([APPS / "echo_client", *AWAY, "SSH-2.0-x\r\n"], env, timeout=20)
    check(result.code == 1 and not result.timed_out and result.err,
          "no tunnel to that port: an error", result)
    equal(sorted({request.method for request in requests(proxy)}), ["CONNECT"],
          "no tunnel to that port: nothing else was tried", proxy.events)
    proxy.stop()


def main():
    user = harness.User("alice")
    own_connect(user)
    upgrade(user)
    other_protocols(user)
    event_loops(user)
    silence(user)
    other_proxies(user)
    refused(user)


harness.main(main)
