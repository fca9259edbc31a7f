# SPDX-License-Identifier: MIT
"""What it means that a program gets through a proxy: told the proxy in its own way, without the
password, it fails with 407; with the library, which alone knows of the proxy, it works."""

import harness
import origin
import proxies
from harness import check, run

PAGES = 16


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
            harness.skip(name, "its own locks are unknown to ThreadSanitizer")
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
