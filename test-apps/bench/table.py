# SPDX-License-Identifier: MIT
"""What `make bench` prints: for each measured thing a line with the median, the least and the
greatest value of the rounds, and the bar, if there is one, and whether it is met. The median
decides: single rounds are at the mercy of what else the machine does."""

import math
import statistics

_WIDTH = 50


class Bar:
    """With `whole`, what the median has beyond an integer does not count."""

    def __init__(self, sign, limit, whole=False):
        self._sign, self._limit, self._whole = sign, limit, whole

    def __str__(self):
        return f"{self._sign} {self._limit:,}{' whole' if self._whole else ''}"

    def is_met(self, median):
        value = math.floor(median) if self._whole else median
        return value <= self._limit if self._sign == "<=" else value >= self._limit


def at_most(limit, whole=False):
    return Bar("<=", limit, whole)


def at_least(limit):
    return Bar(">=", limit)


def heading():
    print(f"{'':{_WIDTH}}{'median':>10}{'min':>10}{'max':>10}   bar")


def title(text):
    print(f"\n{text}", flush=True)


def line(name, values, bar=None, digits=2):
    median = statistics.median(values)
    numbers = "".join(f"{value:10,.{digits}f}" for value in (median, min(values), max(values)))
    verdict = f"   {bar}  {'ok' if bar.is_met(median) else 'MISSED'}" if bar else ""
    print(f"  {name:{_WIDTH - 2}}{numbers}{verdict}", flush=True)


def note(text):
    print(f"  ({text})", flush=True)
