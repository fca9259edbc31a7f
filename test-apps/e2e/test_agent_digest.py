#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The agent and Digest, in the agent's own protocol, with a verifier that knows the password as
a proxy does."""

import hashlib
import re
import unicodedata

import harness
from agents import ADDRESS, OPEN, Talk, connect
from harness import check, equal, run
from simproxy import Simproxy

PASSWORD = "open: sesame"
HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
TUNNEL = ("CONNECT", f"{ADDRESS}:443")
PAGE = ("GET", "http://site.example/a?b")
_ports = iter(range(1000, 2000))


def new_proxy(password="open%3A%20sesame"):
    """A proxy's URL that no other part of the test uses; nobody needs to be there."""
    return f"http://ali:{password}@127.0.0.1:{next(_ports)}"


# --- the verifier ------------------------------------------------------------------------

def read(value):
    """The fields of a Digest authorization, unescaped; None if it is none."""
    if not value or not value.startswith("Digest "):
        return None
    fields = {}
    for name, quoted, token in re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^",\s]+))', value):
        fields[name] = token or re.sub(r"\\(.)", r"\1", quoted)
    return fields


def digest(name, *parts):
    return hashlib.new(name, ":".join(parts).encode()).hexdigest()


def is_right(value, method, uri, password=PASSWORD, user="ali"):
    got = read(value)
    if not got or got["uri"] != uri:
        return False
    name = HASHES.get(got.get("algorithm", "MD5").removesuffix("-sess"))
    secret = digest(name, user, got["realm"], password)
    if got.get("algorithm", "").endswith("-sess"):
        secret = digest(name, secret, got["nonce"], got["cnonce"])
    middle = [got["nc"], got["cnonce"], got["qop"]] if "qop" in got else []
    body = [digest(name, "")] if got.get("qop") == "auth-int" else []
    wanted = digest(name, secret, got["nonce"], *middle, digest(name, method, uri, *body))
    return got["response"] == wanted


def nc(value):
    got = read(value)
    return (got["nonce"], int(got["nc"], 16)) if got and len(got["nc"]) == 8 else None


# --- what clients say --------------------------------------------------------------------

def asks(nonce, more="", realm="r", algorithm="MD5", qop="auth"):
    return ("challenge", f'Digest realm="{realm}", nonce="{nonce}", qop="{qop}", '
                         f'algorithm={algorithm}{more}')


def named(request):
    """Of (method, target), or (method, target, "none") for one without a body."""
    return list(zip(("method", "uri", "body"), request or ()))


def route(url, request=None, address=f"{ADDRESS}:443"):
    return ("route", ("address", address), ("gatepass-proxy", url.replace("%", "%25")),
            *named(request))


def page(url, request=None):
    return route(url, request, f"{ADDRESS}:80")


def challenge(*challenges, request=TUNNEL, offered=None, authorized=None, status=407):
    pairs = [("status", status), ("kept", 1)]
    if authorized or offered:
        pairs.append(("authorized", 1))
    if offered:
        pairs.append(("offered", offered))
    return ("challenge", *pairs, *named(request), *challenges)


def done(info):
    return (*DONE, ("info", info))


DONE = ("outcome", ("status", 200), ("authorized", 1))


class Client(Talk):
    def __init__(self, user):
        super().__init__(user.socket)

    def get(self, *question):
        """The answer's authorization."""
        return self.ask(*question)[1].get("authorization")


def accepted(user, url, *challenges):
    """Makes the proxy known as one that accepts the password. Returns what it was sent."""
    talk = Client(user)
    talk.ask(*route(url))
    value = talk.get(*challenge(*challenges))
    talk.say(*DONE)
    talk.close()
    return value


# --- the tests ---------------------------------------------------------------------------

