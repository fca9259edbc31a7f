#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The ways that the agent tells: observe, direct, forward, tunnel; and which of them come with
an authorization, and what becomes of that."""

import base64

import harness
from agents import ADDRESS, OPEN, Talk, challenge, start_agent
from harness import check, equal, run
from simproxy import Simproxy

WRAPPER = "libnss_wrapper.so"
# Nobody listens there: the agent asks no proxy.
PROXY = "127.0.0.1:3128"
SETTLED = {"settled": ["1"]}


def keys(**values):
    return {key.replace("_", "-"): value for key, value in values.items()}


def way(user, address, **variables):
    """The whole answer to route: {key: [value, ...]}."""
    lines = "".join(f"{key}={value}\n" for key, value in keys(**variables).items())
    verb, values = user.ask_agent(f"gatepass 1 route\naddress={address}\n{lines}")
    return dict(values) if verb == "way" else {"verb": verb, **values}


# --- which way ---------------------------------------------------------------------------

def observed(address=PROXY, **more):
    return {"way": ["observe"], "proxy": [address], **SETTLED, **more}


def proxies_themselves(user):
    url = f"http://{PROXY}"
    for name, address, variables, wanted in [
            ("a proxy on the loopback", PROXY, {"gatepass_proxy": url}, observed()),
            ("by an IPv6 socket", "[::ffff:127.0.0.1]:3128", {"http_proxy": url}, observed()),
            ("on that of IPv6", "[::1]:3128", {"https_proxy": "http://[::1]:3128"},
             observed("[::1]:3128")),
            ("in spite of no_proxy", PROXY, {"all_proxy": url, "no_proxy": "*"}, observed()),
            ("elsewhere", "192.0.2.8:80", {"http_proxy": "http://192.0.2.8"},
             observed("192.0.2.8:80")),
            ("not to be tunnelled", "192.0.2.8:80",
             {"http_proxy": "http://192.0.2.8", "want": "tunnel"}, observed("192.0.2.8:80")),
            ("localhost", PROXY, {"http_proxy": "http://localhost:3128"}, observed()),
            ("localhost in IPv6", "[::1]:3128", {"http_proxy": "http://localhost:3128"},
             observed("[::1]:3128")),
            ("the name that the program found", "192.0.2.5:3128",
             {"http_proxy": "http://p.gatepass.test:3128", "host": "p.gatepass.test"},
             observed("192.0.2.5:3128"))]:
        equal(way(user, address, **variables), wanted, f"observe: {name}")


def names(user):
    """The agent's system knows near.gatepass.test, 127.0.0.7, and far.gatepass.test."""
    near, far = ("http://near.gatepass.test:3128", "http://far.gatepass.test:3128")
    equal(way(user, "127.0.0.7:3128", http_proxy=near), observed("127.0.0.7:3128"),
          "observe: a name for a loopback address")
    equal(way(user, "192.0.2.9:3128", gatepass_proxy="http://192.0.2.8:1", http_proxy=far),
          observed("192.0.2.9:3128"), "observe: a name that is not this connection's proxy")
    equal(way(user, "192.0.2.9:3128"), observed("192.0.2.9:3128"),
          "observe: what others call a proxy")
    stand_in = user.ask_agent("gatepass 1 resolve\nhost=far.gatepass.test\n"
                              f"gatepass-proxy=http://{PROXY}\n")[1]["address"][0]
    equal(way(user, f"{stand_in}:3128", http_proxy=far), observed("192.0.2.9:3128"),
          "observe: a stand-in; the proxy is where its name is")
    equal(way(user, f"{stand_in}:443", http_proxy=far).get("authority"),
          ["far.gatepass.test:443"], "tunnel: another port of it")


