#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Proxies that authenticate connections, as with NTLM and Negotiate: each leg of a handshake goes
out once, on one connection, without a body before the last; then the connection is left alone."""

import itertools

import harness
from agents import HandshakingAgent
from harness import APPS, check, equal, run
from http_victims import (OPENED, PREFIX, WAYS, alone, compare, environment, fails_alone,
                          ill_formed, loop, requests, served)
from simproxy import BASE64, OK, Simproxy, cut, octets

METHODS = ("block", "poll", "select", "epoll", "oneshot", "edge")
BARE = (r"challenge HTTP/1.1 407 Auth\r\nProxy-Authenticate: NTLM\r\nContent-Length: 4\r\n\r\n"
        "body\n")
LEGS = "legs NTLM one three"
ASKING = f"{BARE}conn\n{LEGS}\nreport\nloop\nrepeat\n"


def authorizations(proxy):
    """Of each connection, those of its requests, and whether they were challenged."""
    found, last = {}, {}
    for number, word, rest in proxy.events:
        if word == "request":
            last[number] = [None, False]
            found.setdefault(number, []).append(last[number])
        elif word == "header" and rest.lower().startswith("proxy-authorization: "):
            last[number][0] = rest.split(" ", 1)[1]
        elif word == "challenged":
            last[number][1] = True
    return found


def misused(proxy):
    """Legs that went out twice, and what went out over a connection that needed nothing."""
    wrong, seen = [], set()
    for number, asked in authorizations(proxy).items():
        bound = False
        for value, challenged in asked:
            if value and (value in seen or bound):
                wrong.append((number, value))
            seen.add(value)
            bound = not challenged
    return wrong


def bodies_too_early(proxy):
    """Requests with a body that were challenged with the first leg."""
    return [request.line for request in requests(proxy)
            if request.body and request.challenged and
            any("NTLM one" in value for value in request.values("proxy-authorization"))]


def shake(user, name, argv, asking, opened=OPENED, proof=True, lost=0, **options):
    """As compare(), with an agent that shakes hands. Yields ways, proxies and agents. So many
    of the requests that the proxy got are `lost`: it said nothing to them."""
    proxy = Simproxy(opened)
    wanted, once = alone(user, argv, proxy), served(proxy)
    check(wanted.code == 0 and once, f"{name}: works where nobody asks", wanted)
    proxy.stop()
    if proof:
        fails_alone(user, name, argv, asking)
    for way in WAYS:
        proxy = Simproxy(asking)
        agents = []

        def make(*args, **extra):
            agents.append(HandshakingAgent(*args, **extra))
            return agents[0]

        with environment(user, proxy, way, agent=make, **options) as (env, destination):
            result = run([*argv, *destination], env, timeout=100)
        equal(result.out, wanted.out, f"{name}, {way}: it sees no 407",
              lambda: f"{result}\n{proxy.events}\n{agents[0].heard}")
        equal((served(proxy), ill_formed(proxy), misused(proxy), bodies_too_early(proxy)),
              (once[:1] * lost + once, [], [], []), f"{name}, {way}: each leg and request once",
              lambda: f"{proxy.events}\n{agents[0].heard}")
        proxy.stop()
        yield way, proxy, agents[0]


def shakes(*args, **options):
    return list(shake(*args, **options))


# Reads to the end of the connection, as may who has said that it is to end; by waiting for it
# before each read, if it does not block.
_TO_THE_END = r"""
import select, socket, sys
port, request, waits = int(sys.argv[1]), sys.argv[2].replace("|", "\r\n"), sys.argv[3] == "waits"
link = socket.create_connection(("127.0.0.1", port))
link.sendall(request.encode())
link.setblocking(not waits)
data = b""
while True:
    if waits:
        select.select([link], [], [])
    more = link.recv(4096)
    if not more:
        break
    data += more
