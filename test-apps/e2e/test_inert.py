#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A program does not notice us: nothing configured, nothing happens; configured, it finds no
child, no signal, no descriptor, no thread."""

import os
import shutil

import harness
from agents import ForgetfulAgent
from harness import APPS, BUILD, check, equal, run
from simproxy import BASE64, OK, Simproxy, connections

HOST = "origin.gatepass.test"
LOOK = """
import os, socket, threading
s = socket.socket()
s.settimeout(0.2)
try: s.connect(("192.0.2.1", 9))
except OSError: pass
names = [n for n in os.environ if not n.startswith(("LD_PRELOAD", "ASAN_", "TSAN_", "GATEPASS_"))]
print(sorted(os.listdir("/proc/self/fd")), threading.active_count(), sorted(names))
"""


def unconfigured(user):
    """The idle library changes nothing that a program can see, and starts no agent."""
    bare = run(["/usr/bin/python3", "-c", LOOK], user.env())
    idle = run(["/usr/bin/python3", "-c", LOOK], user.preload())
    equal((idle.out, idle.err, idle.code), (bare.out, bare.err, 0), "unconfigured: no difference")
    check(not user.socket.exists() and not os.listdir(user.runtime), "no agent, no file",
          os.listdir(user.runtime))


def disabled(user):
    proxy = Simproxy(f"conn\nexpect\nsend {OK}\nfinish\nrepeat\n")
    disguised = harness.DIRECTORY / "gnome-keyring-daemon"
    shutil.copy(APPS / "probe", disguised)
    for name, env, argv in [
            ("GATEPASS_DISABLE", {"GATEPASS_DISABLE": 1}, [APPS / "probe"]),
            ("a program of the keyring's", {}, [disguised])]:
        run([*argv, "-t", "200", "192.0.2.1", "9"], user.preload(proxy.url, **env))
        check(not user.socket.exists(), f"{name}: no agent is started")
    equal(connections(proxy.end()), 0, "and no proxy is asked")


THRICE = """
import socket, sys
for _ in range(3):
    print(socket.create_connection(("127.0.0.1", int(sys.argv[1]))).recv(99).decode())
"""


def loopback(user):
    """It goes direct, and costs one question."""
    server = Simproxy("conn\nsend hello\nfinish\nrepeat\n")
    agent = ForgetfulAgent(server, way="direct")
    result = run(["/usr/bin/python3", "-c", THRICE, server.port],
                 user.preload("http://127.0.0.1:9", GATEPASS_AGENT=agent.path))
    equal(result.out.split(), ["hello"] * 3, "loopback goes direct", result)
    equal(agent.asked, 1, "and costs one question")
    agent.close()
    server.end()


TO_ITSELF = """
import signal, socket
signal.alarm(20)
server = socket.create_server(("127.0.0.1", 0))
client = socket.socket()
client.setblocking(False)
print(client.connect_ex(server.getsockname()) in (0, 115), flush=True)
print(server.accept()[1] == client.getsockname())
"""


def to_itself(user):
    """A program that connects to itself without blocking and then waits in accept() only."""
    bare = run(["/usr/bin/python3", "-c", TO_ITSELF], user.env())
    equal(bare.out.split(), ["True", "True"], "a connection to itself works without us", bare)
    server = Simproxy("conn\nfinish\nrepeat\n")
    agent = ForgetfulAgent(server, way="direct", delay=0.2)
    beginner = harness.User("carol")
    for name, env in (("agent takes its time", user.preload("http://127.0.0.1:9", GATEPASS_AGENT=agent.path)),
                      ("agent is not there yet", beginner.preload("http://127.0.0.1:9"))):
        result = run(["/usr/bin/python3", "-c", TO_ITSELF], env)
        equal((result.out, result.code), (bare.out, 0), f"and when the {name}", result)
    agent.close()
    server.end()


WITHOUT_DESCRIPTORS = """
import os, resource, signal, socket
signal.alarm(30)
server = socket.create_server(("127.0.0.1", 0))
client = socket.socket()
client.setblocking(False)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
taken = []
while True:
    try: taken.append(os.dup(0))
    except OSError: break
