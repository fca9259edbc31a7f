#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Event loops of C libraries, through Squid, and one that has a thousand connections at a time,
through the scripted proxy."""

import harness
import proxies
from harness import APPS, check, equal, run
from simproxy import BASE64, OK, Simproxy
from trial import run_pages_trial

# libevent's ways of waiting, by what is to be set for them.
WAYS = {"epoll": [], "epoll (with changelist)": ["EVENT_EPOLL_USE_CHANGELIST"],
        "poll": ["EVENT_NOEPOLL"], "select": ["EVENT_NOEPOLL", "EVENT_NOPOLL"]}
CROWD = 1000


def libraries(trial):
    for library, package in (("event", "libevent-dev"), ("uv", "libuv1-dev"),
                             ("gio", "libglib2.0-dev")):
        program = APPS / f"fetch_{library}"
        if not program.exists():
            harness.skip(program.name, f"no {package}")
        elif library == "event":
            libevent(trial, program)
        else:
            trial.go(program.name, [program, *trial.http], trial.all,
                     own_locks=library == "gio")


def libevent(trial, program):
    argv = [program, *trial.http]
    trial.refused(trial.user, "libevent", argv)
    for way, variables in WAYS.items():
        extra = {name: 1 for name in variables}
        used = run([program], trial.user.env(**extra))
        equal(used.err, f"waits with {way}\n", f"libevent waits with {way}", used)
        trial.passes(f"libevent with {way}", argv, trial.all, **extra)


def crowd():
    """One thread, and a password that it takes a 407 to be asked for. Each connection waits
    for the last one, so all are there together."""
    user = harness.User("crowd")
    proxy = Simproxy(f"conn\nauth {BASE64}\nsend {OK}\necho\nrepeat\n")
    bare = run(["curl", "-sS", f"http://{proxies.ORIGIN}:7/", "-p", "-x", proxy.url])
    check("407" in bare.err, "crowd: 407 without us", bare)
    equal(user.login(proxy.url, proxies.PASSWORD, session=True).code, 0, "crowd: login")
    wanted = f"{CROWD} connected, {CROWD} right, 0 left open\n"
    for what in ("that the proxy challenges", "later"):
        result = run([APPS / "crowd", CROWD, proxies.ORIGIN, 7], user.preload(proxy.url))
        equal(result.out, wanted, f"{CROWD} connections {what}", result)
    # curl's, these, and no more: nothing was tried twice.
    equal(len(proxy.told("accept")), 1 + 2 * CROWD, "each is one connection to the proxy")
    equal(len(proxy.told("lost")), 0, "none is reset")
    proxy.stop()


def main():
    run_pages_trial(libraries)
    crowd()


harness.main(main)
