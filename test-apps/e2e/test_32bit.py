#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""32-bit programs: their library, with the agent of the 64-bit ones, and the names that they call
libc by when they are fortified or have 64-bit times."""

import os

import harness
from harness import BUILD, check, equal, run, skip
from simproxy import BASE64, OK, Simproxy, offered, requests
from test_names import every_call
from victims import Victims, compare_passages, compare_touches, compare_waits

BUILD32 = BUILD / "32"
HOST = "origin.gatepass.test"
TEXT = "Curiouser and curiouser!"


def echo(user, env):
    return run([user.apps / "echo_client", HOST, 7, TEXT], env)


def gets_through(user):
    """From the first call on: the library starts the agent, and a 407 is answered."""
    proxy = Simproxy(f"conn\nauth {BASE64}\nsend {OK}\necho\nrepeat\n")
    bare = echo(user, user.env())
    check(bare.code == 1 and HOST in bare.err, "a 32-bit program fails without us", bare)
    other = echo(user, harness.with_library(user.env(GATEPASS_PROXY=proxy.url_with_password)))
    check(other.code == 1 and "wrong ELF class" in other.err,
          "the other programs' library is none for it", other)
    equal(requests(proxy.events), [], "and the proxy hears nothing")
    check(not user.agent_pid(), "there is no agent")
    through = echo(user, user.preload(proxy.url_with_password))
    equal((through.code, through.out, through.err), (0, f"{TEXT}\n", ""), "it gets through",
          through)
    check(user.agent_pid(), "its library has started the agent")
    log = proxy.end()
    equal((len(requests(log)), offered(log)), (2, 1), "after one 407", log)


def beside_others(user):
    proxy = Simproxy(f"conn\nauth {BASE64}\nsend {OK}\necho\nrepeat\n")
    clients = [f"{build}/apps/echo_client {HOST} 7 hello" for build in (BUILD, BUILD32, BUILD)]
    result = run(["/bin/sh", "-c", " && ".join(clients)], user.preload(proxy.url_with_password))
    proxy.end()
    equal((result.out, result.err), ("hello\n" * 3, ""),
          "64-bit, 32-bit and 64-bit programs get through", result)


def logs_far(user):
    """Into a file that is longer than an old 32-bit program can open."""
    log = harness.DIRECTORY / "long.log"
    log.touch()
    os.truncate(log, 3 << 30)
    echo(user, user.preload("http://127.0.0.1:9", GATEPASS_LOG=f"debug:{log}"))
    check(log.stat().st_size > 3 << 30, "a log of 3 GiB becomes longer")


def main():
    if harness.SANITIZER:  # nothing for 32-bit programs is instrumented
        return
    if not (BUILD32 / "libgatepass.so").exists():
        skip("32-bit programs", "the library for them was not built")
        return
    user = harness.User("alice", BUILD32)
    # By its bare name the loader finds, for each program, the library of its class.
    user.library = "libgatepass.so"
    user.variables["LD_LIBRARY_PATH"] = f"{BUILD}:{BUILD32}"
    gets_through(user)
    beside_others(user)
    logs_far(user)
    every_call(user, f"http://127.0.0.1:{harness.free_port()}")
    compare_passages(Victims(user))

    wide = Victims(user, "-time64")
    wide.call("loop", "__epoll_pwait2_time64", "__getsockopt64", "__ioctl_time64", "__ppoll64",
              "__pselect64", "__select64")
    wide.call("connecting", "__fcntl_time64", "__recvmmsg64", "__recvmsg64", "__sendmmsg64",
              "__sendmsg64", "__setsockopt64")
    silent = Simproxy("conn\nexpect\nhold\nrepeat\n")
    for victims in Victims(user), Victims(user, "-fortified"), wide:
        compare_waits(victims)
        compare_touches(victims, "the proxy is silent", silent.url)
    silent.end()


harness.main(main)
