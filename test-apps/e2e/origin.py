# SPDX-License-Identifier: MIT
"""Servers behind the proxy, as threads of the test: a web site over http and https with a
git repository in it, a TCP echo, and a certificate authority that lives for one run."""

import functools
import http.server
import socket
import socketserver
import ssl
import subprocess
import threading

import harness
from proxies import ORIGIN

BODY = b"Down the rabbit hole.\n" * 500


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def setup(self):
        # Here and not at accept(): a slow client must not keep the others waiting.
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        super().setup()

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):  # a client that goes away is nothing to report
        pass


class Authority:
    """A certificate authority and one certificate for everything in gatepass.test."""

    def __init__(self):
        directory = harness.DIRECTORY / "ca"
        directory.mkdir(mode=0o755)
        self.file = directory / "ca.pem"
        self.certificate, self.key = directory / "site.pem", directory / "site.key"
        self._openssl(directory, "req", "-x509", "-newkey", "ec",
                      "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                      "-subj", "/CN=gatepass test authority",
                      "-keyout", "ca.key", "-out", "ca.pem")
        self._openssl(directory, "req", "-newkey", "ec",
                      "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-subj", f"/CN={ORIGIN}", "-keyout", "site.key", "-out", "site.csr")
        (directory / "ext").write_text(
            f"subjectAltName=DNS:{ORIGIN},DNS:other.gatepass.test,IP:127.0.0.1\n")
        self._openssl(directory, "x509", "-req", "-in", "site.csr", "-CA", "ca.pem",
                      "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                      "-extfile", "ext", "-out", "site.pem")

    @staticmethod
    def _openssl(directory, *args):
        subprocess.run(["openssl", *args], cwd=directory, check=True, capture_output=True)

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def env(self):
        """How the clients are told, those that read it from the environment."""
        name = str(self.file)
        return {"SSL_CERT_FILE": name, "CURL_CA_BUNDLE": name, "GIT_SSL_CAINFO": name,
                "PERL_LWP_SSL_CA_FILE": name, "NODE_EXTRA_CA_CERTS": name}


def serve(server):
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    harness.on_cleanup(server.shutdown)
    return server.server_address[1]


class Site:
    """A web site: `http` and `https` are the beginnings of its URLs, without final slash."""

    def __init__(self, authority=None):
        self.directory = harness.DIRECTORY / "site"
        self.directory.mkdir(mode=0o755)
        (self.directory / "page").write_bytes(BODY)
        handler = functools.partial(_Handler, directory=str(self.directory))
        self.http_port = serve(_Server(("127.0.0.1", 0), handler))
        self.http = f"http://{ORIGIN}:{self.http_port}"
        self.authority = authority or Authority()
        server = _Server(("127.0.0.1", 0), handler)
        server.socket = self.authority.context().wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False)
        self.https_port = serve(server)
        self.https = f"https://{ORIGIN}:{self.https_port}"

    def add_pages(self, count):
        """page0.txt and so on, of different lengths. Returns what is in each."""
        bodies = [f"This is page {i}.\n".encode() * (1 + 200 * i) for i in range(count)]
        for i, body in enumerate(bodies):
            (self.directory / f"page{i}.txt").write_bytes(body)
        return bodies

    def add_repository(self):
        """repo.git, for the protocol that needs nothing but files. Returns its head."""
        bare, work = self.directory / "repo.git", harness.DIRECTORY / "work"
        env = harness.clean_env() | {
            "HOME": str(harness.DIRECTORY), "GIT_AUTHOR_NAME": "Alice",
            "GIT_AUTHOR_EMAIL": "alice@gatepass.test", "GIT_COMMITTER_NAME": "Alice",
            "GIT_COMMITTER_EMAIL": "alice@gatepass.test"}

        def git(*args):
            return subprocess.run(["git", *args], cwd=harness.DIRECTORY, env=env, check=True,
                                  capture_output=True, text=True).stdout.strip()

        git("init", "-q", "-b", "main", str(work))
        (work / "page").write_bytes(BODY)
        git("-C", str(work), "add", "page")
        git("-C", str(work), "commit", "-q", "-m", "A page")
        git("clone", "-q", "--bare", str(work), str(bare))
        git("-C", str(bare), "update-server-info")
        return git("-C", str(bare), "rev-parse", "HEAD")


class _EchoHandler(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while data := self.request.recv(65536):
                self.request.sendall(data)
        except OSError:
            pass


class _EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True


def echo_server():
    """Returns its port."""
    return serve(_EchoServer(("127.0.0.1", 0), _EchoHandler))

