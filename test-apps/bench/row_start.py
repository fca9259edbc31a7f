# SPDX-License-Identifier: MIT
"""The tax that every process pays for a preload library before it does anything."""

import ground
import table
from ground import PROGRAMS, differences, harness, microseconds, ratios

TITLE = "what a process takes longer with the library, against an empty library's tax"
ROUNDS, COUNT = 15, 100


def measure():
    user = harness.User("start")
    # Nobody is asked: the program does not connect.
    variants = {
        "bare": user.env(),
        "empty": user.env(LD_PRELOAD=PROGRAMS / "empty.so"),
        "unconfigured": user.preload(),
        "configured": user.preload("http://127.0.0.1:1"),
    }
    if ground.has_peer():
        variants["proxychains-ng"] = ground.peer(user, 1)
    lines = ["\n".join(f"{name}={value}" for name, value in env.items())
             for env in variants.values()]
    words = ground.program("spawn", ROUNDS, COUNT, PROGRAMS / "nothing", *lines)
    times = {name: words[i::len(variants)] for i, name in enumerate(variants)}
    taxes = {name: differences(times[name], times["bare"]) for name in list(times)[1:]}
    for name in ("unconfigured", "configured"):
        table.line(name, ratios(taxes[name], taxes["empty"]), table.at_most(1.5))
    if "proxychains-ng" in taxes:
        table.line("proxychains-ng", ratios(taxes["proxychains-ng"], taxes["empty"]))
    table.note(f"bare {microseconds(times['bare'])}, " + ", ".join(
        f"{name} +{microseconds(tax)}" for name, tax in taxes.items()))
