# SPDX-License-Identifier: MIT
"""Programs that speak plain HTTP through one real proxy, on both ways: observed, told the proxy
but not the password, and forwarded, told nothing at all. Whatever they send reaches the origin
once and whole, and nothing that was meant for the proxy does."""

import re

import harness
import origin
import proxies
from harness import DIRECTORY, check, equal, run
from http_clients import BIG, CLIENTS, MIB, Curl, Job
from http_tools import TOOLS
from trial import OWN_LOCKS
from witness import Witness

EXPECT = ("-H", "Expect: 100-continue")
NO_EXPECT = ("-H", "Expect:")
# No HEAD of a chunked page: Squid at times closes the connection behind it, unannounced, under
# a program's next request, with us or without.
JOBS = [
    Job("GET"), Job("HEAD"), Job("POST", size=0), Job("POST", size=1), Job("POST", size=65535),
    Job("POST", size=65536), Job("POST", size=MIB), Job("POST", size=70000, chunked=True),
    Job("PUT", size=1000), Job("GET", "/chunked"), Job("GET", "/401"), Job("GET", "/204"),
    Job("GET", "/slow"), Job("GET", "/close"), Job("GET"),
]
# Sent to a proxy of which nobody knows yet that it asks.
FIRST = [Job("POST", size=size, chunked=chunked) for size in (1, 65536, MIB, BIG)
         for chunked in (False, True)]
FIRST += [Job("POST", size=65536, chunked=chunked, options=options)
          for chunked in (False, True) for options in (EXPECT, NO_EXPECT)]
FIRST += [Job("POST", size=BIG, options=NO_EXPECT)]
BARE = [Job("GET"), Job("POST", size=1)]
APART = [Job("GET"), Job("POST", size=65536), Job("POST", size=70000, chunked=True)]


