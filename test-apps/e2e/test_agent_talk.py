#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the agent bears from those who talk to it: strangers, rubbish, crowds, clients that do
not listen or vanish; and that nobody can look into it."""

import base64
import os
import pwd
import random
import resource
import select
import shutil
import time

import harness
from agents import (ADDRESS, AGENT, OPEN, Talk, agent_env, challenge, connect, descriptors,
                    pack, route, start_agent)
from harness import PATIENCE, check, equal, run, start, wait_until
from simproxy import Simproxy

CROWD, SERVED = 1100, 1024  # the agent's own bound
WIRE_MAX = 128 * 1024
NOISE = 2000
NOBODY = pwd.getpwnam("nobody")
AS_NOBODY = dict(user=NOBODY.pw_uid, group=NOBODY.pw_gid, extra_groups=[])


def unharmed(user, pid, before, what):
    # While it has not noticed yet that a crowd has gone, it closes further connections.
    check(wait_until(lambda: user.agent_pid() == pid, 3), f"{what}: the agent lives on",
          lambda: f"{pid}, then {user.agent_pid()}")
    if harness.AS_ROOT:
        check(wait_until(lambda: descriptors(pid) <= before, 3),
              f"{what}: it has no descriptor more", lambda: f"{before}, then {descriptors(pid)}")


# --- who may look, who may talk ----------------------------------------------------------

def locked_up():
    """Not dumpable, so its files in /proc are root's and ptrace is refused. Root sees
    everything: it looks as another user, at an agent of that user's."""
    place = harness.DIRECTORY / "closed"
    place.mkdir(mode=0o700)
    agent, options = AGENT, {}
    if harness.AS_ROOT:
        options = AS_NOBODY
        agent = shutil.copy(AGENT, harness.DIRECTORY / "gatepass-agent")
        os.chown(place, NOBODY.pw_uid, NOBODY.pw_gid)
    user = harness.User("locked")
    process = start([agent], agent_env(user, GATEPASS_AGENT=place / "agent", HOME="/"), **options)
    sleeper = start(["sleep", "100"], **options)
    check(wait_until((place / "agent").exists), "an agent runs")
    for name, wanted in (("environ", sleeper.pid), ("maps", sleeper.pid)):
        result = run(["cat", f"/proc/{wanted}/{name}"], **options)
        check(result.code == 0 and result.out, f"an ordinary process shows its {name}", result.err)
        result = run(["cat", f"/proc/{process.pid}/{name}"], **options)
        check(result.code and not result.out, f"the agent does not show its {name}", result.err)
    with open(f"/proc/{process.pid}/limits", encoding="ascii") as file:
        core = [line.split()[4:6] for line in file if line.startswith("Max core file size")]
    equal(core, [["0", "0"]], "the agent writes no core file")
    harness.stop(process)
    harness.stop(sleeper)


STRANGER = """
import socket, sys
link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
link.settimeout(20)
link.connect(sys.argv[1])
try:
    link.send(b"gatepass 1 status\\n")
    print(link.recv(1 << 18))
except (BrokenPipeError, ConnectionResetError):
    print(b"")
"""


def strangers(proxy):
    """Even where the file's mode lets them connect. Only root can be two users."""
    if not harness.AS_ROOT:
        return
    place = harness.DIRECTORY / "open"
    place.mkdir(mode=0o755)
    user = harness.User("door")
    process = start_agent(user, path=place / "agent")
    (place / "agent").chmod(0o666)
    asker = ["/usr/bin/python3", "-c", STRANGER, place / "agent"]
    own = run(asker)
    check(f"pid={process.pid}" in own.out, "its own user is answered", own)
    result = run(asker, **AS_NOBODY)
    equal((result.out, result.code), ("b''\n", 0), "another user gets no answer", result)
    equal(connect(user, proxy, GATEPASS_AGENT=place / "agent"), "OK", "and disturbs nobody")
    harness.stop(process)


# --- messages ----------------------------------------------------------------------------

