#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The same small program in several languages, whose own libraries look up, connect and wait:
many pages at a time, through Squid."""

import harness
from harness import ROOT
from trial import run_pages_trial

SOURCES = ROOT / "test-apps/apps"


def python(trial):
    trial.go("python asyncio", ["/usr/bin/python3", SOURCES / "fetch.py", *trial.mixed],
             trial.all)


def node(trial):
    script = SOURCES / "fetch.mjs"
    for way in ("get", "fetch"):
        # fetch() has no proxy of its own.
        trial.go(f"node {way}", ["node", script, way, *trial.mixed], trial.all,
                 bare=["node", script, "get", *trial.mixed], own_locks=True)


def ruby(trial):
    trial.go("ruby", ["ruby", SOURCES / "fetch.rb", *trial.mixed], trial.all)


def php(trial):
    # Without php.ini: it names extensions that are loaded in a way that sanitizers forbid.
    script = SOURCES / "fetch.php"
    trial.go("php file_get_contents", ["php", "-n", script, "get", *trial.mixed], trial.all)
    trial.go("php stream_select", ["php", "-n", script, "async", *trial.http], trial.all)


def java(trial):
    def command(*properties):
        # Otherwise it leaves a file in /tmp; the rest makes it start faster.
        return ["java", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1", *properties,
                SOURCES / "Fetch.java", trial.site.authority.file, *trial.mixed]

    proxy = [f"-D{scheme}.proxy{word}" for scheme in ("http", "https")
             for word in ("Host=127.0.0.1", f"Port={trial.proxy.port}")]
    trial.go("java", command(), trial.all * 2, bare=command(*proxy), own_locks=True)


def main():
    run_pages_trial(python, node, ruby, php, java)


harness.main(main)
