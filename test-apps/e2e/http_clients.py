# SPDX-License-Identifier: MIT
"""Programs that exchange requests and replies by plain HTTP, each in its own way, and what they
have to be told of a proxy that they speak to themselves."""

import functools
import hashlib
import re

import harness
from harness import DIRECTORY, ROOT, run
from witness import PAGE, receipt

SOURCES = ROOT / "test-apps/apps"
MIB = 1 << 20
# An instrumented build is slow.
BIG = (8 if harness.SANITIZER else 100) * MIB


def body_file(size):
    """A file of that size, in which no two parts are alike."""
    path = DIRECTORY / f"body{size}"
    if not path.exists():
        with open(path, "wb") as file:
            for at in range(0, size, MIB):
                piece = b"%015d\n" % at + bytes(range(256)) * (MIB // 256)
                file.write(piece[:min(MIB, size - at)])
    return path


@functools.cache
def body_digest(size):
    return hashlib.sha256(body_file(size).read_bytes() if size else b"").hexdigest()


class Job:
    """A request, and the outcome that the witness's reply makes: status, length, SHA-256."""

    def __init__(self, method, path="/page", size=None, chunked=False, options=()):
        self.method, self.path, self.size, self.chunked = method, path, size, chunked
        self.options = options  # curl's

    @property
    def file(self):
        return body_file(self.size)

    @property
    def digest(self):
        return body_digest(self.size or 0)

    @property
    def summary(self):
        """As the witness tells it."""
        return self.method, self.path, self.size or 0, self.digest

    @property
    def outcome(self):
        body = {"/401": b"who\n", "/407": b"not I\n", "/204": b"", "/304": b""}.get(self.path)
        if body is None:
            body = PAGE if self.size is None else receipt(self.size, self.digest)
        if self.method == "HEAD":
            body = b""
        status = int(self.path[1:]) if self.path[1:].isdigit() else 200
        return status, len(body), hashlib.sha256(body).hexdigest()

    def __repr__(self):
        size = "" if self.size is None else f" {self.size}"
        return (f"{self.method} {self.path}{size}{' chunked' if self.chunked else ''}"
                f"{' ' if self.options else ''}{' '.join(self.options)}")


class Client:
    """A program. exchange() does jobs that it can() do, one after the other, and returns the
    outcomes, and a text for when they are not what they should be."""

    passes = 1  # how often it does them
    insists = False  # its connection has to stay, unless it is told that it does not
    upgrades = False  # it offers another protocol, which takes a tunnel
    own_locks = False  # its threads synchronise by what ThreadSanitizer does not see

    def __init__(self, name, needs):
        self.name, self.needs = name, needs

    def can(self, _):
        return True

    def exchange(self, base, jobs, env, proxy):
        """`base` is the beginning of the URLs. The proxy is given if it is to be observed."""
        raise NotImplementedError


class Exchange(Client):
    """test-apps/apps/exchange.*, in a language whose own library it uses."""

    def __init__(self, name, needs, command, chunked=True, insists=False, own_locks=False):
        super().__init__(name, needs)
        self.command, self.chunked, self.insists = command, chunked, insists
        self.own_locks = own_locks

    def can(self, job):
        return self.chunked or not job.chunked

    def exchange(self, base, jobs, env, proxy):
        argv = [*self.command, *self.told(proxy)]
        for job in jobs:
            source = "-" if job.size is None else f"{'+' if job.chunked else ''}{job.file}"
            argv += [job.method, base + job.path, source]
        result = run(argv, env, timeout=100)
        return [(int(status), int(length), digest) for status, length, digest in
                re.findall(r"^(\d+) (\d+) ([0-9a-f]{64})$", result.out, re.M)], result

    def told(self, _):
        return []


class Java(Exchange):
    """It does not look into the environment, and does the jobs in two ways."""

    passes = 2
    upgrades = True

    def told(self, proxy):
        classes = DIRECTORY / "classes"
        if not classes.exists():
            built = run(["javac", "-J-XX:-UsePerfData", "-d", classes, SOURCES / "Exchange.java"])
            if built.code:
                raise RuntimeError(built)
        told = [f"-Dhttp.proxyHost={proxy.host}", f"-Dhttp.proxyPort={proxy.port}"] if proxy else []
        return [*told, "-cp", classes, "Exchange"]


class Curl(Client):
    """All jobs in one process, which keeps its connection."""

    def exchange(self, base, jobs, env, proxy):
        argv, outputs = ["curl"], []
        for at, job in enumerate(jobs):
            outputs.append(DIRECTORY / f"curl{at}")
            argv += ["--next"] if at else []
            argv += ["-sS", "--max-time", "90", "-w", "%{response_code}\n", "-o", outputs[-1],
                     "-X", job.method, *job.options]
            if job.method == "HEAD":
                argv.append("--head")
            if job.size is not None:
                argv += ["--data-binary", f"@{job.file}"]
            if job.chunked:
                argv += ["-H", "Transfer-Encoding: chunked"]
            argv.append(base + job.path)
        for output in outputs:
            output.write_bytes(b"")
        result = run(argv, env, timeout=100)
        outcomes = []
        for job, output, status in zip(jobs, outputs, result.out.split()):
            body = b"" if job.method == "HEAD" else output.read_bytes()
            outcomes.append((int(status), len(body), hashlib.sha256(body).hexdigest()))
        return outcomes, result


class Wget(Client):
    """A process for each job."""

    def can(self, job):
        # It does not show the body of a 401.
        return not job.chunked and job.path != "/401"

    def exchange(self, base, jobs, env, proxy):
        outcomes, told = [], ""
        for job in jobs:
            argv = ["wget", "-q", "--server-response", "--content-on-error", "--tries=1",
                    "--timeout=60", "-O-", f"--method={job.method}", base + job.path]
            if job.size is not None:
                argv.append(f"--body-file={job.file}")
            result = run(argv, env)
            status = re.findall(r"^ *HTTP/1\.\d (\d{3})", result.err, re.M)
            outcomes.append((int((status or ["0"])[-1]), len(result.bytes),
                             hashlib.sha256(result.bytes).hexdigest()))
            told += str(result)
        return outcomes, told


CLIENTS = [
    Curl("curl", "curl"),
    Wget("wget", "wget"),
    Exchange("python3 urllib", "python3", ["/usr/bin/python3", SOURCES / "exchange.py"]),
    Exchange("perl LWP", "perl", ["perl", SOURCES / "exchange.pl"], insists=True),
    Exchange("ruby Net::HTTP", "ruby", ["ruby", SOURCES / "exchange.rb"],
             insists=True),
    # Without php.ini: it names extensions that are loaded in a way that sanitizers forbid.
    Exchange("php", "php", ["php", "-n", SOURCES / "exchange.php"], chunked=False),
    Exchange("node", "node", ["node", SOURCES / "exchange.mjs"], insists=True, own_locks=True),
    # Otherwise it leaves a file in /tmp; the rest makes it start faster.
    Java("java", "javac", ["java", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1"],
         insists=True, own_locks=True),
]
