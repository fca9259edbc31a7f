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


def unpack(packet):
    """(verb, {key: [value, ...]})"""
    head, *lines = packet.decode().splitlines()
    keys = {}
    for line in lines:
        key, _, value = line.partition("=")
        keys.setdefault(key, []).append(value)
    return head.split()[-1], keys


class HandshakingAgent(ForgetfulAgent):
    """An agent with a scheme that shakes hands with connections, as NTLM does: "NTLM one-1",
    then "NTLM three-2", each with another number, or with `single` no more than one. If it is
    `known`, the proxy has accepted this before. When a connection ends under a leg, it makes
    another one, `losses` times. `further` are pairs that each way has first. `heard` is what it
    was told: (conversation, verb, keys)."""

    scheme = "NTLM"

    def __init__(self, proxy, known=False, single=False, losses=1, further=(), **options):
        self.known, self.single, self.losses = known, single, losses
        self.further = further
        self.heard = []
        self._conversations = self._legs = 0
        self._lock = threading.Lock()
        super().__init__(proxy, **options)

    def told(self, wanted, key=None):
        """The messages of that kind, or what they had under this key."""
        keys = [keys for _, verb, keys in self.heard if verb == wanted]
        return [value for has in keys for value in has.get(key, [])] if key else keys

    def _leg(self, name, more=False):
        with self._lock:
            self._legs += 1
            leg = [("authorization", f"{self.scheme} {name}-{self._legs}"),
                   ("scope", "connection")]
        return leg + [("more", 1)] if more and not self.single else leg

    def _first(self):
        return self._leg("one", more=True)

    def _way_of(self, keys):
        way = "tunnel" if "want" in keys else self._way
        pairs = [("way", way), *self.further, self._proxy]
        if way != "observe":
            pairs.append(self._authority)
        if self.known:
            pairs += self._first() if way == "tunnel" or "method" in keys \
                else [("scope", "connection")]
        # Nobody is to wait for a handshake to which no request belongs yet.
        if way != "tunnel" and "method" not in keys:
            pairs.append(("settled", 1))
        return pack("way", *pairs)

    def _answer_to(self, keys, said):
        """`said`: what this conversation has answered before."""
        challenges = keys.get("challenge", [])
        offered = keys.get("offered", [""])[0]
        refuse = pack("refuse", ("reason", "rejected"))
        if keys["status"] == ["0"]:
            said.append("lost")
            return pack("answer", *self._first()) if said.count("lost") <= self.losses else refuse
        if any(value.startswith(f"{self.scheme} ") for value in challenges) and \
                keys["kept"] == ["1"]:
            return pack("answer", *self._leg("three"))
        if any(value.split()[0] == self.scheme for value in challenges):
            said.append("first")
            if offered.startswith(f"{self.scheme} three") or said.count("first") > 3:
                return refuse
            return pack("answer", *self._first())
        if keys.get("persistent") == ["0"] and "again" not in said:
            said.append("again")
            return pack("answer", ("more", 1))
        return refuse

    def _converse(self, link):
        with self._lock:
            self._conversations += 1
            number = self._conversations
        said = []
        with link, contextlib.suppress(ConnectionError):
            while packet := link.recv(1 << 18):
                verb, keys = unpack(packet)
                self.heard.append((number, verb, keys))
                if verb != "outcome":
                    time.sleep(self.delay)
                if verb == "route":
                    self.asked += 1
                    link.send(self._way_of(keys))
                elif verb == "challenge":
                    link.send(self._answer_to(keys, said))


# --- between programs and their agent ----------------------------------------------------

class Between:
    """A socket that passes messages on to the user's agent and back, until the `last` one of all
    has come: then `fault(self)` happens, once, and this message with all that follow is passed
    on only if it says so."""

    def __init__(self, user, last, fault):
        self.user, self._last, self._fault = user, last, fault
        # Beside the agent's: the next agent there has the same names.
        self.path = user.socket.parent / f"between{last}"
        self.happened = False
        self._seen = 0
        self._lock = threading.Lock()
        self._links = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                near, far = self._listener.accept()[0], socket.socket(socket.AF_UNIX,
                                                                      socket.SOCK_SEQPACKET)
                far.connect(str(self.user.socket))
                self._links += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source, target):
        with contextlib.suppress(OSError):
            while message := source.recv(1 << 18):
                with self._lock:
                    self._seen += 1
                    now = self._seen == self._last
                    self.happened |= now
                if now and not self._fault(self):
                    break
                target.send(message)
            else:
                target.shutdown(socket.SHUT_RDWR)

    def leave(self):
        """Nobody listens here any more, as after a kill."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def cut(self):
        self.leave()
        for link in self._links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)


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
