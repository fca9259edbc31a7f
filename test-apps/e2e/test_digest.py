#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tunnels through Squid and Apache that demand Digest: ordinary clients, nonces that die soon, a
counter that is looked at, and a wrong password."""

import subprocess

import harness
import origin
import proxies
from harness import APPS, check, equal, run, start
from trial import Trial

TOGETHER = 50
_URLLIB = """
import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], timeout=30).read())
"""


class DigestTrial(Trial):
    """A user who has logged in for the session, and one proxy."""

    def __init__(self, proxy, site, user):
        self.proxy, self.site, self.user = proxy, site, harness.User(user)
        login = self.user.login(proxy.url, proxies.PASSWORD, session=True)
        check(login.code == 0, f"{user}: gatepassctl login", login)
        self.port = origin.echo_server()
        self.clones = 0

    def clients(self, head):
        for name, command in (
                ("curl", ["curl", "-sS", "--fail", "--max-time", "30"]),
                ("wget", ["wget", "-nv", "-O-", "--tries=1", "--timeout=30",
                          f"--ca-certificate={self.site.authority.file}"]),
                ("python3", ["/usr/bin/python3", "-c", _URLLIB])):
            argv = [*command, f"{self.site.https}/page"]
            name = f"{self.user.name}, {name}"
            self.refused(self.user, name, argv)
            self.works(self.user, name, argv, origin.BODY)
        self.git(head)
        self.echo()

    def _clone(self):
        self.clones += 1
        target = harness.DIRECTORY / f"{self.user.name}{self.clones}"
        return ["git", "clone", "-q", f"{self.site.https}/repo.git", target], target

    def git(self, head):
        self.refused(self.user, f"{self.user.name}, git", self._clone()[0])
        argv, target = self._clone()
        result = run(argv, self.env(self.user))
        got = run(["git", "-C", target, "rev-parse", "HEAD"]).out.strip()
        check(result.code == 0 and got == head, f"{self.user.name}, git: works", result)

    def bare_echo(self):
        self.refused(self.user, f"{self.user.name}, raw TCP",
                     ["ncat", "--proxy", f"127.0.0.1:{self.proxy.port}", "--proxy-type", "http",
                      proxies.ORIGIN, self.port])

    def echo(self):
        self.bare_echo()
        self.works(self.user, f"{self.user.name}, raw TCP", self.echo_argv(), b"hello\n")

    def echo_argv(self):
        return [APPS / "echo_client", proxies.ORIGIN, self.port, "hello"]

    def later(self, count=3):
        """What has been learnt serves the next programs."""
        self.proxy.forget()
        for i in range(count):
            self.works(self.user, f"{self.user.name}, later {i}", self.echo_argv(), b"hello\n")
        equal(self.proxy.settled(200, count), count, f"{self.user.name}: all by the proxy")
        equal(self.proxy.count(407), 0, f"{self.user.name}: later tunnels cost no 407",
              self.proxy.lines)

    def together(self, count):
        """How many of so many programs at once get through."""
        processes = [start(self.echo_argv(), self.env(self.user), stdout=subprocess.PIPE)
                     for _ in range(count)]
        said = [process.communicate(timeout=60 * harness.PATIENCE)[0] for process in processes]
        return said.count(b"hello\n")


def ordinary(site, head):
    for proxy in (proxies.squid_digest(), proxies.apache_digest(),
                  proxies.squid_digest(basic=True)):
        name = f"{proxy.name}{proxy.port}"
        trial = DigestTrial(proxy, site, name)
        trial.clients(head)
        trial.later()
        state = trial.user.ask_agent(f"gatepass 1 status\nproxy={proxy.url}\n")[1]
        equal(state.get("verdict"), ["accepted"], f"{name}: the password is accepted", state)


def short_lived(site):
    """Squid says that a nonce is too old; so does Apache."""
    settings = ["nonce_max_duration 2 seconds", "nonce_garbage_interval 1 seconds"]
    for proxy in (proxies.squid_digest(settings=settings),
                  proxies.apache_digest(settings=["AuthDigestNonceLifetime 2"])):
        trial = DigestTrial(proxy, site, f"short-{proxy.name}")
        trial.echo()
        proxy.forget()

        def expires():
            trial.works(trial.user, f"{proxy.name}, a nonce of 2 seconds", trial.echo_argv(),
                        b"hello\n")
            return proxy.count(407, sent=True)

        check(harness.wait_until(expires, 20, 1.5), f"{proxy.name}: one had become too old",
              proxy.lines)


def strict(site):
    """Squid insists on each next count, and counts to three only."""
    settings = ["nonce_strictness on", "nonce_max_count 3"]
    trial = DigestTrial(proxies.squid_digest(settings=settings), site, "strict")
    trial.echo()
    for i in range(8):
        trial.works(trial.user, f"strict, {i}", trial.echo_argv(), b"hello\n")
    equal(trial.together(TOGETHER), TOGETHER, f"strict: {TOGETHER} at once, in any order")


def restarted(site):
    """A proxy that has forgotten its nonces."""
    first = proxies.apache_digest()
    trial = DigestTrial(first, site, "restarted")
    trial.echo()
    trial.later(1)
    second = proxies.restart(first)
    trial.works(trial.user, "restarted: the next program", trial.echo_argv(), b"hello\n")
    check(second.settled(407, 1), "restarted: its nonce was refused", second.lines)


def right(site):
    """Programs at once that nobody has told of the proxy: none is refused with the password."""
    for proxy in (proxies.squid_digest(), proxies.apache_digest()):
        trial = DigestTrial(proxy, site, f"right-{proxy.name}")
        trial.bare_echo()
        proxy.forget()
        equal(trial.together(TOGETHER), TOGETHER, f"{proxy.name}: all of {TOGETHER} get through")
        equal(proxy.settled(200, TOGETHER), TOGETHER, f"{proxy.name}: each by the proxy",
              proxy.lines)
        equal(proxy.failed_logons(), 0, f"{proxy.name}: no failed logon", proxy.lines)
        check(proxy.count(407) <= TOGETHER, f"{proxy.name}: one 407 for each at the most",
              proxy.lines)


def wrong(site):
    for proxy in (proxies.squid_digest(basic=True), proxies.apache_digest()):
        trial = DigestTrial(proxy, site, f"wrong-{proxy.name}")
        login = trial.user.login(proxy.url, "wrong", session=True)
        check(login.code == 0, f"{proxy.name}: a wrong password", login)
        trial.bare_echo()
        proxy.forget()
        equal(trial.together(TOGETHER), 0, f"{proxy.name}: none of {TOGETHER} gets through")
        equal(proxy.failed_logons(), 1, f"{proxy.name}: one failed logon", proxy.lines)
        equal(proxy.count(407, sent=True), 1, f"{proxy.name}: sent once", proxy.lines)
        trial.user.login(proxy.url, proxies.PASSWORD, session=True)
        trial.works(trial.user, f"{proxy.name}: corrected", trial.echo_argv(), b"hello\n")


def main():
    lacking = harness.needs("squid", "apache2", "curl", "wget", "git", "ncat", "openssl")
    if lacking:
        harness.skip("everything", f"no {lacking}")
        return
    site = origin.Site()
    head = site.add_repository()
    ordinary(site, head)
    short_lived(site)
    strict(site)
    restarted(site)
    right(site)
    wrong(site)


harness.main(main)