def direct(user):
    url = f"http://{PROXY}"
    remembered = {"way": ["direct"], "remember": ["10"]}
    for name, address, variables, wanted in [
            ("a database", "127.0.0.1:5432", {"gatepass_proxy": url}, remembered),
            ("in IPv6", "[::1]:5432", {"gatepass_proxy": url}, remembered),
            ("by an IPv6 socket", "[::ffff:127.1.2.3]:5432", {"gatepass_proxy": url},
             remembered),
            ("where the proxy would be", "[::1]:3128", {"gatepass_proxy": url}, remembered),
            ("a named proxy on another port", "127.0.0.1:5432",
             {"gatepass_proxy": "http://no.such.name.invalid:3128"}, remembered),
            ("one that has no address, for the moment", "127.0.0.1:3199",
             {"gatepass_proxy": "http://no.such.name.invalid:3199"}, {"way": ["direct"]}),
            ("exempt", f"{ADDRESS}:80", {"gatepass_proxy": url, "no_proxy": ADDRESS},
             {"way": ["direct"]}),
            ("no proxy", "192.0.2.1:80", {}, {"way": ["direct"]})]:
        equal(way(user, address, **variables), wanted, f"direct: {name}")
    talk = Talk(user.socket)
    talk.ask("route", ("address", "127.0.0.1:5432"))
    equal(talk.ask(*challenge())[1].get("reason"), "syntax", "and has no challenge")
    talk.close()


def proxied(user):
    url = f"http://{PROXY}"
    config = harness.DIRECTORY / "forward.conf"
    config.write_text(f"[proxy]\nurl = {url}\nforward_ports = 81, 443\n")

    def told(name, port, **more):
        return {"way": [name], "proxy": [PROXY], "authority": [f"{ADDRESS}:{port}"],
                **SETTLED, **more}

    own = {"gatepass_proxy": url}
    for name, port, variables, wanted in [
            ("port 80", 80, own, told("forward", 80)),
            ("port 80, not HTTP", 80, {**own, "want": "tunnel"}, told("tunnel", 80)),
            ("port 443", 443, own, told("tunnel", 443)),
            ("port 8080", 8080, own, told("tunnel", 8080, refused=["forward"])),
            ("port 8080, not HTTP", 8080, {**own, "want": "tunnel"}, told("tunnel", 8080)),
            ("port 81, configured", 81, {"gatepass_config": config}, told("forward", 81)),
            ("port 443, configured", 443, {"gatepass_config": config}, told("forward", 443)),
            ("port 80, not configured", 80, {"gatepass_config": config},
             told("tunnel", 80, refused=["forward"]))]:
        equal(way(user, f"{ADDRESS}:{port}", **variables), wanted,
              f"{wanted['way'][0]}: {name}")


# --- with an authorization ---------------------------------------------------------------

TUNNEL, FORWARD, OBSERVE = f"{ADDRESS}:443", f"{ADDRESS}:80", PROXY


def header(password):
    return "Basic " + base64.b64encode(f"u:{password}".encode()).decode()


class Conversation(Talk):
    """About a connection to the address, by one whose variable has a password."""

    def __init__(self, user, password, address):
        super().__init__(user.socket)
        self.way = self.ask("route", ("address", address),
                            ("gatepass-proxy", f"http://u:{password}@{PROXY}"))[1]
        self.given = self.way.get("authorization")

    def challenged(self, authorized=0, method="GET"):
        """The authorization, or the reason why there is none."""
        values = self.ask(*challenge(authorized), ("method", method), ("uri", "http://x/"))[1]
        return values.get("authorization") or values.get("reason")

    def ends(self, status, authorized=1):
        self.say("outcome", ("status", status), ("authorized", authorized))
        self.close()


def given(user, password, address):
    talk = Conversation(user, password, address)
    talk.close()
    return talk.given


def accept(user, password, address=TUNNEL):
    talk = Conversation(user, password, address)
    equal(talk.challenged(), header(password), f"{password} is tried")
    talk.ends(200)


