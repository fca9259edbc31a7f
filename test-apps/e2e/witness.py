# SPDX-License-Identifier: MIT
"""An origin that can tell what reached it: every request that came, with its target, its fields
and the length and SHA-256 of its body. As threads of the test; HTTP/1.1, kept alive.

GET and HEAD are answered with PAGE, or with a file of the given directory; POST and PUT with
what receipt() says; these paths in another way:

  /204 /304 /401 /407  with that status
  /chunked             PAGE in chunks
  /close               PAGE, whose end is the connection's
  /stay                PAGE in chunks, on a connection that stays whatever was asked for
  /slow                PAGE in pieces with pauses
  /early               413 before the body is read
  /upgrade             101, and an echo
"""

import contextlib
import hashlib
import socket
import socketserver
import ssl
import time

from origin import BODY as PAGE
from origin import serve
from proxies import ORIGIN

_PIECE = 1 << 20
_CHUNKS = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in
                   [PAGE[at:at + 999] for at in range(0, len(PAGE), 999)] + [b""])


def receipt(length, digest):
    """What a request with such a body is answered with."""
    return f"{length} {digest}\n".encode()


class Request:
    """What came. `whole` is set when its body has been read to its end."""

    def __init__(self, head):
        line, *fields = head.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = (line.split(" ") + ["", ""])[:3]
        self.fields = [(name.lower(), value.strip())
                       for name, _, value in (field.partition(":") for field in fields)]
        self.length = 0
        self.digest = hashlib.sha256()
        self.whole = False

    def value(self, name):
        return next((value for field, value in self.fields if field == name), "")

    @property
    def path(self):
        """Whatever the form of the target."""
        return "/" + self.target.split("://")[-1].partition("/")[2]

    @property
    def keeps(self):
        """Does it want the connection to stay?"""
        wanted = self.value("connection").lower()
        return wanted != "close" if self.version == "HTTP/1.1" else wanted == "keep-alive"

    @property
    def proxys(self):
        """The fields that were for the proxy, and for nobody behind it."""
        return [name for name, _ in self.fields if name.startswith("proxy-")]

    @property
    def summary(self):
        """What a test compares: (method, path, length of the body, its SHA-256)."""
        return self.method, self.path, self.length, self.digest.hexdigest()

    def __repr__(self):
        return f"{self.method} {self.target} {self.length} {'' if self.whole else 'cut '}{self.proxys}"


class _Gone(Exception):
    """The client is."""


