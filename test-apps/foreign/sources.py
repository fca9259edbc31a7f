# SPDX-License-Identifier: MIT
"""The tests of event loops, which are in no package: from Debian's sources, fetched and built
once into build/foreign."""

import functools
import platform
import re
import shutil

import harness
from suite import WHOLE, Suite

PLACE = harness.BUILD / "foreign"


class Unavailable(Exception):
    pass


def _must(argv, **options):
    result = harness.run(argv, timeout=600, **options)
    if result.code != 0:
        raise Unavailable(f"{argv[0]} {argv[1]} fails: {(result.err or result.out)[-300:]}")
    return result


@functools.cache
def _apt():
    """An apt of our own that knows Debian's sources; the machine's is not touched."""
    release = platform.freedesktop_os_release()
    if release.get("ID") != "debian" or harness.needs("apt-get", "dpkg-source", "cmake"):
        raise Unavailable("needs Debian, dpkg-dev, cmake")
    (PLACE / "lists/partial").mkdir(parents=True, exist_ok=True)
    listed = PLACE / "sources.list"
    listed.write_text("deb-src http://deb.debian.org/debian "
                      f"{release['VERSION_CODENAME']} main\n")
    options = {"Dir::Etc::SourceList": listed, "Dir::Etc::SourceParts": "/dev/null",
               "Dir::State::Lists": PLACE / "lists", "Dir::Cache": PLACE / "cache"}
    apt = ["apt-get", *(f"-o{name}={value}" for name, value in options.items())]
    _must([*apt, "update"])
    return apt


def _build(package, target, options):
    """The directory of the package's build."""
    built = PLACE / package
    if (built / "done").exists():
        return built
    shutil.rmtree(built, ignore_errors=True)
    apt = _apt()
    built.mkdir(parents=True)
    _must([*apt, "source", package], cwd=built)
    source = next(path.parent for path in built.glob("*/CMakeLists.txt"))
    _must(["cmake", "-S", source, "-B", built, *options])
    _must(["cmake", "--build", built, "-j2", "--target", target])
    (built / "done").touch()
    return built


class Program(Suite):
    """A program that runs all its tests, or the one that it is told."""

    variables = {}

    def __init__(self, name, package, program, options):
        super().__init__(f"{name}'s own")
        self._package, self._program, self._options = package, program, options

    def missing(self):
        try:
            _build(self._package, self._program.rpartition("/")[2], self._options)
        except Unavailable as error:
            return " ".join(str(error).split())
        return None

    def run(self, env, only=None):
        program = PLACE / self._package / self._program
        result = harness.run([program, *([only] if only else [])], env | self.variables,
                             timeout=self.limit, cwd=program.parent)
        said = result.out + result.err
        outcomes = self.outcomes(result.out)
        if only and only not in outcomes:
            outcomes[only] = "ok" if result.code == 0 else "failed"
        if result.timed_out or result.code < 0:
            outcomes[WHOLE] = "timed out" if result.timed_out else f"signal {-result.code}"
        return outcomes, said


class Libevent(Program):
    """Lines are "group/name: [forking] OK", where a failed test's complaints may be between."""

    _TEST = re.compile(r"^([a-z][\w-]*/[\w/+-]+): ", re.M)

    def outcomes(self, text):
        _, *parts = self._TEST.split(text)
        return {name: self._outcome(said) for name, said in zip(parts[::2], parts[1::2])}

    @staticmethod
    def _outcome(said):
        if "FAILED]" in said:
            return "failed"
        word = re.search(r"\b(OK|SKIPPED|DISABLED)\b", said)
        return word[1].lower() if word else "no word"


class Libuv(Program):
    """TAP. Its servers have ports of their own."""

    alone = True
    stays_here = False  # connections that come to nothing, to 8.8.8.8 and the like
    # Names that nobody knows here are the proxy's to know.
    differs = frozenset({"getaddrinfo_fail", "getaddrinfo_fail_sync"})
    variables = {"UV_RUN_AS_ROOT": "1"}

    def outcomes(self, text):
        found = re.findall(r"^(ok|not ok) \d+ - (\w+)(.*)", text, re.M)
        return {name: "skipped" if "SKIP" in rest else word for word, name, rest in found}


SUITES = [
    Libevent("libevent", "libevent", "bin/regress",
             ["-DEVENT__DISABLE_MBEDTLS=ON", "-DEVENT__DISABLE_BENCHMARK=ON",
              "-DEVENT__DISABLE_SAMPLES=ON", "-DEVENT__LIBRARY_TYPE=STATIC"]),
    Libuv("libuv", "libuv1", "uv_run_tests_a", ["-DBUILD_TESTING=ON"]),
]
