#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Unusual things that programs do while a socket connects: with duplicates and flags, signals,
threads, children, and waits that the library cannot see."""

import harness
from agents import ForgetfulAgent
from harness import APPS, equal, run
from simproxy import BASE64, OK, Simproxy

# What each scenario prints. "echo hello" is the end of a connection that came to be.
SCENARIOS = {
    "use-duplicate": "echo hello",
    "use-high-duplicate": "dup2 ok, echo hello",
    "use-duplicate-in-set": "wait ok, echo hello",
    "become-blocking": "echo hello",
    "become-blocking-by-ioctl": "echo hello",
    "raise-low-water": "low water 5, echo hello",
    "go-on-after-signal": "connect EINTR, echo hello",
    "go-on-after-timeout": "connect EINPROGRESS, echo hello",
    "connect-twice": "connect ok, connect EISCONN, echo hello",
    # The kernel is connected to the proxy, and the program has not waited in a way that is
    # seen: connect() stays until the tunnel stands.
    "connect-twice-nonblocking": "connect ok, connect EISCONN, connect EISCONN, echo hello",
    "open-fast": "sendto ok, recv ok, echo hello",
    "open-fast-nonblocking": "sendmsg EINPROGRESS, echo hello",
    "connect-fast": "echo hello",
    "wait-unseen": "ppoll ok, echo hello",
    "wait-unseen-for-peer": "getpeername ok, echo hello",
    "child-closes": "wait ok, echo hello",
    "daemon-goes-on": "echo hello",
    "leave-to-child": "wait ok, echo hello",
    "vfork-child-closes": "echo hello",
    "spawn-meanwhile": "status 0, echo hello",
    "close-everything": "echo hello, echo hello, echo hello, write ok, read ok, read still",
    "close-everything-at-once": "close_range ok, echo hello",
    "close-by-thread": "send EBADF, echo hello",
    "poll-twice": "ready 1 0 4 0, echo hello",
    "two-sets": "first ok, second ok, echo hello",
    "four-threads": "echo hello",
    "two-connect-one": "echo hello",
    "fail-by-recv": "recv ECONNREFUSED, recv ok, send EPIPE, error 0",
    "fail-by-send": "send ECONNREFUSED, send EPIPE",
    "fail-by-connect": "connect ECONNREFUSED",
    "fail-by-error": "hang-up 1, getpeername ENOTCONN, error ECONNREFUSED, error 0, "
                     "connect ECONNABORTED",
    "fail-blocking": "connect ECONNREFUSED, error 0",
}
# ThreadSanitizer makes a fork of vfork().
FORKS = "vfork-child-closes"


# A child's, while the agent has not answered its parent.
INHERITED = ("child-closes", "daemon-goes-on", "leave-to-child", "spawn-meanwhile")


def play(user, proxy_url, name, wanted, point, **extra):
    result = run([APPS / "passage", name, "198.51.100.7", "7"],
                 user.preload(proxy_url, **extra))
    equal(", ".join(result.out.splitlines()) + result.err, wanted, point, result)


def slow_agent(user):
    proxy = Simproxy(f"conn\nauth {BASE64}\nsend {OK}\necho\nrepeat\n")
    agent = ForgetfulAgent(proxy, delay=0.05)
    for name in INHERITED:
        play(user, proxy.url, name, SCENARIOS[name], f"{name}, before the agent answers",
             GATEPASS_AGENT=agent.path)
    agent.close()
    proxy.end()


def main():
    user = harness.User("alice")
    slow = Simproxy(f"conn\nwait 50\nauth {BASE64}\nwait 50\nsend {OK}\necho\nrepeat\n")
    busy = Simproxy("conn\nexpect\nwait 100\n"
                    r"send HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" + "\nclose\nrepeat\n")
    equal(run([APPS / "passage", "--list"]).out.split(), list(SCENARIOS), "each is expected")
    for name, wanted in SCENARIOS.items():
        if name == FORKS and harness.SANITIZER == "thread":
            continue
        proxy = busy if name.startswith("fail") else slow
        play(user, proxy.url_with_password, name, wanted, name)
    slow.end()
    busy.end()
    slow_agent(user)


harness.main(main)
