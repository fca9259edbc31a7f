#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a proxy says before and after a 407, cut at every octet and octet by octet: a program
that waits for its reply in whatever way sees the reply, and sleeps until it is there."""

import re
import subprocess

import harness
from harness import check, equal, run
from simproxy import CHALLENGE, CHALLENGE_10, Simproxy, cut, octets
from http_victims import (WAYS, alone, environment, fails_alone, ill_formed, loop, requests,
                          with_us)

METHODS = ("block", "poll", "select", "epoll", "edge")
OK = r"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nCheshire cat"
EARLY = r"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
KEPT = CHALLENGE + r"Content-Length: 4\r\n\r\nbody"
CHUNKED = CHALLENGE + r"Transfer-Encoding: chunked\r\n\r\n2;x\r\nbo\r\n2\r\ndy\r\n0\r\nT: y\r\n\r\n"
CLOSED = CHALLENGE_10 + r"\r\nbody"

# name, what comes first, what is cut, what comes then.
CASES = [
    ("407", "expect\n", KEPT, f"expect\nsend {OK}\n"),
    ("407 in chunks", "expect\n", CHUNKED, f"expect\nsend {OK}\n"),
    ("407 that closes", "expect\n", CLOSED, f"close\nconn\nexpect\nsend {OK}\n"),
    ("reply after a 407", f"expect\nsend {KEPT}\nexpect\n", EARLY + OK, ""),
]


def script(first, text, then):
    """A connection for each place where the text can be cut, and one for all of them."""
    places = [f"conn\n{first}{cut(text, at)}{then}finish\n" for at in range(1, len(octets(text)))]
    return "".join(places) + f"conn\n{first}split 1\ndelay 1\nsend {text}\nsplit 0\n{then}finish\n"


def cut_everywhere(user, name, first, text, then):
    count = len(octets(text))
    options = ["-c", count]
    opened = Simproxy(f"conn\nexpect\nsend {EARLY if EARLY in text else ''}{OK}\nfinish\nrepeat\n")
    for method in METHODS:
        wanted = alone(user, loop(method, *options), opened)
        check(wanted.out.count(" 200 OK") == count, f"{name}, {method}: works where nobody asks",
              wanted)
        fails_alone(user, f"{name}, {method}", loop(method, *options),
                    f"conn\n{first}send {text}\nclose\nrepeat\n")
        for way in WAYS:
            point = f"{name} cut at each of {count} octets, {way}, {method}"
            proxy = Simproxy(script(first, text, then))
            result = with_us(user, loop(method, *options), proxy, way)
            equal(result.out, wanted.out, point, result)
            served = [request for request in requests(proxy)
                      if request.values("proxy-authorization")]
            equal((len(served), ill_formed(proxy)), (count, []), f"{point}: each request once")
            # Each cut is one sleep more, and the agent and a reconnection some.
            switches = re.search(r"switches (\d+)", result.err)
            check(switches and int(switches[1]) < 15 * count + 50, f"{point}: it sleeps", result)
            proxy.stop()
    opened.stop()


# Stands behind the library, where it looks whether the connection has ended: as late as it
# would on a machine that is busy at that moment.
SLOW_LOOK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <unistd.h>
int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	int (*next)(struct pollfd *, nfds_t, int) = dlsym(RTLD_NEXT, "poll");

	if (count == 1 && fds->events == POLLRDHUP && timeout == 0)
		usleep(20000);
	return next(fds, count, timeout);
}
"""


def ended_meanwhile(user):
    """The rest of a 407 and the end come after we have looked at its beginning, and before we
    look whether there is an end."""
    slow = harness.DIRECTORY / "slow.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", slow], check=True,
                   input=SLOW_LOOK.encode())
    _, first, text, then = CASES[2]
    for at in (13, 20, 50):
        asking = f"conn\n{first}{cut(text, at)}{then}finish\n"
        fails_alone(user, f"the end comes meanwhile, after {at} octets", loop("poll"), asking)
        for way in WAYS:
            proxy = Simproxy(asking)
            with environment(user, proxy, way) as (env, destination):
                env["LD_PRELOAD"] += f":{slow}"
                result = run([*loop("poll"), *destination], env)
            check("HTTP/1.1 200 OK" in result.out and " 407" not in result.out,
                  f"the end comes meanwhile, after {at} octets, {way}", result)
            proxy.stop()


def main():
    user = harness.User("alice")
    for case in CASES:
        cut_everywhere(user, *case)
    ended_meanwhile(user)


harness.main(main)
