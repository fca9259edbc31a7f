# SPDX-License-Identifier: MIT
"""Real proxies that demand Basic, Digest, NTLM or Negotiate. Names below gatepass.test are known
to them only. Their access logs say which requests came with credentials, never which."""

import base64
import hashlib
import pwd
import re
import subprocess
import time

import harness

USER, PASSWORD = "alice", "wonderland"
DOMAIN = "PLAB"  # of NTLM; who leaves it out is in it
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


def _digest_file(directory, users, realm):
    """For Squid and Apache: what is hashed is user, realm and password."""
    path = directory / "users"
    lines = []
    for user, password in users.items():
        hashed = hashlib.md5(f"{user}:{realm}:{password}".encode()).hexdigest()
        lines.append(f"{user}:{realm}:{hashed}\n")
    path.write_text("".join(lines))
    path.chmod(0o644)
    return path


class Proxy:
    """A running proxy. Its log is read anew at each question; servers write a CONNECT's line
    when the tunnel ends, so ask with settled() for what must have come."""

    name = "proxy"
    keeps = True  # a client's connection for its next request
    legs = 0  # of a handshake with a connection, before the last: each costs a 407

    def __init__(self, process, port, log):
        self.process, self.port, self.log = process, port, log
        self.host = "127.0.0.1"
        self.env = None
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
        """Log lines of that status, of that method or of any (None); with `sent`, of requests
        with (without) credentials."""
        return sum(1 for line in self.lines() if method in (None, line[0]) and
                   line[1] == status and sent in (None, line[2]))

    def failed_logons(self):
        """Requests that were refused for their credentials."""
        return self.count(407, None, sent=True)

    def settled(self, status, count, method="CONNECT"):
        """Waits until the log has so many lines of that status; returns how many it has."""
        harness.wait_until(lambda: self.count(status, method) >= count, 5)
        return self.count(status, method)


class Squid(Proxy):
    name = "squid"

    def failed_logons(self):
        """Of Digest it logs what it says to them, and a nonce can be too old for the right ones."""
        lines = re.findall(r"^gp \S+ \d+ .*", self.log.read_text(errors="replace"), re.M)
        return sum(1 for line in lines[self._skipped:]
                   if " 407 sent" in line and "stale=true" not in line)


class Apache(Proxy):
    name = "apache"


class Tinyproxy(Proxy):
    name = "tinyproxy"
    keeps = False

    def parse(self, text):
        return _tinyproxy_lines(text)


def squid_basic(users=None, extra=""):
    directory = _directory("squid", "proxy")
    passwords = _password_file(directory, users or {USER: PASSWORD})
    return _squid(directory, f"""\
auth_param basic program /usr/lib/squid/basic_ncsa_auth {passwords}
auth_param basic children 2 startup=1
auth_param basic realm squid
{extra}""")


def squid_digest(users=None, settings=(), basic=False):
    """`settings` are lines behind "auth_param digest". With `basic` it offers that as well."""
    directory = _directory("squid", "proxy")
    users = users or {USER: PASSWORD}
    passwords = _digest_file(directory, users, "squid digest")
    lines = [f"program /usr/lib/squid/digest_file_auth -c {passwords}",
             "children 2 startup=1", "realm squid digest", *settings]
    extra = "".join(f"auth_param digest {line}\n" for line in lines)
    if basic:
        extra = (f"auth_param basic program /usr/lib/squid/basic_ncsa_auth "
                 f"{_password_file(_directory('basic', 'proxy'), users)}\n"
                 f"auth_param basic realm squid\n{extra}")
    return _squid(directory, extra)


def _ntlm_auth(protocol, password):
    """The command of Samba's verifier. As it is told the password, it needs neither a domain nor
    a daemon; it takes any user and domain with that password."""
    directory = _directory("samba", "proxy")
    places = "".join(f"{name} directory = {directory}\n" for name in
                     ("private", "state", "cache", "lock", "pid"))
    config = directory / "smb.conf"
    config.write_text(f"""\
[global]
workgroup = {DOMAIN}
netbios name = {DOMAIN}SRV
security = user
log file = {directory}/log
{places}""")
    config.chmod(0o644)
    return (f"{harness.find_program('ntlm_auth')} --configfile={config} "
            f"--helper-protocol={protocol} --username={USER} --password={password} "
            f"--domain={DOMAIN}")


def _ntlm_settings(protocol, password):
    # One serves a connection from its first message to its last.
    return [f"program {_ntlm_auth(protocol, password)}", "children 32 startup=2 idle=2"]


def squid_kerberos(kdc, users=None, ntlm=False):
    """For whoever has a ticket of the KDC's realm. With `ntlm` it offers that beside it, with
    `users` Basic. A ticket is for the proxy's name, not its address."""
    directory = _directory("squid", "proxy")
    lines = [f"negotiate program /usr/lib/squid/negotiate_kerberos_auth -k {kdc.keytab} "
             f"-s GSS_C_NO_NAME -r", "negotiate children 2 startup=1"]
    if ntlm:
        lines += [f"ntlm {setting}" for setting in _ntlm_settings("squid-2.5-ntlmssp", PASSWORD)]
    if users:
        passwords = _password_file(directory, users)
        lines += [f"basic program /usr/lib/squid/basic_ncsa_auth {passwords}",
                  "basic children 2 startup=1", "basic realm squid"]
    squid = _squid(directory, "".join(f"auth_param {line}\n" for line in lines), kdc.acceptor)
    squid.host = "localhost"
    return squid


