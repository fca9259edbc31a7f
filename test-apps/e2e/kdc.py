# SPDX-License-Identifier: MIT
"""A Kerberos realm that lives for one run: an MIT KDC with a database of its own, its users, and
the keytab of the proxies in it.

    kdc = Kdc()
    alice.variables.update(kdc.client(alice))    # KRB5_CONFIG and KRB5CCNAME
    kdc.kinit(alice)                             # a ticket for the user's programs and agent
    proxy = proxies.squid_kerberos(kdc)          # which takes it; its name is localhost

A machine's own Kerberos is not touched."""

import functools
import pwd
import re
import subprocess

import harness

REALM = "GATEPASS.TEST"
USER, PASSWORD = "alice", "wonderland"
# What the proxies' keytab has keys for. localhost needs no resolver that knows it.
PROXIES = ("localhost", "proxy.gatepass.test")
# Moves a program's clock: a KDC's, to be out of step with its clients.
_SHIFT = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	int (*real)(struct timeval *, void *) = dlsym(RTLD_NEXT, "gettimeofday");
	int result = real(now, zone);
	now->tv_sec += atoi(getenv("SHIFT"));
	return result;
}
time_t time(time_t *out)
{
	struct timeval now;
	gettimeofday(&now, 0);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
"""


def missing():
    """The program without which there is no KDC here, or None."""
    return harness.needs("krb5kdc", "kadmin.local", "kdb5_util", "kinit")


class Kdc:
    def __init__(self, users=None):
        self.directory = harness.DIRECTORY / "kdc"
        self.directory.mkdir(mode=0o711)
        self.config = self.directory / "krb5.conf"
        self.keytab = self.directory / "http.keytab"
        self.log = self.directory / "log"
        self._env = harness.clean_env() | {
            "KRB5_CONFIG": str(self.config),
            "KRB5_KDC_PROFILE": str(self.directory / "kdc.conf")}
        self._create(users or {USER: PASSWORD})
        self.process, self.port = harness.start_server(self._argv, self._env,
                                                       cwd=self.directory)

    def _create(self, users):
        self._configure(0)
        self._run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        for user, password in users.items():
            self.add(user, password)
        for name in PROXIES:
            self.admin(f"addprinc -randkey HTTP/{name}")
            self.admin(f"ktadd -k {self.keytab} HTTP/{name}")
        # Squid's helpers are somebody else.
        self.keytab.chmod(0o644)

    def _argv(self, port):
        self._configure(port)
        return [harness.find_program("krb5kdc"), "-n", "-r", REALM, "-P", self.directory / "pid"]

    def _configure(self, port):
        # A brace must end its line: libkrb5 overlooks a realm in one line.
        self.config.write_text(f"""\
[libdefaults]
    default_realm = {REALM}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
[realms]
    {REALM} = {{
        kdc = 127.0.0.1:{port}
    }}
""")
        (self.directory / "kdc.conf").write_text(f"""\
[kdcdefaults]
    kdc_listen = 127.0.0.1:{port}
    kdc_tcp_listen = 127.0.0.1:{port}
[realms]
    {REALM} = {{
        database_name = {self.directory}/principal
        key_stash_file = {self.directory}/stash
        acl_file = {self.directory}/acl
        max_life = 10h
        max_renewable_life = 1d
    }}
[logging]
    kdc = FILE:{self.log}
""")

    def _run(self, name, *args):
        subprocess.run([harness.find_program(name), *args], env=self._env, check=True,
                       capture_output=True, cwd=self.directory)

    def admin(self, command):
        """One of kadmin's commands."""
        self._run("kadmin.local", "-r", REALM, "-q", command)

    def add(self, user, password):
        self.admin(f"addprinc +requires_preauth -pw {password} {user}")

    def stop(self):
        harness.stop(self.process)

    def restart(self, shift=0):
        """Again at its port, with its clock `shift` seconds ahead."""
        self.stop()
        env = self._env
        if shift:
            env = env | {"SHIFT": str(shift), "LD_PRELOAD": str(self._shift_library())}
        self.process = harness.start(self._argv(self.port), env, cwd=self.directory)
        if not harness.wait_until(lambda: harness.answers(self.port), 20):
            raise RuntimeError("krb5kdc does not start again")

    def _shift_library(self):
        path = self.directory / "shift.so"
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-x", "c", "-", "-o", path],
                       input=_SHIFT.encode(), check=True)
        return path

    def count(self, outcome, server="krbtgt"):
        """How often it said that (ISSUE, PREAUTH_FAILED, LOOKING_UP_SERVER) to a request for
        a ticket for the server."""
        return len(re.findall(rf"_REQ .*: {outcome}: .* for {server}/", self.log.read_text()))

    def client(self, user, ccache=None):
        """The variables of a user of the realm."""
        return {"KRB5_CONFIG": str(self.config),
                "KRB5CCNAME": str(ccache or f"FILE:{user.home}/ccache")}

    def config_with(self, setting):
        """KRB5_CONFIG with one more line in [libdefaults], which takes precedence."""
        path = self.directory / f"{setting.split()[0]}.conf"
        path.write_text(f"[libdefaults]\n    {setting}\n")
        return f"{path}:{self.config}"

    def kinit(self, user, principal=USER, password=PASSWORD, ccache=None, options=()):
        env = user.env(**self.client(user, ccache))
        return harness.run(["kinit", *options, principal], env, f"{password}\n")

    def kdestroy(self, user, ccache=None):
        return harness.run(["kdestroy", "-q"], user.env(**self.client(user, ccache)))

    @functools.cached_property
    def acceptor(self):
        """The environment of who accepts the realm's tickets, by `keytab`."""
        directory = harness.DIRECTORY / "replays"
        directory.mkdir(mode=0o755)
        if harness.AS_ROOT:
            account = pwd.getpwnam("proxy")
            harness.os.chown(directory, account.pw_uid, account.pw_gid)
        return harness.clean_env() | {"KRB5_CONFIG": str(self.config),
                                      "KRB5RCACHENAME": f"file2:{directory}/replays"}
