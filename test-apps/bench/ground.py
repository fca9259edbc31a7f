# SPDX-License-Identifier: MIT
"""What the rows stand on: the programs of this directory, run bare, with the library, or with
proxychains-ng; proxies near and far; and rounds."""

import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import harness  # noqa: E402
import simproxy  # noqa: E402
from simproxy import BASE64, PASSWORD, USER, Simproxy  # noqa: E402

PROGRAMS = harness.BUILD / "bench"
# A stand-in address that stands for no name: it leads to nowhere but through the proxy.
HOST, PORT = "198.19.0.9", 7


class Unmeasured(Exception):
    """Something that a row needs is missing or does not work."""


def need(condition, what):
    if not condition:
        raise Unmeasured(what)


def numbers(result):
    """The numbers that a program has printed."""
    try:
        if result.code == 0:
            return [float(word) for word in result.out.split()]
    except ValueError:
        pass
    raise Unmeasured(str(result))


def program(name, *args, env=None):
    """Runs one of our programs."""
    return numbers(harness.run([PROGRAMS / name, *args], env or harness.clean_env()))


# --- rounds ------------------------------------------------------------------------------

def in_turn(rounds, variants):
    """Runs every variant once in each round: {name: [what it returned in each round]}."""
    found = {name: [] for name in variants}
    for _ in range(rounds):
        for name, measure in variants.items():
            found[name].append(measure())
    return found


def column(rounds, index):
    return [values[index] for values in rounds]


def ratios(values, base):
    """Round by round."""
    return [value / other for value, other in zip(values, base)]


def differences(values, base):
    return [value - other for value, other in zip(values, base)]


def microseconds(nanoseconds):
    return f"{statistics.median(nanoseconds) / 1000:,.0f} µs"


# --- proxies -----------------------------------------------------------------------------

class Gate(Simproxy):
    """A proxy that lets through who has the password; what follows is in its script."""

    def __init__(self, then):
        super().__init__(f"conn\nrepeat\nauth {BASE64}\nsend {simproxy.OK}\n{then}\n")

    def passed(self, count, measure):
        """What measure() returns, when so many requests have come here on its behalf: what
        is not preloaded as it should be may find another way."""
        before = len(self.told("request"))
        found = measure()
        came = len(self.told("request")) - before
        need(came == count, f"{came} requests came to the proxy instead of {count}")
        return found


class Far:
    """A proxy at the end of a line on which a round trip takes so many milliseconds."""

    def __init__(self, gate, milliseconds):
        self._process = harness.start([PROGRAMS / "distance", gate.port, milliseconds],
                                      stdout=subprocess.PIPE)
        self.port = int(self._process.stdout.readline().split()[1])
        self.passed = gate.passed

    def stop(self):
        harness.stop(self._process)


# --- clients -----------------------------------------------------------------------------

def own(proxy, host=HOST, port=PORT):
    """The arguments that tell a client to ask the proxy itself."""
    return host, port, proxy.port, BASE64


def url(proxy):
    return f"http://127.0.0.1:{proxy.port}"


def url_with_password(proxy):
    return f"http://{USER}:{PASSWORD}@127.0.0.1:{proxy.port}"


def new_user(name, proxy):
    """(a user who has logged in, the environment with the library and that proxy)"""
    user = harness.User(name)
    login = user.login(url(proxy), PASSWORD, USER, session=True)
    need(login.code == 0, str(login))
    return user, user.preload(url(proxy))


def acquainted(name, gate):
    """The same, and the agent has got to know the proxy by a 407 and a tunnel."""
    user, env = new_user(name, gate)
    gate.passed(2, lambda: numbers(harness.run([PROGRAMS / "transfer", 0, HOST, PORT], env)))
    return user, env


def has_peer():
    return harness.find_program("proxychains4") is not None


def peer(user, port):
    """The environment of a program with proxychains-ng instead of us."""
    file = harness.DIRECTORY / f"proxychains-{port}.conf"
    file.write_text("strict_chain\nproxy_dns\n[ProxyList]\n"
                    f"http 127.0.0.1 {port} {USER} {PASSWORD}\n")
    return user.env(LD_PRELOAD="libproxychains.so.4", PROXYCHAINS_CONF_FILE=file,
                    PROXYCHAINS_QUIET_MODE=1)