class _Handler(socketserver.BaseRequestHandler):
    def setup(self):
        self.link = self.request
        self.buffer = bytearray()
        self.space = memoryview(bytearray(_PIECE))
        self.link.settimeout(100)
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self):
        with contextlib.suppress(OSError, _Gone, ValueError):
            if isinstance(self.link, ssl.SSLSocket):
                self.link.do_handshake()
            while self.answer(self.read_request()):
                pass

    def fill(self):
        count = self.link.recv_into(self.space)
        if not count:
            raise _Gone
        self.buffer += self.space[:count]

    def until(self, end):
        while (at := self.buffer.find(end)) < 0:
            self.fill()
        found = bytes(self.buffer[:at])
        del self.buffer[:at + len(end)]
        return found

    def read_request(self):
        request = Request(self.until(b"\r\n\r\n"))
        self.server.witness.requests.append(request)
        return request

    def take(self, request, count):
        """So many octets of its body; not by way of the buffer, which would be slow."""
        while count:
            if self.buffer:
                piece = self.buffer[:count]
                del self.buffer[:count]
            else:
                got = self.link.recv_into(self.space[:min(count, _PIECE)])
                if not got:
                    raise _Gone
                piece = self.space[:got]
            request.digest.update(piece)
            request.length += len(piece)
            count -= len(piece)

    def read_body(self, request):
        if request.value("transfer-encoding"):
            while size := int(self.until(b"\r\n").split(b";")[0], 16):
                self.take(request, size)
                self.until(b"\r\n")
            while self.until(b"\r\n"):
                pass
        else:
            self.take(request, int(request.value("content-length") or 0))
        request.whole = True

    def say(self, status, *fields, body=b""):
        head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *fields, ""))
        self.link.sendall(head.encode() + body)

    def reply(self, request, status, *fields, body=b""):
        """Returns whether the connection stays."""
        self.say(status, f"Connection: {'keep-alive' if request.keeps else 'close'}", *fields,
                 body=b"" if request.method == "HEAD" else body)
        return request.keeps

    def reply_with(self, request, status, body, *fields):
        return self.reply(request, status, "Content-Type: application/octet-stream",
                          f"Content-Length: {len(body)}", *fields, body=body)

    def answer(self, request):
        """Returns whether the connection stays."""
        if request.path == "/early":
            self.reply_with(request, "413 Too large", b"early\n")
            self.read_body(request)
            return request.keeps
        if request.value("expect").lower() == "100-continue":
            self.say("100 Continue")
        self.read_body(request)
        special = getattr(self, f"answer_{request.path[1:].partition('?')[0]}", None)
        if special:
            return special(request)
        if request.method in ("POST", "PUT"):
            body = receipt(request.length, request.digest.hexdigest())
        else:
            body = self.server.witness.page(request.path)
        if body is None:
            return self.reply_with(request, "404 Not Found", b"nothing\n")
        return self.reply_with(request, "200 OK", body)

    def answer_204(self, request):
        return self.reply(request, "204 No Content")

    def answer_304(self, request):
        return self.reply(request, "304 Not Modified", 'ETag: "x"')

    def answer_401(self, request):
        return self.reply_with(request, "401 Unauthorized", b"who\n",
                               'WWW-Authenticate: Basic realm="origin"')

    def answer_407(self, request):
        return self.reply_with(request, "407 Proxy Authentication Required", b"not I\n",
                               'Proxy-Authenticate: Basic realm="origin"')

    def answer_chunked(self, request):
        return self.reply(request, "200 OK", "Transfer-Encoding: chunked", body=_CHUNKS)

    def answer_close(self, request):
        self.say("200 OK", "Connection: close", body=b"" if request.method == "HEAD" else PAGE)
        return False

    def answer_stay(self, _):
        self.say("200 OK", "Transfer-Encoding: chunked", body=_CHUNKS)
        return True

    def answer_slow(self, request):
        self.reply(request, "200 OK", f"Content-Length: {len(PAGE)}")
        if request.method != "HEAD":
            for at in range(0, len(PAGE), 4000):
                time.sleep(0.02)
                self.link.sendall(PAGE[at:at + 4000])
        return request.keeps

    def answer_upgrade(self, _):
        self.say("101 Switching Protocols", "Connection: Upgrade", "Upgrade: echo",
                 body=bytes(self.buffer))
        while data := self.link.recv(65536):
            self.link.sendall(data)
        return False


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True


class Witness:
    """`http` and `https` are the beginnings of its URLs. `requests` is what came so far, in the
    order of its arrival; each is there before it is answered."""

    def __init__(self, authority, directory=None):
        self.directory = directory
        self.requests = []
        self.http_port = self._serve(None)
        # For those who ask for a tunnel to it; a proxy may let none go to the other one.
        self.tunnel_port = self._serve(None)
        self.https_port = self._serve(authority.context())
        self.http = f"http://{ORIGIN}:{self.http_port}"
        self.https = f"https://{ORIGIN}:{self.https_port}"

    def _serve(self, context):
        server = _Server(("127.0.0.1", 0), _Handler)
        server.witness = self
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True,
                                                do_handshake_on_connect=False)
        return serve(server)

    def forget(self):
        self.requests = []

    def page(self, path):
        """None: there is no such page."""
        path = path.split("?")[0]
        if not self.directory:
            return PAGE
        file = (self.directory / path[1:]).resolve()
        if file.is_file() and file.is_relative_to(self.directory):
            return file.read_bytes()
        return PAGE if path in ("/", "/page") else None
