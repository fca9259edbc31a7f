#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Programs that connect without blocking: whatever they wait with, they see what they would see
of the destination itself, and nothing of the handshake."""


import harness
from agents import ForgetfulAgent
from harness import check, equal
from simproxy import OK, Simproxy, cut, octets
from victims import Victims, compare_waits, loop, switches

CHALLENGE = (r"HTTP/1.1 407 Proxy Authentication Required\r\n"
             r'Proxy-Authenticate: Basic realm="x"\r\nContent-Length: 4\r\n\r\nbody')
CLOSING = (r"HTTP/1.0 407 Proxy Authentication Required\r\n"
           r'Proxy-Authenticate: Basic realm="x"\r\n\r\nbody')
CONTINUE = r"HTTP/1.1 100 Continue\r\n\r\n"


def failures(victims):
    """A refusal shows as a connection that is refused: by SO_ERROR, once."""
    closed = str(harness.free_port())
    proxy = Simproxy("conn\nexpect\nwait 20\n"
                     r"send HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" + "\nclose\nrepeat\n")
    for method in victims.known("loop"):
        bare = loop(victims, None, method, 2, ("127.0.0.1", closed))
        through = loop(victims, proxy.url_with_password, method, 2)
        check("ECONNREFUSED" in bare.out, f"{method}: is refused without us", bare)
        if method == "again":  # the kernel says so at once, and not when asked again
            check("connect ECONNREFUSED" in through.out, "again: connect() tells it", through)
        elif bare.out.startswith("connect"):  # the kernel knew at once
            check("error ECONNREFUSED then 0" in through.out, f"{method}: refused by the proxy",
                  through)
        else:
            equal(through.out, bare.out, f"{method}: refused by the proxy", through)
    proxy.end()


def splits(victims):
    """The replies cut at every octet, and octet by octet: the same events, and no spinning."""
    for name, first, rest in [
            ("challenge", CHALLENGE, f"expect\nsend {OK}\necho\n"),
            ("continue and acceptance", CONTINUE + OK, "echo\n"),
            ("closing challenge", CLOSING, None)]:
        length = len(octets(first))
        scenarios = []
        for at in range(1, length):
            scenarios.append(f"conn\nexpect\n{cut(first, at)}" +
                             (rest or f"close\nconn\nexpect\nsend {OK}\necho\n"))
        scenarios.append(f"conn\nexpect\nsplit 1\ndelay 1\nsend {first}\nsplit 0\n" +
                         (rest or f"close\nconn\nexpect\nsend {OK}\necho\n"))
        for method in ("poll", "select", "epoll", "early-edge"):
            proxy = Simproxy("".join(scenarios))
            agent = ForgetfulAgent(proxy)
            result = loop(victims, proxy.url, method, length, GATEPASS_AGENT=agent.path)
            agent.close()
            wanted = "writable 4 error 0 then 0 readable 1 echo hello\n" * length
            check(result.out == wanted + f"waits {2 * length} idle 0\n",
                  f"{name} cut at each of {length} octets: {method}", result)
            # A cut costs one more sleep, a reconnection and the agent's answers some more.
            check(switches(result) < 12 * length + 3 * length + 50,
                  f"{name} cut at each octet: {method} sleeps",
                  lambda: f"{switches(result)} switches, {length} connections")
            proxy.end()


def banner(victims):
    """A server that speaks first, in the same segment as the proxy's 200."""
    text = r"220 mail.example.org ESMTP\r\n"
    proxy = Simproxy(f"conn\nexpect\nwait 20\nsend {OK}{text}\necho\nrepeat\n")
    for method in ("poll", "select", "epoll", "early-edge"):
        result = loop(victims, proxy.url_with_password, method)
        check("early bytes" in result.out and "220 mail" in result.out,
              f"{method}: the server's greeting is there, whole", result)
    proxy.end()


def main():
    victims = Victims(harness.User("alice"))
    compare_waits(victims)
    failures(victims)
    splits(victims)
    banner(victims)
    fortified = Victims(victims.user, "-fortified")
    fortified.call("loop", "__poll_chk", "__ppoll_chk")
    compare_waits(fortified)


harness.main(main)
