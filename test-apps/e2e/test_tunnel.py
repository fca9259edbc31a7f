#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The handshake over a scripted proxy: every odd way of saying 407 and 200, every errno, and
the sockets and options that programs use."""

import socket

import harness
from harness import APPS, check, equal, run
from simproxy import (BASE64, CHALLENGE, CHALLENGE_10, CHALLENGES, OK, Simproxy, connections,
                      offered, requests)

HOST = "origin.gatepass.test"
ACCEPT = f"expect\nsend {OK}\nsend hello\nfinish\n"
BANNER = "banner hello\nfinish\n"
EMPTY = "Content-Length: 0\\r\\n\\r\\n"

# name, script, connections that it takes. Each ends with a tunnel in which "hello" comes.
TUNNELS = [(name, f"conn\nexpect\n{challenge}{then}{ACCEPT}", 1 + then.count("conn"))
           for name, challenge, then in CHALLENGES] + [
    ("interim responses before 407 and 200",
     f"conn\nexpect\nsend HTTP/1.1 100 Continue\\r\\n\\r\\nHTTP/1.1 102 Processing\\r\\nX: y\\r\\n\\r\\n{CHALLENGE}{EMPTY}\n"
     f"expect\nsend HTTP/1.1 100 Continue\\r\\n\\r\\n{OK}hello\nfinish\n", 1),
    ("replies in single octets",
     f"conn\nsplit 1\nexpect\nsend {CHALLENGE}Transfer-Encoding: chunked\\r\\n\\r\\n3\\r\\nabc\\r\\n0\\r\\n\\r\\n\nexpect\nsend {OK}hello\nfinish\n", 1),
    ("replies in single octets with pauses",
     f"conn\nsplit 1\ndelay 2\nexpect\nsend {CHALLENGE}Content-Length: 3\\r\\n\\r\\nabc\nexpect\nsend {OK}hello\nfinish\n", 1),
    ("a server that speaks first, in the same segment",
     f"conn\nexpect\nsend {CHALLENGE}{EMPTY}\nexpect\n{BANNER}", 1),
    ("200 with Content-Length, which means nothing",
     f"conn\nexpect\nsend {CHALLENGE}{EMPTY}\nexpect\nsend HTTP/1.0 200 OK\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\nhello\nfinish\n", 1),
    ("204", f"conn\nexpect\nsend {CHALLENGE}{EMPTY}\nexpect\nsend HTTP/1.1 204 None\\r\\n\\r\\nhello\nfinish\n", 1),
    ("299 without a reason", f"conn\nexpect\nsend {CHALLENGE}{EMPTY}\nexpect\nsend HTTP/1.1 299\\r\\n\\r\\nhello\nfinish\n", 1),
    ("no 407 at all", f"conn\n{ACCEPT}", 1),
]

# name, script, errno, how often a credential may be sent.
FAILURES = [
    ("403", "conn\nexpect\nsend HTTP/1.1 403 Forbidden\\r\\nContent-Length: 0\\r\\n\\r\\n\nfinish\n", "EACCES", 0),
    ("500", "conn\nexpect\nsend HTTP/1.0 500 Unable to connect\\r\\n\\r\\n\n", "EHOSTUNREACH", 0),
    ("502", "conn\nexpect\nsend HTTP/1.1 502 Bad Gateway\\r\\n\\r\\n\n", "EHOSTUNREACH", 0),
    ("503", "conn\nexpect\nsend HTTP/1.1 503 Busy\\r\\n\\r\\n\n", "ECONNREFUSED", 0),
    ("504", "conn\nexpect\nsend HTTP/1.1 504 Timeout\\r\\n\\r\\n\n", "ETIMEDOUT", 0),
    ("garbage", "conn\nexpect\nsend SSH-2.0-OpenSSH\\r\\n\nfinish\n", "ECONNREFUSED", 0),
    ("a NUL in the head", "conn\nexpect\nsend HTTP/1.1 200 OK\\r\\nX: \\0\\r\\n\\r\\n\nfinish\n", "ECONNREFUSED", 0),
    ("no reply", "conn\nexpect\nclose\n", "ECONNREFUSED", 0),
    ("a head without end", "conn\nexpect\nsend HTTP/1.1 200 OK\\r\\nX: \nbody 70000\nfinish\n", "ECONNREFUSED", 0),
    ("407 without a challenge", "conn\nexpect\nsend HTTP/1.1 407 No\\r\\nContent-Length: 0\\r\\n\\r\\n\nfinish\n", "EACCES", 0),
    ("407 with unknown schemes only",
     "conn\nexpect\nsend HTTP/1.1 407 No\\r\\nProxy-Authenticate: Bearer realm=x\\r\\nContent-Length: 0\\r\\n\\r\\n\nfinish\n", "EACCES", 0),
    ("a rejected password", f"conn\nexpect\nsend {CHALLENGE}Content-Length: 0\\r\\n\\r\\n\nloop\nrepeat\n", "EACCES", 1),
    ("401 for a rejected password, as tinyproxy",
     f"conn\nexpect\nsend {CHALLENGE_10}\\r\\n\nclose\nconn\nexpect\nsend HTTP/1.0 401 Unauthorized\\r\\nWWW-Authenticate: Basic realm=x\\r\\n\\r\\n\nclose\nrepeat\n", "EACCES", 1),
]


def shown(result):
    """The victim's "key value" lines; of a key that comes twice, the last."""
    return dict(line.partition(" ")[::2] for line in result.out.splitlines())