print(data.decode())
"""


def to_the_end(proxy, request, waits):
    return ["python3", "-c", _TO_THE_END, proxy.port, request, "waits" if waits else "blocks"]


def ends(user):
    """The program has said that the connection is to end, and we have said that it is to stay."""
    stays = f"{BARE}conn\nexpect\nreport\nhold\nrepeat\n"
    never = f"{BARE}conn\nlegs NTLM nobody nobody\nreport\nhold\nrepeat\n"
    closing = "GET http://a.test/page HTTP/1.1|Host: a.test|Connection: close||"
    for name, script, request, wanted in (
            ("the first leg is enough", stays, closing, "GET /page 0 00000000"),
            ("rejected, HTTP/1.0", never, "GET http://a.test/page HTTP/1.0||", " 407 "),
            ("rejected, close", never, closing, " 407 ")):
        for waits in (False, True):
            proxy = Simproxy(script)
            with environment(user, proxy, "observe", agent=HandshakingAgent, known=True) as (env, _):
                result = run(to_the_end(proxy, request, waits), env)
            check(wanted in result.out, f"{name}: it ends, {'waits' if waits else 'blocks'}",
                  lambda: f"{result}\n{proxy.events}")
            proxy.stop()


# --- it works ----------------------------------------------------------------------------

def each_method(user):
    for method, known in itertools.product(METHODS, (False, True)):
        name = f"{method}, {'known' if known else 'unknown'}"
        for way, proxy, agent in shakes(user, name, loop(method, "-n", 3), ASKING, known=known):
            equal(len(proxy.told("accept")), 1, f"{name}, {way}: one connection", proxy.events)
            equal(agent.told("outcome", "status"), ["200"], f"{name}, {way}: one verdict",
                  agent.heard)
            legs = [value for value, _ in authorizations(proxy)[1] if value]
            equal([leg.split("-")[0] for leg in legs], ["NTLM one", "NTLM three"],
                  f"{name}, {way}: two legs", proxy.events)
            check(all(keys.get("body") == ["none"] for keys in agent.told("challenge")),
                  f"{name}, {way}: the agent knows that there is no body", agent.heard)
            # With all legs in one conversation, the agent needs to keep nothing of it.
            equal(len({number for number, verb, keys in agent.heard
                       if verb != "route" or "method" in keys}), 1,
                  f"{name}, {way}: one conversation", agent.heard)


def many_connections(user):
    for method, known in itertools.product(("block", "epoll"), (False, True)):
        shakes(user, f"five connections, {method}, known {known}",
               loop(method, "-c", 5, "-n", 2), ASKING, known=known)


def other_requests(user):
    for name, options in (("HEAD", ["-v", "HEAD", "-n", 2]),
                          ("close", ["-f", "Connection: close"]),
                          ("half-close", ["-n", 2, "-s"]),
                          ("pipelined", ["-n", 10, "-k", 5]),
                          ("pipelined HEAD", ["-n", 10, "-k", 5, "-v", "HEAD"]),
                          ("pipelined POST", ["-n", 10, "-k", 5, "-v", "POST", "-b", 1000])):
        for method, known in itertools.product(("block", "epoll", "edge"), (False, True)):
            shakes(user, f"{name}, {method}, known {known}", loop(method, *options), ASKING,
                   known=known)


def bodies(user):
    for size in (1, 65535, 65536, 3 << 20):
        for kind, options in (("", []), (" in chunks", ["-C"]), (" after 100", ["-e"])):
            for known in (False, True):
                asking, opened = ASKING, OPENED
                if options == ["-e"]:
                    # The proxy reads no body before it has let it pass.
                    leave = "send HTTP/1.1 100 Continue\\r\\n\\r\\n\npayload\n"
                    opened = f"conn\nhead\n{leave}report\nloop\nrepeat\n"
                    if not known:
                        continue  # our simple proxy has one way to read bodies
                    asking = (f"{BARE}conn\nlegs NTLM one three\nreport\n"
                              f"head\n{leave}report\nhead\n{leave}report\nfinish\n")
                    if size <= 65535:
                        continue
                shakes(user, f"{size} octets{kind}, known {known}",
                       loop("poll", "-v", "POST", "-b", size, "-n", 2, *options), asking, opened,
                       known=known, proof=size == 1)


def close_and_drop(user):
    """407s and second messages that end their connection."""
    closing = f"{BARE}conn\n{LEGS} close\nreport\nloop\nrepeat\n"
    second = "second HTTP/1.1 407 Auth\\r\\nProxy-Authenticate: NTLM c2Vjb25k\\r\\n"
    chunked = f"{second}Transfer-Encoding: chunked\\r\\n\\r\\n3\\r\\nabc\\r\\n0\\r\\n\\r\\n\n"
    unframed = f"{second}\\r\\nabc\n"
    once = f"conn\n{LEGS} drop\nconn\n{LEGS}\nreport\nloop\nrepeat\n"
    for name, asking in (("the first 407 closes", closing),
                         ("the second message is chunked", chunked + ASKING),
                         ("the second message closes, once", BARE + once),
                         ("it has no end, once", BARE + unframed + once.replace(
                             f"conn\n{LEGS}\n", f"second HTTP/1.1 407 x\\r\\nProxy-Authenticate: "
                             f"NTLM dHdv\\r\\nContent-Length: 0\\r\\n\\r\\n\nconn\n{LEGS}\n"))):
        for method, known in itertools.product(("block", "edge"), (False, True)):
            for options in ([], ["-v", "POST", "-b", 1000]):
                shakes(user, f"{name}, {method}, known {known} {options}",
                       loop(method, "-n", 2, *options), asking, known=known)


def cut_everywhere(user):
    """The second message, cut at each octet and octet by octet."""
    two = r"HTTP/1.1 407 Auth\r\nProxy-Authenticate: NTLM c2Vjb25k\r\nContent-Length: 4\r\n\r\nbody"
    ok = r"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    count = len(octets(two))
    asking = "".join(f"conn\nexpect\n{cut(two, at)}expect\nsend {ok}\nfinish\n"
                     for at in range(1, count))
    asking += f"conn\nexpect\nsplit 1\ndelay 1\nsend {two}\nexpect\nsend {ok}\nfinish\n"
    for method, way in itertools.product(("block", "poll", "epoll", "edge"), WAYS):
        proxy = Simproxy(asking)
        with environment(user, proxy, way, agent=HandshakingAgent, known=True) as (env, destination):
            result = run([*loop(method, "-c", count), *destination], env)
        legs = [[value.split("-")[0] for value, _ in asked]
                for asked in authorizations(proxy).values()]
        check(result.out.count(" 200 OK") == count and " 407" not in result.out and
              legs == [["NTLM one", "NTLM three"]] * count,
              f"second message cut at each octet, {method}, {way}", lambda: f"{result}\n{legs}")
        proxy.stop()


def lost_legs(user):
    """The connection ends before there is a response to a leg."""
    bare = r"HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n"
    two = r"HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM c2Vjb25k\r\nContent-Length: 0\r\n\r\n"
    then = f"conn\n{LEGS}\nreport\nloop\nrepeat\n"
    for name, asking, known, lost in (
            ("the first", f"{BARE}conn\nexpect\nsend {bare}\nexpect\nclose\n{then}", False, 1),
            ("the last", f"{BARE}conn\nexpect\nsend {two}\nexpect\nclose\n{then}", True, 1),
            ("the last, by a reset", f"{BARE}conn\nexpect\nsend {two}\nexpect\nreset\n{then}",
             True, 1),
            ("the first, before it is sent",
             f"{BARE}conn\nexpect\nsend {bare}\nclose\n{then}", False, 0)):
        for method in ("block", "epoll"):
            for way, _, agent in shake(user, f"{name} is lost, {method}", loop(method, "-n", 2),
                                       asking, known=known, proof=False, lost=lost):
                equal(agent.told("challenge", "status").count("0"), 1,
                      f"{name} is lost, {method}, {way}: the agent is told", agent.heard)


def again_and_again(user):
    """407 in mid-connection, and for each request."""
    anew = f"{BARE}conn\n" + f"{LEGS}\nreport\nexpect\nreport\n" * 20
    each = f"{BARE}conn\n{LEGS} each\nreport\nloop\nrepeat\n"
    forgets = f"{BARE}conn\n" + (f"{LEGS}\nreport\nexpect\nreport\n"
                                 "expect\nsend HTTP/1.1 407 x\\r\\nProxy-Authenticate: NTLM"
                                 "\\r\\nContent-Length: 0\\r\\n\\r\\n\n") * 5
    for name, asking in (("never", anew), ("each request", each), ("every third", forgets)):
        for method in ("block", "edge"):
            shakes(user, f"asked anew: {name}, {method}", loop(method, "-n", 9), asking,
                   known=True, proof=name == "each request")


def early(user):
    """Who is known by his address: the first leg is enough."""
    asking = f"{BARE}conn\nexpect\nreport\nloop\nrepeat\n"
    for name, options in (("GET", ["-n", 2]), ("close", ["-f", "Connection: close"]),
                          ("POST", ["-n", 2, "-v", "POST", "-b", 1000])):
        shakes(user, f"the first leg is enough, {name}", loop("poll", *options), asking,
               known=True, proof=False)
    for way in WAYS:
        proxy = Simproxy(asking)
        with environment(user, proxy, way, agent=HandshakingAgent, known=True,
                         single=True) as (env, destination):
            result = run([*loop("poll", "-n", 3), *destination], env)
        values = [value for value, _ in authorizations(proxy)[1]]
        check(result.out.count(" 200 OK") == 3 and values[1:] == [None, None] and values[0],
              f"one message is all, {way}", lambda: f"{result}\n{proxy.events}")
        proxy.stop()


# --- requests that do not ask for a connection that stays ---------------------------------

def command(user, name, argv, line, known, modes):
    """A program of another making, and whether its own request is what goes out at last."""
    script = f"{BARE}conn\n{LEGS} {modes}\nreport\nclose\nrepeat\n"
    if harness.needs(name):
        harness.skip(name, f"{name} is missing")
        return
    proxy = Simproxy(script.replace(" strict", " strict close"))
    bare = run(argv(proxy), user.env(http_proxy=proxy.url))
    check("GET /page" not in bare.out and proxy.told("challenged"), f"{name}: 407 without us",
          lambda: f"{bare}\n{proxy.events}")
    proxy.stop()
    proxy = Simproxy(script)
    with environment(user, proxy, "observe", agent=HandshakingAgent, known=known) as (env, _):
        result = run(argv(proxy), env)
    point = f"{name}, {line.split()[-1]}, known {known}, {modes}"
    check(result.out.strip().splitlines()[-1:] == ["GET /page 0 00000000"] and
          not misused(proxy), point, lambda: f"{result}\n{proxy.events}")
    passed = [request.line for request in requests(proxy) if not request.challenged]
    equal(passed, [line], f"{point}: the request is its own", proxy.events)
    proxy.stop()


def not_persistent(user):
    url = f"{PREFIX}/page"
    programs = [
        ("curl", lambda _: ["curl", "-sS", "--http1.0", url], "1.0"),
        ("curl", lambda _: ["curl", "-sS", "-H", "Proxy-Connection: close", url], "1.1"),
        ("python3", lambda _: ["python3", "-c", "import urllib.request as r; "
                              f"print(r.urlopen('{url}').read().decode())"], "1.1"),
        ("wget", lambda _: ["wget", "-q", "-O", "-", url], "1.1"),
        ("lynx", lambda _: ["lynx", "-source", url], "1.0"),
        ("python3", lambda proxy: to_the_end(proxy, f"GET {url} HTTP/1.0||", True), "1.0"),
    ]
    for (name, argv, version), known, modes in itertools.product(programs, (False, True),
                                                                 ("close", "strict")):
        command(user, name, argv, f"GET {url} HTTP/{version}", known, modes)


# --- tunnels -----------------------------------------------------------------------------

def tunnel_scripts():
    bare = r"HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n"
    two = r"HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM c2Vjb25k\r\nContent-Length: 0\r\n\r\n"
    accept = f"send {OK}\necho\n"
    then = f"conn\n{LEGS}\n{accept}repeat\n"
    slow = f"wait 20\n{LEGS}\nwait 30\n{accept}"
    return [
        ("slowly", f"{BARE}conn\n{slow}repeat\n", None),
        ("the first 407 closes", f"{BARE}conn\n{LEGS} close\n{accept}repeat\n", None),
        ("in single octets", f"{BARE}conn\nsplit 1\ndelay 1\n{LEGS}\n{accept}repeat\n", None),
        ("the first leg is enough", f"{BARE}conn\nexpect\n{accept}repeat\n", True),
        ("the second message closes", f"{BARE}conn\n{LEGS} drop\n{then}", None),
        ("the first is lost", f"{BARE}conn\nexpect\nsend {bare}\nexpect\nclose\n{then}", False),
        ("the last is lost", f"{BARE}conn\nexpect\nsend {two}\nexpect\nclose\n{then}", True),
    ]


def tunnels(user):
    """The library's own CONNECT, for programs that block and that do not."""
    destination = ("198.51.100.7", "7")
    for name, script, only in tunnel_scripts():
        proxy = Simproxy(script.replace("echo", "close").replace("hold", "close"))
        bare = run(["curl", "-sS", "-p", "-x", proxy.url, "http://198.51.100.7:7/"], user.env())
        check(only or "407" in bare.err, f"tunnel, {name}: 407 without us", bare)
        proxy.stop()
        for known, method in itertools.product((False, True) if only is None else (only,),
                                               ("block", "poll", "select", "epoll", "edge")):
            proxy = Simproxy(script)
            agent = HandshakingAgent(proxy, known=known)
            argv = [APPS / "loop", method, *destination]
            if method == "block":
                argv = [APPS / "echo_client", *destination, "hello"]
            result = run(argv, user.preload(proxy.url, GATEPASS_AGENT=agent.path))
            point = f"tunnel, {name}, known {known}, {method}"
            check("hello" in result.out and not misused(proxy), point,
                  lambda: f"{result}\n{proxy.events}\n{agent.heard}")
            equal(agent.told("outcome", "status"), ["200"], f"{point}: the agent hears of it",
                  agent.heard)
            agent.close()
            proxy.stop()


