#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The agent's part for Kerberos by itself, against a KDC and a Squid that takes its tokens."""

import itertools
import queue
import socket
import subprocess
import threading

import harness
import kdc as realm
import origin
import proxies
from harness import BUILD, PATIENCE, check, equal, run
from kdc import PASSWORD, REALM, USER

PRINCIPAL = f"{USER}@{REALM}"
TOGETHER = 50


class Driver:
    """build/drivers/kerberos, for a user."""

    def __init__(self, user, **extra):
        self.process = harness.start([BUILD / "drivers/kerberos"], user.env(**extra),
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._names = itertools.count()
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(tuple(line.rstrip("\n").split(" ", 2)))

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def start(self, name=None, **question):
        """Asks, and does not wait for the answer."""
        name = name or f"h{next(self._names)}"
        words = [f"{key}={value}" for key, value in question.items() if value is not None]
        self.say(" ".join(["ask", name, *words]))
        return name

    def ask(self, host="localhost", **question):
        """(state, text), or ("token", Token)."""
        self.start(host=host, **question)
        return self.answer()

    def answer(self):
        """To one of the questions."""
        try:
            _, state, rest = self._lines.get(timeout=30 * PATIENCE)
        except queue.Empty:
            return "silence", ""
        return state, Token(rest) if state == "token" else rest

    def end(self):
        """Its exit status."""
        self.process.stdin.close()
        code = self.process.wait(30 * PATIENCE)
        self.process.stdin = None
        harness.stop(self.process)
        return code


class Token:
    def __init__(self, text):
        state, self.principal, self.identity, self.value = text.split(" ")
        self.complete = state == "complete"

    def __repr__(self):
        return f"{self.principal}'s token of {len(self.value)}"


class Ground:
    def __init__(self):
        self.kdc = realm.Kdc()
        self.site = origin.Site()
        self.proxy = proxies.squid_kerberos(self.kdc)
        self._users = itertools.count()

    def user(self, **variables):
        """Somebody of the realm, who has no ticket yet."""
        user = harness.User(f"user{next(self._users)}")
        user.variables.update(self.kdc.client(user) | variables)
        return user

    def fetch(self, *options):
        """curl's command for a page through the proxy; it prints the status."""
        return ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-x", self.proxy.url,
                *options, f"{self.site.http}/page"]

    def accepts(self, answer, name):
        """Does the proxy take the token?"""
        state, token = answer
        if not check(state == "token", f"{name}: a token", answer):
            return
        result = run(self.fetch("--proxy-header",
                                f"Proxy-Authorization: Negotiate {token.value}"))
        equal(result.out, "200", name, result)


# --- the tests ---------------------------------------------------------------------------

def fixture(ground):
    """curl can do it by itself, which shows that everything stands."""
    user = ground.user()
    argv = ground.fetch("--proxy-negotiate", "-U", ":")
    equal(run(argv, user.env()).out, "407", "curl without a ticket: 407")
    result = ground.kdc.kinit(user)
    check(result.code == 0, "kinit", result)
    equal(run(argv, user.env()).out, "200", "with one: 200")


def tickets(ground):
    """That come and go while the agent is there."""
    kdc, user = ground.kdc, ground.user()
    driver = Driver(user)
    state, text = driver.ask()
    check(state == "none" and "kinit" in text, "no ticket", (state, text))
    kdc.kinit(user)
    answer = driver.ask()
    ground.accepts(answer, "kinit, and the next token is taken")
    first = answer[1]
    equal(first.principal, PRINCIPAL, "it tells whose ticket it is")
    answer = driver.ask()
    ground.accepts(answer, "each connection gets a token of its own")
    equal((answer[1].identity, answer[1].value == first.value), (first.identity, False),
          "of the same ticket")
    equal(driver.ask("127.0.0.1")[0], "none", "not for an address")
    kdc.kinit(user)
    answer = driver.ask()
    check(answer[0] == "token" and answer[1].identity != first.identity,
          "kinit again: another ticket", answer)
    kdc.kdestroy(user)
    equal(driver.ask()[0], "none", "kdestroy: none")
    kdc.kinit(user, options=["-l", "2s"])
    check(harness.wait_until(lambda: driver.ask()[0] == "none"), "one that has expired")
    equal(driver.end(), 0, "the driver ends well")


def caches(ground):
    """The asking program's own, and a collection."""
    kdc, user = ground.kdc, ground.user()
    driver = Driver(user)
    other = f"FILE:{user.home}/other"
    kdc.kinit(user, ccache=other)
    equal(driver.ask()[0], "none", "the agent's own has none")
    equal(driver.ask(ccache=f"FILE:{user.home}/nowhere")[0], "none", "nor has that of one program")
    ground.accepts(driver.ask(ccache=other), "that of another has one")
    directory = user.home / "tickets"
    directory.mkdir(mode=0o700)
    kdc.add("bob", "builder")
    kdc.kinit(user, ccache=f"DIR:{directory}")
    kdc.kinit(user, "bob", "builder", ccache=f"DIR:{directory}")
    answer = driver.ask(ccache=f"DIR:{directory}")
    ground.accepts(answer, "a collection")
    # Which puts a ticket of bob's where libkrb5 looks through all.
    driver.ask(user="bob", password="builder")
    for name in (USER, "bob"):
        (user.home / ".k5identity").write_text(f"{name}@{REALM} service=HTTP\n")
        state, token = driver.ask(ccache=f"DIR:{directory}")
        check(state == "token" and token.principal == f"{name}@{REALM}",
              f"of a collection, {name}'s by ~/.k5identity", token)
    equal(driver.end(), 0, "the driver ends well")


