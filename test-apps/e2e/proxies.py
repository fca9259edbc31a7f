# SPDX-License-Identifier: MIT
"""Real proxies that demand Basic, and the scripted one. Names below gatepass.test are known
to them only. Their access logs say which requests came with credentials, never which."""

import base64
import pwd
import re
import subprocess
import time

import harness

USER, PASSWORD = "alice", "wonderland"
ORIGIN = "origin.gatepass.test"


def basic(user=USER, password=PASSWORD):
    """The credentials of a Basic header."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _directory(name, owner=None):
    """A directory for a server, which may give up root and be `owner` then."""
    path = harness.DIRECTORY / name
    count = 1
    while path.exists():
        count += 1
        path = harness.DIRECTORY / f"{name}{count}"
    path.mkdir(mode=0o755)
    if owner and harness.AS_ROOT:
        account = pwd.getpwnam(owner)
        harness.os.chown(path, account.pw_uid, account.pw_gid)
    return path


def _hosts(directory):
    path = directory / "hosts"
    # In one line: for each line nss_wrapper has an address to listen at, the same one.
    path.write_text(f"127.0.0.1 localhost {ORIGIN} other.gatepass.test\n")
    path.chmod(0o644)
    return path


def _password_file(directory, users):
    path = directory / "users"
    lines = []
    for user, password in users.items():
        hashed = subprocess.run(["openssl", "passwd", "-apr1", "-stdin"], input=password,
                                capture_output=True, text=True, check=True).stdout
        lines.append(f"{user}:{hashed}")
    path.write_text("".join(lines))
    path.chmod(0o644)
    return path


class Proxy:
    """A running proxy. Its log is read anew at each question; servers write a CONNECT's line
    when the tunnel ends, so ask with settled() for what must have come."""

    name = "proxy"

    def __init__(self, process, port, log):
        self.process, self.port, self.log = process, port, log
        self.host = "127.0.0.1"
        self._skipped = 0

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def lines(self):
        """[(method, status, credentials sent?)] since the last forget()."""
        try:
            text = self.log.read_text(errors="replace")
        except OSError:
            return []
        return self.parse(text)[self._skipped:]

    def parse(self, text):
        return [(method, int(status), sent == "sent") for method, status, sent in
                re.findall(r"^gp (\S+) (\d+) (sent|-)", text, re.M)]

    def forget(self):
        """Counts from here on, once the log has been quiet for a moment: what came before
        may still be on its way into it."""
        size, quiet = -1, 0
        while quiet < 3:
            before, size = size, self.log.stat().st_size if self.log.exists() else 0
            quiet = quiet + 1 if size == before else 0
            time.sleep(0.03)
        self._skipped += len(self.lines())

    def count(self, status, method="CONNECT", sent=None):
        """Log lines of that status; with `sent`, of requests with (without) credentials."""
        return sum(1 for line in self.lines() if line[0] == method and line[1] == status
                   and sent in (None, line[2]))

    def settled(self, status, count, method="CONNECT"):
        """Waits until the log has so many lines of that status; returns how many it has."""
        harness.wait_until(lambda: self.count(status, method) >= count, 5)
        return self.count(status, method)


class Squid(Proxy):
    name = "squid"


class Apache(Proxy):
    name = "apache"


class Tinyproxy(Proxy):
    name = "tinyproxy"

    def parse(self, text):
        return _tinyproxy_lines(text)


def squid_basic(users=None, extra=""):
    directory = _directory("squid", "proxy")
    log = directory / "access.log"
    hosts = _hosts(directory)
    passwords = _password_file(directory, users or {USER: PASSWORD})

    def argv(port):
        config = directory / "squid.conf"
        config.write_text(f"""\
