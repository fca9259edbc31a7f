#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Digest as no real proxy at hand wants it: every algorithm, auth-int, hashed and composed user
names, and counts that have to come in order; by a proxy that looks at every field."""

import subprocess
import time

import harness
import origin
import proxies
from digest_proxy import DigestProxy, can_hash
from harness import APPS, check, equal, run, start

PAGES, TOGETHER = 3, 20
LIFETIME = 5  # seconds of a nonce: longer than any answer takes
# As some keyboards write it: letters and their marks apart.
NAME, SECRET = "Ja\u0308so\u0308n Doe", "Secre\u0301t, or not?"
COMPOSED = {"user": "J\xe4s\xf6n Doe", "password": "Secr\xe9t, or not?"}


class Trial:
    """A user who has logged in for the session."""

    def __init__(self, name, proxy, site, user=proxies.USER, password=proxies.PASSWORD):
        self.name, self.proxy, self.site = name, proxy, site
        self.user = harness.User(f"user{proxy.port}")
        self.user.configure(f"[proxy]\nforward_ports = {site.http_port}\n")
        self.port = origin.echo_server()
        login = self.user.login(proxy.url, password, user, session=True)
        equal(login.code, 0, f"{name}: gatepassctl login", login)

    def fetch(self, env, *options):
        """Several pages over one connection."""
        return run(["curl", "-sS", "--fail", "--max-time", "20", *options,
                    *[f"{self.site.http}/page?a=%22b%22"] * PAGES], env)

    def refused(self):
        bare = self.fetch(self.user.bare(self.proxy))
        check(bare.code and self.proxy.count(407, "GET"), f"{self.name}: 407 without us", bare)

    def echo(self):
        return start([APPS / "echo_client", proxies.ORIGIN, self.port, "hello"],
                     self.user.preload(self.proxy.url), stdout=subprocess.PIPE)

    def together(self, count):
        """How many of so many programs at once get through."""
        processes = [self.echo() for _ in range(count)]
        said = [process.communicate(timeout=60 * harness.PATIENCE)[0] for process in processes]
        return said.count(b"hello\n")

    def tunnels(self):
        for asked in (1, 0):
            self.proxy.forget()
            equal(self.together(1), 1, f"{self.name}: a tunnel")
            equal([self.proxy.count(status) for status in (407, 200)], [asked, 1],
                  f"{self.name}: a tunnel, {asked} challenges", self.proxy.lines)

    def pages(self):
        for way in ("observe", "forward"):
            env = self.user.preload(self.proxy.url) if way == "forward" else \
                self.user.preload(http_proxy=self.proxy.url)
            self.proxy.forget()
            result = self.fetch(env)
            equal(result.bytes, origin.BODY * PAGES, f"{self.name}, {way}: pages", result)
            equal([self.proxy.count(status, "GET") for status in (407, 200)], [0, PAGES],
                  f"{self.name}, {way}: each asked for once", self.proxy.lines)

    def well_behaved(self):
        equal(self.proxy.problems, [], f"{self.name}: nothing was wrong in any authorization")
        state = self.user.status(env=self.user.env(GATEPASS_PROXY=self.proxy.url))
        equal(state.get("verdict"), "accepted", f"{self.name}: the password is accepted", state)
        equal(self.proxy.wrong, 0, f"{self.name}: no failed logon")


def kinds(site):
    """Every kind of challenge."""
    for name, options, credential in [
            *((algorithm, {"algorithms": [algorithm]}, ()) for algorithm in
              ("MD5", "SHA-256", "SHA-512-256", "MD5-sess", "SHA-256-sess", "SHA-512-256-sess")),
            ("no algorithm", {"algorithms": [None]}, ()),
            ("three algorithms", {"algorithms": ["MD5", "SHA-512-256", "SHA-256"]}, ()),
            ("no qop", {"qop": None}, ()),
            ("auth or auth-int", {"qop": "auth-int, auth"}, ()),
            ("userhash", {"algorithms": ["SHA-256"], "userhash": True}, ()),
            ("a name that is not ASCII", {"user": NAME, "password": SECRET}, (NAME, SECRET)),
            ("charset", {"charset": "UTF-8", **COMPOSED}, (NAME, SECRET)),
            ("charset and userhash", {"charset": "UTF-8", "userhash": True, **COMPOSED},
             (NAME, SECRET))]:
        if not all(can_hash(word or "MD5") for word in options.get("algorithms", ())):
            harness.skip(name, "OpenSSL lacks the algorithm")
            continue
        trial = Trial(name, DigestProxy(**options), site, *credential)
        trial.refused()
        trial.tunnels()
        trial.pages()
        trial.well_behaved()


def whole_bodies(site):
    """auth-int: a CONNECT has no body, and a GET usually none."""
    for algorithm in ("MD5", "SHA-256-sess"):
        trial = Trial(f"auth-int, {algorithm}", DigestProxy([algorithm], "auth-int"), site)
        trial.refused()
        trial.tunnels()
        trial.pages()
        trial.well_behaved()


def out_of_order(site):
    """Programs at once, whose counts come as they come: each gets through, and after a second
    attempt at the latest."""
    for counts in ("next", "rising"):
        for says_stale in (True, False):
            name = f"{counts} counts, {'stale' if says_stale else 'never stale'}"
            trial = Trial(name, DigestProxy(counts=counts, says_stale=says_stale), site)
            trial.refused()
            trial.tunnels()
            for _ in range(3):
                trial.proxy.forget()
                equal(trial.together(TOGETHER), TOGETHER, f"{name}: {TOGETHER} at once")
                check(trial.proxy.count(407) <= TOGETHER, f"{name}: one 407 for each at the most",
                      trial.proxy.lines)
            trial.well_behaved()


def short_lived(site):
    """The nonce is too old for the next program."""
    trials = [Trial(f"short-lived, {'stale' if says_stale else 'never stale'}",
                    DigestProxy(lifetime=LIFETIME, says_stale=says_stale), site)
              for says_stale in (True, False)]
    for trial in trials:
        trial.refused()
        trial.tunnels()
        trial.proxy.forget()
    time.sleep(LIFETIME)
    for trial in trials:
        equal(trial.together(1), 1, f"{trial.name}: a tunnel")
        equal(trial.proxy.count(407, sent=True), 1, f"{trial.name}: its nonce had become too old",
              trial.proxy.lines)
        trial.well_behaved()


def wrong(site):
    proxy = DigestProxy(["SHA-256", "MD5"], counts="next")
    trial = Trial("wrong", proxy, site, password="looking-glass")
    trial.refused()
    equal(trial.together(TOGETHER), 0, f"a wrong password: none of {TOGETHER} gets through")
    equal(proxy.wrong, 1, "a wrong password: one failed logon")
    trial.user.login(proxy.url, proxies.PASSWORD, session=True)
    equal(trial.together(1), 1, "corrected: a tunnel")
    equal(proxy.problems, [], "a wrong password: all else is right")


def main():
    lacking = harness.needs("curl", "openssl")
    if lacking:
        harness.skip("everything", f"no {lacking}")
        return
    site = origin.Site()
    for part in (kinds, whole_bodies, out_of_order, short_lived, wrong):
        part(site)


harness.main(main)
