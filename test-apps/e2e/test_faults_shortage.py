#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the library needs runs short at each moment: descriptors, memory, sockets; and a proxy's
name that nobody knows yet. Programs get through, or get an error; they neither crash nor hang."""

import concurrent.futures
import glob
import os
import subprocess

import harness
import proxies
from agents import start_agent
from harness import APPS, LIBRARY, check, equal, run, skip
from simproxy import BASE64, OK, Simproxy

HOST = "origin.gatepass.test"
TUNNEL = f"conn\nauth {BASE64}\nsend {OK}\nsend hello\nfinish\nrepeat\n"
WEB = (f"conn\nauth {BASE64}\nsend HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\npage\\n\n"
       "loop\nrepeat\n")
CURL = ["curl", "-sS", "-m", "30"]
# name: (the proxy's script, the program, what it says when all is well)
KINDS = {
    "a blocking tunnel": (TUNNEL, [APPS / "probe", HOST, 7], "got hello"),
    "a tunnel that does not block": (TUNNEL, [APPS / "probe", "-n", HOST, 7], "got hello"),
    "forwarded requests": (WEB, [*CURL, f"http://{HOST}/", f"http://{HOST}/"], "page"),
    "observed requests": (WEB, [*CURL, f"http://{HOST}/"], "page"),
}
CALLS_MAX = 400
FILES_MAX = 40

# Fails one call: of all those of the process, or with OURS of those that the library makes.
STARVE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t);
static int count, ready;
static const char *call, *at;

__attribute__((constructor)) static void begin(void)
{
	call = getenv("STARVE_CALL");
	at = getenv("STARVE_AT");
	ready = 1;
}

static int fails(const char *name, const void *caller, int error)
{
	Dl_info info;

	if (!ready || !call || !at || strcmp(call, name))
		return 0;
	if (caller && (!dladdr(caller, &info) || !strstr(info.dli_fname, "libgatepass")))
		return 0;
	if (++count != atoi(at))
		return 0;
	if (write(2, "starved\n", 8)) {}
	errno = error;
	return 1;
}

void *malloc(size_t n)
{
	return fails("malloc", NULL, ENOMEM) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails("malloc", NULL, ENOMEM) ? NULL : __libc_calloc(n, size);
}

void *mmap(void *p, size_t n, int protection, int flags, int fd, off_t at)
{
	static void *(*real)(void *, size_t, int, int, int, off_t);

	if (!real)
		real = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
	return fails("mmap", __builtin_return_address(0), ENOMEM)
		? MAP_FAILED : real(p, n, protection, flags, fd, at);
}

int socket(int domain, int type, int protocol)
{
	static int (*real)(int, int, int);

	if (!real)
		real = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
	return fails("socket", __builtin_return_address(0), EMFILE)
		? -1 : real(domain, type, protocol);
}
"""


def build_starve():
    path = harness.DIRECTORY / "starve.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-x", "c", "-", "-o", path, "-ldl"],
                   input=STARVE.encode(), check=True)
    return path


class Case:
    """A kind of program, with a user whose agent is there."""

    def __init__(self, number, name):
        script, self.argv, self.said = KINDS[name]
        self.name = name
        self.user = harness.User(f"user{number}")
        self.proxy = Simproxy(script)
        self.http_proxy = self.proxy.url if name.startswith("observed") else None
        self.agent = start_agent(self.user)

    def run(self, *before, **extra):
        env = self.user.preload(self.proxy.url_with_password, http_proxy=self.http_proxy)
        return run([*before, *self.argv], env | extra, timeout=60)

    def is_well(self, result):
        return result.code == 0 and self.said in result.out

    def is_clean(self, result):
        """It got through, or ended by itself with an error, or with the proxy's own 407."""
        return not result.timed_out and 0 <= result.code < 126 and \
            (self.is_well(result) or result.code != 0 or "Who goes?" in result.out)

    def end(self):
        harness.stop(self.agent)
        self.proxy.stop()


def starved(case, starve, call):
    """Each call of this kind fails, one in each run."""
    problems, times = [], 0
    for number in range(1, CALLS_MAX):
        result = case.run(LD_PRELOAD=f"{starve}:{LIBRARY}", STARVE_CALL=call,
                          STARVE_AT=str(number))
        if "starved" not in result.err:
            break
        times = number
        if not case.is_clean(result):
            problems.append(f"{call} {number}: {result}")
    check(0 < times < CALLS_MAX - 1 and not problems and case.is_well(result),
          f"{case.name}: each of {times} calls of {call}() fails",
          "\n".join(problems) or result)


def without_files(case):
    """Few descriptors, and one more in each run until it has what it needs."""
    problems, short = [], 0
    for number in range(4, FILES_MAX):
        result = case.run("sh", "-c", f'ulimit -n {number}; exec "$@"', "sh")
        if case.is_well(result):
            break
        short += "cannot open shared object" not in result.err
        # 127 is the loader's.
        if not case.is_clean(result) and result.code != 127:
            problems.append(f"{number} descriptors: {result}")
    check(short and case.is_well(result) and not problems,
          f"{case.name}: {short} limits of descriptors", "\n".join(problems) or result)


def shortages(starve, number, name):
    case = Case(number, name)
    check(case.is_well(case.run()), f"{name}: all is well", case.run)
    without_files(case)
    starved(case, starve, "mmap")
    starved(case, starve, "socket")
    if "curl" not in case.argv:
        starved(case, starve, "malloc")
    check(case.is_well(case.run()), f"{name}: all is well again", case.run)
    case.end()


def unknown_name():
    """A proxy whose name is known later, as behind a VPN."""
    found = glob.glob("/usr/lib/*-linux-gnu/libnss_wrapper.so")
    if not found:
        skip("a proxy's name that is unknown at first", "no libnss-wrapper")
        return
    user, proxy = harness.User("vpn"), Simproxy(TUNNEL)
    hosts = harness.DIRECTORY / "hosts"
    hosts.write_text("127.0.0.1 localhost\n")
    agent = start_agent(user, LD_PRELOAD=found[0], NSS_WRAPPER_HOSTS=hosts)
    env = user.preload(proxy.url_with_password.replace("127.0.0.1", "proxy.gatepass.test"))
    argv = [APPS / "probe", HOST, 7]
    result = run(argv, env)
    check(not result.timed_out and "got hello" not in result.out and 0 <= result.code < 126,
          "a proxy's name that is unknown: an error", result)
    hosts.write_text("127.0.0.1 localhost proxy.gatepass.test\n")
    later = hosts.stat().st_mtime + 10  # the wrapper reads it again for another second
    os.utime(hosts, (later, later))
    check(harness.wait_until(lambda: "got hello" in run(argv, env).out, 60),
          "when it is known the program gets through", lambda: run(argv, env))
    harness.stop(agent)


def main():
    if harness.SANITIZER:
        skip("everything", "a sanitizer has its own memory")
        return
    proxy = Simproxy(TUNNEL)
    bare = run(["curl", "-sS", f"http://{proxies.ORIGIN}:7/", "-p", "-x", proxy.url])
    check("407" in bare.err, "407 without us", bare)
    starve = build_starve()
    with concurrent.futures.ThreadPoolExecutor(len(KINDS)) as pool:
        list(pool.map(lambda item: shortages(starve, *item), enumerate(KINDS)))
    unknown_name()


harness.main(main)
