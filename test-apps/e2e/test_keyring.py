#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The keyring's states (absent, locked, blank, dismissed, stopped, gone), which never hang a
program, and its entries: which one is meant, and what happens when it changes."""

import base64
import re
import signal
import socket
import struct
import subprocess
import time

import harness
import keyring
import simproxy
from agents import ADDRESS, OPEN
from harness import APPS, PATIENCE, check, equal, run, start, wait_until
from simproxy import BASE64, OK, PASSWORD, Simproxy

SECRETS = "org.freedesktop.secrets"
ROOT = "/org/freedesktop/secrets"
# "A few seconds", of which the agent gives a daemon that does not answer five.
SOON = 9 * PATIENCE
TOGETHER = 8


# --- a keyring that is locked, stopped, killed -------------------------------------------

class Keyring(keyring.Keyring):
    collection = f"{ROOT}/collection/login"

    def lock(self):
        result = run(["gdbus", "call", "--session", "--dest", SECRETS, "--object-path", ROOT,
                      "--method", "org.freedesktop.Secret.Service.Lock",
                      f"['{self.collection}']"], self.user.env())
        if self.collection not in result.out:
            raise RuntimeError(f"cannot lock the keyring: {result}")

    def unlock(self):
        """As PAM does it when a person logs in: by the daemon's control socket."""
        password = keyring.PASSWORD.encode()
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(10)
            link.connect(str(self.user.runtime / "keyring" / "control"))
            link.send(b"\0")  # carries who we are
            link.send(struct.pack(">III", 12 + len(password), 1, len(password)) + password)
            if link.recv(8) != struct.pack(">II", 8, 0):
                raise RuntimeError("cannot unlock the keyring")

    def restart(self):
        self.process.wait()
        self.process = start(self.process.args, self.user.env(), stdin=subprocess.PIPE)
        self.process.stdin.write(keyring.PASSWORD.encode())
        self.process.stdin.close()
        self.process.stdin = None
        if not wait_until(self._works, step=0.1):
            raise RuntimeError("gnome-keyring-daemon does not start again")

    def tool(self, verb, *attributes, secret=""):
        """secret-tool, as a person would use it; store replaces what has the same attributes."""
        label = ["--label=by hand"] if verb == "store" else []
        return run(["secret-tool", verb, *label, "protocol", "http-proxy", *attributes],
                   self.user.env(), secret)


class Prompts:
    """Counts the questions that are put to the person on a bus."""

    def __init__(self, user):
        self.file = open(harness.DIRECTORY / f"{user.name}.bus", "w+b")
        self.process = start(["dbus-monitor", "--session",
                              "interface='org.freedesktop.Secret.Prompt'"],
                             user.env(), stdout=self.file)
        wait_until(lambda: self.file.seek(0) or self.file.read())

    def count(self):
        self.file.seek(0)
        return sum(b"member=Prompt" in line for line in self.file if line.startswith(b"method"))


# --- programs ----------------------------------------------------------------------------

def start_program(user, proxy, **extra):
    return start([APPS / "connect_errno", ADDRESS, 443], user.preload(proxy.url, **extra),
                 stdout=subprocess.PIPE, text=True)


def end_program(process):
    """(how its connect() ended, seconds)"""
    out = process.communicate(timeout=90 * PATIENCE)[0].split()
    harness.stop(process)
    return (out[0], int(out[1]) / 1000) if len(out) == 2 else ("?", -1)


def works(user, proxy, what, **extra):
    return equal(end_program(start_program(user, proxy, **extra))[0], "OK", what)


def refused(user, proxy, what, **extra):
    """EACCES, soon, and the proxy is offered nothing."""
    before = simproxy.offered(log(proxy))
    name, seconds = end_program(start_program(user, proxy, **extra))
    equal(name, "EACCES", what)
    check(0 <= seconds < SOON, f"{what}: within a few seconds", seconds)
    equal(simproxy.offered(log(proxy)), before, f"{what}: nothing is offered to the proxy")


def log(proxy):
    return [f"{word} {rest}" for _, word, rest in proxy.events]


def status(user, proxy):
    state = user.status(env=user.env(GATEPASS_PROXY=proxy.url))
    credential = state.get("credential") or {}
    return state.get("keyring"), credential.get("store"), credential.get("user")


