# SPDX-License-Identifier: MIT
"""Programs that use HTTP for something: one command each, by which it is seen to have worked."""

import hashlib
import subprocess

import harness
from harness import DIRECTORY, run
from proxies import ORIGIN
from witness import PAGE

BOTH = ("observe", "forward")


class Tool:
    """use() returns whether it worked, and a text for when not; `way` is None without us, and
    the program is told the proxy then as it is when it is observed. `wanted` tells the targets
    that the witness is to get, if that is known."""

    ways = BOTH
    wanted = None
    tunnels = False  # it needs a tunnel to a port of plain HTTP

    def __init__(self, name, *needs):
        self.name, self.needs = name, needs

    def use(self, matrix, way, env):
        raise NotImplementedError


class Command(Tool):
    """One command, whose output is known."""

    def __init__(self, name, argv, output, wanted=None, ways=BOTH, tunnels=False, input=b""):
        super().__init__(name, argv(None, None)[0])
        self.argv, self.output, self.ways, self.input = argv, output, ways, input
        self.tunnels = tunnels
        if wanted is not None:
            self.wanted = lambda _: wanted

    def use(self, matrix, way, env):
        result = run(self.argv(matrix, way), env, self.input, timeout=40)
        return self.output(result), result


def url(matrix, path="/page", secure=False):
    base = (matrix.witness.https if secure else matrix.witness.http) if matrix else ""
    return base + path


def page(result):
    return result.code == 0 and result.bytes.strip() == PAGE.strip()


# --- browsers ----------------------------------------------------------------------------

def lynx(matrix, _):
    return ["lynx", "-source", url(matrix)]


def w3m(matrix, _):
    return ["w3m", "-dump_source", url(matrix)]


def lynx_head(matrix, _):
    return ["lynx", "-head", "-dump", url(matrix)]


# --- benchmarks --------------------------------------------------------------------------

def ab(matrix, way):
    told = ["-X", f"127.0.0.1:{matrix.proxy.port}"] if matrix and way != "forward" else []
    return ["ab", "-q", "-k", "-n", "50", "-c", "1", *told, url(matrix)]


def ab_output(result):
    return (result.code == 0 and "Complete requests:      50" in result.out and
            "Failed requests:        0" in result.out and "Non-2xx" not in result.out)


# --- tunnels that programs ask for themselves ---------------------------------------------
#
# None of them may say at the end of its input that it sends no more: Squid would close the
# other half, too.

def netcat(matrix, _):
    return ["nc.openbsd", "-w", "20", "-X", "connect",
            *(["-x", f"127.0.0.1:{matrix.proxy.port}", ORIGIN, matrix.witness.tunnel_port]
              if matrix else [])]


def ncat(matrix, _):
    return ["ncat", "--no-shutdown", "--proxy-type", "http",
            *(["--proxy", f"127.0.0.1:{matrix.proxy.port}", ORIGIN, matrix.witness.tunnel_port]
              if matrix else [])]


def socat(matrix, _):
    return ["socat", "-,ignoreeof",
            *([f"PROXY:127.0.0.1:{ORIGIN}:{matrix.witness.tunnel_port},"
               f"proxyport={matrix.proxy.port}"] if matrix else [])]


def page_behind_head(result):
    return result.bytes.endswith(b"\r\n\r\n" + PAGE)


# --- a shell, whose words go out by what no library sees -----------------------------------

_BASH = r"""
exec 3<>/dev/tcp/$0/$1
printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$2" "$3" >&3
cat <&3
"""


def bash(matrix, way):
    if not matrix:
        return ["bash"]
    if way == "forward":
        return ["bash", "-c", _BASH, ORIGIN, matrix.witness.http_port, "/page", ORIGIN]
    return ["bash", "-c", _BASH, "127.0.0.1", matrix.proxy.port, url(matrix), ORIGIN]


# --- git ---------------------------------------------------------------------------------

class Git(Tool):
    """Clones a repository, by the protocol that needs nothing but files."""

    def __init__(self, secure, ways):
        super().__init__(f"git, {'https' if secure else 'http'}", "git")
        self.secure, self.ways = secure, ways
        self.clones = 0

    def use(self, matrix, way, env):
        bare = matrix.directory / "repo.git"
        if not bare.exists():
            _make_repository(bare)
        self.clones += 1
        target = DIRECTORY / f"{self.name.replace(', ', '-')}{self.clones}"
        result = run(["git", "clone", "-q", url(matrix, "/repo.git", self.secure), target], env)
        good = result.code == 0 and (target / "page").read_bytes() == PAGE
        return good, result


