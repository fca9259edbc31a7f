#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Programs that connect without blocking, each in its own way, through Squid; those that can,
with many connections at a time. curl, wget, urllib, LWP and git one by one: see matrix.py."""

import harness
from harness import DIRECTORY
from proxies import ORIGIN
from trial import PAGES, run_pages_trial


def into_files(argv, names):
    """A command that fetches into these files, and then prints them."""
    names = " ".join(map(str, names))
    return ["sh", "-c", f'rm -f {names}; "$@" >&2 && cat {names}', "sh", *argv]


def files(name):
    """A directory for what is fetched, and the files' names in it."""
    directory = DIRECTORY / name
    directory.mkdir()
    return directory, [directory / f"page{i}.txt" for i in range(PAGES)]


def curl(trial):
    _, names = files("curl")
    argv = ["curl", "-sS", "--fail", "--max-time", "30", "-Z", "--parallel-max", PAGES]
    for url, name in zip(trial.mixed, names):
        argv += ["-o", name, url]
    trial.go("curl -Z", into_files(argv, names), trial.all, needs="curl")


def aria2(trial):
    directory, names = files("aria2")
    listed = DIRECTORY / "aria2.list"
    listed.write_text("".join(f"{url}\n" for url in trial.mixed))
    trial.go("aria2c", into_files(
        ["aria2c", "--no-conf", "--async-dns=false", "-q", f"-j{PAGES}", "-d", directory,
         f"--ca-certificate={trial.site.authority.file}", "-i", listed], names),
        trial.all, needs="aria2c")


def lftp(trial):
    directory, names = files("lftp")
    script = (f"set ssl:ca-file {trial.site.authority.file}; set net:max-retries 1; " +
              "".join(f"get -O {directory} {url} & " for url in trial.mixed) + "wait all")
    trial.go("lftp", into_files(["lftp", "-c", script], names), trial.all, needs="lftp")


def lynx(trial):
    for url in (trial.http[3], trial.https[3]):
        trial.go(f"lynx, {url.partition(':')[0]}", ["lynx", "-dump", url],
                 trial.bodies[3] + b"\n")


def raw(trial):
    """They send what they read. They must not close their half at its end: Squid would close
    the other one too."""
    web, proxy = trial.site.http_port, trial.proxy.port
    options = {"wanted": lambda out: out.endswith(b"\r\n\r\n" + trial.bodies[3]),
               "input": "GET /page3.txt HTTP/1.0\r\n\r\n"}
    trial.go("ncat", ["ncat", "--no-shutdown", ORIGIN, web], **options,
             bare=["ncat", "--proxy", f"127.0.0.1:{proxy}", "--proxy-type", "http", ORIGIN,
                   web])
    trial.go("socat", ["socat", "-,ignoreeof", f"TCP:{ORIGIN}:{web}"], **options,
             bare=["socat", "-", f"PROXY:127.0.0.1:{ORIGIN}:{web},proxyport={proxy}"])


def main():
    run_pages_trial(curl, aria2, lftp, lynx, raw)


harness.main(main)
