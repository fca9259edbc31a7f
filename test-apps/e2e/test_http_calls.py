#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Requests and replies through every call that moves bytes, and through stdio: the program sees
what it would see of a proxy that asks for no password."""

import harness
from harness import APPS
from simproxy import BASE64
from http_victims import compare, names

BIG = r"send HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + "\nbody 70000\n"
BARE = r"send HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + "\n"
LAST = r"send HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + "\nbody 5000\nclose\n"
# A 407 on the connection that stays, and one that ends it. After the latter the scenario
# begins anew.
KINDS = {"kept": f"auth {BASE64}", "closed": f"auth {BASE64} close"}


def scripts(*replies):
    """{kind of 407: (a script without it, one with it)}"""
    def script(read):
        return "conn\n" + "".join(f"{read}\n{reply}" for reply in replies) + "repeat\n"
    return {kind: (script("expect"), script(auth)) for kind, auth in KINDS.items()}


def calls(user):
    listed = names("http_calls")
    for direction, name in zip(listed[::2], listed[1::2]):
        put, get = (name, "read") if direction == "put" else ("write", name)
        for kind, (opened, asking) in scripts(BIG, "report\n", BARE).items():
            compare(user, f"{name}, {kind}", [APPS / "http_calls", put, get], opened, asking)


def stdio(user):
    for style in names("http_stdio"):
        for kind, (opened, asking) in scripts(BIG, "report\n", LAST).items():
            compare(user, f"stdio {style}, {kind}", [APPS / "http_stdio", style], opened, asking)


def main():
    user = harness.User("alice")
    calls(user)
    stdio(user)


harness.main(main)
