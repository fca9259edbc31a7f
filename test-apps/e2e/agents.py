# SPDX-License-Identifier: MIT
"""Agents as a fixture: started by themselves, spoken to in their own protocol, and the program
that is tried with them."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import threading
import time

import harness
from harness import APPS, BUILD, PATIENCE, start, wait_until
from simproxy import BASE64, OK

AGENT = BUILD / "gatepass-agent"
# A stand-in address that stands for no name: programs need ask for none, and get there by the
# proxy or not at all. Whoever has no agent is told ENETUNREACH.
ADDRESS = "198.19.0.9"
# A proxy's script: whoever has the password gets through.
OPEN = f"conn\nauth {BASE64}\nsend {OK}\nfinish\nrepeat\n"
BASIC = ("challenge", 'Basic realm="x"')


# --- a client of the agent ---------------------------------------------------------------

def pack(verb, *pairs):
    lines = "".join(f"{key}={value}\n" for key, value in pairs)
    return f"gatepass 1 {verb}\n{lines}".encode()


class Talk:
    """One conversation with the agent."""

    def __init__(self, path):
        self.link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.link.settimeout(20)
        self.link.connect(str(path))

    def say(self, verb, *pairs):
        self.send(pack(verb, *pairs))

    def send(self, packet):
        try:
            self.link.send(packet)
        except (BrokenPipeError, ConnectionResetError):
            pass  # as hear() will tell

    def hear(self, seconds=20):
        """(verb, {key: value}), or "closed" or "silence" without keys."""
        self.link.settimeout(seconds)
        try:
            head, *lines = self.link.recv(1 << 18).decode().splitlines() or ["closed"]
        except socket.timeout:
            return "silence", {}
        except ConnectionResetError:
            return "closed", {}
        return head.split()[-1], dict(line.split("=", 1) for line in lines)

    def ask(self, verb, *pairs):
        self.say(verb, *pairs)
        return self.hear()

    def is_silent(self, seconds=0.3):
        return not select.select([self.link], [], [], seconds)[0]

    def close(self):
        self.link.close()


def route(url):
    return ("route", ("address", f"{ADDRESS}:443"), ("gatepass-proxy", url))


def challenge(authorized=0):
    return ("challenge", ("status", 407), ("kept", 1), ("authorized", authorized), BASIC)


# --- an agent with a script --------------------------------------------------------------

class ForgetfulAgent:
    """An agent that knows one proxy and one password and remembers nothing: it never sends an
    authorization before it is asked for one, unless told `at_once`. Everything goes by `way`,
    to `authority`. Without `answers` it refuses. `delay` seconds pass before each answer. `asked`
    counts the questions for the way."""

    def __init__(self, proxy, delay=0, way="tunnel", authority="far.example:80", answers=True,
                 at_once=False):
        self.path = harness.DIRECTORY / f"forgetful-{way}-{proxy.port}"
        self.delay = delay
        self.asked = 0
        self._proxy = ("proxy", f"{proxy.host}:{proxy.port}")
        self._authority = ("authority", authority)
        self._way = way
        self._known = [("authorization", f"Basic {BASE64}")] if at_once else []
        self._answer = ("answer", ("authorization", f"Basic {BASE64}"))
        if not answers:
            self._answer = ("refuse", ("reason", "no-credential"))
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                link = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._converse, args=(link,), daemon=True).start()

    def _route(self, question):
        self.asked += 1
        way = "tunnel" if b"want=tunnel" in question.splitlines() else self._way
        pairs = [("way", way), self._proxy, *self._known]
        if way != "observe":
            pairs.append(self._authority)
        if way != "tunnel":
            pairs.append(("settled", 1))
        if way == "direct":
            pairs.append(("remember", 10))
        return pack("way", *pairs)

    def _converse(self, link):
        with link, contextlib.suppress(ConnectionError):  # a program may end in the middle
            while question := link.recv(1 << 18):
                verb = question.split(b"\n", 1)[0].split()[-1]
                if verb != b"outcome":
                    time.sleep(self.delay)
                if verb == b"route":
                    link.send(self._route(question))
                elif verb == b"challenge":
                    link.send(pack(*self._answer))

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.path.unlink()


# --- programs and agents -----------------------------------------------------------------

def start_program(user, proxy, **extra):
    return start([APPS / "connect_errno", ADDRESS, 443],
                 user.preload(proxy.url_with_password, **extra),
                 stdout=subprocess.PIPE, text=True)


def end_program(process):
    """(the error's name, milliseconds)"""
    out = process.communicate(timeout=60 * PATIENCE)[0].split()
    harness.stop(process)
    return (out[0], int(out[1])) if len(out) == 2 else ("?", -1)


def connect(user, proxy, **extra):
    return end_program(start_program(user, proxy, **extra))[0]


def agent_env(user, **extra):
    env = user.env(**extra)
    if harness.SANITIZER == "address":
        # The leak checker traces its process, which an undumpable one forbids.
        env.setdefault("ASAN_OPTIONS", "detect_leaks=0")
    return env


def start_agent(user, *args, path=None, **extra):
    """An agent that is our own child, when it answers."""
    process = start([AGENT, *args],
                    agent_env(user, GATEPASS_AGENT=path, **extra))
    if not wait_until(lambda: user.ask_agent("gatepass 1 status\n", path)):
        raise RuntimeError("gatepass-agent does not start")
    return process


def ends(process, seconds=10):
    """Its exit status; None if it lives on."""
    try:
        return process.wait(seconds * PATIENCE)
    except subprocess.TimeoutExpired:
        return None


def lives(pid):
    return pid in harness.descendants()


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not lives(pid))


def descriptors(pid):
    """Only root may look into a process that is not dumpable."""
    return len(os.listdir(f"/proc/{pid}/fd")) if harness.AS_ROOT else 0
