#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The agent and schemes that shake hands with a connection, in its own protocol: legs, the choice
among what is offered, and what it takes for a rejection."""

import harness
import ntlm
from agents import ADDRESS, OPEN, Talk, connect
from harness import check, equal, run
from simproxy import Simproxy

PASSWORD = "wonderland"
TUNNEL = ("CONNECT", f"{ADDRESS}:443")
PAGE = ("GET", "http://site.example/a?b")
NTLM, NEGOTIATE = ("challenge", "NTLM"), ("challenge", "Negotiate")
BASIC = ("challenge", 'Basic realm="x"')
DIGEST = ("challenge", 'Digest realm="r", nonce="n", qop="auth"')
DONE = ("outcome", ("status", 200), ("authorized", 1))
_ports = iter(range(2000, 3000))


def new_proxy(user="PLAB%5Calice", password=PASSWORD):
    """A proxy's URL that no other part of the test uses; nobody needs to be there."""
    return f"http://{user}:{password}@127.0.0.1:{next(_ports)}"


def route(url, request=None, port=443, *more):
    pairs = [("address", f"{ADDRESS}:{port}"), ("gatepass-proxy", url.replace("%", "%25")), *more]
    if request:
        pairs += [("method", request[0]), ("uri", request[1])]
    return ("route", *pairs)


def challenge(*challenges, offered=None, status=407, kept=1, persistent=None, request=TUNNEL):
    pairs = [("status", status), ("kept", kept)]
    if persistent is not None:
        pairs.append(("persistent", persistent))
    if offered:
        pairs += [("authorized", 1), ("offered", offered)]
    return ("challenge", *pairs, ("method", request[0]), ("uri", request[1]), *challenges)


def reply(server, leg, scheme="NTLM", **options):
    """The challenge that goes on from a first leg."""
    message = server.challenge(ntlm.decode(leg, scheme), **options)
    return ("challenge", f"{scheme} {ntlm.encode(message)}")


class Client(Talk):
    def __init__(self, user):
        super().__init__(user.socket)

    def get(self, *question):
        """The answer's authorization."""
        return self.ask(*question)[1].get("authorization")


def shake_hands(talk, url, server, *offers, **options):
    """Route, first leg and last one. Returns the last answer."""
    talk.ask(*route(url))
    first = talk.get(*challenge(*(offers or [NTLM])))
    if ntlm.kind(first) != 1:
        return "refuse", {"reason": f"no first leg: {first}"}
    return talk.ask(*challenge(reply(server, first, **options), offered=first))


def legs(user):
    for name, url_user, domain, options in [
            ("DOMAIN\\user", "PLAB%5Calice", "PLAB", {}),
            ("user@realm", "alice%40plab.test", "", {}),
            ("no domain", "alice", "", {}),
            ("a server without time", "PLAB%5Calice", "PLAB", {"time": False}),
            ("a server without target info", "PLAB%5Calice", "PLAB",
             {"info": False, "flags": ntlm.FLAGS & ~ntlm.TARGET_INFO})]:
        talk, url = Client(user), new_proxy(url_user)
        server = ntlm.Server("alice@plab.test" if "@" in name else "alice", domain, PASSWORD)
        equal(talk.get(*route(url)), None, f"{name}: nothing before the challenge")
        verb, values = talk.ask(*challenge(NTLM))
        first = values.get("authorization")
        equal((verb, values.get("scope"), values.get("more"), ntlm.kind(first)),
              ("answer", "connection", "1", 1), f"{name}: the first leg")
        verb, values = talk.ask(*challenge(reply(server, first, **options), offered=first))
        last = values.get("authorization")
        equal((verb, values.get("scope"), values.get("more"), ntlm.kind(last)),
              ("answer", "connection", None, 3), f"{name}: the last leg", values)
        equal(server.verify(ntlm.decode(last)), "", f"{name}: is right")
        talk.say(*DONE)
        talk.close()


def remembered(user):
    """What was accepted is used at once on new connections, one handshake each."""
    url = new_proxy()
    talk = Client(user)
    shake_hands(talk, url, ntlm.Server("alice", "PLAB", PASSWORD))
    talk.say(*DONE)
    talk.close()
    talk = Client(user)
    values = talk.ask(*route(url))[1]
    equal((values.get("scope"), values.get("more"), ntlm.kind(values.get("authorization"))),
          ("connection", "1", 1), "the next tunnel begins with the first leg")
    check("settled" not in values, "and its conversation goes on")
    server = ntlm.Server("alice", "PLAB", PASSWORD)
    first = values["authorization"]
    last = talk.get(*challenge(reply(server, first), offered=first))
    equal(server.verify(ntlm.decode(last)), "", "to the last one")
    talk.close()
    talk = Client(user)
    values = talk.ask(*route(url, None, 80))[1]
    equal((values.get("way"), values.get("scope"), values.get("authorization")),
          ("forward", "connection", None), "a connection for requests will need one")
    values = talk.ask(*route(url, PAGE, 80))[1]
    equal((values.get("scope"), ntlm.kind(values.get("authorization"))), ("connection", 1),
          "which comes with the request")
    talk.close()
    other = Client(user)
    other.ask(*route(url))
    server = ntlm.Server("alice", "PLAB", PASSWORD)
    last = other.get(*challenge(reply(server, first), offered=first))
    equal(server.verify(ntlm.decode(last)), "", "another conversation can go on with it")
    other.close()


