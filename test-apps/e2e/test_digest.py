#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tunnels through Squid and Apache that demand Digest: ordinary clients, nonces that die soon, a
counter that is looked at, and a wrong password."""

import harness
import origin
import proxies
from harness import check, equal
from trial import TunnelTrial

TOGETHER = 50


def ordinary(site, head):
    for proxy in (proxies.squid_digest(), proxies.apache_digest(),
                  proxies.squid_digest(basic=True)):
        name = f"{proxy.name}{proxy.port}"
        trial = TunnelTrial(proxy, site, name)
        trial.clients(head)
        trial.later()
        state = trial.user.ask_agent(f"gatepass 1 status\nproxy={proxy.url}\n")[1]
        equal(state.get("verdict"), ["accepted"], f"{name}: the password is accepted", state)


def short_lived(site):
    """Squid says that a nonce is too old; so does Apache."""
    settings = ["nonce_max_duration 2 seconds", "nonce_garbage_interval 1 seconds"]
    for proxy in (proxies.squid_digest(settings=settings),
                  proxies.apache_digest(settings=["AuthDigestNonceLifetime 2"])):
        trial = TunnelTrial(proxy, site, f"short-{proxy.name}")
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
    trial = TunnelTrial(proxies.squid_digest(settings=settings), site, "strict")
    trial.echo()
    for i in range(8):
        trial.works(trial.user, f"strict, {i}", trial.echo_argv(), b"hello\n")
    equal(trial.together(TOGETHER), TOGETHER, f"strict: {TOGETHER} at once, in any order")


def restarted(site):
    """A proxy that has forgotten its nonces."""
    first = proxies.apache_digest()
    trial = TunnelTrial(first, site, "restarted")
    trial.echo()
    trial.later(1)
    second = proxies.restart(first)
    trial.works(trial.user, "restarted: the next program", trial.echo_argv(), b"hello\n")
    check(second.settled(407, 1), "restarted: its nonce was refused", second.lines)


def right(site):
    """Programs at once that nobody has told of the proxy: none is refused with the password."""
    for proxy in (proxies.squid_digest(), proxies.apache_digest()):
        trial = TunnelTrial(proxy, site, f"right-{proxy.name}")
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
        trial = TunnelTrial(proxy, site, f"wrong-{proxy.name}")
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
    lacking = harness.needs("squid", "apache2", "curl", "wget", "git", "ncat", "node",
                            "openssl")
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
