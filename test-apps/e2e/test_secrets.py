#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The password is nowhere but with the agent: not in an environment, a command line, a log at
any level, a core file, or the memory of a program whose tunnel stands."""

import base64
import os
import pathlib
import re
import resource
import signal
import stat
import subprocess

import harness
import proxies
from harness import APPS, CTL, check, equal, run, start
from simproxy import Simproxy

PASSWORD = "Jabberwock-Tumtum-1871"
TOKEN = proxies.basic("alice", PASSWORD)
# Also the password's own base64, and the token without what its end may share with others.
NEEDLES = [PASSWORD.encode(), TOKEN.encode(), TOKEN.rstrip("=")[:-2].encode(),
           base64.b64encode(PASSWORD.encode()).rstrip(b"=")[:-2]]

SCRIPT = f"""
conn
repeat
auth {TOKEN}
send HTTP/1.1 200 Connection established\\r\\n\\r\\n
echo
"""


def holds_secret(data):
    return any(needle in data for needle in NEEDLES)


def read(path):
    """A file of /proc, empty when we may not read it or it is gone."""
    try:
        return pathlib.Path(path).read_bytes()
    except OSError:
        return b""


# A sanitizer's shadow memory has terabytes, nearly all of them untouched.
REGION_MAX = 256 << 20


def memory(pid):
    """[(name of the mapping, its octets)] of a stopped process."""
    regions = []
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in read(f"/proc/{pid}/maps").decode().splitlines():
            begin, end, flags, name = re.match(
                r"(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)", line).groups()
            size = int(end, 16) - int(begin, 16)
            if not flags.startswith("r") or size > REGION_MAX or name.startswith("[v"):
                continue
            try:
                mem.seek(int(begin, 16))
                regions.append((name, mem.read(size)))
            except OSError:
                pass
    return regions


def everywhere_visible(when):
    """Command lines are for everybody; environments as far as we may read them."""
    pids = harness.descendants()
    shown = {f"{pid} {name} {kind}" for pid, name in pids.items()
             for kind in ("cmdline", "environ") if holds_secret(read(f"/proc/{pid}/{kind}"))}
    check(pids and not shown, f"no command line or environment has it, {when}", shown)


def program_memory(user, proxy):
    victim = start([APPS / "pause_connected", proxies.ORIGIN, 443], user.preload(proxy.url),
                   stdout=subprocess.PIPE)
    equal(victim.stdout.readline(), b"connected\n", "a program has a tunnel")
    stopped = harness.wait_until(
        lambda: b"State:\tT" in read(f"/proc/{victim.pid}/status"))
    check(stopped, "and stops, to be looked at")
    regions = memory(victim.pid)
    check(any(proxies.ORIGIN.encode() in data for _, data in regions),
          "what is in its memory can be found: the host's name", len(regions))
    check(not any(holds_secret(data) for _, data in regions),
          "the password is not in its memory, nor the header",
          [name for name, data in regions if holds_secret(data)])
    everywhere_visible("while a tunnel stands")
    victim.send_signal(signal.SIGCONT)
    victim.wait(10)


def logs(directory):
    found = sorted(path for path in directory.iterdir() if path.stat().st_size)
    check(len(found) >= 2, "the library and the agent wrote logs", found)
    for path in found:
        check(not holds_secret(path.read_bytes()), f"it is not in the log {path.name}")


def login(user, proxy, log):
    """gatepassctl login, looked at while it waits for the password's end."""
    process = start([CTL, "login", "--proxy", proxy.url, "--user", "alice", "--session",
                     "--password-stdin"], user.env(GATEPASS_LOG=log),
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    process.stdin.write(PASSWORD.encode())
    process.stdin.flush()
    everywhere_visible("while login reads it")
    said, _ = process.communicate(timeout=30)
    equal(process.returncode, 0, "login", said)
    check(not holds_secret(said), "login does not repeat it", said)


def status(user):
    for args in ([], ["--json"]):
        result = user.ctl("status", *args)
        check(result.code == 0 and not holds_secret((result.out + result.err).encode()),
              f"status {' '.join(args)} does not tell it", result)


def places(user):
    """Where the agent's socket is, nobody else comes."""
    for path, mode in ((user.socket.parent, 0o700), (user.socket, 0o600)):
        equal(stat.S_IMODE(path.stat().st_mode), mode, f"{path.name} is for the user only")


def core_files(directories):
    return {path for directory in directories
            for path in pathlib.Path(directory).glob("core*") if path.is_file()}


def no_core(user):
    """The agent was started without a limit on core files."""
    pid = user.agent_pid()
    limits = read(f"/proc/{pid}/limits").decode()
    check(re.search(r"Max core file size +0 +0 ", limits), "the agent's core limit is 0", limits)
    if not harness.AS_ROOT:
        equal(os.stat(f"/proc/{pid}/environ").st_uid, 0,
              "the agent is not dumpable: root owns its files in /proc")
        equal(read(f"/proc/{pid}/environ"), b"", "its user cannot read its environment")
    directories = [harness.DIRECTORY, user.home, user.runtime, user.socket.parent, "/", "/tmp"]
    pattern = read("/proc/sys/kernel/core_pattern").decode().strip()
    if "/" not in pattern and not pattern.startswith("|"):
        sleeper = start(["sleep", "60"], cwd=user.home)
        sleeper.send_signal(signal.SIGSEGV)
        sleeper.wait(10)
        made = core_files([user.home])
        check(made, "another program leaves a core file here")
        for path in made:
            path.unlink()
    before = core_files(directories)
    os.kill(pid, signal.SIGSEGV)
    check(harness.wait_until(lambda: not harness.descendants().get(pid)), "the agent can crash")
    equal(core_files(directories) - before, set(), "and leaves no core file")


def main():
    unlimited = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (unlimited, unlimited))
    directory = harness.DIRECTORY / "logs"
    directory.mkdir(mode=0o700)
    proxy, user = Simproxy(SCRIPT), harness.User("alice")
    bare = run(["curl", "-sS", f"http://{proxies.ORIGIN}:7/", "-p", "-x", proxy.url])
    check("407" in bare.err, "407 without us", bare)

    login(user, proxy, f"debug:{directory}/agent")
    result = run([APPS / "echo_client", proxies.ORIGIN, 7, "hello"],
                 user.preload(proxy.url, GATEPASS_LOG=f"debug:{directory}/library"))
    check(result.out == "hello\n" and proxy.told("challenged"), "a program gets through",
          result)
    check(TOKEN in "".join(proxy.told("header")), "with the password")
    program_memory(user, proxy)
    status(user)
    places(user)
    logs(directory)
    if harness.SANITIZER:
        return  # their runtime catches SIGSEGV, and shadows memory
    no_core(user)


harness.main(main)