def other_addresses(user):
    """The first leg goes to whoever is there: it was sent nowhere else."""
    proxy = Simproxy(f"{BARE}conn\n{LEGS}\nsend {OK}\necho\n")
    nobody = ("proxy", f"127.0.0.1:{harness.free_port()}")
    agent = HandshakingAgent(proxy, known=True, further=[nobody, nobody])
    result = run([APPS / "echo_client", "198.51.100.7", "7", "hello"],
                 user.preload(proxy.url, GATEPASS_AGENT=agent.path))
    check(result.out.strip() == "hello" and not misused(proxy), "the third address",
          lambda: f"{result}\n{proxy.events}\n{agent.heard}")
    equal(len(agent.told("route")), 1, "one leg for three addresses", agent.heard)
    agent.close()
    proxy.stop()


def refused_tunnels(user):
    """The proxy authenticates a connection and lets no CONNECT pass: requests are forwarded over
    another connection, with another handshake."""
    no = r"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"
    script = f"{BARE}conn\n{LEGS}\nsend {no}\nhold\nconn\n{LEGS}\nreport\nloop\nrepeat\n"
    bare = Simproxy(script)
    result = run(["curl", "-sS", "-p", "-x", bare.url, "http://198.51.100.7/"], user.env())
    check("407" in result.err, "a refused tunnel: 407 without us", result)
    bare.stop()
    for known in (False, True):
        proxy = Simproxy(script)
        agent = HandshakingAgent(proxy, known=known, further=[("refused", "forward")])
        result = run([*loop("poll", "-n", 3), "198.51.100.7", "80"],
                     user.preload(proxy.url, GATEPASS_AGENT=agent.path))
        check(result.out.count(" 200 OK") == 3 and " 407" not in result.out and
              not misused(proxy), f"a refused tunnel, known {known}",
              lambda: f"{result}\n{proxy.events}\n{agent.heard}")
        agent.close()
        proxy.stop()