def answers(user):
    """What is answered, with what, and what is passed over."""
    for name, challenges, wanted in [
            ("MD5", [asks("n")], ("MD5", "auth")),
            ("SHA-256", [asks("n", algorithm='"sha-256"')], ("SHA-256", "auth")),
            ("SHA-512-256", [asks("n", algorithm="SHA-512-256")], ("SHA-512-256", "auth")),
            ("MD5-sess", [asks("n", algorithm="md5-SESS")], ("MD5-sess", "auth")),
            ("SHA-256-sess", [asks("n", algorithm="SHA-256-sess")], ("SHA-256-sess", "auth")),
            ("no algorithm, no qop", [("challenge", 'Digest realm="r", nonce="n"')], (None, None)),
            ("the strongest", [asks("n"), asks("n", algorithm="SHA-256"), asks("n")],
             ("SHA-256", "auth")),
            ("two in a field, and Basic before them",
             [("challenge", f'Basic realm="b", {asks("n")[1]}, {asks("m", algorithm="SHA-256")[1]}')],
             ("SHA-256", "auth")),
            ("an unknown one before", [asks("n", algorithm="SHA-3"), asks("n")], ("MD5", "auth")),
            ("a realm with quotes", [asks("n", realm='a \\"b\\" \\\\')], ("MD5", "auth"))]:
        talk, url = Client(user), new_proxy()
        equal(talk.get(*route(url)), None, f"{name}: nothing before the challenge")
        verb, values = talk.ask(*challenge(*challenges))
        value = values.get("authorization")
        got = read(value) or {}
        equal((got.get("algorithm"), got.get("qop")), wanted, f"{name}: is answered", values)
        check(is_right(value, *TUNNEL), f"{name}: rightly", value)
        equal((verb, values.get("scope")), ("answer", "request"), f"{name}: for one request")
        talk.close()
    talk = Client(user)
    talk.ask(*route(new_proxy()))
    value = talk.get(*challenge(asks("n", algorithm="SHA-3"), ("challenge", "Basic realm=x")))
    check(value and value.startswith("Basic "), "Basic where no Digest can be answered", value)
    talk.close()


def opaque_and_userhash(user):
    talk = Client(user)
    talk.ask(*route(new_proxy()))
    got = read(talk.get(*challenge(asks("n", ', opaque="o\\\\\\"", userhash=true'))))
    equal((got["opaque"], got["userhash"], got["username"]),
          ('o\\"', "true", digest("md5", "ali", "r")), "opaque comes back, the name is hashed")
    talk.close()


def whole_bodies(user):
    """auth-int is answered where there is no body."""
    only, none = asks("n", qop="auth-int"), (*PAGE, "none")
    for name, request, asked, wanted in [
            ("a tunnel", TUNNEL, only, "auth-int"), ("no body", none, only, "auth-int"),
            ("a body", PAGE, only, None),
            ("no body, both", none, asks("n", qop="auth-int,auth"), "auth"),
            ("a body, both", PAGE, asks("n", qop="auth-int, auth"), "auth")]:
        talk = Client(user)
        talk.ask(*page(new_proxy()))
        verb, values = talk.ask(*challenge(asked, request=request))
        value = values.get("authorization")
        equal((read(value) or {}).get("qop"), wanted, f"auth-int, {name}", values)
        check(not wanted or is_right(value, request[0], "/a?b" if request != TUNNEL else TUNNEL[1]),
              f"auth-int, {name}: rightly", value)
        check(wanted or values.get("reason") == "no-scheme", f"auth-int, {name}: said so", values)
        talk.close()
    talk = Client(user)
    talk.ask(*page(new_proxy()))
    value = talk.get(*challenge(only, ("challenge", "Basic realm=x"), request=PAGE))
    check(value and value.startswith("Basic "), "auth-int, a body: Basic, if it is offered", value)
    talk.close()
    url = new_proxy()
    talk = Client(user)
    talk.ask(*page(url))
    talk.get(*challenge(only, request=none))
    talk.say(*DONE)
    equal([talk.ask(*page(url, request))[1].get("authorization", "none")[:6]
           for request in (None, PAGE, none)], ["none", "none", "Digest"],
          "auth-int, later: with the first request that has no body")
    equal(talk.ask(*page(url))[1].get("scope"), "request", "auth-int, later: it is asked for")
    talk.close()


def composed(user):
    """RFC 7616 4: letters with their marks, where the challenge says UTF-8."""
    typed, name = "pa\u0308ss\u1e0b\u0323", "u\u0308ser"
    whole = [unicodedata.normalize("NFC", text) for text in (typed, name)]
    for more, (password, who) in (("", (typed, name)), (", charset=UTF-8", whole),
                                  (", charset=UTF-8, userhash=true", whole)):
        url = new_proxy().replace("ali:open%3A%20sesame@", "")
        equal(user.login(url, typed, name, session=True).code, 0, f"not ASCII{more}: login")
        talk = Client(user)
        talk.ask(*route(url))
        value = talk.get(*challenge(asks("n", more)))
        check(is_right(value, *TUNNEL, password=password, user=who), f"not ASCII{more}", value)
        got = read(value) or {}
        equal(got.get("username"), digest("md5", who, "r") if "hash" in more else who,
              f"not ASCII{more}: the name")
        equal(talk.ask(*challenge(asks("m", more), offered=value))[1].get("reason"), "rejected",
              f"not ASCII{more}: known again")
        talk.close()