print(client.connect_ex(server.getsockname()) in (0, 115), flush=True)
os.close(taken[0])
print(server.accept()[1] == client.getsockname())
"""


def without_descriptors(user):
    """A program that has no descriptor left to ask the agent with."""
    for name, env in (("without us", user.env()), ("with us", user.preload("http://127.0.0.1:9"))):
        result = run(["/usr/bin/python3", "-c", WITHOUT_DESCRIPTORS], env)
        equal(result.out.split(), ["True", "True"], f"no descriptor is left: {name}", result)


def no_agent(user):
    """A library without its agent passes calls through, and says why to the log only."""
    alone = harness.DIRECTORY / "alone"
    alone.mkdir()
    shutil.copy(BUILD / "libgatepass.so", alone)
    log = harness.DIRECTORY / "alone.log"
    env = user.preload("http://127.0.0.1:9", GATEPASS_LOG=f"warn:{log}")
    env["LD_PRELOAD"] = env["LD_PRELOAD"].replace(str(BUILD), str(alone))
    result = run(["/usr/bin/python3", "-c", LOOK], env)
    bare = run(["/usr/bin/python3", "-c", LOOK], user.env())
    equal((result.out, result.err), (bare.out, bare.err), "without an agent: no difference",
          result)
    said = log.read_text() if log.exists() else ""
    check("agent" in said, "the log says why", said)


def watching_itself(user):
    """No child, SIGCHLD, thread, descriptor or signal mask is left behind, and forks work."""
    proxy = Simproxy(f"conn\nauth {BASE64}\nsend {OK}\nfinish\nrepeat\n")
    env = user.preload(proxy.url_with_password)
    check(not user.socket.exists(), "the agent is not there yet")
    result = run([APPS / "family", HOST, 7], env)
    told = dict(line.partition(": ")[::2] for line in result.out.splitlines())
    check(user.agent_pid(), "the program has started the agent", result)
    equal(told.get("after"), told.get("before"), "the program sees no trace of it", result)
    check("wait=ECHILD waitall=ECHILD" in told.get("after", ""), "no child to wait for", result)
    # ThreadSanitizer makes an ordinary fork of every vfork.
    in_vfork = "tunnel" if harness.SANITIZER == "thread" else "left alone"
    for name, wanted in (("connect", "OK"), ("fork", "OK"), ("vfork", in_vfork),
                         ("after vfork", "OK"), ("storm", "0 failed")):
        equal(told.get(name), wanted, name, result)
    proxy.end()


def agent_environment(user):
    """The agent gets no preload, none of the program's descriptors, and a clean environment."""
    pid = user.agent_pid()
    if not harness.AS_ROOT:  # it is not dumpable: only root may look
        return
    with open(f"/proc/{pid}/environ", "rb") as file:
        names = {entry.partition(b"=")[0].decode() for entry in file.read().split(b"\0") if entry}
    check(not names & {"LD_PRELOAD", "TMPDIR", "GATEPASS_PROXY"} and "HOME" in names,
          "the agent's environment", names)
    equal(os.readlink(f"/proc/{pid}/cwd"), "/", "the agent's directory")


def relative_preload(user):
    """LD_PRELOAD=./libgatepass.so, from another directory since."""
    other = harness.User("bob")
    proxy = Simproxy(f"conn\nexpect\nsend {OK}\nsend hello\nfinish\n")
    env = other.preload(proxy.url)
    env["LD_PRELOAD"] = env["LD_PRELOAD"].replace(str(BUILD), ".")
    result = run(["/bin/sh", "-c", f"exec {APPS}/probe {HOST} 7"], env, cwd=BUILD)
    check("got hello" in result.out and other.agent_pid(), "a relative LD_PRELOAD", result)
    proxy.end()


def cancellation(user):
    proxy = Simproxy("conn\nexpect\nhold\nrepeat\n")
    result = run([APPS / "cancel", HOST, 7], user.preload(proxy.url))
    told = result.out
    if harness.SANITIZER == "thread":  # it maps memory for each thread, and keeps it
        told = told.replace("mappings +3", "mappings +0")
    equal(told, "cancelled, descriptors +0, mappings +0\n",
          "a thread can be cancelled in connect(), and leaves nothing", result)
    proxy.end()


def main():
    user = harness.User("alice")
    unconfigured(user)
    disabled(user)
    loopback(user)
    to_itself(user)
    without_descriptors(user)
    no_agent(user)
    watching_itself(user)
    agent_environment(user)
    relative_preload(user)
    if harness.SANITIZER != "address":  # which does not expect a cancelled thread's stack
        cancellation(user)


if __name__ == "__main__":
    harness.main(main)