def own_connect(user):
    """A program's own CONNECT, of HTTP/1.0 and 1.1."""
    script = f"{BARE}conn\n{LEGS} strict\nsend {OK}\necho\nrepeat\n"
    talk = ("import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); "
            "s.sendall(sys.argv[2].encode().decode('unicode_escape').encode()); "
            "f = s.makefile('rb'); print(f.readline()); "
            "[None for l in iter(f.readline, b'\\r\\n')]; s.sendall(b'hello\\n'); "
            "print(f.readline())")
    for name, request in (("HTTP/1.0", r"CONNECT a.test:443 HTTP/1.0\r\n\r\n"),
                          ("HTTP/1.1", r"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n"),
                          ("HTTP/1.1, close", r"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443"
                                              r"\r\nConnection: close\r\n\r\n")):
        proxy = Simproxy(script.replace("strict", "strict close"))
        bare = run(["python3", "-c", talk, proxy.port, request], user.env())
        check("407" in bare.out, f"its own CONNECT, {name}: 407 without us", bare)
        proxy.stop()
        for known in (False, True):
            proxy = Simproxy(script)
            with environment(user, proxy, "observe", agent=HandshakingAgent,
                             known=known) as (env, _):
                result = run(["python3", "-c", talk, proxy.port, request], env)
            check("200" in result.out and "hello" in result.out and not misused(proxy),
                  f"its own CONNECT, {name}, known {known}", lambda: f"{result}\n{proxy.events}")
            last = [asked for asked in requests(proxy) if not asked.challenged][-1]
            equal(last.line, request.split("\\r")[0],
                  f"its own CONNECT, {name}, known {known}: goes out as it was", proxy.events)
            proxy.stop()


