# SPDX-License-Identifier: MIT
"""A proxy that wants Digest in whatever way it is told to, and looks at everything that RFC 7616
says of an authorization. All names are the loopback's to it."""

import contextlib
import hashlib
import http.client
import re
import select
import socket
import socketserver
import threading
import time
import urllib.parse

import harness
from origin import serve
from proxies import PASSWORD, USER, Proxy

REALM, OPAQUE = 'a "real" realm', "o\\p/aq=ue"
HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
QUOTED = {"username", "realm", "nonce", "uri", "response", "cnonce", "opaque"}
PLAIN = {"algorithm", "qop", "nc", "userhash"}
_FIELD = re.compile(r'([A-Za-z*]+)=(?:"((?:[^"\\]|\\.)*)"|([^",\s]+))(?:, |$)')


def can_hash(algorithm):
    try:
        hashlib.new(HASHES[algorithm.removesuffix("-sess")])
    except ValueError:
        return False
    return True


def quote(text):
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


class Refusal(Exception):
    """Why a request is not let through. `wrong` is a failed logon, `stale` the nonce's fault."""

    def __init__(self, wrong=False, stale=False):
        super().__init__()
        self.wrong, self.stale = wrong, stale


class Nonce:
    def __init__(self):
        self.born, self.last, self.seen, self.dead = time.monotonic(), 0, set(), False


class DigestProxy(Proxy):
    """`counts`: "rising" takes a count that is above the last, "next" the next one only. `says_stale`
    is whether it tells that a nonce is what it does not like. `problems` are what no client
    may do, `wrong` the failed logons."""

    name = "verifier"

    def __init__(self, algorithms=("MD5",), qop="auth", userhash=False, charset=None,
                 counts="rising", says_stale=True, lifetime=60, user=USER, password=PASSWORD):
        self.algorithms, self.qop, self.userhash, self.charset = algorithms, qop, userhash, charset
        self.counts, self.says_stale, self.lifetime = counts, says_stale, lifetime
        self.user, self.password = user, password
        self.problems, self.wrong = [], 0
        self.nonces, self.lock = {}, threading.Lock()
        server = _Server(("127.0.0.1", 0), _Handler)
        server.proxy = self
        port = serve(server)
        super().__init__(None, port, harness.DIRECTORY / f"digest{port}.log")

    def tell(self, method, status, sent):
        with self.lock, open(self.log, "a") as log:
            log.write(f"gp {method} {status} {'sent' if sent else '-'}\n")

    # --- challenges

    def challenges(self, stale):
        nonce = f"{len(self.nonces)}\"{time.monotonic_ns():x}"
        self.nonces[nonce] = Nonce()
        for algorithm in self.algorithms:
            fields = [f"realm={quote(REALM)}", f"nonce={quote(nonce)}", f"opaque={quote(OPAQUE)}"]
            fields += [f'qop="{self.qop}"'] if self.qop else []
            fields += [f"algorithm={algorithm}"] if algorithm else []
            fields += ["userhash=true"] if self.userhash else []
            fields += [f"charset={self.charset}"] if self.charset else []
            fields += ["stale=true"] if stale and self.says_stale else []
            yield f"Digest {', '.join(fields)}"

    # --- authorizations

    def must(self, condition, *what):
        if not condition:
            self.problems.append(" ".join(map(str, what)))

    def read(self, value):
        """The fields, unescaped; each in its form, and once."""
        fields, at = {}, len("Digest ")
        self.must(value.startswith("Digest "), "another scheme:", value)
        while at < len(value):
            match = _FIELD.match(value, at)
            if not match:
                self.must(False, "not a field:", value[at:])
                break
            name, quoted, plain = match.groups()
            self.must(name in (PLAIN if plain else QUOTED), "the form of", match[0])
            self.must(name not in fields, "twice:", name)
            fields[name] = plain or re.sub(r"\\(.)", r"\1", quoted)
            at = match.end()
        return fields

    def verify(self, value, method, target, body):
        """Raises a Refusal unless all is right."""
        got = self.read(value)
        with self.lock:
            self.must(got.get("realm") == REALM and got.get("opaque") == OPAQUE, "realm, opaque:", got)
            self.must(got.get("algorithm") == self.strongest(), "algorithm:", got)
            self.must(got.get("uri") == wanted_uri(method, target), "uri:", got, target)
            self.must(got.get("userhash") == ("true" if self.userhash else None), "userhash:", got)
            self.verify_qop(got)
            nonce = self.nonces.get(got.get("nonce"))
            self.must(nonce, "a nonce that is not ours:", got)
            if not self.is_right(got, method, body):
                self.wrong += 1
                raise Refusal(wrong=True)
            if not nonce or not self.takes(nonce, got):
                raise Refusal(stale=True)

    def strongest(self):
        order = list(HASHES)
        return max(self.algorithms, key=lambda name:
                   order.index(name.removesuffix("-sess")) if name else -1)

    def verify_qop(self, got):
        offered = [word.strip() for word in self.qop.split(",")] if self.qop else [None]
        self.must(got.get("qop") == ("auth" if "auth" in offered else offered[0]), "qop:", got)
        with_qop = {"nc", "cnonce"} & set(got)
        self.must(with_qop == ({"nc", "cnonce"} if self.qop else set()), "nc, cnonce:", got)
        self.must(not self.qop or re.fullmatch("[0-9a-f]{8}", got.get("nc", "")), "nc:", got)
        self.must(not self.qop or len(got.get("cnonce", "")) >= 16, "cnonce:", got)

    def takes(self, nonce, got):
        if "nc" not in got:
            return not nonce.dead and time.monotonic() - nonce.born <= self.lifetime
        count = int(got["nc"], 16)
        self.must(count > 0 and count not in nonce.seen, "a count again:", got)
        nonce.seen.add(count)
        nonce.dead |= count != nonce.last + 1 if self.counts == "next" else count <= nonce.last
        nonce.dead |= time.monotonic() - nonce.born > self.lifetime
        nonce.last = count
        return not nonce.dead

    def is_right(self, got, method, body):
        algorithm = self.strongest() or "MD5"

        def digest(*parts):
            data = b":".join(part if isinstance(part, bytes) else part.encode() for part in parts)
            return hashlib.new(HASHES[algorithm.removesuffix("-sess")], data).hexdigest()

        secret = digest(self.user, REALM, self.password)
        if algorithm.endswith("-sess"):
            secret = digest(secret, got["nonce"], got["cnonce"])
        whole = [digest(body)] if got.get("qop") == "auth-int" else []
        request = digest(method, got["uri"], *whole)
        middle = [got["nc"], got["cnonce"], got["qop"]] if self.qop else []
        name = digest(self.user, REALM) if self.userhash else self.user
        return got.get("username") == name and \
            got.get("response") == digest(secret, got["nonce"], *middle, request)


