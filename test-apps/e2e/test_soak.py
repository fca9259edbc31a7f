#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Ten thousand tunnels, one after another, leave nothing behind: no descriptor, memory or
process, in the program or in the agent."""

import os
import pathlib

import harness
import proxies
from harness import APPS, check, equal, run
from simproxy import Simproxy

COUNT = 10000
# Of growth: what malloc's rounding and a page table cost, far below a leak of one octet for
# each tunnel in pages.
PROGRAM_KIB = 256
AGENT_KIB = 512

SCRIPT = f"""
conn
repeat
auth {proxies.basic()}
send HTTP/1.1 200 Connection established\\r\\n\\r\\n
echo
"""


def resident(pid):
    """KiB; the file is for everybody, also of a process that must not be traced."""
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") // 1024


def descriptors(pid):
    """How many the agent has; nobody but root can see."""
    return len(os.listdir(f"/proc/{pid}/fd")) if harness.AS_ROOT else 0


def tunnels(user, proxy, count):
    return run([APPS / "tunnels", count, proxies.ORIGIN, 7], user.preload(proxy.url),
               timeout=250)


def stays(before, after, growth, name):
    if not harness.SANITIZER:  # their runtimes keep what is freed
        check(after - before <= growth, name, f"{before} KiB, then {after} KiB")


def check_program(result):
    lines = [list(map(int, line.split())) for line in result.out.splitlines()]
    if not check(result.code == 0 and len(lines) == 2, f"{COUNT} tunnels", result):
        return
    (fds, kib), (fds_after, kib_after) = lines
    equal(fds_after, fds, "the program has no descriptor more at the end")
    stays(kib, kib_after, PROGRAM_KIB, "the program's memory stays")


def main():
    proxy = Simproxy(SCRIPT)
    user = harness.User("alice")
    bare = run(["curl", "-sS", f"http://{proxies.ORIGIN}:7/", "-p", "-x", proxy.url])
    check("407" in bare.err, "407 without us", bare)
    check(user.login(proxy.url, proxies.PASSWORD, session=True).code == 0, "login")
    # The first ones fill caches and malloc's pools, here and in the agent.
    equal(tunnels(user, proxy, 200).code, 0, "200 tunnels to warm up")
    pid = user.agent_pid()
    before = resident(pid), descriptors(pid), sorted(harness.descendants().items())
    challenged = len(proxy.told("challenged"))
    check_program(tunnels(user, proxy, COUNT))
    equal(len(proxy.told("challenged")) - challenged, 0, "no tunnel cost a 407")
    equal(user.agent_pid(), pid, "the same agent")
    # The last conversation's may be about to be closed.
    check(harness.wait_until(lambda: descriptors(pid) <= before[1], 3),
          "the agent has no descriptor more", f"{before[1]}, then {descriptors(pid)}")
    equal(sorted(harness.descendants().items()), before[2], "there is no process more")
    stays(before[0], resident(pid), AGENT_KIB, "the agent's memory stays")


harness.main(main)
