# SPDX-License-Identifier: MIT
"""What it means that a program gets through a proxy: told the proxy in its own way, without the
password, it fails with 407; with the library, which alone knows of the proxy, it works."""

import subprocess

import harness
import origin
import proxies
from harness import APPS, check, equal, run, start

PAGES = 16
OWN_LOCKS = "its own locks are unknown to ThreadSanitizer"
_URLLIB = """
import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], timeout=30).read())
"""


def start_connecting(user, proxy, port):
    """A program that connects to the origin and says how that ended."""
    return start([APPS / "connect_errno", proxies.ORIGIN, port], user.preload(proxy.url),
                 stdout=subprocess.PIPE, text=True)


def end_connecting(program):
    """"OK", or the error's name. A person who does not answer is waited for."""
    out = program.communicate(timeout=120 * harness.PATIENCE)[0].split() or ["?"]
    harness.stop(program)
    return out[0]


def connect_together(user, proxy, port, count):
    """How so many programs at once end."""
    programs = [start_connecting(user, proxy, port) for _ in range(count)]
    return [end_connecting(program) for program in programs]


class Trial:
    def __init__(self, proxy):
        self.proxy = proxy
        self.site = origin.Site()

    def refused(self, user, name, argv, **extra):
        """The proof that it does not work by itself."""
        self.proxy.forget()
        result = run(argv, user.bare(self.proxy, **self.site.authority.env(), **extra))
        logged = harness.wait_until(
            lambda: any(line[1] == 407 for line in self.proxy.lines()), 5)
        check(result.code != 0 and not result.timed_out and logged, f"{name}: 407 without us",
              lambda: f"{result}\n{self.proxy.lines()}")

    def env(self, user, **extra):
        return user.preload(self.proxy.url, **self.site.authority.env(), **extra)

    def works(self, user, name, argv, wanted, input=b"", **extra):
        """Through the library it prints what is wanted, which is bytes, or a function that
        judges them."""
        result = run(argv, self.env(user, **extra), input)
        good = wanted(result.bytes) if callable(wanted) else result.bytes == wanted
        check(result.code == 0 and good, f"{name}: works", result)

    def fails(self, user, name, argv):
        """Not even with the library."""
        result = run(argv, self.env(user))
        check(result.code and not result.timed_out, f"{name}: does not work", result)


class TunnelTrial(Trial):
    """Of tunnels through one proxy, for a user who has logged in for the session."""

    def __init__(self, proxy, site, user, password=proxies.PASSWORD):
        self.proxy, self.site, self.user = proxy, site, harness.User(user)
        if password:
            login = self.user.login(proxy.url, password, session=True)
            check(login.code == 0, f"{user}: gatepassctl login", login)
        self.port = origin.echo_server()
        self.clones = 0

    def clients(self, head):
        for name, command in (
                ("curl", ["curl", "-sS", "--fail", "--max-time", "30"]),
                ("wget", ["wget", "-nv", "-O-", "--tries=1", "--timeout=30",
                          f"--ca-certificate={self.site.authority.file}"]),
                ("python3", ["/usr/bin/python3", "-c", _URLLIB]),
                ("node", ["node", harness.ROOT / "test-apps/apps/fetch.mjs", "get"])):
            argv = [*command, f"{self.site.https}/page"]
            own_locks = name == "node"
            name = f"{self.user.name}, {name}"
            if own_locks and harness.SANITIZER == "thread":
                harness.skip(name, OWN_LOCKS)
                continue
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
        equal(self.proxy.count(407), count * self.proxy.legs,
              f"{self.user.name}: later tunnels cost no 407", self.proxy.lines)

    def together(self, count):
        """How many of so many programs at once get through."""
        processes = [start(self.echo_argv(), self.env(self.user), stdout=subprocess.PIPE)
                     for _ in range(count)]
        said = [process.communicate(timeout=60 * harness.PATIENCE)[0] for process in processes]
        return said.count(b"hello\n")


class PagesTrial(Trial):
    """Of programs that fetch many pages, for a user who has logged in for the session. `http`,
    `https` and `mixed` are the pages' URLs, `bodies` what is in them."""

    def __init__(self, proxy):
        super().__init__(proxy)
        self.bodies = self.site.add_pages(PAGES)
        self.all = b"".join(self.bodies)
        names = [f"page{i}.txt" for i in range(PAGES)]
        self.http = [f"{self.site.http}/{name}" for name in names]
        self.https = [f"{self.site.https}/{name}" for name in names]
        self.mixed = [self.https[i] if i % 2 else self.http[i] for i in range(PAGES)]
        self.user = harness.User("alice")

    def forget(self):
        """A new agent, who knows the password and nothing else."""
        self.user.stop_agent()
        login = self.user.login(self.proxy.url, proxies.PASSWORD, session=True)
        if login.code:
            raise RuntimeError(f"login: {login}")

    def passes(self, name, argv, wanted, **options):
        """It works both when its connections are challenged and later, when the agent knows
        what the proxy wants."""
        self.forget()
        self.proxy.forget()
        self.works(self.user, f"{name}, challenged", argv, wanted, **options)
        check(self.proxy.settled(407, 1), f"{name}: it was challenged", self.proxy.lines)
        self.proxy.forget()
        self.works(self.user, f"{name}, later", argv, wanted, **options)
        check(self.proxy.settled(200, 1) and not self.proxy.count(407),
              f"{name}: it was not challenged", self.proxy.lines)

    def go(self, name, argv, wanted, bare=None, needs=None, own_locks=False, **options):
        """The whole trial of a program, which is argv's first word or named. `bare` is its
        command for the proof, if that is another one. `own_locks`: its threads synchronise
        by what ThreadSanitizer does not see, and would be reported."""
        lacking = harness.needs(needs or argv[0])
        if lacking:
            harness.skip(name, f"no {lacking}")
            return
        if own_locks and harness.SANITIZER == "thread":
            harness.skip(name, OWN_LOCKS)
            return
        self.refused(self.user, name, bare or argv)
        self.passes(name, argv, wanted, **options)


def run_pages_trial(*bodies):
    """Each function gets the trial, with a Squid."""
    lacking = harness.needs("squid", "openssl")
    if lacking:
        harness.skip("everything", f"no {lacking}")
        return
    trial = PagesTrial(proxies.squid_basic())
    for body in bodies:
        body(trial)