def rejected(user):
    """Once for each scheme; a password that one could carry is not sent in clear text."""
    url = new_proxy(password="wrong")
    talk = Client(user)
    server = ntlm.Server("alice", "PLAB", PASSWORD)
    values = shake_hands(talk, url, server, NTLM, DIGEST, BASIC)[1]
    last = values.get("authorization")
    equal(server.verify(ntlm.decode(last)), "wrong password", "a wrong password")
    value = talk.get(*challenge(NTLM, DIGEST, BASIC, offered=last))
    check(value and value.startswith("Digest "), "then the next scheme", value)
    verb, values = talk.ask(*challenge(NTLM, DIGEST, BASIC, offered=value))
    equal((verb, values.get("reason")), ("refuse", "rejected"), "and then no more")
    talk.close()
    talk = Client(user)
    values = talk.ask(*route(url))[1]
    equal(values.get("authorization"), None, "the next program sends nothing")
    verb, values = talk.ask(*challenge(NTLM, DIGEST, BASIC))
    equal((verb, values.get("reason")), ("refuse", "rejected"), "and is told why")
    talk.close()
    talk = Client(user)
    right = url.replace("wrong", PASSWORD)
    verb, values = shake_hands(talk, right, ntlm.Server("alice", "PLAB", PASSWORD))
    equal((verb, ntlm.kind(values.get("authorization"))), ("answer", 3),
          "another password is tried")
    talk.close()


def one_tries(user):
    """The others wait for its verdict."""
    url = new_proxy()
    talk, others = Client(user), [Client(user) for _ in range(5)]
    verb, values = shake_hands(talk, url, ntlm.Server("alice", "PLAB", PASSWORD))
    for other in others:
        other.say(*route(url))
    check(all(other.is_silent() for other in others), "others wait while one tries")
    talk.say(*DONE)
    kinds = [ntlm.kind(other.hear()[1].get("authorization")) for other in others]
    equal(kinds, [1] * 5, "and go on when it was accepted", (verb, values))
    for other in [talk, *others]:
        other.close()


def falls_through(user):
    for name, offers, wanted in [
            ("no ticket", (NEGOTIATE, NTLM, BASIC), "NTLM"),
            ("no ticket, and nothing else but Basic", (NEGOTIATE, BASIC), "Basic"),
            ("one field", (("challenge", 'Negotiate, NTLM, Basic realm="x"'),), "NTLM"),
            ("NTLM before Digest", (DIGEST, NTLM), "NTLM"),
            ("an unknown scheme", (("challenge", "Kerberos"), DIGEST), "Digest"),
            ("nothing but Negotiate", (NEGOTIATE,), "Negotiate")]:
        talk = Client(user)
        talk.ask(*route(new_proxy()))
        value = talk.get(*challenge(*offers))
        check(value and value.startswith(wanted + " "), f"{name}: {wanted}", value)
        talk.close()


def inside_negotiate(user):
    talk, url = Client(user), new_proxy()
    talk.ask(*route(url))
    first = talk.get(*challenge(NEGOTIATE))
    equal(ntlm.kind(first, "Negotiate"), 1, "NTLM's first message, as Negotiate")
    server = ntlm.Server("alice", "PLAB", PASSWORD)
    last = talk.get(*challenge(reply(server, first, "Negotiate"), offered=first))
    equal(server.verify(ntlm.decode(last, "Negotiate")), "", "and the last one")
    talk.close()