def advises(result, pattern, what):
    check(result.code == 1 and re.search(pattern, result.err) and
          len(result.err.splitlines()) == 1 and "sesame" not in result.err,
          f"{what}: a clear error", result)


def with_session(user, what):
    """What every error's advice leads to."""
    proxy = Simproxy(OPEN)
    result = user.login(proxy.url, PASSWORD, session=True)
    equal(result.code, 0, f"{what}: login --session", result)
    works(user, proxy, f"{what}: and that works")
    proxy.stop()


# --- states ------------------------------------------------------------------------------

def no_bus():
    for name, what, address in (
            ("bus1", "no bus", None),
            ("bus2", "a bus that has gone", "unix:path=/nonexistent/bus"),
            ("bus3", "a bus's address that is none", "rubbish")):
        user, proxy = harness.User(name), Simproxy(OPEN)
        if address:
            user.variables["DBUS_SESSION_BUS_ADDRESS"] = address
        refused(user, proxy, what)
        equal(status(user, proxy), ("no-bus", None, None), f"{what}: status")
        advises(user.login(proxy.url, "sesame"), "no D-Bus session.*--session", what)
        with_session(user, what)
        proxy.stop()


def no_service():
    user, proxy = harness.User("service"), Simproxy(OPEN)
    bus = keyring.Bus(user)
    refused(user, proxy, "no service")
    equal(status(user, proxy), ("no-service", None, None), "no service: status")
    advises(user.login(proxy.url, "sesame"), "no keyring runs.*--session", "no service")
    result = user.ctl("logout", "--proxy", proxy.url)
    check(result.code == 0 and "Nothing" in result.out, "no service: nothing to log out", result)
    with_session(user, "no service")
    harness.stop(bus.process)
    refused(user, proxy, "the bus has ended")
    with_session(user, "the bus has ended")
    proxy.stop()


def absent(store, proxy):
    user = store.user
    refused(user, proxy, "no entry")
    equal(status(user, proxy), ("available", None, None), "no entry: status")
    check("run 'gatepassctl login'" in user.ctl("status", env=user.env(
        GATEPASS_PROXY=proxy.url)).out, "no entry: status says what to do")


def locked(store):
    user, proxy = store.user, Simproxy(OPEN)
    equal(user.login(proxy.url, PASSWORD).code, 0, "login")
    store.lock()
    pid = user.agent_pid()
    equal(status(user, proxy), ("locked", None, None), "locked: status")
    refused(user, proxy, "locked")
    refused(user, proxy, "locked, again")
    equal(status(user, proxy), ("locked", None, None), "locked, after a try: status")
    for command in ("login", "logout"):
        more = ["--user", "alice", "--password-stdin"] if command == "login" else []
        advises(user.ctl(command, "--proxy", proxy.url, *more, input="sesame\n"),
                "keyring is locked.*--session", f"locked: {command}")
    with_session(user, "locked")
    store.unlock()
    works(user, proxy, "unlocked: the next program works")
    equal((status(user, proxy), user.agent_pid()), (("available", "keyring", "alice"), pid),
          "with the same agent")
    proxy.stop()


def blank():
    """A keyring with a blank password asks nobody: it unlocks where nobody can be asked."""
    user, proxy = harness.User("blank"), Simproxy(OPEN)
    files = user.home / ".local/share/keyrings"
    files.mkdir(parents=True)
    (files / "blank.keyring").write_text("[keyring]\ndisplay-name=Blank\nctime=0\nmtime=0\n"
                                         "lock-on-idle=false\nlock-after=false\n")
    (files / "default").write_text("blank")
    store = Keyring(user)
    store.collection = f"{ROOT}/collection/blank"
    store.lock()
    equal(user.login(proxy.url, PASSWORD).code, 0, "blank password: login unlocks it")
    store.lock()
    equal(status(user, proxy), ("locked", None, None), "blank password: status unlocks nothing")
    works(user, proxy, "blank password: a program unlocks it")
    store.lock()
    result = user.ctl("logout", "--proxy", proxy.url)
    check(result.code == 0 and "Removed 1" in result.out, "blank password: logout too", result)
    proxy.stop()


