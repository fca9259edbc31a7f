# SPDX-License-Identifier: MIT
"""Requests over a kept connection that get their authorization from us, because the program
speaks to the proxy (observe) or knows of none (forward). Squid is a proxy as they are; a
responder that does next to nothing shows what we cost."""

import statistics
import subprocess

import ground
import proxies
import table
from ground import BASE64, HOST, PROGRAMS, harness

TITLE = "keep-alive requests per second, against a client that authenticates itself"
BAR = table.at_least(0.9)
MANNERS = ("block", "poll", "epoll")
ROUNDS, RUNS = 9, 3


class Responder:
    """bench/respond as a proxy, or without credentials as an origin."""

    def __init__(self, *credentials):
        self._process = harness.start([PROGRAMS / "respond", *credentials],
                                      stdout=subprocess.PIPE)
        self.port = int(self._process.stdout.readline().split()[1])

    def stop(self):
        harness.stop(self._process)


def fastest(count, *args, env=None):
    """Microseconds for a request; of a few runs: what disturbs one disturbs it much."""
    return min(ground.program("requests", count, *args, env=env)[0]
               for _ in range(RUNS)) / count / 1000


def compare(name, count, proxy, origin, env):
    to_proxy = ("127.0.0.1", proxy.port, f"http://{origin}/", origin)
    ways = {"observe": to_proxy, "forward": (HOST, 80, "/", origin)}
    for manner in MANNERS:
        variants = {way: lambda to=to: fastest(count, manner, *to, env=env)
                    for way, to in ways.items()}
        times = ground.in_turn(ROUNDS, {
            "own": lambda: fastest(count, manner, *to_proxy, BASE64), **variants,
            "own again": lambda: fastest(count, manner, *to_proxy, BASE64)})
        around = [statistics.mean(pair) for pair in zip(times["own"], times["own again"])]
        for way in ways:
            table.line(f"{name}, {manner}: {way}", ground.ratios(around, times[way]), BAR)
        table.note(f"own {statistics.median(around):.1f} µs, " + ", ".join(
            f"{way} +{statistics.median(ground.differences(times[way], around)):.1f} µs"
            for way in ways))


def near():
    responder = Responder(BASE64)
    env = ground.new_user("requests", responder)[1]
    compare("responder", 3000, responder, "origin", env)
    responder.stop()


def behind_squid():
    ground.need(harness.find_program("squid"), "no squid")
    squid, origin = proxies.squid_basic(), Responder()
    env = ground.new_user("requests-squid", squid)[1]
    compare("Squid", 400, squid, f"{proxies.ORIGIN}:{origin.port}", env)
    harness.stop(squid.process)
    origin.stop()


def measure():
    near()
    behind_squid()
