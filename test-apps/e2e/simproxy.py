# SPDX-License-Identifier: MIT
"""The scripted proxy as a fixture, and the credentials that its scripts expect."""

import base64
import pathlib
import tempfile

import harness

USER, PASSWORD = "alice", "wonderland"
BASE64 = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
OK = r"HTTP/1.1 200 Connection established\r\n\r\n"


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
