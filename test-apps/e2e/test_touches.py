#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a socket answers to every call while it connects: through us the same as in the kernel,
whatever the handshake is waiting for."""

import socket

import harness
from agents import ForgetfulAgent
from harness import APPS, check, equal, run
from simproxy import Simproxy

TOUCHES = run([APPS / "connecting", "--list"]).out.split()
CHALLENGE = (r"HTTP/1.1 407 Proxy Authentication Required\r\n"
             r'Proxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n')


class Deaf:
    """A port whose server has no room for another connection: the kernel does not answer, and
    whoever connects stays in SYN-SENT."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.fillers = []
        while self._connects():
            pass

    def _connects(self):
        filler = socket.socket()
        filler.settimeout(0.2)
        self.fillers.append(filler)
        try:
            filler.connect(("127.0.0.1", self.port))
            return True
        except TimeoutError:
            return False

    def close(self):
        for held in self.fillers + [self.listener]:
            held.close()


def touch(name, env, destination):
    return run([APPS / "connecting", name, *destination], env)


def compare(user, stage, proxy_url, **extra):
    deaf = Deaf()
    for name in TOUCHES:
        bare = touch(name, user.env(), ("127.0.0.1", deaf.port))
        through = touch(name, user.preload(proxy_url, **extra), ("198.51.100.7", 7))
        check(bare.out.startswith("connect -1 EINPROGRESS") and bare.code == 0,
              f"{stage}: {name}: connects without us", bare)
        equal(through.out, bare.out, f"{stage}: {name}: as the kernel", through)
    deaf.close()


def main():
    user = harness.User("alice")
    proxy = Simproxy("conn\nexpect\nhold\nrepeat\n")
    compare(user, "the proxy is silent", proxy.url)
    proxy.end()

    proxy = Simproxy(f"conn\nexpect\nsend {CHALLENGE}\nexpect\nhold\nrepeat\n")
    agent = ForgetfulAgent(proxy)
    compare(user, "silent after a challenge", proxy.url, GATEPASS_AGENT=agent.path)
    agent.close()
    agent = ForgetfulAgent(proxy, delay=100)
    compare(user, "the agent is silent", proxy.url, GATEPASS_AGENT=agent.path)
    agent.close()
    proxy.end()


harness.main(main)