def one_counter(user):
    """Over several clients, in the order of their questions."""
    url = new_proxy()
    values = [accepted(user, url, asks("n"))]
    talks = [Client(user) for _ in range(5)]
    values += [talk.get(*route(url)) for talk in talks]
    equal([nc(value) for value in values], [("n", i) for i in range(1, 7)],
          "each authorization has the next count")
    check(all(is_right(value, *TUNNEL) for value in values), "and is right", values)
    # Each 407 has a nonce of its own; the youngest is used before one.
    got = talks[0].get(*challenge(asks("m"), offered=values[1]))
    talks[0].say(*DONE)
    values = [got, talks[1].get(*challenge(asks("m"), offered=values[2])),
              talks[2].get(*route(url))]
    equal([nc(value) for value in values], [("m", 1), ("m", 2), ("m", 3)],
          "also when a proxy gives several clients the same nonce")
    for talk in talks:
        talk.close()


def stale(user):
    url = new_proxy()
    accepted(user, url, asks("n"))
    talk = Client(user)
    value = talk.get(*route(url))
    answers = []
    for i in range(3):
        verb, values = talk.ask(*challenge(asks(f"s{i}", ", stale=true"), offered=value))
        value = values.get("authorization")
        answers.append((verb, nc(value) if value else None))
    equal(answers, [("answer", ("s0", 1)), ("answer", ("s1", 1)), ("refuse", None)],
          "stale: again with the new nonce, twice")
    talk.close()
    talk = Client(user)
    equal(talk.ask(*route(url))[1].get("authorization"), None, "no nonce is left to begin with")
    check(is_right(talk.get(*challenge(asks("n2"))), *TUNNEL), "but nothing was rejected")
    talk.close()


def forgotten(user):
    """A proxy that has forgotten its nonces does not say so: once more with its new one."""
    url = new_proxy()
    accepted(user, url, asks("n"))
    talk = Client(user)
    value = talk.get(*route(url))
    value = talk.get(*challenge(asks("m"), offered=value))
    equal(nc(value), ("m", 1), "a used nonce is refused: again with the new one")
    verb, values = talk.ask(*challenge(asks("o"), offered=value))
    equal((verb, values.get("reason")), ("refuse", "rejected"), "a new one: rejected")
    talk.close()
    # Without qop no counter is sent.
    url = new_proxy()
    bare = [("challenge", f'Digest realm="r", nonce="{i}"') for i in range(4)]
    accepted(user, url, bare[0])
    talk = Client(user)
    value = talk.get(*route(url))
    value = talk.get(*challenge(bare[1], offered=value))
    equal((read(value) or {}).get("nonce"), "1", "the same without qop: again")
    equal(talk.ask(*challenge(bare[2], offered=value))[1].get("reason"), "rejected",
          "and rejected")
    talk.close()


def changed_at_the_proxy(user):
    """The password was accepted, and is no longer: programs whose nonce was used before cannot
    tell, so one of them tries."""
    url = new_proxy()
    accepted(user, url, asks("n"))
    first, second = Client(user), Client(user)
    values = [first.get(*route(url)), second.get(*route(url))]
    values[0] = first.get(*challenge(asks("m"), offered=values[0]))
    equal(nc(values[0]), ("m", 1), "accepted before: the first that is refused tries again")
    second.say(*challenge(asks("o"), offered=values[1]))
    check(second.is_silent(), "the second waits for the verdict")
    for talk, answer in ((first, first.ask(*challenge(asks("p"), offered=values[0]))),
                         (second, second.hear())):
        equal((answer[0], answer[1].get("reason")), ("refuse", "rejected"), "rejected for both")
        talk.close()


def out_of_order(user):
    """Connections may be quicker than others: a strict proxy refuses what comes too late, and may
    not even say why."""
    url = new_proxy()
    accepted(user, url, asks("n"))
    talks = [Client(user) for _ in range(4)]
    values = [talk.get(*route(url)) for talk in talks]
    equal([nc(value) for value in values], [("n", i) for i in range(2, 6)], "four at once")
    # The last came first, and the nonce is gone.
    value = talks[0].get(*challenge(asks("a"), offered=values[0]))
    equal(nc(value), ("a", 1), "one was late: it tries with a nonce of its own")
    for talk, value, nonce in zip(talks[1:3], values[1:3], "bc"):
        talk.say(*challenge(asks(nonce), offered=value))
        check(talk.is_silent(), "the others wait for what comes of it")
    talks[0].say(*DONE)
    equal([nc(talk.hear()[1].get("authorization")) for talk in talks[1:3]],
          [("b", 1), ("c", 1)], "then each has its own nonce")
    other = Client(user)
    equal(nc(other.get(*route(url))), ("a", 2), "new ones share that which was accepted")
    # The same nonce for all, which is not told as stale: nobody is rejected.
    url = new_proxy()
    accepted(user, url, asks("n"))
    first, second = Client(user), Client(user)
    values = [first.get(*route(url)), second.get(*route(url))]
    value = first.get(*challenge(asks("n"), offered=values[0]))
    equal(nc(value), ("n", 4), "a late count of a nonce that lives: again with the next")
    verb, values = first.ask(*challenge(asks("n"), offered=value))
    equal((verb, values.get("reason")), ("refuse", "rejected"), "the last count: rejected")
    for talk in (*talks, other, first, second):
        talk.close()