def dismissed():
    """A screen, but nobody who answers: the question is put once, for everybody."""
    user, proxy = harness.User("dismissed"), Simproxy(OPEN)
    store = Keyring(user)
    equal(user.login(proxy.url, PASSWORD).code, 0, "login")
    user.ctl("agent", "stop")
    user.variables["DISPLAY"] = ":4711"  # the agent's environment is that of who starts it
    store.lock()
    prompts = Prompts(user)
    programs = [start_program(user, proxy) for _ in range(TOGETHER)]
    ends = [end_program(program) for program in programs]
    equal([name for name, _ in ends], ["EACCES"] * TOGETHER,
          f"dismissed: {TOGETHER} programs are refused")
    check(all(0 <= seconds < SOON for _, seconds in ends), "dismissed: soon", ends)
    refused(user, proxy, "dismissed: a later program")
    equal(wait_until(prompts.count, 2), 1, "dismissed: one question for all of them")
    equal(status(user, proxy), ("dismissed", None, None), "dismissed: status")
    advises(user.login(proxy.url, "sesame"), "not unlocked.*--session", "dismissed: login")
    equal(wait_until(lambda: prompts.count() == 2 and 2, 2), 2,
          "dismissed: a person who logs in is asked again")
    store.unlock()
    works(user, proxy, "dismissed, then unlocked: the next program works")
    proxy.stop()


def stopped(store):
    user, proxy = store.user, Simproxy(OPEN)
    equal(user.login(proxy.url, PASSWORD).code, 0, "login")
    # A change, so that the password is not in the agent's memory.
    store.lock()
    store.unlock()
    pid = user.agent_pid()
    store.process.send_signal(signal.SIGSTOP)
    try:
        program = start_program(user, proxy)
        equal(status(user, proxy)[0], "error", "a stopped daemon: status")
        name, seconds = end_program(program)
    finally:
        store.process.send_signal(signal.SIGCONT)
    check(name == "EACCES" and seconds < SOON, "a stopped daemon: the program is refused soon",
          f"{name} after {seconds} s")
    works(user, proxy, "it continues: the next program works")
    equal(user.agent_pid(), pid, "with the same agent")
    proxy.stop()


def killed(store):
    user, proxy = store.user, Simproxy(OPEN)
    equal(user.login(proxy.url, PASSWORD).code, 0, "login")
    works(user, proxy, "the password is in use")
    pid = user.agent_pid()
    store.process.kill()
    store.process.wait()
    check(wait_until(lambda: status(user, proxy)[0] == "no-service"), "a killed daemon: status",
          lambda: status(user, proxy))
    refused(user, proxy, "a killed daemon")
    store.restart()
    works(user, proxy, "it is started again: the next program works")
    equal((status(user, proxy), user.agent_pid()), (("available", "keyring", "alice"), pid),
          "with the same agent")
    proxy.stop()


# --- entries -----------------------------------------------------------------------------

def attributes(store, proxy):
    """What login writes is what others read."""
    user = store.user
    equal(user.login(proxy.url, PASSWORD).code, 0, "login")
    result = store.tool("search", "--all", "port", str(proxy.port))
    got = dict(re.findall(r"^(?:attribute\.)?(\S+) = (.*)$", result.out + result.err, re.M))
    wanted = {"protocol": "http-proxy", "server": "127.0.0.1", "port": str(proxy.port),
              "user": "alice", "schema": "org.gnome.keyring.NetworkPassword",
              "label": f"Proxy 127.0.0.1:{proxy.port}", "secret": PASSWORD}
    equal({key: value for key, value in got.items() if key not in ("created", "modified")},
          wanted, "the entry that login writes", result)
    # git erases an entry of that protocol when a server says 407.
    other = run(["secret-tool", "search", "--all", "protocol", "http"], user.env())
    equal(other.out, "", "there is none of protocol http", other)
    equal(user.login(proxy.url, PASSWORD).code, 0, "login again")
    equal(store.tool("search", "--all", "port", str(proxy.port)).out.count("label = "), 1,
          "replaces it")
    works(user, proxy, "and a program works")


