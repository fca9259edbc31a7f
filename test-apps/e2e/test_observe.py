#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a program can see of itself: descriptors, signals, children, threads, environment, mapped
files, limits, and what its sockets say. The same bare, with an idle library, and through a proxy
that asks for a password."""

import difflib
import re
import signal
import socket
import socketserver
import threading

import harness
from harness import APPS, check, equal, run, skip
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


# Stands before what sets handlers, and calls them itself, as Java's libjsig and
# ThreadSanitizer do.
KEEPER = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>

static void (*kept[NSIG])(int);

static void call(int sig)
{
	if (kept[sig] != SIG_DFL && kept[sig] != SIG_IGN)
		kept[sig](sig);
}

int sigaction(int sig, const struct sigaction *action, struct sigaction *before)
{
	int (*next)(int, const struct sigaction *, struct sigaction *);
	struct sigaction ours;

	next = (int (*)(int, const struct sigaction *, struct sigaction *))dlsym(RTLD_NEXT,
										  "sigaction");
	if (!action)
		return next(sig, action, before);
	kept[sig] = action->sa_handler;
	ours = *action;
	ours.sa_handler = call;
	return next(sig, &ours, before);
}

void (*signal(int sig, void (*handler)(int)))(int)
{
	struct sigaction action = {.sa_handler = handler}, before;

	return sigaction(sig, &action, &before) ? SIG_ERR : before.sa_handler;
}
"""


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


def beside_a_keeper(user):
    """A broken connection's SIGPIPE still comes when we have started the agent."""
    if harness.SANITIZER:
        skip("beside who keeps handlers", "its runtime keeps them itself")
        return
    keeper = harness.DIRECTORY / "keeper.so"
    run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", keeper], input=KEEPER.encode())
    with EchoServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        there = ("127.0.0.1", server.server_address[1])
        proxy = Simproxy(ASKING)
        bare = observe(user.env(LD_PRELOAD=keeper), "blocking", *there)
        check(f" signal {signal.SIGPIPE.value}: 1" in bare.out, "it gets SIGPIPE without us", bare)
        user.stop_agent()
        through = user.preload(proxy.url_with_password)
        through["LD_PRELOAD"] = f"{keeper}:{through['LD_PRELOAD']}"
        same(bare, observe(through, "blocking", *AWAY[socket.AF_INET]),
             "beside who keeps handlers", without_handshake)
        proxy.end()
        server.shutdown()


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
    beside_a_keeper(user)


harness.main(main)