def only_what_was_accepted(user):
    first = Conversation(user, "one", TUNNEL)
    equal(first.challenged(), header("one"), "one conversation tries a password")
    for name, address in (("forward", FORWARD), ("observe", OBSERVE)):
        other = Conversation(user, "one", address)
        equal((other.way.get("way"), other.given, other.way.get("settled")), (name, None, "1"),
              f"{name} neither waits for that nor tries it")
        other.close()
    waiting = Talk(user.socket)
    waiting.say("route", ("address", TUNNEL),
                ("gatepass-proxy", f"http://u:one@{PROXY}"))
    check(waiting.is_silent(), "another tunnel does")
    first.ends(200)
    equal(waiting.hear()[1].get("authorization"), header("one"), "until it is accepted")
    waiting.close()
    for name, address in (("forward", FORWARD), ("observe", OBSERVE)):
        talk = Conversation(user, "one", address)
        equal((talk.way.get("way"), talk.given, talk.way.get("settled")),
              (name, header("one"), "1"), f"then {name} sends it at once")
        talk.close()
    other = way(user, "127.0.0.1:3129", gatepass_proxy="http://u:one@127.0.0.1:3129")
    equal(other, observed("127.0.0.1:3129"), "but not to another proxy")


def judged(user):
    for name, address in (("forward", FORWARD), ("observe", OBSERVE)):
        accept(user, name, address)
        talk = Conversation(user, name, address)
        equal(talk.given, header(name), f"{name}: a new conversation has it")
        equal(talk.challenged(1), "rejected", f"{name}: and hears that it was rejected")
        talk.close()
        equal([given(user, name, to) for to in (FORWARD, OBSERVE, TUNNEL)], [None] * 3,
              f"{name}: so that nobody gets it again")

        accept(user, f"{name}-2", address)
        Conversation(user, f"{name}-2", address).ends(407)
        equal(given(user, f"{name}-2", address), None, f"{name}: an outcome of 407")

        accept(user, f"{name}-3", address)
        Conversation(user, f"{name}-3", address).ends(407, authorized=0)
        equal(given(user, f"{name}-3", address), header(f"{name}-3"),
              f"{name}: but not to a request without it")

        talk = Conversation(user, f"{name}-4", address)
        equal(talk.challenged(), header(f"{name}-4"), f"{name}: one is tried")
        equal(talk.challenged(1), "rejected", f"{name}: in vain")
        talk.close()


def origins_401(user):
    accept(user, "origin")
    for address in (FORWARD, OBSERVE):
        Conversation(user, "origin", address).ends(401)
        equal(given(user, "origin", address), header("origin"), "a 401 is the origin's")
    talk = Conversation(user, "untried", TUNNEL)
    equal(talk.challenged(method="GET"), header("untried"), "a tunnel that became forward")
    talk.ends(401)
    talk = Conversation(user, "untried", FORWARD)
    equal((talk.given, talk.challenged()), (None, header("untried")), "is no verdict either")
    talk.close()
    for name, address in (("observe", OBSERVE), ("tunnel", TUNNEL)):
        talk = Conversation(user, f"{name}-401", address)
        equal(talk.challenged(method="CONNECT"), header(f"{name}-401"), f"{name}: CONNECT")
        talk.ends(401)
        talk = Conversation(user, f"{name}-401", address)
        equal(talk.challenged(), "rejected", f"{name}: a 401 to CONNECT is the proxy's")
        talk.close()


def main():
    proxy = Simproxy(OPEN)
    bare = run(["curl", "-sS", f"http://{ADDRESS}/", "-x", proxy.url, "-o", "/dev/null",
                "-w", "%{http_code}"])
    equal(bare.out, "407", "407 without us", bare)
    user = harness.User("ways")
    hosts = harness.DIRECTORY / "hosts"
    hosts.write_text("127.0.0.7 near.gatepass.test\n192.0.2.9 far.gatepass.test\n")
    wrapper = {}
    # These refuse the wrapper's way of loading libc.
    if harness.SANITIZER not in ("address", "thread"):
        wrapper = dict(LD_PRELOAD=WRAPPER, NSS_WRAPPER_HOSTS=hosts)
    agent = start_agent(user, **wrapper)
    for part in (direct, proxies_themselves, proxied, only_what_was_accepted, judged,
                 origins_401):
        part(user)
    if wrapper:
        names(user)
    harness.stop(agent)


harness.main(main)
