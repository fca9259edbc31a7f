#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Digest nonces that are good for two seconds: Squid and Apache, ordinary clients, on every way
that a connection can go. Each client comes twice, the second time with a nonce that is too old."""

import subprocess
import time

import harness
import origin
import proxies
from harness import APPS, ROOT, check, equal, run, start

SECONDS = 2
WAYS = ("tunnel", "forward", "observe")
_URLLIB = """
import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], timeout=30).read())
"""
# Over one connection, which is older than a nonce gets.
_SLOW = """
import http.client, os, sys, time, urllib.parse
url, seconds = urllib.parse.urlsplit(sys.argv[1]), float(sys.argv[2])
proxy = os.environ.get("http_proxy")
place = urllib.parse.urlsplit(proxy).netloc if proxy else url.netloc
there = http.client.HTTPConnection(place, timeout=30)
for i in range(3):
    time.sleep(seconds if i else 0)
    there.request("GET", sys.argv[1] if proxy else url.path, headers={"Host": url.netloc})
    reply = there.getresponse()
    data = reply.read()
    if reply.status != 200:
        sys.exit(f"{reply.status}")
    sys.stdout.buffer.write(data)
"""


class Client:
    """A program, and the way that its connections go: with an agent of its own."""

    def __init__(self, name, argv, way, proxy, site):
        self.name = f"{proxy.name}, {way}, {name}"
        self.argv, self.way, self.proxy, self.site = argv, way, proxy, site
        self.url = site.https if way == "tunnel" else site.http
        self.user = harness.User(f"{name}-{way}-{proxy.port}")
        self.user.configure(f"[proxy]\nforward_ports = {site.http_port}\n")
        login = self.user.login(proxy.url, proxies.PASSWORD, session=True)
        check(login.code == 0, f"{self.name}: gatepassctl login", login)

    def env(self):
        trust = self.site.authority.env()
        if self.way == "observe":
            return self.user.preload(http_proxy=self.proxy.url, **trust)
        return self.user.preload(self.proxy.url, **trust)

    def output(self, env):
        """Its result, and the page, if it got it."""
        result = run([*self.argv, f"{self.url}/page"], env)
        return result, result.bytes

    def refused(self):
        self.proxy.forget()
        bare = self.user.bare(self.proxy, **self.site.authority.env())
        result, got = self.output(bare)
        check(got != origin.BODY and
              harness.wait_until(lambda: self.proxy.count(407, method=None), 5),
              f"{self.name}: 407 without us", result)

    def works(self, when):
        self.proxy.forget()
        result, got = self.output(self.env())
        check(got == origin.BODY, f"{self.name}: works, {when}", result)

    def meets_an_old_nonce(self):
        self.works("with an old nonce")
        check(harness.wait_until(lambda: self.proxy.count(407, None, sent=True), 5),
              f"{self.name}: it was too old", self.proxy.lines)

    def is_accepted(self):
        state = self.user.status(env=self.user.env(GATEPASS_PROXY=self.proxy.url))
        equal(state.get("verdict"), "accepted", f"{self.name}: nothing was rejected", state)


class Git(Client):
    clones = 0

    def output(self, env):
        Git.clones += 1
        target = harness.DIRECTORY / f"clone{Git.clones}"
        result = run([*self.argv, f"{self.url}/repo.git", target], env)
        page = target / "page"
        return result, page.read_bytes() if page.exists() else b""


def clients(proxy, site):
    for name, argv in (
            ("curl", ["curl", "-sS", "--fail", "--max-time", "30"]),
            ("wget", ["wget", "-nv", "-O-", "--tries=1", "--timeout=30",
                      f"--ca-certificate={site.authority.file}"]),
            ("python3", ["/usr/bin/python3", "-c", _URLLIB]),
            ("node", ["node", ROOT / "test-apps/apps/fetch.mjs", "get"]),
            ("git", ["git", "clone", "-q"])):
        if harness.needs(name):
            harness.skip(f"{proxy.name}, {name}", f"no {name}")
            continue
        for way in WAYS:
            yield (Git if name == "git" else Client)(name, argv, way, proxy, site)


def visits(proxy, site):
    all_clients = list(clients(proxy, site))
    for client in all_clients:
        client.refused()
        client.works("for the first time")
    time.sleep(SECONDS + 1)
    for client in all_clients:
        client.meets_an_old_nonce()
        client.is_accepted()


def one_connection(proxy, site):
    """A program that keeps its connection, and is slow."""
    argv = ["/usr/bin/python3", "-c", _SLOW, f"{site.http}/page", SECONDS + 1]
    for way in ("forward", "observe"):
        client = Client("slow", argv, way, proxy, site)
        proxy.forget()
        result = run(argv, client.env())
        equal(result.bytes, origin.BODY * 3, f"{client.name}: works", result)
        equal(proxy.settled(200, 3, "GET"), 3, f"{client.name}: each page once", proxy.lines)
        equal(proxy.count(407, "GET", sent=False), 1, f"{client.name}: it was asked once",
              proxy.lines)
        check(proxy.count(407, "GET", sent=True) in (1, 2),
              f"{client.name}: and told of old nonces", proxy.lines)


def strict(site):
    """Squid that takes each next count only, and old nonces not at all: whoever comes too late is
    told so, and gets through at the second attempt."""
    proxy = proxies.squid_digest(settings=[
        "nonce_strictness on", f"nonce_max_duration {SECONDS} seconds",
        "nonce_garbage_interval 1 seconds"])
    client = Client("strict", ["curl", "-sS", "--fail"], "tunnel", proxy, site)
    client.refused()
    client.works("for the first time")
    port = origin.echo_server()
    argv = [APPS / "echo_client", proxies.ORIGIN, port, "hello"]
    for i in range(4):
        proxy.forget()
        processes = [start(argv, client.env(), stdout=subprocess.PIPE)
                     for _ in range(20)]
        said = [process.communicate(timeout=60 * harness.PATIENCE)[0] for process in processes]
        equal(said.count(b"hello\n"), 20, f"strict: 20 at once, {i}")
        check(proxy.count(407) <= 20, "strict: one 407 for each at the most", proxy.lines)
    client.is_accepted()


def main():
    lacking = harness.needs("squid", "apache2", "curl", "openssl")
    if lacking:
        harness.skip("everything", f"no {lacking}")
        return
    site = origin.Site()
    site.add_repository()
    for proxy in (
            proxies.squid_digest(settings=[f"nonce_max_duration {SECONDS} seconds",
                                           "nonce_garbage_interval 1 seconds"]),
            proxies.apache_digest(settings=[f"AuthDigestNonceLifetime {SECONDS}"])):
        visits(proxy, site)
        one_connection(proxy, site)
    strict(site)


harness.main(main)
