#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Requests with bodies, small and larger than what is kept of them, to proxies that answer 407
before the body, after it, or instead of reading it."""

import harness
from simproxy import BASE64, CHALLENGE
from http_victims import OPENED, compare, loop, without_interim

SIZES = (0, 1, 65535, 65536, 1 << 20, 3 << 20)
# Squid answers first and reads then, up to 64 KiB; Apache reads all of it; tinyproxy answers and
# closes, which resets the connection.
PROXIES = {"after": "", "before": "early", "after, and closes": "close",
           "before, and closes": "early close"}
CONTINUE = r"send HTTP/1.1 100 Continue\r\n\r\n" + "\npayload\n"


def post(size, *options, method="poll"):
    return loop(method, "-v", "POST", "-b", size, "-n", 2, *options)


def sizes(user):
    for when, modes in PROXIES.items():
        asking = f"conn\nauth {BASE64} {modes}\nreport\nloop\nrepeat\n".replace(" \n", "\n")
        for size in SIZES:
            for name, options in (("", []), (" in chunks", ["-C"])):
                # Alone, what does not fit into the kernel's buffers meets the reset.
                compare(user, f"{size} octets{name}, 407 {when}", post(size, *options), OPENED,
                        asking, proof=size <= 1)


def methods(user):
    asking = f"conn\nauth {BASE64} early\nreport\nloop\nrepeat\n"
    for method in ("block", "select", "epoll", "oneshot", "edge"):
        for size in (1000, 3 << 20):
            compare(user, f"{size} octets, {method}", post(size, method=method), OPENED, asking)


def expecting(user):
    """100 (Continue): the body is held back until leave is given."""
    opened = f"conn\nhead\n{CONTINUE}report\nloop\nrepeat\n"
    late = (f"conn\nhead\n{CONTINUE}send {CHALLENGE}Content-Length: 0\\r\\n\\r\\n\n"
            f"head\n{CONTINUE}report\nhead\n{CONTINUE}report\nfinish\n"
            # Behind a long body the connection is not trusted.
            f"conn\nhead\n{CONTINUE}report\nloop\nrepeat\n")
    for size in (1, 65536, 3 << 20):
        for name, options in (("", ["-e"]), (" in chunks", ["-e", "-C"])):
            for when, modes in (("instead of 100", "head"),
                                ("instead of 100, and closes", "head close")):
                compare(user, f"{size} octets{name}, 407 {when}", post(size, *options), opened,
                        f"conn\nauth {BASE64} {modes}\n{CONTINUE}report\nloop\nrepeat\n")
        # Whether it sees the 100 that came before the 407 does not matter.
        if size <= 65536:
            compare(user, f"{size} octets, 407 after 100 and the body", post(size, "-e"), opened,
                    late, view=without_interim)


def main():
    user = harness.User("alice")
    sizes(user)
    methods(user)
    expecting(user)


harness.main(main)
