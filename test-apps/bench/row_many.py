# SPDX-License-Identifier: MIT
"""Many connections at a time from one thread, through a proxy that is far away. With a proxy
that is not known yet, one of them is refused, asks, and tries the password; the others wait
for what comes of it. Bars are for whole round trips: the rest of one is work."""

import ground
import table
from ground import HOST, PORT, column, harness

COUNT = 64
ROUND_TRIP = 50  # milliseconds
TITLE = f"{COUNT} non-blocking tunnels from one thread, proxy {ROUND_TRIP} ms away"
ROUNDS, PEER_ROUNDS = 7, 2


def many(*args, env=None):
    return ground.program("many", COUNT, *args, env=env)


def cold(user, env):
    """The agent is there, and has never heard of the proxy."""
    ground.need(user.ctl("agent", "start").code == 0, "the agent does not start")
    found = many(HOST, PORT, env=env)
    user.stop_agent()
    return found


def peer(user, line):
    env = ground.peer(user, line.port)
    return ground.in_turn(PEER_ROUNDS, {
        "proxychains-ng": lambda: line.passed(COUNT, lambda: many(HOST, PORT, env=env))})


def measure():
    gate = ground.Gate("echo")
    line = ground.Far(gate, ROUND_TRIP)
    user, env = ground.acquainted("warm", line)
    stranger = harness.User("cold")
    stranger_env = stranger.preload(ground.url_with_password(line))
    times = ground.in_turn(ROUNDS, {
        "own CONNECT": lambda: line.passed(COUNT, lambda: many(*ground.own(line))),
        "known proxy": lambda: line.passed(COUNT, lambda: many(HOST, PORT, env=env)),
        "407 first": lambda: line.passed(2 * COUNT, lambda: cold(stranger, stranger_env)),
    })
    if ground.has_peer():
        times |= peer(user, line)
    for name, found in times.items():
        trips = [time / 1e6 / ROUND_TRIP for time in column(found, 0)]
        longest = [time / 1e6 for time in column(found, 1)]
        ours = name in ("known proxy", "407 first")
        table.line(f"{name}: round trips until all stand", trips,
                   table.at_most(4, whole=True) if ours else None)
        table.line(f"{name}: longest connect(), ms", longest,
                   table.at_most(1) if ours else None, digits=3)
    line.stop()
    gate.stop()
