# SPDX-License-Identifier: MIT
"""Ordinary clients through one real proxy, with both stores: each is first shown failing with
407, told the proxy but not the password, and then working with the library."""

import harness
import origin
import proxies
from harness import APPS, check, equal, run
from keyring import Keyring, missing
from trial import Trial

_URLLIB = """
import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], timeout=30).read())
"""
_LWP = """
my $r = LWP::UserAgent->new(env_proxy => 1, timeout => 30)->get($ARGV[0]);
$r->is_success or die $r->status_line, "\\n";
print $r->content;
"""


def _web_clients(site):
    """{name: the beginning of a command that prints what is at a URL}"""
    return {
        "curl": ["curl", "-sS", "--fail", "--max-time", "30"],
        "wget": ["wget", "-nv", "-O-", "--tries=1", "--timeout=30",
                 f"--ca-certificate={site.authority.file}"],
        "python3 urllib": ["/usr/bin/python3", "-c", _URLLIB],
        "perl LWP": ["perl", "-MLWP::UserAgent", "-e", _LWP],
    }


class Matrix(Trial):
    def __init__(self, proxy):
        super().__init__(proxy)
        self.head = self.site.add_repository()
        self.echo_port = origin.echo_server()
        self.clones = 0

    def web(self, user, name, command, url):
        self.refused(user, name, [*command, url])
        self.works(user, name, [*command, url], origin.BODY)

    def _clone(self):
        self.clones += 1
        target = harness.DIRECTORY / f"clone{self.clones}"
        return ["git", "clone", "-q", f"{self.site.https}/repo.git", target], target

    def git(self, user, name):
        self.refused(user, name, self._clone()[0])
        argv, target = self._clone()
        result = run(argv, self.env(user))
        head = run(["git", "-C", target, "rev-parse", "HEAD"]).out.strip()
        check(result.code == 0 and head == self.head, f"{name}: works", result)

    def echo(self, user, name):
        self.refused(user, name, ["ncat", "--proxy", f"127.0.0.1:{self.proxy.port}",
                                  "--proxy-type", "http", proxies.ORIGIN, self.echo_port])
        text = "Curiouser and curiouser!"
        result = run([APPS / "echo_client", proxies.ORIGIN, self.echo_port, text],
                     self.env(user))
        check(result.code == 0 and result.out == text + "\n", f"{name}: works", result)

    def unknown_here(self):
        """Names that the system resolves would prove nothing about the proxy's."""
        result = run(["getent", "hosts", proxies.ORIGIN])
        check(result.code != 0, f"{proxies.ORIGIN} is unknown to this system", result)

    def later_tunnels(self, user, name):
        """What the proxy's log says of tunnels after the first."""
        self.proxy.forget()
        for _ in range(3):
            run([APPS / "echo_client", proxies.ORIGIN, self.echo_port, "x"], self.env(user))
        equal(self.proxy.settled(200, 3), 3, f"{name}: three tunnels more", self.proxy.lines)
        equal(self.proxy.count(407), 0, f"{name}: later tunnels cost no 407",
              self.proxy.lines)

    def through(self, user, store):
        result = user.login(self.proxy.url, proxies.PASSWORD, session=store == "session")
        equal(result.code, 0, f"{store}: gatepassctl login", result)
        for client, command in _web_clients(self.site).items():
            for url in (self.site.http, self.site.https):
                scheme = url.partition(":")[0]
                self.web(user, f"{store}, {client}, {scheme}", command, f"{url}/page")
        self.git(user, f"{store}, git, https")
        self.echo(user, f"{store}, raw TCP")
        self.later_tunnels(user, store)

    def run(self):
        self.unknown_here()
        self.through(harness.User("session"), "session")
        lacking = missing()
        if lacking:
            harness.skip(f"{self.proxy.name} with the keyring", f"no {lacking}")
            return
        user = harness.User("keyring")
        Keyring(user)
        self.through(user, "keyring")


def run_matrix(make_proxy, *programs):
    """The whole test of one proxy; `programs` are what it takes to run it."""
    lacking = harness.needs(*programs, "curl", "wget", "git", "perl", "ncat", "openssl")
    if lacking:
        harness.skip("everything", f"no {lacking}")
        return
    Matrix(make_proxy()).run()
