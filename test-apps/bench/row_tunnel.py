# SPDX-License-Identifier: MIT
"""From connect() to the tunnel, when the agent knows the proxy and its password. Near proxies,
on loopback, show what our question to the agent costs; far ones whether it matters."""

import statistics

import ground
import proxies
import table
from ground import HOST, PASSWORD, PORT, USER, Simproxy, column, harness

TITLE = "time to a tunnel, known proxy, against a client's own CONNECT with the right header"
BAR = table.at_most(1.15)
ROUNDS, COUNT = 15, 100
CURL_ROUNDS = 25
DISTANCES = (1, 50)  # milliseconds for a round trip
PAGE = "expect\nsend HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n\nfinish"


def compare(name, own, ours):
    """Of nanoseconds."""
    table.line(name, ground.ratios(ours, own), BAR)
    table.note(f"own {ground.microseconds(own)}, ours {ground.microseconds(ours)}")


def client(name, rounds, own, ours, peer=None):
    """Our own client: the first tunnel in a process, and those that follow. Returns the
    times of the latter."""
    variants = {"own": own, "ours": ours} | ({"peer": peer} if peer else {})
    times = ground.in_turn(rounds, variants)
    for index, which in enumerate(("first in a process", "further ones")):
        base = column(times["own"], index)
        compare(f"{name}: {which}", base, column(times["ours"], index))
        if peer:
            table.line(f"{name}: {which}, proxychains-ng",
                       ground.ratios(column(times["peer"], index), base))
    return column(times["own"], 1), column(times["ours"], 1)


def near():
    gate = ground.Gate("hold")
    user, env = ground.acquainted("near", gate)
    peer_env = ground.peer(user, gate.port)

    def tunnels(*args, env=None):
        return gate.passed(COUNT, lambda: ground.program("tunnel", COUNT, *args, env=env))

    client("scripted proxy", ROUNDS, lambda: tunnels(*ground.own(gate)),
           lambda: tunnels(HOST, PORT, env=env),
           (lambda: tunnels(HOST, PORT, env=peer_env)) if ground.has_peer() else None)
    gate.stop()


def far(distance):
    """Round trips show when they take long."""
    gate = ground.Gate("hold")
    line = ground.Far(gate, distance)
    env = ground.acquainted(f"far{distance}", line)[1]
    count = 200 // distance + 2

    def tunnels(*args, env=None):
        return line.passed(count, lambda: ground.program("tunnel", count, *args, env=env))

    own, ours = client(f"proxy {distance} ms away", 5, lambda: tunnels(*ground.own(line)),
                       lambda: tunnels(HOST, PORT, env=env))
    trips = [more / distance / 1e6 for more in ground.differences(ours, own)]
    table.line(f"proxy {distance} ms away: round trips more", trips, table.at_most(0.5))
    line.stop()
    gate.stop()


def curl(env, *args):
    """Nanoseconds until it could send its request."""
    return ground.numbers(harness.run(
        ["curl", "-sS", "-o", "/dev/null", "-w", "%{time_pretransfer}", *args], env))[0] * 1e9


def curls(name, proxy, url, env):
    own = ["-p", "-x", ground.url(proxy), "-U", f"{USER}:{PASSWORD}"]
    times = ground.in_turn(CURL_ROUNDS, {
        "own": lambda: curl(harness.clean_env(), *own, url),
        "ours": lambda: curl(env, url),
    })
    compare(f"{name}: curl", times["own"], times["ours"])


def curl_near():
    gate = ground.Gate(PAGE)
    curls("scripted proxy", gate, f"http://{HOST}:{PORT}/", ground.acquainted("curl", gate)[1])
    gate.stop()


def stand_in(user, proxy, host):
    answer = user.ask_agent(f"gatepass 1 resolve\nhost={host}\n"
                            f"gatepass-proxy={ground.url(proxy)}\n")
    return answer[1]["address"][0]


def behind_squid():
    ground.need(harness.find_program("squid"), "no squid")
    squid, origin = proxies.squid_basic(), Simproxy(f"conn\n{PAGE}\nrepeat\n")
    user, env = ground.new_user("behind-squid", squid)
    url = f"http://{proxies.ORIGIN}:{origin.port}/"
    curl(env, url)
    ground.need(squid.settled(200, 1), "Squid was not asked")
    address = stand_in(user, squid, proxies.ORIGIN)
    client("Squid", ROUNDS,
           lambda: ground.program("tunnel", COUNT, *ground.own(squid, proxies.ORIGIN,
                                                               origin.port)),
           lambda: ground.program("tunnel", COUNT, address, origin.port, env=env))
    curls("Squid, by name", squid, url, env)
    harness.stop(squid.process)
    origin.stop()


def measure():
    near()
    curl_near()
    behind_squid()
    for distance in DISTANCES:
        far(distance)