# --- it does not work --------------------------------------------------------------------

def rejected(user):
    """The program is shown what the proxy says, and the proxy is not asked for ever."""
    never = f"{BARE}conn\nlegs NTLM one nobody\nreport\nloop\nrepeat\n"
    drops = f"{BARE}conn\n{LEGS} drop\nreport\nloop\nrepeat\n"
    for name, asking in (("rejected", never), ("the second message always closes", drops)):
        for way, options in itertools.product(WAYS, ([], ["-v", "POST", "-b", 1000])):
            proxy = Simproxy(asking)
            with environment(user, proxy, way, agent=HandshakingAgent,
                             known=True) as (env, destination):
                result = run([*loop("poll", *options), *destination], env)
            check("HTTP/1.1 407" in result.out and not misused(proxy) and
                  len(proxy.told("request")) < 12, f"{name}, {way} {options}: it is shown",
                  lambda: f"{result}\n{proxy.events}")
            proxy.stop()
    for name, asking in (("rejected", never), ("the second message always closes", drops)):
        proxy = Simproxy(asking)
        agent = HandshakingAgent(proxy, known=True)
        result = run([APPS / "connect_errno", "198.51.100.7", "7"],
                     user.preload(proxy.url, GATEPASS_AGENT=agent.path))
        check(result.out.startswith("EACCES") and not misused(proxy), f"tunnel, {name}",
              lambda: f"{result}\n{proxy.events}")
        agent.close()
        proxy.stop()