def tell(user, packet):
    """[(verb, reason)] of what comes back, until the agent closes or has said nothing more."""
    talk, heard = Talk(user.socket), []
    talk.send(packet)
    while not heard or heard[-1][0] not in ("closed", "silence"):
        verb, values = talk.hear(20 if not heard else 0.2)
        heard.append((verb, values.get("reason") or values.get("way") or ""))
    talk.close()
    return heard


def malformed(user, pid, before):
    error, closed, silence = "error", ("closed", ""), ("silence", "")
    proxy = "gatepass-proxy=http://127.0.0.1:1\n"
    for name, packet, wanted in [
            ("no version", b"status\n", [closed]),
            ("version 2", b"gatepass 2 status\n", [(error, "version"), closed]),
            ("a version that is no number", b"gatepass x status\n", [(error, "version"), closed]),
            ("no verb", b"gatepass 1\n", [closed]),
            ("no line end", b"gatepass 1 status", [("state", ""), silence]),
            ("another protocol", b"GET / HTTP/1.1\r\n\r\n", [closed]),
            ("an unknown verb", b"gatepass 1 dance\n", [(error, "syntax"), silence]),
            ("a line without a key", b"gatepass 1 status\n=x\nrubbish\n", None),
            ("unknown keys", b"gatepass 1 status\nhat=10/6\ntea-time=6\n",
             [("state", ""), silence]),
            ("a name", f"gatepass 1 resolve\nhost=a.example\n{proxy}".encode(),
             [("name", "tunnel"), silence]),
            ("a name with an escaped NUL",
             f"gatepass 1 resolve\nhost=a%00.example\n{proxy}".encode(), [(error, "syntax"), silence]),
            ("a raw NUL", b"gatepass 1 status\nproxy=a\0b\n", [closed]),
            ("challenge without route", pack(*challenge()), [(error, "syntax"), silence]),
            ("route without address", b"gatepass 1 route\n", [(error, "syntax"), silence]),
            ("the longest packet", pack("status", ("pad", "x" * (WIRE_MAX - 23))),
             [("state", ""), silence]),
            ("a longer packet", pack("status", ("pad", "x" * (WIRE_MAX - 22))), [closed])]:
        heard = tell(user, packet)
        if wanted:
            equal(heard, wanted, f"a message with {name}")
        else:
            check(heard[0][0] in ("closed", "error", "state"), f"a message with {name}", heard)
    unharmed(user, pid, before, "bad messages")


def rubbish(user, pid, before):
    """Random octets, and messages with some of theirs changed."""
    chance = random.Random(407)
    pairs = [("address", f"{ADDRESS}:443"), ("gatepass-proxy", "http://u:p@127.0.0.1:1"),
             ("host", "a.example"), ("user", "u"), ("password", "x"), ("store", "session"),
             ("status", "407"), ("authorized", "1"), ("challenge", 'Basic realm="x"')]
    verbs = ("route", "challenge", "outcome", "resolve", "reverse", "status", "login", "logout")
    for i in range(NOISE):
        packet = bytearray(chance.randbytes(chance.randrange(1, 400)))
        if i % 2:
            packet = bytearray(pack(chance.choice(verbs), *chance.sample(pairs, 5)))
            for _ in range(chance.randrange(1, 6)):
                packet[chance.randrange(len(packet))] = chance.randrange(256)
        talk = Talk(user.socket)
        if i % 3 == 0:
            talk.ask(*route("http://u:p@127.0.0.1:1"))
        talk.send(packet)
        if i % 7 == 0:
            talk.hear(0.05)
        talk.close()
    unharmed(user, pid, before, f"{NOISE} packets of rubbish")


# --- many clients, and bad ones ----------------------------------------------------------

def crowd(user, pid, before):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(CROWD, hard - 100)
    talks = [Talk(user.socket) for _ in range(count)]
    for talk in talks:
        talk.say("reverse", ("address", "198.18.0.1"))
    heard = [talk.hear()[0] for talk in talks]
    equal((heard.count("name"), heard.count("closed")),
          (min(count, SERVED), max(0, count - SERVED)),
          f"of {count} connections at once {SERVED} are served, and the others closed")
    for talk in talks:
        talk.close()
    unharmed(user, pid, before, "a crowd")


