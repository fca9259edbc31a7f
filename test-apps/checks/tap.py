# SPDX-License-Identifier: MIT
"""What the checks of the source tree share: where things are, and TAP."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GATEPASS_BUILD") or ROOT / "build").resolve()
SANITIZED = BUILD.name.endswith(("-address", "-thread", "-undefined"))

_points = 0
_failed = 0


def check(problems, name):
    """One test point: fine if there are no problems (an empty list), else shows them."""
    global _points, _failed
    _points += 1
    if not problems:
        print(f"ok {_points} - {name}")
        return
    _failed += 1
    print(f"not ok {_points} - {name}")
    for problem in problems:
        for line in str(problem).splitlines():
            print(f"# {line}")


def done():
    print(f"1..{_points}")
    sys.exit(1 if _failed or not _points else 0)


def output(*argv, cwd=ROOT):
    """A program's standard output; what it complains of goes to ours, and ends the check."""
    return subprocess.run([str(arg) for arg in argv], cwd=cwd, stdout=subprocess.PIPE,
                          text=True, check=True).stdout


def symbols(path, *options):
    """[(name, type letter)] of an object, as nm tells it, without versions."""
    pairs = []
    for line in output("nm", "--without-symbol-versions", *options, path).splitlines():
        fields = line.split()
        if len(fields) >= 2 and len(fields[-2]) == 1:
            pairs.append((fields[-1], fields[-2]))
    return pairs