def given_up(user):
    """The agent makes no leg for a connection that was lost: the request goes without one."""
    two = r"HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM c2Vjb25k\r\nContent-Length: 0\r\n\r\n"
    asking = f"{BARE}conn\nexpect\nsend {two}\nexpect\nclose\nconn\n{LEGS}\nreport\nloop\nrepeat\n"
    for way in WAYS:
        proxy = Simproxy(asking)
        with environment(user, proxy, way, agent=HandshakingAgent, known=True,
                         losses=0) as (env, destination):
            result = run([*loop("poll"), *destination], env)
        check("HTTP/1.1 407" in result.out and not misused(proxy) and
              authorizations(proxy)[2] == [[None, True]], f"the agent gives up, {way}",
              lambda: f"{result}\n{proxy.events}")
        proxy.stop()


def with_password(user):
    """A proxy that takes a password as well, from an agent that has one."""
    compare(user, "a password instead", loop("poll", "-n", 2), OPENED,
            f"conn\nauth {BASE64}\nreport\nloop\nrepeat\n")


def main():
    user = harness.User("alice")
    each_method(user)
    many_connections(user)
    other_requests(user)
    bodies(user)
    close_and_drop(user)
    cut_everywhere(user)
    lost_legs(user)
    again_and_again(user)
    early(user)
    not_persistent(user)
    tunnels(user)
    other_addresses(user)
    refused_tunnels(user)
    own_connect(user)
    rejected(user)
    ends(user)
    given_up(user)
    with_password(user)


harness.main(main)
