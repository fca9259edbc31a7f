#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Connections that a program shares with its child: each has its own idea of them, and neither
may keep the other waiting, or send what is the other's to send."""

import harness
from harness import APPS
from http_victims import ASKING, OPENED, compare, names


def main():
    user = harness.User("alice")
    for scene in names("http_fork"):
        compare(user, scene, [APPS / "http_fork", scene], OPENED, ASKING)


harness.main(main)