def squid_ntlm(offers=("NTLM",), keep_alive=True, password=PASSWORD):
    """It offers these of NTLM, Negotiate (which is NTLM here, bare or in SPNEGO) and Basic, in
    their order. Without `keep_alive` it closes a connection that it asks on for one of the first
    two, before their first message."""
    keeping = "" if keep_alive else "keep_alive off"
    protocols = {"NTLM": "squid-2.5-ntlmssp", "Negotiate": "gss-spnego"}
    lines = []
    for offer in offers:
        if offer == "Basic":
            passwords = _password_file(_directory("basic", "proxy"), {USER: password})
            settings = [f"program /usr/lib/squid/basic_ncsa_auth {passwords}",
                        "children 2 startup=1", "realm squid"]
        else:
            settings = [*_ntlm_settings(protocols[offer], password), keeping]
        lines += [f"auth_param {offer.lower()} {setting}\n" for setting in settings if setting]
    squid = _squid(_directory("squid", "proxy"), "".join(lines))
    squid.legs = int(set(offers) != {"Basic"})
    return squid


def _squid(directory, authentication, env=None):
    """`env` is for its helpers too."""
    log = directory / "access.log"
    hosts = _hosts(directory)

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
logformat sent gp %rm %>Hs sent %{{Proxy-Authenticate}}<h
logformat bare gp %rm %>Hs -
access_log stdio:{log} logformat=sent sent
access_log stdio:{log} logformat=bare !sent
buffered_logs off
cache deny all
cache_mem 0
# Squid 5.7 reads no octet into a full buffer, and takes that for the end of the client: of
# uploads of 100 MiB it cuts one in ten short, whoever sends them.
client_request_buffer_max_size 16 MB
memory_pools off
hosts_file {hosts}
dns_nameservers 127.0.0.1
dns_timeout 1 second
max_filedescriptors 2048
shutdown_lifetime 0 seconds
pinger_enable off
netdb_filename none
{authentication}
acl auth proxy_auth REQUIRED
http_access deny !auth
http_access allow all
""")
        # Two Squids on one machine share memory segments unless their names differ.
        return [harness.find_program("squid"), "-n", f"gp{port}", "-N", "-f", config]

    process, port = harness.start_server(argv, env, cwd=directory)
    squid = Squid(process, port, log)
    squid.env = env
    return squid


def squid_debian(*ports):
    """With the rule of Debian's configuration: tunnels go to TLS's ports alone, which these are
    for it."""
    squid = squid_basic(extra=f"""\
acl SSL_ports port 443 {' '.join(map(str, ports))}
http_access deny CONNECT !SSL_ports
""")
    squid.name = "Debian's squid"
    return squid


def _with_hosts(directory):
    """The environment for a server that uses the system's resolver."""
    return harness.clean_env() | {"LD_PRELOAD": "libnss_wrapper.so",
                                  "NSS_WRAPPER_HOSTS": str(_hosts(directory))}


def apache_basic(users=None):
    directory = _directory("apache", "www-data")
    passwords = _password_file(directory, users or {USER: PASSWORD})
    return _apache(directory, "auth_basic", f"""\
AuthType Basic
AuthName "apache"
AuthBasicProvider file
AuthUserFile {passwords}""")


def apache_digest(users=None, settings=()):
    directory = _directory("apache", "www-data")
    passwords = _digest_file(directory, users or {USER: PASSWORD}, "apache digest")
    more = "\n".join(settings)
    return _apache(directory, "auth_digest", f"""\
AuthType Digest
AuthName "apache digest"
AuthDigestProvider file
AuthUserFile {passwords}
{more}""")


def _apache(directory, module, authentication):
    log = directory / "access.log"
    modules = (f"mpm_event authn_core authn_file authz_core authz_user {module} setenvif "
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
{authentication}
Require valid-user
</Proxy>
""")
        return [harness.find_program("apache2"), "-f", config, "-DFOREGROUND"]

    env = _with_hosts(directory)
    process, port = harness.start_server(argv, env, cwd=directory)
    proxy = Apache(process, port, log)
    proxy.env = env
    return proxy


def restart(proxy):
    """The same server at the same port, which has forgotten what it knew of its clients."""
    argv, env = proxy.process.args, proxy.env
    harness.stop(proxy.process)
    process = harness.start(argv, env, cwd=proxy.log.parent)
    if not harness.wait_until(lambda: harness.answers(proxy.port), 20):
        raise RuntimeError(f"{proxy.name} does not start again")
    again = type(proxy)(process, proxy.port, proxy.log)
    again.env = env
    again.forget()
    return again


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