def probe(user, url, *options, target=(HOST, 7), timeout=60, **env):
    result = run([APPS / "probe", *options, *target], user.preload(url, **env), timeout=timeout)
    return shown(result), result


def proof_without_us(user):
    proxy = Simproxy(f"conn\nauth {BASE64}\n{ACCEPT}")
    result = run(["curl", "-sS", "-p", "-x", proxy.url, f"http://{HOST}:7/"], user.env())
    check("407" in result.err, "without us: 407", result)
    proxy.end()


def tunnels(user):
    for name, script, count in TUNNELS:
        proxy = Simproxy(script)
        told, result = probe(user, proxy.url_with_password)
        log = proxy.end()
        ok = told.get("connect") == "OK" and told.get("errno") == "77" and told["fd"] == "3"
        check(ok and told.get("got") == "hello", name, lambda: f"{result}\n{log}")
        equal((connections(log), set(requests(log))),
              (count, {f"request CONNECT {HOST}:7 HTTP/1.1"}), f"{name}: on the wire", log)


def failures(user):
    for name, script, errno, offers in FAILURES:
        proxy = Simproxy(script)
        told, result = probe(user, proxy.url_with_password)
        log = proxy.end()
        equal((told.get("connect"), told.get("peer")), (errno, "ENOTCONN"), f"{name}: {errno}",
              lambda: f"{result}\n{log}")
        equal(offered(log), offers, f"{name}: credentials sent", log)


def unreachable(user):
    told, result = probe(user, f"http://127.0.0.1:{harness.free_port()}")
    equal(told.get("connect"), "ECONNREFUSED", "nobody listens at the proxy's port", result)
    told, result = probe(user, "http://proxy.invalid:3128")
    equal(told.get("connect"), "EHOSTUNREACH", "the proxy's name is unknown", result)


def sockets(user):
    """Families, bound sockets, non-blocking ones, and the reconnection of each."""
    reconnecting = f"conn\nexpect\nsend {CHALLENGE}\\r\\n\nclose\nconn\n{ACCEPT}"
    for name, options, ipv6, family in [
            ("AF_INET", ["-4"], False, "AF_INET"),
            ("AF_INET6 over an IPv4 proxy", ["-6"], False, "AF_INET6"),
            ("IPv4-mapped", ["-m"], False, "AF_INET6"),
            ("AF_INET over an IPv6 proxy", ["-4"], True, "AF_INET"),
            ("AF_INET6 over an IPv6 proxy", ["-6"], True, "AF_INET6"),
            ("IPV6_V6ONLY over an IPv4 proxy", ["-6", "-V"], False, "AF_INET6"),
            ("non-blocking", ["-n"], False, "AF_INET"),
            ("bound to an address", ["-4", "-b", "127.0.0.9"], False, "AF_INET")]:
        proxy = Simproxy(reconnecting, ipv6)
        told, result = probe(user, proxy.url_with_password, "-o", *options)
        log = proxy.end()
        check(told.get("connect") == "OK" and told.get("got") == "hello" and
              told.get("fd") == "3", f"{name}: tunnel", lambda: f"{result}\n{log}")
        peer = told.get("peer", "")
        check(("[100::c612:" if family == "AF_INET6" and "-m" not in options else
               "[::ffff:198.18." if "-m" in options else "198.18.") in peer and
              peer.endswith(":7"), f"{name}: getpeername tells what was asked for", result)
        wanted = ("nodelay=1 keepalive=1 idle=55 rcvlowat=3 rcvtimeo=77 rcvbuf=100000 "
                  f"fl={'4002' if '-n' in options else '2'} fd=1")
        equal(told.get("options"), wanted, f"{name}: options stay", result)
        if "-b" in options:
            check(told.get("local", "").startswith("127.0.0.9:") and
                  all(" 127.0.0.9 " in f"{line} " for line in log if line.startswith("accept")),
                  f"{name}: the source address stays", lambda: f"{result}\n{log}")


