# SPDX-License-Identifier: MIT
"""CPython's own tests: Debian has those of the installed version in a package."""

import collections
import pathlib
import sys
import tempfile
import xml.etree.ElementTree

import harness
from suite import WHOLE, Suite

PYTHON = "/usr/bin/python3"
PACKAGE = f"the package libpython{sys.version_info[0]}.{sys.version_info[1]}-testsuite"
MODULES = ("test_select", "test_poll", "test_epoll", "test_selectors", "test_socket",
           "test_ssl", "test_httplib", "test_urllib2_localnet", "test_subprocess")
# Those that have to do with sockets, pipes and children; the others take long.
ASYNCIO = ("test_sock_lowlevel", "test_server", "test_sendfile", "test_streams",
           "test_buffered_proto", "test_selector_events", "test_unix_events",
           "test_subprocess", "test_ssl", "test_sslproto", "test_base_events", "test_events")
# Sockets of virtual machines hang in containers.
LEFT_OUT = ("*VSOCK*",)


def _said(case):
    """One test's outcome in a word: its skipping, failure or error, without the details."""
    return next((child.tag for child in case if child.tag in ("failure", "error", "skipped")),
                "ok")


def _outcomes(report):
    """{test: outcome}. A test that is there more than once has all of them."""
    found = collections.defaultdict(list)
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        found[case.get("name")].append(_said(case))
    return {name: " ".join(sorted(said)) for name, said in found.items()}


class Module(Suite):
    """One module of the tests, or a part of one."""

    def __init__(self, module, part=None):
        super().__init__(f"CPython's {module}{f'.{part}' if part else ''}")
        self._module = module
        self._pattern = f"test.{module}.{part}.*" if part else None

    def missing(self):
        here = harness.run([PYTHON, "-c", f"import test.{self._module}"])
        return None if here.code == 0 else f"needs {PACKAGE}"

    def run(self, env, only=None):
        place = pathlib.Path(tempfile.mkdtemp(prefix="cpython-", dir=harness.DIRECTORY))
        report = place / "report.xml"
        argv = [PYTHON, "-m", "test", "-v", "--junit-xml", report]
        for pattern in LEFT_OUT:
            argv += ["-i", pattern]
        # A part of a test (subTest) has its description behind the name.
        pattern = only.split(" ")[0] if only else self._pattern
        if pattern:
            argv += ["-m", pattern]
        result = harness.run([*argv, self._module], env, timeout=self.limit, cwd=place)
        said = result.out + result.err
        if not report.exists():
            return {WHOLE: "timed out" if result.timed_out else "no report"}, said
        return _outcomes(report), said


SUITES = [*(Module(module) for module in MODULES),
          *(Module("test_asyncio", part) for part in ASYNCIO)]
