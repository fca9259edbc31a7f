#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tinyproxy sends on, as it came, what follows the first request on a connection, if the origin
does not end that. Our authorization must not be in it, and the requests are to be answered."""

import harness
import origin
import proxies
from harness import check, equal, run
from http_victims import loop
from witness import PAGE, Witness

COUNT = 3
# How a program goes on: each request behind the reply before, all in one write, and so on.
MANNERS = (["-n", COUNT], ["-n", COUNT, "-k", COUNT], ["-n", COUNT, "-v", "POST", "-b", 100])


class Relay:
    def __init__(self):
        self.proxy = proxies.tinyproxy_basic()
        self.witness = Witness(origin.Authority())
        self.user = harness.User("alice")
        self.user.configure(f"[proxy]\nforward_ports = {self.witness.http_port}\n")
        equal(self.user.login(self.proxy.url, proxies.PASSWORD, session=True).code, 0, "login")

    def page(self):
        return f"{self.witness.http}/stay?"

    def destination(self):
        return "127.0.0.1", self.proxy.port, self.page()

    def told(self):
        return self.witness.requests

    def no_authorization(self, name):
        equal([request.proxys for request in self.told()], [[]] * len(self.told()),
              f"{name}: nothing that was for the proxy arrives", self.told())

    def leaks_by_itself(self):
        """A program that knows the password shows what this is about."""
        self.witness.forget()
        field = f"Proxy-Authorization: Basic {proxies.basic()}"
        run([*loop("poll", "-n", COUNT, "-f", field), *self.destination()], self.user.env())
        check(any(request.proxys for request in self.told()),
              "tinyproxy passes on what is meant for it", self.told())

    def observed(self, method, options):
        name = f"observed, {method} {' '.join(map(str, options))}"
        command = [*loop(method, *options), *self.destination()]
        refused = run(command, self.user.env())
        check(" 407" in refused.out or refused.code != 0, f"{name}: 407 without us", refused)
        self.witness.forget()
        result = run(command, harness.with_library(self.user.env(http_proxy=self.proxy.url)))
        equal((result.code, result.out.count(" 200 OK")), (0, COUNT), f"{name}: all are answered",
              result)
        equal(len(self.told()), COUNT, f"{name}: each arrives once", self.told())
        self.no_authorization(name)

    def forwarded(self):
        command = ["curl", "-sS", "--fail", "--max-time", "30", *[self.page()] * COUNT]
        refused = run(command, self.user.bare(self.proxy))
        check(refused.code != 0, "forwarded: 407 without us", refused)
        self.witness.forget()
        result = run(command, self.user.preload(self.proxy.url))
        equal((result.code, result.bytes), (0, PAGE * COUNT), "forwarded: all are answered",
              result)
        equal(len(self.told()), COUNT, "forwarded: each arrives once", self.told())
        self.no_authorization("forwarded")


def main():
    lacking = harness.needs("tinyproxy", "curl")
    if lacking:
        harness.skip("everything", f"no {lacking}")
        return
    relay = Relay()
    relay.leaks_by_itself()
    for method in ("block", "poll", "epoll", "edge"):
        for options in MANNERS:
            relay.observed(method, options)
    relay.forwarded()


harness.main(main)