def _make_repository(bare):
    work = DIRECTORY / "work"
    env = harness.clean_env() | {
        "HOME": str(DIRECTORY), "GIT_AUTHOR_NAME": "Alice", "GIT_AUTHOR_EMAIL": "alice@x.test",
        "GIT_COMMITTER_NAME": "Alice", "GIT_COMMITTER_EMAIL": "alice@x.test"}

    def git(*args):
        subprocess.run(["git", *map(str, args)], cwd=DIRECTORY, env=env, check=True,
                       capture_output=True)

    git("init", "-q", "-b", "main", work)
    for name in ("page", "another", "third"):
        (work / name).write_bytes(PAGE + name.encode() * (name != "page"))
        git("-C", work, "add", name)
        git("-C", work, "commit", "-q", "-m", name)
    git("clone", "-q", "--bare", work, bare)
    git("-C", bare, "update-server-info")


# --- apt ---------------------------------------------------------------------------------

class Apt(Tool):
    """Updates from a repository of its own and downloads its packages, in pipelined requests on
    a connection that is kept; without root, and without touching the system's state."""

    COUNT = 5

    def __init__(self):
        super().__init__("apt-get", "apt-get", "dpkg-deb")
        self.runs = 0

    def packages(self):
        return [f"alice{i}" for i in range(self.COUNT)]

    def use(self, matrix, way, env):
        repository = matrix.directory / "apt"
        if not repository.exists():
            self.make_repository(repository)
        self.runs += 1
        root = DIRECTORY / f"apt{self.runs}"
        options = self.make_root(root, f"deb [trusted=yes] {url(matrix, '/apt')} ./\n")
        update = run(["apt-get", *options, "update"], env)
        result = run(["apt-get", *options, "download", *self.packages()], env, cwd=root)
        good = result.code == 0 and all(
            (root / f"{name}_1_all.deb").read_bytes() == (repository / f"{name}.deb").read_bytes()
            for name in self.packages())
        return good, f"{update}\n{result}"

    def wanted(self, _):
        return ["/apt/./InRelease", "/apt/./Release", "/apt/./Release.gpg", "/apt/./Packages"] + \
            [f"/apt/./{name}.deb" for name in self.packages()]

    @staticmethod
    def make_root(root, sources):
        for directory in ("etc/preferences.d", "etc/apt.conf.d", "etc/trusted.gpg.d",
                          "state/lists/partial", "cache/archives/partial"):
            (root / directory).mkdir(parents=True)
        (root / "etc/sources.list").write_text(sources)
        (root / "state/status").write_text("")
        return [word for option in (
            f"Dir::Etc={root}/etc", f"Dir::State={root}/state", f"Dir::Cache={root}/cache",
            f"Dir::State::status={root}/state/status", "Acquire::Languages=none",
            # As the user whose agent it is to ask, also where that is root.
            "APT::Sandbox::User=root", "Acquire::Retries=0", "Acquire::IndexTargets::deb::"
            "Contents-deb::DefaultEnabled=false") for word in ("-o", option)]

    def make_repository(self, repository):
        repository.mkdir()
        packages = ""
        for name in self.packages():
            root = DIRECTORY / f"deb-{name}"
            (root / "DEBIAN").mkdir(parents=True)
            control = (f"Package: {name}\nVersion: 1\nArchitecture: all\n"
                       "Maintainer: Alice <alice@x.test>\nDescription: a page\n")
            (root / "DEBIAN/control").write_text(control)
            (root / name).write_bytes(PAGE * 3)
            file = repository / f"{name}.deb"
            subprocess.run(["dpkg-deb", "--root-owner-group", "-b", root, file], check=True,
                           capture_output=True)
            content = file.read_bytes()
            packages += (f"{control}Filename: ./{name}.deb\nSize: {len(content)}\n"
                         f"SHA256: {hashlib.sha256(content).hexdigest()}\n\n")
        (repository / "Packages").write_text(packages)
        digest = hashlib.sha256(packages.encode()).hexdigest()
        (repository / "Release").write_text(
            "Date: Thu, 01 Jan 2026 00:00:00 UTC\n"
            f"SHA256:\n {digest} {len(packages)} Packages\n")


GET = b"GET /page HTTP/1.0\r\n\r\n"
TOOLS = [
    Git(False, BOTH),
    Git(True, ("observe",)),
    Apt(),
    Command("lynx", lynx, page, ["/page"]),
    Command("lynx -head", lynx_head, lambda result: "HTTP/1.1 200" in result.out, ["/page"]),
    Command("w3m", w3m, page, ["/page"]),
    Command("ab", ab, ab_output, ["/page"] * 50),
    # Nothing can be added to what it says; but a tunnel takes it to the origin.
    Command("bash's /dev/tcp", bash, page_behind_head, ["/page"], ("forward",), tunnels=True),
    Command("nc -X connect", netcat, page_behind_head, ["/page"], ("observe",), input=GET),
    Command("ncat --proxy", ncat, page_behind_head, ["/page"], ("observe",), input=GET),
    Command("socat PROXY", socat, page_behind_head, ["/page"], ("observe",), input=GET),
]
