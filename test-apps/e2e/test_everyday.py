#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The library in a login shell's environment: what people do all day goes on as without it, and
programs that must never be touched are not."""

import os
import re
import shutil

import harness
from harness import APPS, DIRECTORY, ROOT, check, equal, run, skip
from simproxy import OK, Simproxy, connections

MAKEFILE = "all: $(foreach i,1 2 3 4 5 6 7 8,job$(i))\njob%:\n\t@sleep 0.01 && echo $@ >> jobs\n"
COMPILE = (f"for f in {ROOT}/shim/core/*.c; do echo $f; done | xargs -P4 -n3 gcc -std=c17 "
           f"-D_GNU_SOURCE -I{ROOT}/include -Wall -O1 -c")
TMUX = ("tmux -f /dev/null -S $PWD/tmux new-session -d 'echo in tmux > new; mv new said; sleep 60'"
        " && until [ -e said ]; do sleep 0.02; done; cat said; tmux -S $PWD/tmux kill-server")
# name, what runs it, what it takes.
DAILY = [
    ("a login shell", ["bash", "-lc", "echo $0 $-; exec 3<>/dev/null; (echo sub); echo $(echo x)"],
     "bash"),
    ("dash", ["dash", "-c", "echo a | cat; (exit 3) || echo $?; true & wait; ulimit -n"], "dash"),
    ("make -j", ["make", "-j4", "-f", "jobs.mk"], "make"),
    ("a compilation", ["sh", "-c", COMPILE], "gcc"),
    ("tmux", ["sh", "-c", TMUX], "tmux"),
    ("sudo", ["sudo", "-n", "echo", "as root"], "sudo"),
    ("su", ["su", "-s", "/bin/sh", "nobody", "-c", "id -u"], "su"),
    ("python", ["/usr/bin/python3", "-c", "import subprocess as s, multiprocessing as m;"
                "print(s.check_output(['echo', 'x']), m.Pool(2).map(abs, [-1, -2]))"], "python3"),
    ("perl", ["perl", "-e", "print `echo x`; open F, '-|', 'ls /'; print scalar(() = <F>)"],
     "perl"),
    ("git", ["sh", "-c", "git init -q repo && cd repo && echo x > f && git add f && "
             "git -c user.name=x -c user.email=x commit -qm x && git log --format=%s && git gc -q"],
     "git"),
    ("tar", ["sh", "-c", "tar cz /etc/passwd 2>&1 | tar tz | sort"], "tar"),
]


def directory(name):
    place = DIRECTORY / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    (place / "jobs.mk").write_text(MAKEFILE)
    return place


def daily(user, proxy):
    for name, argv, program in DAILY:
        if harness.needs(program):
            skip(name, f"no {program}")
            continue
        if program in ("su", "sudo") and not harness.AS_ROOT:
            skip(name, "would ask for a password")
            continue
        bare = run(argv, user.env(), cwd=directory("day"))
        equal(bare.code, 0, f"{name}: works without us", bare)
        for how, env in (("idle", user.preload()), ("with a proxy", user.preload(proxy.url))):
            result = run(argv, env, cwd=directory("day"))
            equal((result.code, result.out, result.err), (bare.code, bare.out, bare.err),
                  f"{name}: {how}")


def untouchable(user, proxy):
    source = (ROOT / "shim/preload/process.c").read_text()
    names = re.findall(r'"([^"]+)"', re.search(r"untouchable\[\] = \{(.*?)\};", source, re.S)[1])
    check("ssh-agent" in names and "gatepass-agent" in names, "the list is found", names)
    for name in names:
        shutil.copy(APPS / "probe", DIRECTORY / name)
        run([DIRECTORY / name, "-t", "200", "192.0.2.1", "9"], user.preload(proxy.url))
        check(not user.socket.exists(), f"{name} is left alone")
    run([APPS / "probe", "-t", "200", "192.0.2.1", "9"],
        user.preload(proxy.url, GATEPASS_DISABLE=1))
    check(not user.socket.exists(), "GATEPASS_DISABLE")


def set_user_id(user, proxy):
    """For nobody, whose agent would be elsewhere."""
    if not harness.AS_ROOT or harness.needs("setpriv"):
        skip("a set-user-id program", "needs root and setpriv")
        return
    program = DIRECTORY / "setuid"
    shutil.copy(APPS / "probe", program)
    program.chmod(0o4755)
    as_nobody = ["setpriv", "--reuid=65534", "--clear-groups", program, "-t", "200", "192.0.2.1",
                 "9"]
    bare = run(as_nobody, user.env())
    result = run(as_nobody, user.preload(proxy.url))
    equal((result.code, result.out, result.err), (bare.code, bare.out, bare.err),
          "a set-user-id program sees nothing of it")
    check(not user.socket.exists() and not os.path.exists("/tmp/gatepass-65534"),
          "and starts no agent")


def main():
    user = harness.User("alice")
    proxy = Simproxy(f"conn\nexpect\nsend {OK}\nfinish\nrepeat\n")
    untouchable(user, proxy)
    set_user_id(user, proxy)
    daily(user, proxy)
    equal(connections(proxy.end()), 0, "no proxy was asked")


harness.main(main)
