#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Threads that connect, poll, send, receive, duplicate, close and fork at random, on every way at
the same time: no crash, no hang, no descriptor left behind, and the agent is well afterwards.

STORM_SEED repeats what each thread did (which of them was faster is not repeated)."""

import os
import random

import harness
import proxies
from harness import APPS, check, equal, run
from simproxy import BASE64, Simproxy

SECONDS = int(os.environ.get("STORM_SECONDS", "10"))
SEED = int(os.environ.get("STORM_SEED") or random.randrange(1 << 32))
SCRIPT = (f"conn\nauth {BASE64}\n"
          "send HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\npage\\n\nloop\nrepeat\n")


def main():
    proxy = Simproxy(SCRIPT)
    bare = run(["curl", "-sS", f"http://{proxies.ORIGIN}:7/", "-p", "-x", proxy.url])
    check("407" in bare.err, "407 without us", bare)
    user = harness.User("alice")
    check(user.login(proxy.url, proxies.PASSWORD, session=True).code == 0, "login")
    pid = user.agent_pid()
    # Port 443 is for tunnels, 80 for requests that are forwarded, the proxy's for its clients.
    result = run([APPS / "storm", SEED, SECONDS, proxies.ORIGIN, 443, 80, f":{proxy.port}"],
                 user.preload(proxy.url), timeout=SECONDS + 200)
    words = result.out.split()
    check(result.code == 0 and not result.timed_out, f"STORM_SEED={SEED}: it ends, and well",
          result)
    check(len(words) == 4 and int(words[1]) > 20, "there were connections", result)
    equal(words[2:], ["more", "0"], "and no descriptor is left", result)
    equal(user.agent_pid(), pid, "it is the same agent")
    equal(run(["curl", "-sS", "http://far.example/"], user.preload(proxy.url)).out, "page\n",
          "which is well")


harness.main(main)
