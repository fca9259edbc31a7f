#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a program can see of itself: descriptors, signals, children, threads, environment, mapped
files, limits, and what its sockets say. The same bare, with an idle library, and through a proxy
that asks for a password."""

import difflib
import re
import socket
import socketserver
import threading

import harness
from harness import APPS, check, equal, run
from simproxy import BASE64, OK, Simproxy
from victims import Echo, EchoServer

AWAY = {socket.AF_INET: ("198.51.100.7", "7"), socket.AF_INET6: ("2001:db8::7", "7")}
NAMES = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}
ASKING = f"conn\nauth {BASE64}\nsend {OK}\necho\nrepeat\n"
BUSY = r"send HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


class EchoServer6(EchoServer):
    address_family = socket.AF_INET6


def scenes(kind):
    told = run([APPS / "observe", "--list"]).out.splitlines()
    return [line.split()[0] for line in told if line.endswith(kind)]


def observe(env, *arguments):
    return run([APPS / "observe", *arguments], env)


def observe_bare(user, *arguments):
    """Without the library, but beside what an instrumented one needs."""
    env = user.env()
    if harness.SANITIZER:
        env = user.preload() | {"LD_PRELOAD": ":".join(harness.sanitizer_runtime())}
    return observe(env, *arguments)


# What differs, as it must: while the program waits for us, the library has a
# descriptor far from the program's (its agent's), and memory that a child would share; and the
# kernel has begun to measure a connection that the proxy then refuses.
BY_DESIGN = re.compile(r"(?m)^ (?:fd \d\d+: socket mode 140000 flags 1 8?0?2 .*"
                       r"|mapped /dev/zero \(deleted\)|sndbuf \d+ 4)\n")


# A sanitizer's runtime comes with libraries and files of its own.
MAPPED = re.compile(r"(?m)^ mapped .*\n")


def as_is(text):
    return MAPPED.sub("", text) if harness.SANITIZER else text


def without_handshake(text):
    return BY_DESIGN.sub("", as_is(text))


def same(bare, other, name, view=as_is):
    diff = "\n".join(difflib.unified_diff(view(bare.out).splitlines(),
                                          view(other.out).splitlines(), "bare", "with us",
                                          lineterm=""))
    told = (bare.code, other.code, other.err, diff)
    check(told == (0, 0, "", ""), name, "\n".join(map(str, told))[:4000])


def local(user, proxy):
    for scene in scenes("local"):
        bare = observe_bare(user, scene)
        same(bare, observe(user.preload(), scene), f"{scene}: idle")
        same(bare, observe(user.preload(proxy.url_with_password), scene),
             f"{scene}: with a proxy")


def remote(user, family, server_class, host):
    with server_class((host, 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        there = (host, server.server_address[1])
        proxy = Simproxy(ASKING, ipv6=family == socket.AF_INET6)
        closed = (host, harness.free_port())
        busy = Simproxy(f"conn\nexpect\n{BUSY}\nclose\nrepeat\n",
                        ipv6=family == socket.AF_INET6)
        for scene in scenes("remote"):
            name = f"{NAMES[family]}, {scene}"
            to, by = (closed, busy) if scene == "refused" else (there, proxy)
            bare = observe_bare(user, scene, *to)
            check(bare.code == 0 and ("as asked for" in bare.out or to == closed),
                  f"{name}: works without us", bare)
            same(bare, observe(user.preload(), scene, *to), f"{name}: idle")
            # Once with the start of the agent, once without.
            user.stop_agent()
            for when in "first", "later":
                through = observe(user.preload(by.url_with_password), scene, *AWAY[family])
                same(bare, through, f"{name}: through a proxy, {when}", without_handshake)
            same(bare, observe(user.preload(by.url_with_password), scene, *to),
                 f"{name}: with a proxy, direct", without_handshake)
        asked = proxy.told("request")
        check(asked and all(line.startswith("CONNECT ") for line in asked),
              f"{NAMES[family]}: it went through the proxy", proxy.events)
        proxy.end()
        busy.end()
        server.shutdown()


def main():
    user = harness.User("alice")
    proxy = Simproxy(ASKING)
    local(user, proxy)
    proxy.end()
    remote(user, socket.AF_INET, EchoServer, "127.0.0.1")
    remote(user, socket.AF_INET6, EchoServer6, "::1")


harness.main(main)