def by_hand(store):
    """Entries that a person made with secret-tool."""
    for name, make, secret in (
            ("a newline behind the password", lambda port: ["server", "127.0.0.1", "port", port],
             PASSWORD + "\n"),
            ("no port", lambda port: ["server", "127.0.0.1"], PASSWORD),
            ("server=default", lambda port: ["server", "default"], PASSWORD)):
        proxy = Simproxy(OPEN)
        refused(store.user, proxy, f"before the entry with {name}")
        entry = [*make(str(proxy.port)), "user", "alice"]
        equal(store.tool("store", *entry, secret=secret).code, 0, f"an entry with {name}")
        works(store.user, proxy, f"an entry with {name}")
        equal(store.tool("clear", *entry).code, 0, f"it is removed: {name}")
        # By a signal on the bus, which a program can be faster than.
        check(wait_until(lambda: status(store.user, proxy)[1] is None),
              f"the agent hears of it: {name}")
        refused(store.user, proxy, f"after the entry with {name}")
        proxy.stop()


def another_port(store):
    proxy = Simproxy(OPEN)
    entry = ["server", "127.0.0.1", "port", str(proxy.port % 65535 + 1), "user", "alice"]
    store.tool("store", *entry, secret=PASSWORD)
    refused(store.user, proxy, "an entry for another port of that server")
    store.tool("clear", *entry)
    proxy.stop()


def changes(store):
    """A changed entry counts at once, although the agent remembers what worked before."""
    other = base64.b64encode(b"alice:through").decode()
    proxy = Simproxy(f"conn\nauth {BASE64}\nsend {OK}\nfinish\n"
                     f"conn\nauth {other}\nsend {OK}\nfinish\nrepeat\n")
    entry = ["server", "127.0.0.1", "port", str(proxy.port), "user", "alice"]
    equal(store.tool("store", *entry, secret=PASSWORD).code, 0, "a password, by secret-tool")
    works(store.user, proxy, "it works")
    equal(store.tool("store", *entry, secret="through").code, 0, "another one, by secret-tool")
    time.sleep(0.2 * PATIENCE)  # the bus tells the agent
    works(store.user, proxy, "the changed one works")
    equal((len(proxy.told("challenged")), simproxy.offered(log(proxy))), (1, 2),
          "and the old one was not tried again", proxy.events)
    result = store.user.ctl("logout", "--proxy", proxy.url)
    check(result.code == 0 and "Removed 1" in result.out, "logout removes it", result)
    equal(store.tool("search", "--all", *entry).out, "", "from the keyring")
    refused(store.user, proxy, "after logout")
    proxy.stop()


def two_users(store):
    """The newest entry counts, unless the configuration names the user."""
    user = store.user
    for newest in ("alice", "bob"):
        proxy = Simproxy(OPEN)  # alice's
        for one in sorted(("alice", "bob"), key=lambda name: name == newest):
            secret = PASSWORD if one == "alice" else "wrong"
            if one == newest:
                time.sleep(1.1)  # entries are dated in seconds
            store.tool("store", "server", "127.0.0.1", "port", str(proxy.port), "user", one,
                       secret=secret)
        equal(status(user, proxy), ("available", "keyring", newest), f"{newest}'s is the newest")
        if newest == "alice":
            works(user, proxy, "the newest entry is used")
            equal(simproxy.offered(log(proxy)), 1, "and no other is tried", proxy.events)
            proxy.stop()
    config = user.home / "gatepass.conf"
    config.write_text(f"[proxy]\nurl = {proxy.url}\nuser = alice\n")
    equal(end_program(start([APPS / "connect_errno", ADDRESS, 443],
                            user.preload(GATEPASS_CONFIG=config), stdout=subprocess.PIPE,
                            text=True))[0], "OK", "[proxy] user chooses the older one")
    equal(simproxy.offered(log(proxy)), 1, "and no other is tried", proxy.events)
    proxy.stop()


def main():
    lacking = keyring.missing() or harness.needs("gdbus", "dbus-monitor")
    if lacking:
        harness.skip("the keyring", f"no {lacking}")
        return
    proxy = Simproxy(OPEN)
    bare = run(["curl", "-sS", f"http://{ADDRESS}:443/", "-p", "-x", proxy.url])
    check("407" in bare.err, "407 without us", bare)
    no_bus()
    no_service()
    store = Keyring(harness.User("alice"))
    absent(store, proxy)
    attributes(store, proxy)
    for part in (by_hand, another_port, changes, two_users, locked, stopped, killed):
        part(store)
    blank()
    dismissed()


harness.main(main)
