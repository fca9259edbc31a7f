# SPDX-License-Identifier: MIT
"""What a call costs more that is none of our business."""

import statistics

import ground
import table
from ground import HOST, PORT, column

TITLE = "nanoseconds more for a call on a descriptor that is no socket"
ROUNDS = 25
CALLS = ("read()", "write()", "poll()")


def measure():
    gate = ground.Gate("hold")
    env = ground.acquainted("calls", gate)[1]
    times = ground.in_turn(ROUNDS, {
        "bare": lambda: ground.program("calls"),
        "before any tunnel": lambda: ground.program("calls", env=env),
        "after one": lambda: gate.passed(
            1, lambda: ground.program("calls", HOST, PORT, env=env)),
    })
    for name in ("before any tunnel", "after one"):
        for i, call in enumerate(CALLS):
            more = ground.differences(column(times[name], i), column(times["bare"], i))
            table.line(f"{call}, {name}", more, table.at_most(5), digits=1)
    table.note("bare: " + ", ".join(
        f"{call} {statistics.median(column(times['bare'], i)):.0f} ns"
        for i, call in enumerate(CALLS)))
    gate.stop()