def does_not_work(user):
    """A handshake that is not answered, or whose connection ends, is begun once more; then it is
    the next scheme's turn."""
    talk, url = Client(user), new_proxy()
    talk.ask(*route(url))
    first = talk.get(*challenge(NTLM, BASIC, kept=0))
    again = talk.get(*challenge(NTLM, BASIC, offered=first, kept=0))
    equal(ntlm.kind(again), 1, "the first leg was not answered: once more")
    value = talk.get(*challenge(NTLM, BASIC, offered=again, kept=0))
    check(value and value.startswith("Basic "), "then Basic", value)
    talk.say(*DONE)
    talk.close()
    talk = Client(user)
    value = talk.get(*route(url))
    check(value and value.startswith("Basic "), "and at once from then on", value)
    talk.close()
    talk, url = Client(user), new_proxy()
    server = ntlm.Server("alice", "PLAB", PASSWORD)
    talk.ask(*route(url))
    first = talk.get(*challenge(NTLM, kept=0))
    first = talk.get(*challenge(reply(server, first), offered=first, kept=0))
    equal(ntlm.kind(first), 1, "a connection that is not kept: from the beginning")
    verb, values = talk.ask(*challenge(reply(server, first), offered=first, kept=0))
    equal((verb, values.get("reason")), ("refuse", "no-scheme"), "but not for ever", values)
    talk.close()
    talk, url = Client(user), new_proxy()
    talk.ask(*route(url))
    first = talk.get(*challenge(NTLM))
    last = talk.get(*challenge(reply(server, first), offered=first))
    first = talk.get(*challenge(offered=last, status=0, kept=0))
    equal(ntlm.kind(first), 1, "a connection that ended under the last leg: once more")
    last = talk.get(*challenge(reply(server, first), offered=first))
    equal(server.verify(ntlm.decode(last)), "", "and to the end")
    talk.say(*DONE)
    talk.close()


def not_persistent(user):
    """What Squid says to a request whose connection is not to stay."""
    talk, url = Client(user), new_proxy()
    talk.ask(*route(url))
    verb, values = talk.ask(*challenge(BASIC, kept=0, persistent=0))
    equal((verb, values), ("answer", {"more": "1"}), "it is asked once more")
    first = talk.get(*challenge(NTLM, BASIC))
    equal(ntlm.kind(first), 1, "by one that stays")
    talk.close()
    talk = Client(user)
    talk.ask(*route(url))
    first = talk.get(*challenge(BASIC, kept=0, persistent=0))
    equal(ntlm.kind(first), 1, "which is remembered")
    talk.close()
    talk, url = Client(user), new_proxy()
    talk.ask(*route(url))
    equal(talk.ask(*challenge(kept=0, persistent=0)), ("answer", {"more": "1"}),
          "also when it said nothing")
    value = talk.get(*challenge(BASIC, kept=0, persistent=0))
    check(value and value.startswith("Basic "), "but not twice", value)
    talk.close()


def policy(user):
    """The configuration forbids, and orders."""
    config = harness.DIRECTORY / "schemes.conf"
    where = ("gatepass-config", str(config))
    for schemes, offers, wanted in [
            ("digest, basic", (NEGOTIATE, NTLM, BASIC), "Basic"),
            ("negotiate, ntlm", (BASIC,), None),
            ("digest, ntlm", (NTLM, DIGEST), "Digest"),
            ("negotiate, ntlm, digest, basic", (NEGOTIATE,), None),
            ("negotiate-ntlm", (NEGOTIATE, NTLM), "Negotiate")]:
        config.write_text(f"[proxy]\nschemes = {schemes}\n")
        talk = Client(user)
        talk.ask(*route(new_proxy(), None, 443, where))
        value = talk.get(*challenge(*offers))
        equal(value and value.split()[0], wanted, f"{schemes}, of {len(offers)} offered")
        talk.close()


def rubbish(user):
    """What is no message of a handshake costs the scheme and nothing else."""
    for name, token in [("no base64", "NTLM ====x"), ("not NTLM", "NTLM oRUwE6ADCgEDoQwGCisG"),
                        ("cut", f"NTLM {ntlm.encode(ntlm.SIGNATURE + bytes([2, 0, 0, 0]))}"),
                        ("a NEGOTIATE message", "NTLM TlRMTVNTUAABAAAAB4IIoAAAAAAAAAAAAAAAAAAAAAA=")]:
        talk = Client(user)
        talk.ask(*route(new_proxy()))
        first = talk.get(*challenge(NTLM, BASIC))
        verb, values = talk.ask(*challenge(("challenge", token), offered=first))
        check(verb in ("answer", "refuse"), f"{name}: is answered", values)
        equal(ntlm.kind(values.get("authorization")) == 3, False, f"{name}: without a last leg")
        talk.close()


def main():
    proxy = Simproxy(OPEN)
    bare = run(["curl", "-sS", f"http://{ADDRESS}:443/", "-p", "-x", proxy.url])
    check("407" in bare.err, "407 without us", bare)
    user = harness.User("handshakes")
    equal(connect(user, proxy), "OK", "a program has started an agent")
    pid = user.agent_pid()
    for part in (legs, remembered, rejected, one_tries, falls_through, inside_negotiate,
                 does_not_work, not_persistent, policy, rubbish):
        part(user)
    equal(user.agent_pid(), pid, "the same agent all the time")


harness.main(main)
