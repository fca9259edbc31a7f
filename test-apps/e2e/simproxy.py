# SPDX-License-Identifier: MIT
"""The scripted proxy as a fixture, and the credentials that its scripts expect."""

import base64
import pathlib
import re
import tempfile

import harness

USER, PASSWORD = "alice", "wonderland"
BASE64 = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
OK = r"HTTP/1.1 200 Connection established\r\n\r\n"
CHALLENGE = ('HTTP/1.1 407 Proxy Authentication Required\\r\\n'
             'Proxy-Authenticate: Basic realm="x"\\r\\n')
CHALLENGE_10 = CHALLENGE.replace("HTTP/1.1", "HTTP/1.0")

# Every odd way of saying 407: name, the instructions that say it, and those up to where the
# answer to it is read.
CHALLENGES = [
    ("407 with Content-Length, connection kept",
     f"send {CHALLENGE}Content-Length: 5\\r\\n\\r\\n\nbody 5\n", ""),
    ("407 with an empty body", f"send {CHALLENGE}Content-Length: 0\\r\\n\\r\\n\n", ""),
    ("407 with a chunked body",
     f"send {CHALLENGE}Transfer-Encoding: chunked\\r\\n\\r\\n\nchunked 3000 700\n", ""),
    ("407 with chunk extensions and trailers",
     f"send {CHALLENGE}Transfer-Encoding: chunked\\r\\n\\r\\n"
     "3;a=b\\r\\nabc\\r\\n0;c\\r\\nTrailer: yes\\r\\n\\r\\n\n", ""),
    ("407 whose body ends with the connection",
     f"send {CHALLENGE}\\r\\n\nbody 3000\n", "close\nconn\n"),
    ("407 without length on a connection that stays open",
     f"send {CHALLENGE}\\r\\n\nbody 300\n", "hold\nconn\n"),
    ("407 with Connection: close",
     f"send {CHALLENGE}Connection: close\\r\\nContent-Length: 3\\r\\n\\r\\nabc\n",
     "close\nconn\n"),
    ("407 with Proxy-Connection: close",
     f"send {CHALLENGE}Proxy-Connection: close\\r\\nContent-Length: 0\\r\\n\\r\\n\n",
     "close\nconn\n"),
    ("407 of HTTP/1.0", f"send {CHALLENGE_10}\\r\\nno entry\n", "close\nconn\n"),
    ("407 of HTTP/1.0, kept alive",
     f"send {CHALLENGE_10}Connection: keep-alive\\r\\nContent-Length: 3\\r\\n\\r\\nabc\n", ""),
    ("407 on a connection that is closed before the answer",
     f"send {CHALLENGE}Content-Length: 0\\r\\n\\r\\n\n", "close\nconn\n"),
    ("407 and a reset after its head",
     f"send {CHALLENGE}Content-Length: 3\\r\\n\\r\\n\n", "wait 50\nreset\nconn\n"),
    ("407 cut short in its body",
     f"send {CHALLENGE}Content-Length: 300\\r\\n\\r\\nabc\n", "close\nconn\n"),
    ("407 with more bytes than it says",
     f"send {CHALLENGE}Content-Length: 3\\r\\n\\r\\nabcdef\n", "hold\nconn\n"),
    ("407 with a body of 400,000 bytes",
     f"send {CHALLENGE}Content-Length: 400000\\r\\n\\r\\n\nbody 400000\n", "expect\nconn\n"),
    ("407 with a body of 200,000 bytes",
     f"send {CHALLENGE}Content-Length: 200000\\r\\n\\r\\n\nbody 200000\n", ""),
    ("407 with Content-Length and chunked at once",
     f"send {CHALLENGE}Content-Length: 3\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n\n"
     "chunked 9 9\n", "finish\nconn\n"),
    ("407 with lower-case names, folded lines and bare line feeds",
     "send HTTP/1.1 407\\nproxy-authenticate:\\n Basic\\n\\trealm=x\\ncontent-length:0\\n\\n\n", ""),
    ("407 with Squid's realm of unescaped quotes",
     "send HTTP/1.1 407 Auth\\r\\nProxy-Authenticate: Basic realm=\"squid \"basic\"\"\\r\\n"
     "Content-Length: 0\\r\\n\\r\\n\n", ""),
    ("407 with Basic behind schemes that we do not know",
     "send HTTP/1.1 407 Auth\\r\\nProxy-Authenticate: Kerberos\\r\\n"
     "Proxy-Authenticate: Newauth a=\"b, c\", Basic realm=x\\r\\nContent-Length: 0\\r\\n\\r\\n\n", ""),
]


def octets(text):
    """A script's text as its octets' notations."""
    return re.findall(r"\\x[0-9a-fA-F]{2}|\\.|.", text)


def cut(text, at):
    """Sends of the text with a pause after `at` octets."""
    pieces = octets(text)
    return f"send {''.join(pieces[:at])}\nwait 3\nsend {''.join(pieces[at:])}\n"


class Simproxy:
    """test-apps/simproxy with a script. `events` are its lines, (number, word, rest). It
    writes them before it acts, so what a client has seen is always among them."""

    def __init__(self, script, ipv6=False):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="simproxy-", dir=harness.DIRECTORY))
        (directory / "script").write_text(script)
        self._log = directory / "log"
        with open(self._log, "wb") as log:
            self.process = harness.start([harness.BUILD / "simproxy", "-6" if ipv6 else "-4",
                                          directory / "script"], stdout=log, stderr=log)
        self._lines = open(self._log, encoding="ascii")
        self._rest = ""
        self._events = []
        harness.wait_until(lambda: self._log.read_text() or self.process.poll() is not None)
        first = self._lines.readline()
        if not first.startswith("port "):
            raise RuntimeError(f"simproxy does not start: {first}")
        self.port = int(first.split()[1])
        self.host = "[::1]" if ipv6 else "127.0.0.1"

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    @property
    def url_with_password(self):
        return f"http://{USER}:{PASSWORD}@{self.host}:{self.port}"

    def _read(self):
        """Takes in the complete lines that are new."""
        *lines, self._rest = (self._rest + self._lines.read()).split("\n")
        for line in lines:
            number, word, rest = (line.split(" ", 2) + [""])[:3]
            self._events.append((int(number), word, rest))
        return self._events

    @property
    def events(self):
        return list(self._read())

    def told(self, word, number=None):
        """What came with the events of that kind: [rest], of one connection if given."""
        return [rest for at, kind, rest in self._read()
                if kind == word and number in (None, at)]

    def wait_for(self, word, count=1, seconds=5):
        """Waits for the count-th event of that kind; true if it came."""
        return harness.wait_until(lambda: len(self.told(word)) >= count, seconds)

    def stop(self):
        harness.stop(self.process)

    def end(self):
        """Stops it; returns the log's lines without the numbers of connections."""
        self.stop()
        return [f"{word} {rest}".rstrip() for _, word, rest in self._read()]


def connections(log):
    return sum(line.startswith("accept") for line in log)


def requests(log):
    return [line for line in log if line.startswith("request")]


def offered(log):
    """How often a credential was sent."""
    return sum(line.lower().startswith("header proxy-authorization") for line in log)
