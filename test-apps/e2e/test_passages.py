#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Unusual things that programs do while a socket connects: with duplicates and flags, signals,
threads, children, and waits that the library cannot see."""

import harness
from agents import ForgetfulAgent
from simproxy import BASE64, OK, Simproxy
from victims import Victims, compare_passages, pass_through

# ThreadSanitizer makes a fork of vfork().
FORKS = ["vfork-child-closes"] if harness.SANITIZER == "thread" else []
# A child has the socket while the agent has not answered its parent.
INHERITED = ("child-closes", "daemon-goes-on", "leave-to-child", "spawn-meanwhile")


def slow_agent(victims):
    proxy = Simproxy(f"conn\nauth {BASE64}\nsend {OK}\necho\nrepeat\n")
    agent = ForgetfulAgent(proxy, delay=0.05)
    for name in INHERITED:
        pass_through(victims, proxy.url, name, f"{name}, before the agent answers",
                     GATEPASS_AGENT=agent.path)
    agent.close()
    proxy.end()


def main():
    victims = Victims(harness.User("alice"))
    compare_passages(victims, FORKS)
    slow_agent(victims)


harness.main(main)
