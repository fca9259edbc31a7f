# SPDX-License-Identifier: MIT
"""Victims that speak HTTP, on the two ways on which the library edits their requests. What one
prints through us and a scripted proxy that asks for a password is compared with what it prints
alone, through one that does not ask."""

import contextlib
import re

import harness
from agents import ADDRESS, ForgetfulAgent
from harness import APPS, check, equal, run
from simproxy import BASE64, Simproxy

# Observe: the program speaks to the proxy, and names the origin in its requests. Forward: it
# speaks to an address that only the proxy reaches.
PREFIX = "http://origin.gatepass.test"
AWAY = (ADDRESS, "80")
WAYS = ("observe", "forward")

# Scripts of proxies that ask for nothing, for a password, and for it by a 407 that closes.
AUTH = f"auth {BASE64}\nreport\n"
OPENED = "conn\nexpect\nreport\nloop\nrepeat\n"
ASKING = f"conn\n{AUTH}loop\nrepeat\n"
CLOSING = f"conn\nauth {BASE64} close\nreport\nloop\nrepeat\n"


def names(app):
    return run([APPS / app, "--list"]).out.split()


def loop(method, *options):
    """The victim with an event loop."""
    return [APPS / "http_loop", *options, method]


class Request:
    """One request, as the scripted proxy got it."""

    def __init__(self, line):
        self.line = line
        self.fields = []
        self.body = ""
        self.challenged = False

    @property
    def method(self):
        return self.line.split(" ")[0]

    @property
    def path(self):
        return self.line.split(" ")[1].removeprefix(PREFIX)

    def values(self, name):
        return [value for field, value in self.fields if field.lower() == name]

    @property
    def is_probe(self):
        """Ours, to learn whether the proxy asks before a long body goes out: no victim says
        OPTIONS. It is safe (RFC 9110 9.2.1), so it may reach the origin."""
        return self.method == "OPTIONS"


def requests(proxy):
    """What has come, in order."""
    found, last = [], {}
    for number, word, rest in proxy.events:
        if word == "request":
            last[number] = Request(rest)
            found.append(last[number])
        elif word == "header":
            name, _, value = rest.partition(":")
            last[number].fields.append((name, value.strip()))
        elif word == "body":
            last[number].body = rest
        elif word == "challenged":
            last[number].challenged = True
    return found


def served(proxy):
    """What the proxy would have sent on: each once, if nobody sends anything twice."""
    return [(request.method, request.path, request.body) for request in requests(proxy)
            if not request.challenged and not request.is_probe]


def in_tunnels(proxy):
    """What came through CONNECTs, as the program sent it."""
    return [(request.method, request.path, request.body) for request in requests(proxy)
            if request.method != "CONNECT" and request.line.split(" ")[1].startswith("/") and
            not request.values("proxy-authorization")]


def ill_formed(proxy):
    """The requests that no proxy should get: with two credentials, or with a target that it
    cannot forward. CONNECT has another form."""
    return [request.line for request in requests(proxy)
            if len(request.values("proxy-authorization")) > 1 or
            not request.line.startswith((f"{request.method} {PREFIX}/", "CONNECT "))]


def alone(user, argv, proxy):
    return run([*argv, "127.0.0.1", proxy.port, PREFIX], user.env())


@contextlib.contextmanager
def environment(user, proxy, way, agent=ForgetfulAgent, **agent_options):
    """What a program gets from us, with an agent that knows nothing; and its destination, as
    the victims' last arguments."""
    agent = agent(proxy, way=way, **agent_options)
    try:
        if way == "observe":
            yield (harness.with_library(user.env(http_proxy=proxy.url,
                                                 GATEPASS_AGENT=agent.path)),
                   ("127.0.0.1", proxy.port, PREFIX))
        else:
            yield user.preload(proxy.url, GATEPASS_AGENT=agent.path), AWAY
    finally:
        agent.close()


def with_us(user, argv, proxy, way, **agent_options):
    with environment(user, proxy, way, **agent_options) as (env, destination):
        return run([*argv, *destination], env, timeout=100)


def fails_alone(user, name, argv, asking):
    """The proof that it does not work by itself."""
    # Nobody can tell where a reply ends whose connection neither ends nor goes on.
    proxy = Simproxy(asking.replace("hold\n", "close\n").replace("finish\n", "close\n"))
    result = alone(user, argv, proxy)
    check(" 407" in result.out and proxy.told("challenged"), f"{name}: 407 without us", result)
    proxy.stop()


def as_is(text):
    return text


def without_interim(text):
    """A transcript without the 1xx."""
    return re.sub(r"HTTP/1\.1 1\d\d [^\r]*\r\n(?:[^\r\n]+\r\n)*\r\n", "", text)


def compare(user, name, argv, opened, asking, ways=WAYS, view=as_is, proof=True,
            tunnelled=False, **agent_options):
    """`opened` and `asking` are scripts of proxies without and with a 407. `view` makes of a
    transcript what is to be the same. Without `proof` another call shows that it fails alone.
    With `tunnelled` the requests go to the origin itself, behind one CONNECT each."""
    proxy = Simproxy(opened)
    wanted, once = alone(user, argv, proxy), served(proxy)
    check(wanted.code == 0 and once, f"{name}: works where nobody asks", wanted)
    proxy.stop()
    if proof:
        fails_alone(user, name, argv, asking)
    for way in ways:
        proxy = Simproxy(asking)
        result = with_us(user, argv, proxy, way, **agent_options)
        told = proxy.events
        equal(view(result.out), view(wanted.out), f"{name}, {way}: it sees no 407",
              lambda: f"{result}\n{told}")
        got = (served(proxy), ill_formed(proxy))
        if tunnelled:
            got = (in_tunnels(proxy), [])
        equal(got, (once, []), f"{name}, {way}: each request once", told)
        proxy.stop()