def alternatives(user):
    dead = harness.free_port()
    proxy = Simproxy(f"conn\n{ACCEPT}")
    told, result = probe(user, f"http://127.0.0.1:{dead},{proxy.url}")
    equal(told.get("got"), "hello", "the second address serves when the first is dead", result)
    proxy.end()


def interruptions(user):
    silent = "conn\nexpect\nhold\nrepeat\n"
    late = f"conn\nexpect\nwait 600\nsend {OK}\nsend hello\nfinish\n"
    proxy = Simproxy(silent)
    told, result = probe(user, proxy.url, "-i", "200")
    equal((told.get("connect"), told.get("signals")), ("EINTR", "1"),
          "a handler without SA_RESTART interrupts", result)
    told, result = probe(user, proxy.url, "-t", "300")
    equal((told.get("connect"), told.get("sndtimeo")), ("EINPROGRESS", "300"),
          "SO_SNDTIMEO is honoured and stays", result)
    proxy.end()
    proxy = Simproxy(late)
    told, result = probe(user, proxy.url, "-i", "200", "-r")
    equal((told.get("connect"), told.get("signals"), told.get("got")), ("OK", "1", "hello"),
          "a handler with SA_RESTART does not", result)
    proxy.end()
    proxy = Simproxy(late)
    told, result = probe(user, proxy.url, "-i", "200", "-a")
    equal((told.get("connect"), told.get("got")), ("OK", "hello"),
          "connect() called again after EINTR waits for the same tunnel", result)
    equal(len(requests(proxy.end())), 1, "which went on being made")


def deadline(user):
    proxy = Simproxy("conn\nexpect\nhold\n")
    told, result = probe(user, proxy.url, timeout=90)
    equal(told.get("connect"), "ETIMEDOUT", "a silent proxy: ETIMEDOUT", result)
    check(25 < result.seconds < 60 * harness.PATIENCE, "after the deadline", result)
    proxy.end()


def own_proxy(user):
    """A program that speaks to the proxy itself is not sent through the proxy to the proxy."""
    proxy = Simproxy("conn\nsend direct\nfinish\n")
    told, result = probe(user, proxy.url, target=("127.0.0.1", proxy.port))
    equal(told.get("got"), "direct", "a connection to the proxy itself goes direct", result)
    equal(requests(proxy.end()), [], "without a CONNECT")


def second_connect(user):
    """Each socket state that is not ours goes to the kernel."""
    proxy = Simproxy(f"conn\n{ACCEPT}")
    code = ("import socket, errno\n"
            f"s = socket.create_connection(('{HOST}', 7))\n"
            "print(errno.errorcode[s.connect_ex(s.getpeername())])\n"
            "print(s.dup().getpeername()[0].startswith('198.18.'))\n"
            "l = socket.socket(); l.bind(('127.0.0.1', 0)); l.listen()\n"
            "print(errno.errorcode[l.connect_ex(('192.0.2.1', 7))])\n"
            "u = socket.socket(socket.AF_UNIX)\n"
            "print(errno.errorcode[u.connect_ex('/nonexistent')])\n")
    result = run(["/usr/bin/python3", "-c", code], user.preload(proxy.url))
    equal(result.out.split(), ["EISCONN", "True", "EISCONN", "ENOENT"],
          "connected, listening and other sockets", result)
    proxy.end()


def main():
    user = harness.User("alice")
    proof_without_us(user)
    tunnels(user)
    failures(user)
    unreachable(user)
    if socket.has_ipv6:
        sockets(user)
    alternatives(user)
    interruptions(user)
    own_proxy(user)
    second_connect(user)
    deadline(user)


if __name__ == "__main__":
    harness.main(main)
