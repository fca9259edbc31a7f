# SPDX-License-Identifier: MIT
"""What memory of its own a process needs more. As in a session where every program has the
library, others have it at the same time: their common pages are nobody's own."""

import statistics
import subprocess

import ground
import table
from ground import HOST, PORT, PROGRAMS, column, harness

TITLE = "KiB of private memory more"
ROUNDS = 11


def companion(*args, env=None):
    """Another process of the same program, which stays."""
    process = harness.start([PROGRAMS / "memory", *args], env, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE)
    ground.need(process.stdout.readline(), "memory ends")


def measure():
    gate = ground.Gate("hold")
    env = ground.acquainted("memory", gate)[1]
    unconfigured = harness.User("unconfigured").preload()
    own = ground.own(gate)
    companion(*own)
    gate.passed(1, lambda: companion(HOST, PORT, env=env))
    used = {name: column(found, 0) for name, found in ground.in_turn(ROUNDS, {
        "bare": lambda: ground.program("memory"),
        "unconfigured": lambda: ground.program("memory", env=unconfigured),
        "configured": lambda: ground.program("memory", env=env),
        "own": lambda: ground.program("memory", *own),
        "tunnel": lambda: gate.passed(
            1, lambda: ground.program("memory", HOST, PORT, env=env)),
    }).items()}
    for name, text, base, bar in (
            ("unconfigured", "idle, unconfigured", "bare", 64),
            ("configured", "idle, configured", "bare", 64),
            ("tunnel", "with a tunnel (bare: with its own)", "own", 128)):
        table.line(text, ground.differences(used[name], used[base]), table.at_most(bar),
                   digits=0)
    table.note(f"bare: idle {statistics.median(used['bare']):.0f} KiB, "
               f"with a tunnel {statistics.median(used['own']):.0f} KiB")
    gate.stop()
