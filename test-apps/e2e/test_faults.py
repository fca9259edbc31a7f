#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every call that the library interposes ends as libc's own does, with success and with each
failure: wherever it is called from, by whatever name, beside other libraries in LD_PRELOAD, and
whether the library is idle, has a proxy, or is in the middle of a handshake."""

import glob

import harness
from harness import APPS, BUILD, LIBRARY, equal, run, skip
from simproxy import Simproxy
from victims import DESTINATION, Victims

BUILD32 = BUILD / "32"
# ThreadSanitizer makes a fork of vfork(), and has its own ideas of clone() and cancellation;
# AddressSanitizer looks at the memory that a call is given.
SANITIZED = "a sanitizer has its own ideas of bad memory"
# Other libraries that interpose, and the Debian package that each is in.
OTHERS = [("libeatmydata.so", "libeatmydata1"), ("libjemalloc.so.2", "libjemalloc2"),
          ("faketime/libfaketime.so.1", "libfaketime")]


def differences(one, other):
    """The lines that are in one of two texts only."""
    old, new = one.splitlines(), other.splitlines()
    return [line for line in old if line not in new] + [line for line in new if line not in old]


def same(bare, preloaded, name):
    told = (preloaded.out, preloaded.err, preloaded.code)
    equal(told == (bare.out, bare.err, bare.code) and bare.code == 0, True, name,
          lambda: f"{bare.code}, {preloaded.code}\n" +
          "\n".join(differences(bare.out + bare.err, preloaded.out + preloaded.err)[:40]))


def idle(victims):
    user = victims.user
    for context in victims.known("faults"):
        bare = victims.run("faults", [context], user.env())
        same(bare, victims.run("faults", [context], user.preload()),
             f"{victims.label}idle, from {context}")
    harness.check(not user.socket.exists(), f"{victims.label}no agent was started")


def with_proxy(victims, proxy):
    """They all stay on this machine, so the proxy makes no difference."""
    user = victims.user
    for context in victims.known("faults"):
        bare = victims.run("faults", [context], user.env())
        same(bare, victims.run("faults", [context], user.preload(proxy.url)),
             f"{victims.label}with a proxy, from {context}")
        # What waits for something else in the meantime.
        bare = victims.run("faults", ["-w", *DESTINATION, context], user.env())
        same(bare, victims.run("faults", ["-w", *DESTINATION, context],
                               user.preload(proxy.url)),
             f"{victims.label}in a handshake, from {context}")


def early(user, proxy, app="/bin/true"):
    """From a constructor that runs before ours, and a destructor that runs after all."""
    library = APPS / "faults-early.so"
    bare = run([app], user.env(LD_PRELOAD=library))
    for name, url in (("idle", None), ("with a proxy", proxy.url)):
        for order in (f"{LIBRARY}:{library}", f"{library}:{LIBRARY}"):
            env = user.env(GATEPASS_PROXY=url, LD_PRELOAD=order)
            same(bare, run([app], env), f"{name}, before our own constructor, {order}")


def beside_others(user, proxy):
    victims = Victims(user)
    for name, package in OTHERS:
        found = glob.glob(f"/usr/lib/*-linux-gnu/{name}")
        if not found:
            skip(name, f"no {package}")
            continue
        for context in ("main", "vfork", "cancelled"):
            bare = victims.run("faults", [context], user.env(LD_PRELOAD=found[0]))
            for order in (f"{found[0]}:{LIBRARY}", f"{LIBRARY}:{found[0]}"):
                for way, url in (("idle", None), ("with a proxy", proxy.url)):
                    env = user.env(GATEPASS_PROXY=url, LD_PRELOAD=order)
                    where = "before" if order.startswith("/usr") else "behind"
                    same(bare, victims.run("faults", [context], env),
                         f"{package} {where} us, {way}, from {context}")


def main():
    if harness.SANITIZER:
        skip("everything", SANITIZED)
        return
    user = harness.User("alice")
    proxy = Simproxy("conn\nexpect\nhold\nrepeat\n")
    kinds = [Victims(user), Victims(user, "-fortified")]
    if (BUILD32 / "libgatepass.so").exists():
        user32 = harness.User("bob", BUILD32)
        user32.library = "libgatepass.so"
        user32.variables["LD_LIBRARY_PATH"] = f"{BUILD}:{BUILD32}"
        kinds += [Victims(user32, kind) for kind in ("", "-fortified", "-time64")]
    for victims in kinds:
        idle(victims)
    for victims in kinds:
        with_proxy(victims, proxy)
    early(user, proxy)
    beside_others(user, proxy)
    proxy.end()


harness.main(main)