def wanted_uri(method, target):
    if method == "CONNECT":
        return target
    parts = urllib.parse.urlsplit(target)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):  # a client that goes away is nothing to report
        pass


class _Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        self.proxy = self.server.proxy
        while line := self.rfile.readline():
            method, target, version = line.decode("latin-1").split()
            headers = http.client.parse_headers(self.rfile)
            body = self.rfile.read(int(headers.get("Content-Length", 0)))
            options = f"{headers.get('Connection')}, {headers.get('Proxy-Connection')}".lower()
            self.keep = "close" not in options and \
                (version != "HTTP/1.0" or "keep-alive" in options)
            if not self.serve(method, target, headers, body) or not self.keep:
                return

    def serve(self, method, target, headers, body):
        """Is there a next request?"""
        values = headers.get_all("Proxy-Authorization", [])
        self.proxy.must(len(values) <= 1, "authorizations:", values)
        sent = bool(values)
        stale = False
        try:
            if sent:
                value = values[0].encode("latin-1").decode()
                self.proxy.verify(value, method, target, body)
        except Refusal as refusal:
            values, stale = [], refusal.stale
        if not values:
            self.proxy.tell(method, 407, sent)
            challenges = self.proxy.challenges(stale)
            self.reply(407, [("Proxy-Authenticate", value) for value in challenges], b"Who?\n")
            return True
        self.proxy.tell(method, 200, sent)
        if method == "CONNECT":
            self.tunnel(target)
            return False
        self.forward(method, target, body)
        return True

    def reply(self, status, fields, body):
        fields += [("Content-Length", len(body)),
                   ("Connection", "keep-alive" if self.keep else "close")]
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        self.wfile.write(f"HTTP/1.1 {status} so\r\n{head}\r\n".encode() + body)

    def forward(self, method, target, body):
        parts = urllib.parse.urlsplit(target)
        origin = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=20)
        with contextlib.closing(origin):
            origin.request(method, wanted_uri(method, target), body or None)
            response = origin.getresponse()
            self.reply(response.status, [], response.read())

    def tunnel(self, target):
        there = socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2])), 20)
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        ends = {self.connection: there, there: self.connection}
        with there:
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    ends[end].sendall(data)
