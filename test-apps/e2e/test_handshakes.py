#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tunnels through a Squid that shakes hands with each connection: by NTLM, which Samba verifies, by
the same under Negotiate's name, and by Kerberos; and by what is left when one of them fails."""

import harness
import kdc
import origin
import proxies
from harness import check, equal
from trial import TunnelTrial

TOGETHER = 50
MIXED = ("Negotiate", "NTLM", "Basic")


def used(trial):
    """The schemes by which the proxy has let the user through."""
    url = f"proxy={trial.proxy.url}\n"
    return trial.user.ask_agent(f"gatepass 1 status\n{url}")[1].get("accepted", [])


def ntlm(site, head):
    for name, offers, keep_alive, wanted in [
            ("ntlm", ("NTLM",), True, "ntlm"),
            ("closing", ("NTLM",), False, "ntlm"),
            ("spnego", ("Negotiate",), True, "negotiate-ntlm"),
            ("mixed", MIXED, True, "ntlm"),
            ("reversed", MIXED[::-1], True, "ntlm")]:
        trial = TunnelTrial(proxies.squid_ntlm(offers, keep_alive), site, name)
        trial.clients(head)
        trial.later()
        equal(used(trial), [wanted], f"{name}: by {wanted}")
        harness.stop(trial.proxy.process)


def right(site):
    """Programs at once that nobody has told of the proxy."""
    trial = TunnelTrial(proxies.squid_ntlm(), site, "right")
    trial.bare_echo()
    equal(trial.together(TOGETHER), TOGETHER, f"all of {TOGETHER} get through")
    harness.stop(trial.proxy.process)


def wrong(site):
    """One failed logon for each scheme, and none in clear text."""
    for name, offers, logons in [("wrong", ("NTLM",), 1), ("wrong-mixed", MIXED, 1),
                                 ("wrong-spnego", ("Negotiate",), 1)]:
        trial = TunnelTrial(proxies.squid_ntlm(offers), site, name)
        login = trial.user.login(trial.proxy.url, "looking-glass", session=True)
        check(login.code == 0, f"{name}: a wrong password", login)
        trial.bare_echo()
        trial.proxy.forget()
        equal(trial.together(TOGETHER), 0, f"{name}: none of {TOGETHER} gets through")
        # First and last leg of one handshake.
        equal(trial.proxy.count(407, sent=True), 2 * logons, f"{name}: {logons} failed logon",
              trial.proxy.lines)
        trial.user.login(trial.proxy.url, proxies.PASSWORD, session=True)
        trial.works(trial.user, f"{name}: corrected", trial.echo_argv(), b"hello\n")
        harness.stop(trial.proxy.process)


def java(site):
    """Which begins again and again when a connection cannot be made."""
    trial = TunnelTrial(proxies.squid_ntlm(), site, "java", "looking-glass")
    trial.bare_echo()
    trial.proxy.forget()
    trial.fails(trial.user, "java, with a wrong password",
                ["java", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1",
                 harness.ROOT / "test-apps/apps/Fetch.java", site.authority.file,
                 *[f"{site.https}/page"] * 4])
    equal(trial.proxy.count(407, None, sent=True), 2, "java: one failed logon, whatever it tries",
          trial.proxy.lines)
    harness.stop(trial.proxy.process)


def domains(site):
    for name, user in (("domain", f"{proxies.DOMAIN}\\{proxies.USER}"),
                       ("realm", f"{proxies.USER}@plab.example")):
        trial = TunnelTrial(proxies.squid_ntlm(), site, name)
        login = trial.user.login(trial.proxy.url, proxies.PASSWORD, user=user, session=True)
        check(login.code == 0, f"{user}: gatepassctl login", login)
        trial.echo()
        harness.stop(trial.proxy.process)


class TicketTrial(TunnelTrial):
    """For a user who has not logged in, but may have a ticket."""

    def __init__(self, realm, site, user, **options):
        proxy = proxies.squid_kerberos(realm, **options)
        super().__init__(proxy, site, user, password=None)
        self.user.variables.update(realm.client(self.user))


def kerberos(site, head):
    realm = kdc.Kdc()
    trial = TicketTrial(realm, site, "ticket")
    trial.bare_echo()
    trial.fails(trial.user, "no ticket", trial.echo_argv())
    realm.kinit(trial.user)
    trial.works(trial.user, "a ticket that came later", trial.echo_argv(), b"hello\n")
    trial.clients(head)
    trial.later()
    equal(used(trial), ["negotiate"], "by negotiate")
    equal(trial.together(TOGETHER), TOGETHER, f"all of {TOGETHER} get through by tickets")
    realm.kdestroy(trial.user)
    trial.fails(trial.user, "the ticket has gone", trial.echo_argv())
    harness.stop(trial.proxy.process)
    fallen_back(realm, site)
    by_password(realm, site)
    realm.stop()


def fallen_back(realm, site):
    """With a ticket by Kerberos, without one by the password, as strongly as can be."""
    users = {proxies.USER: proxies.PASSWORD}
    for name, options, wanted in (("beside-basic", {"users": users}, "basic"),
                                  ("beside-ntlm", {"users": users, "ntlm": True}, "ntlm")):
        trial = TicketTrial(realm, site, name, **options)
        login = trial.user.login(trial.proxy.url, proxies.PASSWORD, session=True)
        check(login.code == 0, f"{name}: gatepassctl login", login)
        trial.echo()
        equal(used(trial), [wanted], f"{name}, no ticket: by {wanted}")
        realm.kinit(trial.user)
        trial.works(trial.user, f"{name}, with a ticket", trial.echo_argv(), b"hello\n")
        equal(sorted(used(trial)), sorted([wanted, "negotiate"]), f"{name}, a ticket: by negotiate")
        realm.kdestroy(trial.user)
        harness.stop(trial.proxy.process)


def by_password(realm, site):
    """A ticket is got with the stored password where the user allows it."""
    trial = TicketTrial(realm, site, "kinit")
    trial.user.login(trial.proxy.url, kdc.PASSWORD, user=kdc.USER, session=True)
    trial.bare_echo()
    trial.fails(trial.user, "a password that is not to be used", trial.echo_argv())
    trial.user.configure("[proxy]\nkerberos_password = yes\n")
    realm_before = realm.count("ISSUE", "krbtgt")
    equal(trial.together(TOGETHER), TOGETHER, f"all of {TOGETHER} get through by a password")
    equal(realm.count("ISSUE", "krbtgt") - realm_before, 1, "which got one ticket")
    failures = realm.count("PREAUTH_FAILED", "krbtgt")
    trial.user.login(trial.proxy.url, "looking-glass", user=kdc.USER, session=True)
    equal(trial.together(TOGETHER), 0, f"none of {TOGETHER} gets through by a wrong one")
    equal(realm.count("PREAUTH_FAILED", "krbtgt") - failures, 1, "which cost one failed logon")
    harness.stop(trial.proxy.process)


def main():
    lacking = (harness.needs("squid", "ntlm_auth", "curl", "wget", "git", "ncat", "node",
                             "java", "openssl") or
               kdc.missing())
    if lacking:
        harness.skip("everything", f"no {lacking}")
        return
    site = origin.Site()
    head = site.add_repository()
    ntlm(site, head)
    domains(site)
    right(site)
    wrong(site)
    java(site)
    kerberos(site, head)


harness.main(main)
