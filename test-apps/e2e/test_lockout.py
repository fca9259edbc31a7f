#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A wrong password costs the proxy one failed logon, however many programs start with it, and
a corrected one is noticed without a restart."""

import re
import subprocess

import harness
import origin
import proxies
from harness import APPS, check, equal, run, start
from keyring import Keyring, missing

TOGETHER = 20


def connect(user, proxy, port):
    return run([APPS / "connect_errno", proxies.ORIGIN, port], user.preload(proxy.url))


def connect_together(user, proxy, port):
    """Starts many at once; ["error's name, milliseconds"], or what else they say."""
    processes = [start([APPS / "connect_errno", proxies.ORIGIN, port],
                       user.preload(proxy.url), stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True) for _ in range(TOGETHER)]
    said = [process.communicate(timeout=60)[0].strip() for process in processes]
    return [text if process.returncode == 0 else f"{text} [exit {process.returncode}]"
            for process, text in zip(processes, said)]


def refused_once(user, proxy, port, store):
    proxy.forget()
    ends = connect_together(user, proxy, port)
    check(all(re.fullmatch(r"EACCES \d+", text) for text in ends),
          f"{store}: each of {TOGETHER} programs gets EACCES", "\n".join(ends))
    slow = [text for text in ends
            if int((re.findall(r" (\d+)$", text) or [-1])[0]) >= 1000 * harness.PATIENCE]
    check(not slow, f"{store}: within a second", slow)
    equal(proxy.count(407, sent=True), 1, f"{store}: one failed logon in the proxy's log",
          proxy.lines())
    equal(connect(user, proxy, port).out.split()[:1], ["EACCES"],
          f"{store}: the next program is refused as well")
    equal(proxy.count(407, sent=True), 1, f"{store}: and costs no failed logon", proxy.lines())


def works_now(user, proxy, port, pid, what):
    """A changed secret may take the bus a moment."""
    ends = []

    def succeeds():
        ends.append(connect(user, proxy, port).out.split()[:1])
        return ends[-1] == ["OK"]

    check(harness.wait_until(succeeds, 3, 0.1), f"{what}: the next program works", ends)
    equal(user.agent_pid(), pid, f"{what}: the same agent")


def corrected(user, proxy, port, store, correct):
    refused_once(user, proxy, port, store)
    pid = user.agent_pid()
    check(pid, f"{store}: the agent is there", pid)
    result = correct()
    equal(result.code, 0, f"{store}: the right password is stored", result)
    works_now(user, proxy, port, pid, store)


def session_store(proxy, port):
    user = harness.User("session")
    check(user.login(proxy.url, "wrong", session=True).code == 0, "session: a wrong password")
    corrected(user, proxy, port, "session",
              lambda: user.login(proxy.url, proxies.PASSWORD, session=True))


def keyring_store(proxy, port):
    user = harness.User("keyring")
    Keyring(user)
    check(user.login(proxy.url, "wrong").code == 0, "keyring: a wrong password")
    corrected(user, proxy, port, "keyring",
              lambda: user.login(proxy.url, proxies.PASSWORD))


def behind_its_back(proxy, port):
    user = harness.User("secrets")
    keyring = Keyring(user)
    check(keyring.store(proxy, "alice", "wrong").code == 0, "secret-tool: a wrong password")
    corrected(user, proxy, port, "secret-tool",
              lambda: keyring.store(proxy, "alice", proxies.PASSWORD))


def main():
    lacking = harness.needs("squid", "ncat")
    if lacking:
        harness.skip("everything", f"no {lacking}")
        return
    proxy, port = proxies.squid_basic(), origin.echo_server()
    bare = run(["ncat", "--proxy", f"127.0.0.1:{proxy.port}", "--proxy-type", "http",
                proxies.ORIGIN, port])
    check("407" in bare.err, "407 without us", bare)
    session_store(proxy, port)
    if missing():
        harness.skip("keyring", f"no {missing()}")
        return
    keyring_store(proxy, port)
    behind_its_back(proxy, port)


harness.main(main)
