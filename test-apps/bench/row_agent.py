# SPDX-License-Identifier: MIT
"""The one agent that all programs of a user ask."""

import pathlib
import re

import agents
import ground
import harness
import simproxy
import table

TITLE = "the agent: answers per second, each on a connection of its own, and its memory"
ROUNDS, COUNT = 9, 5000


def resident(pid):
    """MiB; the file is for everybody, also of a process that must not be traced."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s*(\d+)", text)[1]) / 1024


def wants_digest():
    """(a user whose agent knows of a proxy that wants Digest, the proxy's URL); nobody has to be
    there."""
    user, url = harness.User("digest"), "http://127.0.0.1:9"
    login = user.login(url, simproxy.PASSWORD, simproxy.USER, session=True)
    ground.need(login.code == 0, str(login))
    talk = agents.Talk(user.socket)
    talk.ask(*agents.route(url))
    talk.ask("challenge", ("status", 407), ("kept", 1),
             ("method", "CONNECT"), ("uri", f"{agents.ADDRESS}:443"),
             ("challenge", 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'))
    talk.say("outcome", ("status", 200), ("authorized", 1))
    answer = talk.ask(*agents.route(url))[1]
    ground.need(answer.get("authorization", "").startswith("Digest "), str(answer))
    talk.close()
    return user, url


def measure():
    gate = ground.Gate("hold")
    user = ground.acquainted("asked", gate)[0]
    other, digest_url = wants_digest()
    memory = [resident(user.agent_pid())]

    def ask(at_a_time, url, who=user):
        return ground.program("answers", COUNT, at_a_time, who.socket, url)

    times = ground.in_turn(ROUNDS, {
        "one question at a time": lambda: ask(1, ground.url(gate)),
        "16 at a time": lambda: ask(16, ground.url(gate)),
        "one at a time, password in the URL": lambda: ask(1, ground.url_with_password(gate)),
        "one at a time, Digest": lambda: ask(1, digest_url, other),
    })
    memory.append(resident(user.agent_pid()))
    for name, found in times.items():
        table.line(name, [COUNT / time * 1e9 for time, in found], table.at_least(10000),
                   digits=0)
    table.line("resident memory, MiB", memory, table.at_most(12), digits=1)
    table.line("resident memory, Digest, MiB", [resident(other.agent_pid())], table.at_most(12),
               digits=1)
    gate.stop()