http_port 127.0.0.1:{port}
visible_hostname proxy.gatepass.test
{"cache_effective_user proxy" if harness.AS_ROOT else ""}
pid_filename {directory}/pid
coredump_dir {directory}
cache_log {directory}/cache.log
acl sent req_header Proxy-Authorization .
logformat sent gp %rm %>Hs sent
logformat bare gp %rm %>Hs -
access_log stdio:{log} logformat=sent sent
access_log stdio:{log} logformat=bare !sent
buffered_logs off
cache deny all
cache_mem 0
memory_pools off
hosts_file {hosts}
dns_nameservers 127.0.0.1
dns_timeout 1 second
max_filedescriptors 2048
shutdown_lifetime 0 seconds
pinger_enable off
netdb_filename none
auth_param basic program /usr/lib/squid/basic_ncsa_auth {passwords}
auth_param basic children 2 startup=1
auth_param basic realm squid
{extra}
acl auth proxy_auth REQUIRED
http_access deny !auth
http_access allow all
""")
        # Two Squids on one machine share memory segments unless their names differ.
        return [harness.find_program("squid"), "-n", f"gp{port}", "-N", "-f", config]

    process, port = harness.start_server(argv, cwd=directory)
    return Squid(process, port, log)


def _with_hosts(directory):
    """The environment for a server that uses the system's resolver."""
    return harness.clean_env() | {"LD_PRELOAD": "libnss_wrapper.so",
                                  "NSS_WRAPPER_HOSTS": str(_hosts(directory))}


def apache_basic(users=None):
    directory = _directory("apache", "www-data")
    log = directory / "access.log"
    passwords = _password_file(directory, users or {USER: PASSWORD})
    modules = ("mpm_event authn_core authn_file authz_core authz_user auth_basic setenvif "
               "proxy proxy_http proxy_connect").split()

    def argv(port):
        config = directory / "apache.conf"
        load = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
                         for name in modules)
        account = "User www-data\nGroup www-data" if harness.AS_ROOT else ""
        config.write_text(f"""\
{load}
{account}
ServerRoot {directory}
ServerName proxy.gatepass.test
Listen 127.0.0.1:{port}
PidFile {directory}/pid
Mutex file:{directory}
DefaultRuntimeDir {directory}
ErrorLog {directory}/error.log
StartServers 1
ThreadsPerChild 32
MaxRequestWorkers 64
SetEnvIf Proxy-Authorization . sent=sent
LogFormat "gp %m %>s %{{sent}}e" access
CustomLog {log} access
ProxyRequests On
AllowCONNECT 1-65535
<Proxy "*">
AuthType Basic
AuthName "apache"
AuthBasicProvider file
AuthUserFile {passwords}
Require valid-user
</Proxy>
""")
        return [harness.find_program("apache2"), "-f", config, "-DFOREGROUND"]

    process, port = harness.start_server(argv, _with_hosts(directory), cwd=directory)
    return Apache(process, port, log)


def _tinyproxy_lines(text):
    """tinyproxy logs no statuses, and not who sent credentials: a request that was not
    followed by a connection was answered with 407, or with 401 if the password was wrong."""
    lines = []
    for request, established in re.findall(
            r"Request \(file descriptor \d+\): (\S+) |(Established connection to host)", text):
        if request:
            lines.append((request, 407, None))
        elif established and lines:
            lines[-1] = (lines[-1][0], 200, True)
    return lines


def tinyproxy_basic(user=USER, password=PASSWORD):
    directory = _directory("tinyproxy", "nobody")
    log = directory / "log"

    def argv(port):
        config = directory / "tinyproxy.conf"
        account = "User nobody\nGroup nogroup" if harness.AS_ROOT else ""
        config.write_text(f"""\
{account}
Listen 127.0.0.1
Port {port}
Timeout 60
MaxClients 100
LogFile "{log}"
LogLevel Info
PidFile "{directory}/pid"
BasicAuth {user} {password}
""")
        return [harness.find_program("tinyproxy"), "-d", "-c", config]

    process, port = harness.start_server(argv, _with_hosts(directory), cwd=directory)
    return Tinyproxy(process, port, log)