def own_nonces(user):
    """A new nonce is for the request that was challenged with it, until it was accepted."""
    url = new_proxy()
    accepted(user, url, asks("n"))
    first, second = Client(user), Client(user)
    value = first.get(*route(url))
    value = first.get(*challenge(asks("m", ", stale=true"), offered=value))
    equal(nc(value), ("m", 1), "a nonce was too old")
    values = second.ask(*route(url))[1]
    equal((values.get("authorization"), values.get("scope")), (None, "request"),
          "another program does not disturb the new one", values)
    first.say(*DONE)
    equal(nc(second.get(*route(url))), ("m", 2), "and has it when it was accepted")
    first.close()
    second.close()


def rejected(user):
    for name, more in (("told by offered", True), ("told by authorized alone", False)):
        url = new_proxy("wrong")
        first, second, third = Client(user), Client(user), Client(user)
        first.ask(*route(url))
        value = first.get(*challenge(asks("n")))
        second.ask(*route(new_proxy()))
        second.say(*route(url))
        check(second.is_silent(), f"{name}: others wait for the verdict")
        verb, values = first.ask(*challenge(asks("m"), authorized=1,
                                            offered=value if more else None))
        equal((verb, values.get("reason")), ("refuse", "rejected"), f"{name}: rejected", values)
        equal(second.hear()[1].get("authorization"), None, f"{name}: nobody else tries it")
        for talk in (second, third):
            talk.ask(*route(url))
            equal(talk.ask(*challenge(asks("o"), ("challenge", "Basic realm=x")))[1].get("reason"),
                  "rejected", f"{name}: not by another scheme either")
        for talk in (first, second, third):
            talk.close()


def offered_in_a_new_conversation(user):
    """Whether the refused value was made of the credential that would be used now."""
    url = new_proxy()
    talk = Client(user)
    talk.ask(*route(url))
    value = talk.get(*challenge(asks("n")))
    talk.close()
    talk = Client(user)
    talk.ask(*route(url))
    equal(talk.ask(*challenge(asks("m"), offered=value))[1].get("reason"), "rejected",
          "the first use of a nonce, told later: rejected")
    talk.close()
    other = url.replace("ali:open%3A%20sesame", "ali:changed")
    talk = Client(user)
    talk.ask(*route(other))
    got = talk.get(*challenge(asks("m"), offered=value))
    check(is_right(got, *TUNNEL, password="changed"), "the password has changed: it is tried", got)
    talk.close()
    url = new_proxy()
    basic = ("challenge", "Basic realm=x")
    value = accepted(user, url, basic)
    for name, password, wanted in (("the same", "open%3A%20sesame", "refuse"),
                                   ("another", "changed", "answer")):
        talk = Client(user)
        talk.ask(*page(url.replace("open%3A%20sesame", password)))
        equal(talk.ask(*challenge(basic, request=PAGE, offered=value))[0], wanted,
              f"Basic, {name} password")
        talk.close()


def another_scheme(user):
    """A proxy that no longer offers Basic has not rejected the password."""
    url = new_proxy()
    value = accepted(user, url, ("challenge", "Basic realm=x"))
    talk = Client(user)
    equal(talk.get(*route(url)), value, "Basic was accepted")
    value = talk.get(*challenge(asks("n"), offered=value))
    check(is_right(value, *TUNNEL), "then it offers Digest only: that is answered", value)
    talk.close()


