#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Requests to proxies that want Digest, where each request has an authorization of its own."""

import harness
import origin
import proxies
from harness import check, equal, run

PAGES = 3
MANY = 40


def user_of(name, proxy, site):
    """Someone for whom requests to the site are forwarded, as those to port 80 are."""
    user = harness.User(name)
    directory = user.home / ".config" / "gatepass"
    directory.mkdir(parents=True)
    (directory / "gatepass.conf").write_text(f"[proxy]\nforward_ports = {site.http_port}\n")
    result = user.login(proxy.url, proxies.PASSWORD, session=True)
    equal(result.code, 0, f"{name}: gatepassctl login", result)
    return user


def fetch(env, url, *options):
    """Several pages over one connection."""
    return run(["curl", "-sS", "--fail", "--max-time", "20", *options, *[url] * PAGES], env)


def try_way(proxy, site, way, user):
    name, url = f"{proxy.name}, {way}", f"{site.http}/page"
    env = user.preload(proxy.url) if way == "forward" else \
        user.preload(http_proxy=proxy.url)
    proxy.forget()
    bare = fetch(user.bare(proxy), url)
    check(bare.code and harness.wait_until(lambda: proxy.count(407, "GET"), 5),
          f"{name}: 407 without us", lambda: f"{bare}\n{proxy.lines()}")
    for challenges, when in ((1, "the first program"), (0, "another program")):
        proxy.forget()
        result = fetch(env, url)
        equal(result.bytes, origin.BODY * PAGES, f"{name}: {when} gets the pages", result)
        equal(proxy.settled(200, PAGES, "GET"), PAGES, f"{name}: {when}: each once",
              proxy.lines)
        equal(proxy.count(407, "GET"), challenges, f"{name}: {when}: 407s", proxy.lines)


def try_proxy(make_proxy, site):
    proxy = make_proxy()
    for way in ("observe", "forward"):
        user = user_of(f"{proxy.name}-{way}", proxy, site)
        try_way(proxy, site, way, user)
    harness.stop(proxy.process)


def short_nonces(site):
    """Nonces that are good for three requests: the fourth one's 407 says stale, and is not a
    rejection."""
    proxy = proxies.squid_digest(settings=["nonce_max_count 3"])
    user = user_of("short-lived", proxy, site)
    url, env = f"{site.http}/page", user.preload(http_proxy=proxy.url)
    for _ in range(3):
        result = fetch(env, url)
        equal(result.bytes, origin.BODY * PAGES, "nonces for three requests: works", result)
    status = user.status(env=user.env(GATEPASS_PROXY=proxy.url))
    equal(status.get("verdict"), "accepted", "nonces for three requests: no rejection", status)


def next_nonce(site):
    """Squid tells the next nonce before the last use of one, which spares most requests their
    407: without it each fourth would get one."""
    proxy = proxies.squid_digest(settings=["nonce_max_count 3"])
    user = user_of("foresighted", proxy, site)
    url, env = f"{site.http}/page", user.preload(http_proxy=proxy.url)
    result = run(["curl", "-sS", "--fail", "--max-time", "60", *[url] * MANY], env)
    equal(result.bytes, origin.BODY * MANY, "nonces that are told: works", result)
    proxy.settled(200, MANY, "GET")
    stale = proxy.count(407, "GET", sent=True)
    check(stale < MANY // 8, f"nonces that are told: few are too old ({stale})", proxy.lines)


def wrong_password(site):
    proxy = proxies.squid_digest()
    user = user_of("forgetful", proxy, site)
    user.login(proxy.url, "looking-glass", session=True)
    env = user.preload(http_proxy=proxy.url)
    for _ in range(3):
        result = run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}",
                      f"{site.http}/page"], env)
        equal(result.out, "407", "a wrong password: the program sees the 407", result)
    equal(proxy.settled(407, 4, "GET"), 4, "and it was offered once", proxy.lines)
    equal(proxy.count(407, "GET", sent=True), 1, "one of the requests came with a password", proxy.lines)


def main():
    lacking = harness.needs("squid", "apache2", "curl", "openssl")
    if lacking:
        harness.skip("everything", f"no {lacking}")
        return
    site = origin.Site()
    try_proxy(proxies.squid_digest, site)
    try_proxy(proxies.apache_digest, site)
    short_nonces(site)
    next_nonce(site)
    wrong_password(site)


harness.main(main)
