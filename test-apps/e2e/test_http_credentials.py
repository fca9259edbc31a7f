#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Whose credentials a request carries: ours at once when the proxy is known to ask, the program's
own while they work; and the proxy's 407 as it is when there are none."""

import harness
from harness import check, equal
from simproxy import BASE64, CHALLENGES, Simproxy, connections
from http_victims import (ASKING, CLOSING, OPENED, WAYS, alone, compare, loop, requests, with_us)

METHODS = ("block", "epoll", "edge")
OURS = f"Basic {BASE64}"
OWN = "Basic b3duOmNyZWRlbnRpYWxz"  # own:credentials


def known(user):
    """The agent knows that the proxy asks: not one request is answered with 407."""
    for name, options in (("GET", ["-n", 10]), ("pipelined GET", ["-n", 10, "-k", 5]),
                          ("POST", ["-n", 3, "-v", "POST", "-b", 3 << 20]),
                          ("chunked POST", ["-n", 3, "-v", "POST", "-b", 70000, "-C"])):
        for method in METHODS:
            argv, point = loop(method, *options), f"known proxy, {name}, {method}"
            compare(user, point, argv, OPENED, ASKING, at_once=True)
            for way in WAYS:
                proxy = Simproxy(ASKING)
                result = with_us(user, argv, proxy, way, at_once=True)
                equal((proxy.told("challenged"), connections(proxy.end())), ([], 1),
                      f"{point}, {way}: no 407, one connection", result)


def own_credentials(user):
    """The program's own Proxy-Authorization stays until the proxy rejects it."""
    argv = loop("epoll", "-n", 3, "-f", f"Proxy-Authorization: {OWN}")

    def credentials(asking, way, **agent_options):
        proxy = Simproxy(asking)
        result = with_us(user, argv, proxy, way, **agent_options)
        sent = [request.values("proxy-authorization") for request in requests(proxy)]
        proxy.stop()
        return sent, result

    for kind, asking in (("kept", ASKING), ("closed", CLOSING)):
        compare(user, f"own credentials are rejected, {kind}", argv, OPENED, asking)
        for way in WAYS:
            sent, result = credentials(asking, way)
            equal(sent, [[OWN], [OURS], [OURS], [OURS]],
                  f"own credentials, {kind}, {way}: replaced when rejected, once", result)
    accepting = ASKING.replace(BASE64, OWN.split()[1])
    proxy = Simproxy(accepting)
    check(alone(user, argv, proxy).out.count(" 200 ") == 3, "own credentials work alone")
    proxy.stop()
    for way in WAYS:
        sent, result = credentials(accepting, way, at_once=True)
        equal((sent, result.out.count(" 200 ")), ([[OWN]] * 3, 3),
              f"own credentials, {way}: stay while they work", result)


def unanswered(user):
    """Nobody has a password: the program sees the proxy's 407, every octet of it."""
    argvs = {f"GET, {method}": loop(method) for method in METHODS}
    argvs["POST"] = loop("poll", "-v", "POST", "-b", 70000)
    argvs["chunked POST"] = loop("poll", "-v", "POST", "-b", 70000, "-C")
    for name, challenge, then in CHALLENGES:
        if "hold" in then or "reset" in then:
            continue  # nobody could tell where it ends
        script = f"conn\nexpect\n{challenge}{'close' if 'close' in then else 'finish'}\n"
        for what, argv in argvs.items():
            proxy = Simproxy(script)
            wanted = alone(user, argv, proxy)
            proxy.stop()
            check(" 407" in wanted.out, f"{name}, {what}: seen alone", wanted)
            for way in WAYS:
                proxy = Simproxy(script)
                result = with_us(user, argv, proxy, way, answers=False)
                equal(result.out, wanted.out, f"{name}, no answer, {what}, {way}: seen as it is",
                      result)
                # A probe's 407 is the request's as well, which goes nowhere then.
                equal(len(requests(proxy)), 1, f"{name}, no answer, {what}, {way}: asked once",
                      proxy.events)
                proxy.stop()


def main():
    user = harness.User("alice")
    known(user)
    own_credentials(user)
    unanswered(user)


harness.main(main)
