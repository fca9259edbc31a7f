#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Names that only the proxy can resolve, through every look-up that libc has; names that go
direct; datagrams to stand-in addresses."""

import re

import harness
from harness import APPS, check, equal, run
from simproxy import OK, Simproxy, requests

HOST = "www.gatepass.test"
WRAPPER = "libnss_wrapper.so"


def lines_of(result):
    return dict(line.partition(": ")[::2] for line in result.out.splitlines())


def look_up(user, url, name=HOST):
    return lines_of(run([user.apps / "names", name], user.preload(url)))


def every_call(user, url):
    bare = run([user.apps / "names", HOST], user.env())
    check("198.18." not in bare.out, "without us the name is unknown", bare)
    result = run([user.apps / "names", HOST], user.preload(url))
    told = lines_of(result)
    found = re.fullmatch(rf"{HOST} (198\.1[89]\.\d+\.\d+) aliases=0 more=0",
                         told.get("gethostbyname", ""))
    if not check(found, "gethostbyname gives a stand-in", result):
        return
    v4 = found[1]
    v6 = "100::" + ":".join(f"{int(a) * 256 + int(b):x}" for a, b in
                            [v4.split(".")[:2], v4.split(".")[2:]])
    host = f"{HOST} {v4} aliases=0 more=0"
    for call, wanted in {
            "gethostbyname in a child": host,
            "gethostbyname_r": host,
            "gethostbyname_r small": "ERANGE -1 no host",
            "gethostbyname2": f"{HOST} {v6} aliases=0 more=0",
            "gethostbyname2_r": f"{HOST} {v6} aliases=0 more=0",
            "getaddrinfo": f"{v4},443,1 {v4},443,2 {v4},443,3 canonname=-",
            "getaddrinfo inet6": f"{v6},443,1 {v6},443,2 canonname=-",
            "getaddrinfo canonname": f"{v4},0,1 {v4},0,2 {v4},0,3 canonname={HOST}",
            "getaddrinfo service": "Servname not supported for ai_socktype",
            "getaddrinfo numeric": "Name or service not known",
            "getaddrinfo address": "192.0.2.1,1,1 192.0.2.1,1,2 192.0.2.1,1,3 canonname=-",
            "getaddrinfo passive": "0.0.0.0,1,1 0.0.0.0,1,2 0.0.0.0,1,3 canonname=-",
            "gethostbyaddr": host,
            "gethostbyaddr_r": host,
            "getnameinfo": f"{HOST} https",
            "getnameinfo numeric": v4,
            "sendto": "ENETUNREACH",
            "sendmsg": "ENETUNREACH",
            "sendmmsg": "ENETUNREACH",
            "sendmmsg second": "1",
            "connect": "ENETUNREACH",
            "sendto elsewhere": "OK"}.items():
        equal(told.get(call), wanted, call, result)
    check(told.get("getnameinfo tiny") not in (None, "Success"), "getnameinfo overflow", result)
    return v4


def agreement(user, url, v4):
    other = look_up(user, url, f"{HOST}.")
    equal(other.get("gethostbyname", "").split()[1:2], [v4], "another process, a final dot")
    another = look_up(user, url, "other.gatepass.test")
    check(v4 not in another.get("gethostbyname", v4), "another name, another address", another)
    pid = user.agent_pid()
    equal(user.ctl("agent", "stop").code, 0, "the agent stops")
    again = look_up(user, url, HOST.upper())
    equal(again.get("gethostbyname", "").split()[1:2], [v4],
          "the next agent's life, in capitals")
    check(user.agent_pid() not in (None, pid), "it is another agent")
    equal(again.get("gethostbyaddr", "").split()[:1], [HOST], "and the way back")


def by_address_after_exec(user):
    """An address that one process got serves another one, in the next agent's life."""
    proxy = Simproxy(f"conn\nexpect\nsend {OK}\nsend hello\nfinish\n")
    address = look_up(user, proxy.url)["getnameinfo numeric"]
    user.ctl("agent", "stop")
    result = run([APPS / "probe", address, 7], user.preload(proxy.url))
    log = proxy.end()
    check("got hello" in result.out and f"peer {address}:7" in result.out,
          "a stand-in address as an argument", result)
    equal(requests(log), [f"request CONNECT {HOST}:7 HTTP/1.1"], "the proxy is told the name")


def direct(user, url):
    equal(look_up(user, url, "localhost").get("gethostbyname", "").split()[1:2],
          ["127.0.0.1"], "localhost is the system's")
    unknown = look_up(user, url, "unknownlabel").get("gethostbyname", "")
    check(unknown.startswith("error"), "a single label is the system's", unknown)
    exempt = lines_of(run([user.apps / "names", HOST],
                          user.preload(url, no_proxy="gatepass.test")))
    check(exempt.get("gethostbyname", "").startswith("error"),
          "a name in no_proxy is the system's", exempt)


def exempt_by_name(user):
    """no_proxy names a host that the system's resolver knows: its address goes direct."""
    hosts = harness.DIRECTORY / "hosts"
    hosts.write_text("192.0.2.77 known.gatepass.test\n")
    code = ("import socket\n"
            "s = socket.socket(); s.settimeout(0.5)\n"
            "try: s.connect((socket.getaddrinfo('known.gatepass.test', 7)[0][4]))\n"
            "except OSError: pass\n")
    for exempt, wanted in (("elsewhere.test", 1), ("known.gatepass.test", 0)):
        proxy = Simproxy(f"conn\nexpect\nsend {OK}\nfinish\n")
        env = user.preload(proxy.url, NSS_WRAPPER_HOSTS=hosts, GATEPASS_NO_PROXY=exempt)
        env["LD_PRELOAD"] += f":{WRAPPER}"
        result = run(["/usr/bin/python3", "-c", code], env)
        equal(len(requests(proxy.end())), wanted, f"no_proxy={exempt}", result)


def benchmark_network(user, url):
    """198.18.0.0/15 is somebody's own network: without a name it is like any other."""
    result = run([user.apps / "names", "198.18.200.200"], user.preload(url))
    check("sendto: ENETUNREACH" not in result.out or
          "sendto: ENETUNREACH" in run([user.apps / "names", "198.18.200.200"], user.env()).out,
          "datagrams to an address of that network that stands for no name", result)


def main():
    user = harness.User("alice")
    url = f"http://127.0.0.1:{harness.free_port()}"
    v4 = every_call(user, url)
    if v4:
        agreement(user, url, v4)
        by_address_after_exec(user)
    direct(user, url)
    if harness.SANITIZER != "thread":  # which refuses the wrapper's way of loading libc
        exempt_by_name(user)
    benchmark_network(user, url)


if __name__ == "__main__":
    harness.main(main)