def one_request(user):
    """forward: for each request anew."""
    url = new_proxy()
    talk = Client(user)
    verb, values = talk.ask(*page(url, PAGE))
    equal((values.get("way"), values.get("authorization"), values.get("scope")),
          ("forward", None, None), "a proxy that is not known", values)
    value = talk.get(*challenge(asks("n"), request=PAGE))
    check(is_right(value, "GET", "/a?b"), "a page: path and query are authorized", value)
    equal(Client(user).ask(*page(url, PAGE))[1].get("scope"), None,
          "until the proxy has accepted it nobody else gets one")
    talk.say(*DONE)
    _, values = talk.ask(*page(url))
    equal((values.get("scope"), values.get("authorization"), values.get("settled")),
          ("request", None, "1"), "no request named: it is told to ask", values)
    for i, (request, uri) in enumerate([(PAGE, "/a?b"), (("POST", "http://site.example"), "/"),
                                        (("OPTIONS", "*"), "*")]):
        _, values = talk.ask(*page(url, request))
        value = values.get("authorization")
        equal((values.get("scope"), nc(value)), ("request", ("n", i + 2)),
              f"{request[0]}: an authorization of its own", values)
        check(is_right(value, request[0], uri), f"{request[0]}: for it", value)
    talk.close()


def next_nonce(user):
    url = new_proxy()
    talk = Client(user)
    talk.ask(*route(url))
    talk.ask(*challenge(asks("n")))
    talk.say("outcome", ("status", 200), ("authorized", 1),
             ("info", 'nextnonce="next, \\"one\\"", qop=auth'))
    value = talk.get(*route(url))
    equal(nc(value), ('next, "one"', 1), "the nonce that the proxy wants next")
    check(is_right(value, *TUNNEL), "is used rightly", value)
    equal(nc(talk.get(*challenge(asks("m"), offered=value))), ("m", 1),
          "it may have been forgotten: refused, it rejects nothing")
    talk.close()


def proofs(user):
    """rspauth: does the proxy know the password as well?"""
    log = user.home / "agent.log"

    def warnings(name):
        return [line for line in log.read_text().splitlines() if "rspauth" in line and name in line]

    for name, qop, wrong, say in [
            ("right", "auth", False, "auth"), ("right, no qop", "auth", False, None),
            ("wrong", "auth", True, "auth"), ("wrong, no qop", "auth", True, None),
            ("over a body that nobody knows", "auth", False, "auth-int")]:
        url = new_proxy()
        port = url.rpartition(":")[2]
        talk = Client(user)
        for i in (0, 2):
            talk.ask(*route(url))
            value = talk.get(*challenge(asks(f"n{i}", qop=qop)))
            got = read(value)
            secret = digest("md5", "ali", "r", "wrong" if wrong else PASSWORD)
            proof = digest("md5", secret, got["nonce"], got["nc"], got["cnonce"], say or "auth",
                           digest("md5", "", got["uri"],
                                  *([digest("md5", "body")] if say == "auth-int" else [])))
            info = f'rspauth="{proof}", cnonce="{got["cnonce"]}", nc={got["nc"]}, nextnonce="next{i}"'
            talk.say(*done(info + (f", qop={say}" if say else "")))
        equal(nc(talk.get(*route(url))), ("n0", 3) if wrong else ("next2", 1),
              f"rspauth, {name}: the next nonce")
        equal(len(warnings(f"127.0.0.1:{port}")), int(wrong), f"rspauth, {name}: warned of once",
              log.read_text())
        talk.close()


def hostile(user):
    """What a proxy must not be able to put into a header, and odd values of `offered`."""
    talk = Client(user)
    url = new_proxy()
    talk.ask(*route(url))
    verb, values = talk.ask("challenge", ("status", 407), ("method", "CONNECT"), ("uri", "x:1"),
                            ("challenge", 'Digest realm="a%0D%0AX: y", nonce="n"'))
    equal((verb, values.get("reason")), ("refuse", "no-scheme"), "a realm with a line end", values)
    for value in ("Digest", 'Digest nonce="n"', "Digest " + 'x="' * 5000, "Basic", "Bearer x",
                  'Digest username="ali", realm="r", nonce="n", uri="/", response="", nc=x'):
        verb, values = talk.ask(*challenge(asks("n"), offered=value))
        equal(verb, "answer", f"offered={value[:40]}: nothing is known", values)
    talk.close()


def main():
    proxy = Simproxy(OPEN)
    bare = run(["curl", "-sS", f"http://{ADDRESS}:443/", "-p", "-x", proxy.url])
    check("407" in bare.err, "407 without us", bare)
    user = harness.User("talk")
    equal(connect(user, proxy, GATEPASS_LOG=f"warn:{user.home}/agent.log"), "OK",
          "a program has started an agent")
    pid = user.agent_pid()
    for part in (answers, opaque_and_userhash, whole_bodies, composed, one_counter, stale,
                 forgotten, changed_at_the_proxy, out_of_order, own_nonces, rejected,
                 offered_in_a_new_conversation, another_scheme, one_request, next_nonce, proofs,
                 hostile):
        part(user)
    equal(user.agent_pid(), pid, "the same agent all the time")


harness.main(main)