def names(ground):
    """What the KDC calls the proxy."""
    kdc, user = ground.kdc, ground.user()
    kdc.kinit(user)
    driver = Driver(user)
    state, text = driver.ask("nowhere.gatepass.test")
    check(state == "failed" and "HTTP/nowhere.gatepass.test" in text, "a name it does not know",
          (state, text))
    asked = kdc.count("LOOKING_UP_SERVER", "HTTP")
    equal(driver.ask("nowhere.gatepass.test"), (state, text), "again")
    equal(kdc.count("LOOKING_UP_SERVER", "HTTP"), asked, "it was not asked for that again")
    ground.accepts(driver.ask("proxy.gatepass.test"), "another name goes on working")
    kdc.admin("addprinc -randkey HTTP/nowhere.gatepass.test")
    kdc.kinit(user)
    equal(driver.ask("nowhere.gatepass.test")[0], "token", "a new ticket: it is asked again")
    equal(driver.end(), 0, "the driver ends well")


def canonical_names(ground):
    """By DNS, where the configuration allows it and the name as it is was not known."""
    if harness.SANITIZER in ("address", "thread"):
        return  # these refuse the wrapper's way of loading libc
    kdc, user = ground.kdc, ground.user()
    hosts = harness.DIRECTORY / "aliases"
    # The address says which line it is to nss_wrapper.
    hosts.write_text("127.0.0.5 proxy.gatepass.test alias.gatepass.test\n")
    wrapper = dict(LD_PRELOAD="libnss_wrapper.so", NSS_WRAPPER_HOSTS=hosts)
    for canonicalise in ("false", "fallback", "true"):
        kdc.kinit(user)
        config = kdc.config_with(f"dns_canonicalize_hostname = {canonicalise}")
        driver = Driver(user, KRB5_CONFIG=config, **wrapper)
        unknown = kdc.count("LOOKING_UP_SERVER", "HTTP")
        answer = driver.ask("alias.gatepass.test")
        check(kdc.count("LOOKING_UP_SERVER", "HTTP") > unknown,
              f"{canonicalise}: first as it is configured")
        if canonicalise == "false":
            equal(answer[0], "failed", "false: only so", answer)
        else:
            ground.accepts(answer, f"{canonicalise}: then by its canonical name")
            unknown = kdc.count("LOOKING_UP_SERVER", "HTTP")
            ground.accepts(driver.ask("alias.gatepass.test"), f"{canonicalise}: again")
            equal(kdc.count("LOOKING_UP_SERVER", "HTTP"), unknown,
                  f"{canonicalise}: from memory")
        equal(driver.end(), 0, "the driver ends well")


def passwords(ground):
    kdc, user = ground.kdc, ground.user()
    driver = Driver(user)
    issued = kdc.count("ISSUE")
    for _ in range(TOGETHER):
        driver.start(host="localhost", user=USER, password=PASSWORD)
    answers = [driver.answer() for _ in range(TOGETHER)]
    equal({state for state, _ in answers}, {"token"}, f"{TOGETHER} together get a token")
    equal(len({token.value for _, token in answers}), TOGETHER, "each another one")
    ground.accepts(answers[0], "which is taken")
    equal(kdc.count("ISSUE") - issued, 1, "by one ticket")
    driver.ask("proxy.gatepass.test", user=USER, password=PASSWORD)
    equal(kdc.count("ISSUE") - issued, 1, "also for another proxy")
    for name in (PRINCIPAL, PRINCIPAL.lower(), f"{REALM}\\{USER}", f"gatepass.test\\{USER}",
                 f"GATEPASS\\{USER}", f"gatepass\\{USER}"):
        state, token = driver.ask(user=name, password=PASSWORD)
        check(state == "token" and token.principal == PRINCIPAL, f"as {name}", token)
    equal(driver.ask()[0], "none", "no ticket of it is there without the password")
    issued = kdc.count("ISSUE")
    driver.say("forget")
    driver.ask(user=USER, password=PASSWORD)
    equal(kdc.count("ISSUE") - issued, 1, "what is forgotten is got again")
    equal(driver.end(), 0, "the driver ends well")