def deaf(user, pid, before):
    """A client that asks and never reads is dropped; others do not wait for it."""
    talk = Talk(user.socket)
    talk.link.settimeout(20)
    asked, dropped, slowest = 0, False, 0
    while asked < 5000 and not dropped:
        try:
            talk.link.send(pack("status", ("pad", "x" * 1000)))
            asked += 1
        except (BrokenPipeError, ConnectionResetError):
            dropped = True
        if asked % 50 == 0:
            begin = time.monotonic()
            user.agent_pid()
            slowest = max(slowest, time.monotonic() - begin)
    check(dropped and asked, "a client that never reads is dropped", f"{asked} questions")
    check(slowest < 2 * PATIENCE, "nobody waits for it", f"{slowest:.1f} s")
    talk.close()
    unharmed(user, pid, before, "a deaf client")


def vanishing(user, pid, before):
    """Gone at each step of a conversation."""
    for i in range(300):
        talk = Talk(user.socket)
        talk.say(*route(f"http://u:p{i % 7}@127.0.0.1:2"))
        if i % 2:
            talk.hear()
            talk.say(*challenge())
        if i % 4 == 3:
            talk.hear()
        if i % 8 == 7:
            talk.say("outcome", ("status", 0), ("error", "x"))
        talk.close()
    unharmed(user, pid, before, "vanishing clients")


# --- one trial at a time -----------------------------------------------------------------

def header(password):
    return "Basic " + base64.b64encode(f"u:{password}".encode()).decode()


def queue_up(user, password, count):
    """One that tries the password, and others that wait for what becomes of it."""
    url = f"http://u:{password}@127.0.0.1:3"
    first = Talk(user.socket)
    first.ask(*route(url))
    verb, values = first.ask(*challenge())
    equal((verb, values.get("authorization")), ("answer", header(password)),
          "the first one may try")
    others = [Talk(user.socket) for _ in range(count)]
    for other in others:
        other.say(*route(url))
    check(not select.select([other.link for other in others], [], [], 0.5)[0],
          "the others wait for the verdict")
    return first, others


def answered(talks):
    """Who has an answer, when the first has one and others had time for theirs."""
    select.select([talk.link for talk in talks], [], [], 10)
    time.sleep(0.3)
    return [talk for talk in talks if not talk.is_silent(0)]


def trial_passes_on(user):
    first, others = queue_up(user, "one", 3)
    first.close()
    turn = answered(others)
    equal(len(turn), 1, "who tries goes without outcome: one of those who wait is next")
    second = turn[0] if turn else others[0]
    equal(second.hear()[1].get("authorization"), header("one"), "and may try the same")
    second.say(*challenge(1))
    verb, values = second.hear()
    equal((verb, values.get("reason")), ("refuse", "rejected"), "it is rejected")
    rest = [talk for talk in others if talk is not second]
    heard = [talk.hear() for talk in rest]
    equal([(verb, values.get("way"), values.get("authorization")) for verb, values in heard],
          [("way", "tunnel", None)] * 2, "nobody else gets to try")
    equal([talk.ask(*challenge())[1].get("reason") for talk in rest], ["rejected"] * 2,
          "not when challenged either")
    for talk in others:
        talk.close()


def trial_succeeds(user):
    first, others = queue_up(user, "two", 3)
    first.say("outcome", ("status", 200), ("authorized", 1))
    equal(len(answered(others)), 3, "who tries succeeds: all are answered")
    equal([talk.hear()[1].get("authorization") for talk in others], [header("two")] * 3,
          "with the password")
    for talk in (first, *others):
        talk.close()


def main():
    proxy = Simproxy(OPEN)
    bare = run(["curl", "-sS", f"http://{ADDRESS}:443/", "-p", "-x", proxy.url])
    check("407" in bare.err, "407 without us", bare)
    locked_up()
    strangers(proxy)
    user = harness.User("talk")
    equal(connect(user, proxy), "OK", "a program has started an agent")
    pid = user.agent_pid()
    before = descriptors(pid)
    trial_passes_on(user)
    trial_succeeds(user)
    for part in (malformed, rubbish, crowd, deaf, vanishing):
        part(user, pid, before)
    equal(connect(user, proxy), "OK", "and programs get through as before")


harness.main(main)
