#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a socket answers to every call while it connects: through us the same as in the kernel,
whatever the handshake is waiting for."""

import harness
from agents import ForgetfulAgent
from simproxy import Simproxy
from victims import Victims, compare_touches

CHALLENGE = (r"HTTP/1.1 407 Proxy Authentication Required\r\n"
             r'Proxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n')


def main():
    victims = Victims(harness.User("alice"))
    proxy = Simproxy("conn\nexpect\nhold\nrepeat\n")
    compare_touches(victims, "the proxy is silent", proxy.url)
    fortified = Victims(victims.user, "-fortified")
    fortified.call("connecting", "__read_chk", "__recv_chk", "__recvfrom_chk")
    compare_touches(fortified, "the proxy is silent", proxy.url)
    proxy.end()

    proxy = Simproxy(f"conn\nexpect\nsend {CHALLENGE}\nexpect\nhold\nrepeat\n")
    agent = ForgetfulAgent(proxy)
    compare_touches(victims, "silent after a challenge", proxy.url, GATEPASS_AGENT=agent.path)
    agent.close()
    agent = ForgetfulAgent(proxy, delay=100)
    compare_touches(victims, "the agent is silent", proxy.url, GATEPASS_AGENT=agent.path)
    agent.close()
    proxy.end()


harness.main(main)
