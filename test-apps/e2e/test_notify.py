#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The person at the desktop is told why programs do not get through: once, by a notification."""

import re
import time

import harness
import keyring
import origin
import proxies
from harness import PATIENCE, check, equal, run, start, wait_until
from proxies import PASSWORD
from trial import connect_together, end_connecting, start_connecting

TOGETHER = 20
DBUSMOCK = ["/usr/bin/python3", "-m", "dbusmock"]


class Notifications:
    """A notification service on the user's bus, which shows nothing and notes everything."""

    def __init__(self, user):
        self.path = harness.DIRECTORY / f"{user.name}.notifications"
        with open(self.path, "wb") as out:
            self.process = start([*DBUSMOCK, "--session", "-t", "notification_daemon"],
                                 user.env(), stdout=out, stderr=out)
        has_name = ["gdbus", "call", "--session", "--dest", "org.freedesktop.DBus",
                    "--object-path", "/", "--method", "org.freedesktop.DBus.NameHasOwner",
                    "org.freedesktop.Notifications"]
        if not wait_until(lambda: "true" in run(has_name, user.env()).out, step=0.1):
            raise RuntimeError(f"dbusmock does not start: {self.path.read_text()}")

    def all(self):
        """[(replaces, text)]"""
        return re.findall(r'Notify "gatepass" (\d+) "dialog-password" ".*?" "(.*)" \[',
                          self.path.read_text())

    def count(self):
        return len(self.all())


def refused(user, squid, port, what):
    equal(connect_together(user, squid, port, TOGETHER), ["EACCES"] * TOGETHER,
          f"{what}: all are refused")


def works(user, squid, port, what):
    equal(end_connecting(start_connecting(user, squid, port)), "OK", what)


def told(notices, count, pattern, what):
    wait_until(lambda: notices.count() >= count)
    time.sleep(0.3)  # for one too many
    every = notices.all()
    check(len(every) == count and re.search(pattern, every[-1][1]) and
          not re.search(f"alice|wrong|{PASSWORD}", str(every)), what, every)


def desktop(squid, port):
    user = harness.User("desktop")
    keyring.Bus(user)
    notices = Notifications(user)
    refused(user, squid, port, "nothing stored")
    told(notices, 1, rf"^{squid.url} asks for a password.*gatepassctl login",
         "nothing stored: told once")
    user.login(squid.url, "wrong", session=True)
    refused(user, squid, port, "a wrong password")
    told(notices, 2, "rejects the password.*gatepassctl login", "a wrong password: told once")
    equal(notices.all()[1][0], "1", "it replaces the one before", notices.all())
    refused(user, squid, port, "again")
    told(notices, 2, "rejects", "again: not told again")
    user.login(squid.url, "wrong too", session=True)
    refused(user, squid, port, "another wrong password")
    told(notices, 3, "rejects", "another wrong password: told once")
    user.login(squid.url, PASSWORD, session=True)
    works(user, squid, port, "the right password")
    told(notices, 3, "rejects", "the right password: nothing to tell")
    user.ctl("logout", "--proxy", squid.url)
    refused(user, squid, port, "logged out")
    told(notices, 4, "asks for a password", "logged out: told once")


def behind_its_back(squid, port):
    """The keyring's password is replaced by another wrong one."""
    user = harness.User("keyring")
    store = keyring.Keyring(user)
    notices = Notifications(user)
    for count, password in enumerate(("wrong", "wrong too"), 1):
        store.store(squid, "alice", password)
        time.sleep(0.2 * PATIENCE)  # the bus tells the agent
        refused(user, squid, port, f"keyring: {password}")
        told(notices, count, "rejects", f"keyring: {password}: told once")


def turned_off(squid, port):
    user = harness.User("off")
    user.configure("[agent]\nnotifications = no\n")
    keyring.Bus(user)
    notices = Notifications(user)
    refused(user, squid, port, "notifications = no")
    time.sleep(0.5)
    equal(notices.all(), [], "notifications = no: nothing is told")


def nobody_there(squid, port):
    """A bus without such a service, one that stops answering, none: programs do not notice."""
    user = harness.User("bus")
    keyring.Bus(user)
    refused(user, squid, port, "no service")
    works_after_login(user, squid, port, "no service")
    user = harness.User("stopped")
    keyring.Bus(user)
    notices = Notifications(user)
    notices.process.send_signal(harness.signal.SIGSTOP)
    refused(user, squid, port, "a service that hangs")
    works_after_login(user, squid, port, "a service that hangs")
    notices.process.send_signal(harness.signal.SIGCONT)
    user = harness.User("dead")
    bus = keyring.Bus(user)
    notices = Notifications(user)
    refused(user, squid, port, "before the bus ends")
    pid = user.agent_pid()
    harness.stop(bus.process)
    user.login(squid.url, "wrong", session=True)
    refused(user, squid, port, "the bus has ended")
    works_after_login(user, squid, port, "the bus has ended")
    equal(user.agent_pid(), pid, "the agent lives on")


def works_after_login(user, squid, port, what):
    user.login(squid.url, PASSWORD, session=True)
    works(user, squid, port, f"{what}: login, and programs work")


def main():
    lacking = harness.needs("squid", "ncat", "gdbus") or keyring.missing()
    if lacking or run([*DBUSMOCK, "--help"]).code:
        harness.skip("notifications", f"no {lacking or 'python3-dbusmock'}")
        return
    squid, port = proxies.squid_basic(), origin.echo_server()
    bare = run(["ncat", "--proxy", f"127.0.0.1:{squid.port}", "--proxy-type", "http",
                proxies.ORIGIN, port])
    check("407" in bare.err, "407 without us", bare)
    for part in (desktop, behind_its_back, turned_off, nobody_there):
        part(squid, port)


harness.main(main)
