# SPDX-License-Identifier: MIT
"""The scripted proxy as a fixture, and the credentials that its scripts expect."""

import base64
import subprocess
import tempfile

import harness

USER, PASSWORD = "alice", "wonderland"
BASE64 = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
OK = r"HTTP/1.1 200 Connection established\r\n\r\n"


class Simproxy:
    """Plays a script (see simproxy --help) on a port of its own."""

    def __init__(self, script, ipv6=False):
        self.file = tempfile.NamedTemporaryFile("w", dir=harness.DIRECTORY, suffix=".script")
        self.file.write(script)
        self.file.flush()
        self.process = harness.start(
            [harness.BUILD / "simproxy", *(["-6"] if ipv6 else []), self.file.name],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("port "):
            raise RuntimeError(f"simproxy: {line}{self.process.stdout.read()}")
        self.port = int(line.split()[1])
        self.host = "[::1]" if ipv6 else "127.0.0.1"
        self.url = f"http://{self.host}:{self.port}"
        self.url_with_password = f"http://{USER}:{PASSWORD}@{self.host}:{self.port}"

    def end(self):
        """Stops it; returns the lines of its log, without the connection numbers."""
        self.process.terminate()
        log = self.process.stdout.read()
        harness.stop(self.process)
        self.file.close()
        return [line.partition(" ")[2] for line in log.splitlines()]


def connections(log):
    return sum(line.startswith("accept") for line in log)


def requests(log):
    return [line for line in log if line.startswith("request")]


def offered(log):
    """How often a credential was sent."""
    return sum(line.lower().startswith("header proxy-authorization") for line in log)