class Matrix:
    def __init__(self, make_proxy):
        authority = origin.Authority()
        self.trust = authority.env()
        self.directory = DIRECTORY / "pages"
        self.directory.mkdir()
        self.witness = Witness(authority, self.directory)
        self.proxy = make_proxy(self.witness)
        self.users = {}

    # --- users and environments

    def user(self, way):
        """Who has logged in, and has an agent that knows of the proxy as much as the last
        test taught it."""
        if way not in self.users:
            user = self.users[way] = harness.User(way)
            if way == "forward":
                user.configure(f"[proxy]\nforward_ports = {self.witness.http_port}\n")
            self.log_in(user)
        return self.users[way]

    def log_in(self, user, password=proxies.PASSWORD):
        result = user.login(self.proxy.url, password, session=True)
        if result.code:
            raise RuntimeError(f"login: {result}")

    def forget(self, user):
        """A new agent, that knows the password and nothing else."""
        user.stop_agent()
        self.log_in(user)

    def env(self, user, way, **extra):
        extra = self.trust | extra
        if way == "observe":
            return harness.with_library(user.env(
                http_proxy=self.proxy.url, https_proxy=self.proxy.url, **extra))
        return user.preload(self.proxy.url, **extra)

    def bare_env(self, user, **extra):
        return user.bare(self.proxy, **(self.trust | extra))

    # --- what came of it

    def arrived(self, name, jobs, told):
        """Each once, in order, whole, and without anything that was for the proxy. The probe
        that goes before a long body is ours, and safe."""
        came = [request for request in self.witness.requests if request.method != "OPTIONS"]
        equal([request.summary for request in came], [job.summary for job in jobs],
              f"{name}: each request arrives once", told)
        bad = [request for request in self.witness.requests
               if request.proxys or not request.whole or not request.target.startswith("/")]
        equal(bad, [], f"{name}: and nothing that was for the proxy", told)

    def not_tunnelled(self, name):
        """Requests are not sent by CONNECT where they can be forwarded."""
        equal([line for line in self.proxy.lines() if line[0] == "CONNECT"], [],
              f"{name}: no CONNECT")

    def groups(self, client, jobs):
        """What a process does of them. Some programs do not survive it when a connection ends
        that was not said to."""
        if client.insists and not self.proxy.keeps:
            return [[job] for job in APART]
        return [[job for job in jobs if client.can(job)]]

    def do(self, client, groups, env, proxy):
        outcomes, texts = [], ""
        for group in groups:
            done, told = client.exchange(self.witness.http, group, env, proxy)
            outcomes += done
            texts += str(told)
        return outcomes, texts

    def refused(self, name, client):
        """The proof that it does not work by itself."""
        self.witness.forget()
        # Some proxies reset the connection, and no program is sure to see why.
        jobs = BARE if self.proxy.keeps else BARE[:1]
        outcomes, told = self.do(client, [jobs], self.bare_env(self.user("observe")), self.proxy)
        equal([outcome[0] for outcome in outcomes], [407] * len(jobs) * client.passes,
              f"{name}: 407 without us", told)
        equal(self.witness.requests, [], f"{name}: nothing arrives without us")

    def exchange(self, name, client, way, jobs):
        self.witness.forget()
        groups = self.groups(client, jobs)
        outcomes, told = self.do(client, groups, self.env(self.user(way), way),
                                 self.proxy if way == "observe" else None)
        done = [job for group in groups for job in group * client.passes]
        equal(outcomes, [job.outcome for job in done], f"{name}: it gets what it asked for", told)
        self.arrived(name, done, told)
        return done

    # --- the tests

    def clients(self, names=None):
        """All, or those of these names."""
        for client in CLIENTS:
            if names and client.name not in names:
                continue
            lacking = harness.needs(client.needs)
            if lacking:
                harness.skip(client.name, f"no {lacking}")
                continue
            if client.own_locks and harness.SANITIZER == "thread":
                harness.skip(client.name, OWN_LOCKS)
                continue
            self.refused(client.name, client)
            for way in ("observe", "forward"):
                name = f"{client.name}, {way}"
                self.exchange(name, client, way, JOBS)
                self.proxy.forget()
                done = self.exchange(f"{name}, later", client, way, BARE)
                self.proxy.settled(200, len(done), None)
                unasked = False if self.proxy.legs else None
                equal(self.proxy.count(407, None, sent=unasked), 0,
                      f"{name}, later: without a 407", self.proxy.lines)
                if not client.upgrades:
                    self.not_tunnelled(f"{name}, later")

    def first(self):
        """A body is on its way when the proxy asks."""
        curl = Curl("curl", "curl")
        for way in ("observe", "forward"):
            for job in FIRST:
                self.forget(self.user(way))
                self.exchange(f"the first request is {job!r}, {way}", curl, way, [job])

    def from_stdin(self):
        """Whose length nobody knows, and which cannot be read twice."""
        for way in ("observe", "forward"):
            for size in (1000, MIB):
                job = Job("PUT", size=size, chunked=True)
                self.forget(self.user(way))
                self.witness.forget()
                result = run(["curl", "-sS", "-T", "-", self.witness.http + job.path],
                             self.env(self.user(way), way), job.file.read_bytes())
                name = f"curl -T - of {size}, {way}"
                check(result.out == f"{size} {job.digest}\n", f"{name}: it gets what it asked for",
                      result)
                self.arrived(name, [job], result)

    def origins_407(self):
        """An origin's 407 says nothing of the password."""
        curl = Curl("curl", "curl")
        for way in ("observe", "forward"):
            self.exchange(f"an origin's 407, {way}", curl, way,
                          [Job("GET"), Job("GET", "/407"), Job("GET")])
            self.exchange(f"after an origin's 407, {way}", curl, way, [Job("GET")])

    def wrong_password(self):
        """The program sees what the proxy says, and the password is not sent twice."""
        def show(env):
            result = run(["curl", "-sSi", "-d", "x", f"{self.witness.http}/page"], env)
            # Pages have dates, and Squid numbers them.
            return re.sub(r"\d\d:\d\d:\d\d|^Date:.*$", "", result.out, flags=re.M), result

        for way in ("observe", "forward"):
            user = harness.User(f"wrong-{way}")
            user.configure(f"[proxy]\nforward_ports = {self.witness.http_port}\n")
            self.log_in(user, "wrong")
            self.witness.forget()
            wanted, bare = show(self.bare_env(user))
            check("407" in bare.out, f"wrong password, {way}: 407 without us", bare)
            self.proxy.forget()
            got, result = show(self.env(user, way))
            if self.proxy.name != "tinyproxy":
                equal(got, wanted, f"wrong password, {way}: it sees the proxy's 407", result)
            else:  # which says 401 to a wrong one
                check(re.match(r"HTTP/1.0 40[17] ", got), f"wrong password, {way}: it is told",
                      result)
            got, result = show(self.env(user, way))
            equal(got, wanted, f"wrong password, {way}: it sees the proxy's 407 again", result)
            if self.proxy.name != "tinyproxy":  # whose log does not tell
                self.proxy.settled(407, 3 + self.proxy.legs, None)
                equal(self.proxy.count(407, None, sent=True), 1 + self.proxy.legs,
                      f"wrong password, {way}: offered once", self.proxy.lines)
            equal(self.witness.requests, [], f"wrong password, {way}: nothing arrives")

    def tool(self, tool):
        lacking = harness.needs(*tool.needs)
        if lacking:
            harness.skip(tool.name, f"no {lacking}")
            return
        self.witness.forget()
        self.proxy.forget()
        good, told = tool.use(self, None, self.bare_env(self.user("observe")))
        self.proxy.settled(407, 1, None)
        check(not good and self.proxy.count(407, None), f"{tool.name}: 407 without us",
              lambda: f"{told}\n{self.proxy.lines()}")
        equal(self.witness.requests, [], f"{tool.name}: nothing arrives without us")
        for way in tool.ways:
            self.forget(self.user(way))
            self.witness.forget()
            good, told = tool.use(self, way, self.env(self.user(way), way))
            check(good, f"{tool.name}, {way}: it works", told)
            targets = [request.target for request in self.witness.requests
                       if request.method != "OPTIONS"]
            if tool.wanted:
                equal(sorted(targets), sorted(tool.wanted(self)),
                      f"{tool.name}, {way}: each request arrives once", told)
            bad = [request for request in self.witness.requests if request.proxys]
            equal(bad, [], f"{tool.name}, {way}: nothing arrives that was for the proxy")

    def requests(self):
        """By whatever kind of credential."""
        for user in ("observe", "forward"):
            self.user(user)
        self.clients()
        self.first()
        self.from_stdin()

    def run(self):
        self.requests()
        self.origins_407()
        self.wrong_password()
        for tool in TOOLS:
            if not tool.tunnels or self.proxy.name != "Debian's squid":
                self.tool(tool)


def run_matrix(make_proxy, *programs):
    """The whole test of one proxy; `make_proxy` gets the witness. `programs` are what it takes
    to run it."""
    lacking = harness.needs(*programs, "curl", "openssl")
    if lacking:
        harness.skip("everything", f"no {lacking}")
        return
    Matrix(make_proxy).run()
