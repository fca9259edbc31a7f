# SPDX-License-Identifier: MIT
"""The one agent that all programs of a user ask."""

import pathlib
import re

import ground
import table

TITLE = "the agent: answers per second, each on a connection of its own, and its memory"
ROUNDS, COUNT = 9, 5000


def resident(pid):
    """MiB; the file is for everybody, also of a process that must not be traced."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s*(\d+)", text)[1]) / 1024


def measure():
    gate = ground.Gate("hold")
    user = ground.acquainted("asked", gate)[0]
    memory = [resident(user.agent_pid())]

    def ask(at_a_time, url):
        return ground.program("answers", COUNT, at_a_time, user.socket, url)

    times = ground.in_turn(ROUNDS, {
        "one question at a time": lambda: ask(1, ground.url(gate)),
        "16 at a time": lambda: ask(16, ground.url(gate)),
        "one at a time, password in the URL": lambda: ask(1, ground.url_with_password(gate)),
    })
    memory.append(resident(user.agent_pid()))
    for name, found in times.items():
        table.line(name, [COUNT / time * 1e9 for time, in found], table.at_least(10000),
                   digits=0)
    table.line("resident memory, MiB", memory, table.at_most(12), digits=1)
    gate.stop()