def wrong_passwords(ground):
    kdc, user = ground.kdc, ground.user()
    driver = Driver(user)
    refused = kdc.count("PREAUTH_FAILED")
    for _ in range(TOGETHER):
        driver.start(host="localhost", user=USER, password="wrong")
    answers = {driver.answer() for _ in range(TOGETHER)}
    equal({state for state, _ in answers}, {"refused"}, "a wrong password is refused", answers)
    check(all(PRINCIPAL in text for _, text in answers), "it is told whose it is", answers)
    equal(kdc.count("PREAUTH_FAILED") - refused, 1, f"once, for {TOGETHER} together")
    equal(driver.ask("proxy.gatepass.test", user=USER, password="wrong")[0], "refused",
          "and for another proxy")
    equal(kdc.count("PREAUTH_FAILED") - refused, 1, "without asking")
    equal(driver.ask(user=USER, password=PASSWORD)[0], "token", "the right one works")
    driver.say("forget")
    driver.ask(user=USER, password="wrong")
    equal(kdc.count("PREAUTH_FAILED") - refused, 2, "what is forgotten is tried again")
    kdc.admin(f"modprinc -pwexpire yesterday {USER}")
    equal(driver.ask(user=USER, password=PASSWORD)[0], "refused", "one that has expired")
    kdc.admin(f"modprinc -pwexpire never {USER}")
    equal(driver.ask(user="nobody", password="x")[0], "failed",
          "a user that the KDC does not know may be one of the proxy's")
    equal(driver.ask(user=USER, password=""), ("none", "Kerberos: the password is empty"),
          "an empty one is no password")
    equal(driver.end(), 0, "the driver ends well")


def dead_kdc(ground):
    kdc, user = ground.kdc, ground.user()
    kdc.kinit(user)
    driver = Driver(user)
    kdc.stop()
    for question in ({}, {"user": USER, "password": PASSWORD}):
        name = "a password" if question else "a ticket"
        state, text = driver.ask(**question)
        check(state == "failed" and "KDC" in text, f"{name} and no KDC", (state, text))
    kdc.restart()
    equal(driver.ask()[0], "failed", "which is remembered")
    kdc.kinit(user)
    ground.accepts(driver.ask(), "until there is a new ticket")
    driver.say("forget")
    equal(driver.ask(user=USER, password=PASSWORD)[0], "token", "or until it is forgotten")
    equal(driver.end(), 0, "the driver ends well")


def silent_kdc(ground):
    """One that takes the question and does not answer."""
    kdc, user = ground.kdc, ground.user()
    kdc.kinit(user)
    driver = Driver(user)
    kdc.stop()
    silence = socket.create_server(("127.0.0.1", kdc.port))
    for verb in ("cancel", "free"):
        driver.start(verb, host="localhost")
        driver.say(f"{verb} {verb}")
    driver.say("seconds 1")
    for _ in range(TOGETHER):
        driver.start(host="localhost")
    answers = {driver.answer() for _ in range(TOGETHER)}
    equal({state for state, _ in answers}, {"failed"}, "all are told in time", answers)
    driver.say("seconds 600")
    equal(driver.ask()[0], "failed", "whoever comes later does not wait")
    silence.close()
    kdc.restart()
    kdc.kinit(user)
    check(harness.wait_until(lambda: driver.ask()[0] == "token", step=0.1),
          "when it answers again, and there is a ticket, everything works")
    equal(driver.end(), 0, "the driver ends well")


def clocks(ground):
    kdc, user = ground.kdc, ground.user()
    kdc.kinit(user)
    driver = Driver(user)
    kdc.restart(shift=3600)
    state, text = driver.ask()
    check(state == "failed" and "lock skew" in text, "the KDC's clock is an hour ahead",
          (state, text))
    kdc.restart()
    equal(driver.end(), 0, "the driver ends well")


def legs(ground):
    """After the first one: the acceptor's last word, and nonsense."""
    kdc, user = ground.kdc, ground.user()
    kdc.kinit(user)
    driver = Driver(user)
    helper = harness.start(["/usr/lib/squid/negotiate_kerberos_auth", "-k", kdc.keytab, "-s",
                            "GSS_C_NO_NAME"], kdc.acceptor, stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, text=True)
    for name, reply in (("the proxy's last token", None), ("nonsense", "bm9uc2Vuc2U="),
                        ("no base64", "%")):
        driver.start("leg", host="localhost")
        token = driver.answer()[1]
        helper.stdin.write(f"YR {token.value}\n")
        helper.stdin.flush()
        verdict, *pairs = helper.stdout.readline().split()
        said = dict(pair.split("=", 1) for pair in pairs)
        equal((verdict, said.get("user")), ("OK", PRINCIPAL), f"{name}: after one that is taken")
        driver.start("leg", host="localhost", token=reply or said["token"])
        state, text = driver.answer()
        check(state == "failed" and text.startswith("Kerberos: "), f"{name}: nothing comes of it",
              text)
    driver.start("leg", host="localhost")
    ground.accepts(driver.answer(), "and the handshake can begin again")
    ground.accepts(driver.ask(token="oAA="), "also with what the proxy says unasked")
    equal(driver.end(), 0, "the driver ends well")
    harness.stop(helper)


def main():
    missing = realm.missing()
    if missing:
        harness.skip("Kerberos", f"{missing} is not installed")
        return
    ground = Ground()
    for part in (fixture, tickets, caches, names, canonical_names, passwords, wrong_passwords,
                 legs, dead_kdc, silent_kdc, clocks):
        part(ground)


harness.main(main)
