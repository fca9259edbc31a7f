# SPDX-License-Identifier: MIT
"""The victims of test-apps/apps, in each way that they are compiled, and what they have to see:
through us of a proxy the same as of the kernel's own connect()."""

import re
import socket
import socketserver
import threading

from harness import check, equal, run
from simproxy import BASE64, OK, Simproxy

DESTINATION = ("198.51.100.7", "7")
# Those of loop's methods that look again after a while count as idle what is theirs.
LOOKING = ("short", "spin", "again", "pipe")
# What each scenario of passage prints. "echo hello" is the end of a connection that came to be.
PASSAGES = {
    "use-duplicate": "echo hello",
    "use-high-duplicate": "dup2 ok, echo hello",
    "use-duplicate-in-set": "wait ok, echo hello",
    "become-blocking": "echo hello",
    "become-blocking-by-ioctl": "echo hello",
    "raise-low-water": "low water 5, echo hello",
    "go-on-after-signal": "connect EINTR, echo hello",
    "go-on-after-timeout": "connect EINPROGRESS, echo hello",
    "connect-twice": "connect ok, connect EISCONN, echo hello",
    # The kernel is connected to the proxy, and the program has not waited in a way that is
    # seen: connect() stays until the tunnel stands.
    "connect-twice-nonblocking": "connect ok, connect EISCONN, connect EISCONN, echo hello",
    "open-fast": "sendto ok, recv ok, echo hello",
    "open-fast-nonblocking": "sendmsg EINPROGRESS, echo hello",
    "connect-fast": "echo hello",
    "wait-unseen": "ppoll ok, echo hello",
    "wait-unseen-for-peer": "getpeername ok, echo hello",
    "child-closes": "wait ok, echo hello",
    "daemon-goes-on": "echo hello",
    "leave-to-child": "wait ok, echo hello",
    "vfork-child-closes": "echo hello",
    "spawn-meanwhile": "status 0, echo hello",
    "close-everything": "echo hello, echo hello, echo hello, write ok, read ok, read still",
    "close-everything-at-once": "close_range ok, echo hello",
    "close-by-thread": "send EBADF, echo hello",
    "poll-twice": "ready 1 0 4 0, echo hello",
    "two-sets": "first ok, second ok, echo hello",
    "four-threads": "echo hello",
    "two-connect-one": "echo hello",
    "fail-by-recv": "recv ECONNREFUSED, recv ok, send EPIPE, error 0",
    "fail-by-send": "send ECONNREFUSED, send EPIPE",
    "fail-by-connect": "connect ECONNREFUSED",
    "fail-by-error": "hang-up 1, getpeername ENOTCONN, error ECONNREFUSED, error 0, "
                     "connect ECONNABORTED",
    "fail-blocking": "connect ECONNREFUSED, error 0",
}


class Victims:
    """A user's victims. `kind` says how they were compiled: "" or as their names end."""

    def __init__(self, user, kind=""):
        self.user = user
        self.kind = kind
        self.label = f"{kind[1:]}: " if kind else ""

    def path(self, name):
        return self.user.apps / f"{name}{self.kind}"

    def run(self, name, args, env, **options):
        return run([self.path(name), *args], env, **options)

    def known(self, name):
        """The methods, touches or scenarios that it has."""
        return run([self.path(name), "--list"]).out.split()

    def call(self, name, *functions):
        """Does it call libc by these names? Else its kind would try nothing new."""
        called = run(["nm", "-D", "-u", "--without-symbol-versions", self.path(name)])
        missing = set(functions) - set(called.out.split())
        check(not missing, f"{self.label}{name} calls libc by other names", missing)


# --- waiting -----------------------------------------------------------------------------

class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(4096):
            self.request.sendall(data)


class EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


def loop(victims, proxy, method, count=1, destination=DESTINATION, timeout=100, **extra):
    user = victims.user
    env = user.preload(proxy, **extra) if proxy else user.env()
    return victims.run("loop", [method, *destination, str(count)], env, timeout=timeout)


def switches(result):
    return int(re.search(r"switches (\d+)", result.err)[1])


def compare_waits(victims):
    """Each way of waiting, against the kernel's own connect() on loopback."""
    with EchoServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        local = ("127.0.0.1", str(server.server_address[1]))
        proxy = Simproxy(f"conn\nwait 20\nauth {BASE64}\nwait 30\nsend {OK}\necho\nrepeat\n")
        for method in victims.known("loop"):
            name = victims.label + method
            bare = loop(victims, None, method, 2, local)
            through = loop(victims, proxy.url_with_password, method, 2)
            check(bare.out.count("echo hello\n") == 2, f"{name}: works without us", bare)
            equal(through.out, bare.out, f"{name}: sees the same through a slow proxy", through)
            if method not in LOOKING:
                # Two connections, each of three replies and the echo, and the start.
                check(switches(through) < 40, f"{name}: sleeps while it waits", through)
        told = proxy.end()
        equal(sum(line.startswith("lost") for line in told), 0,
              f"{victims.label}no connection is reset", told)
        server.shutdown()


# --- touching ----------------------------------------------------------------------------

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


def compare_touches(victims, stage, proxy_url, **extra):
    """Each touch of a socket that connects, in a handshake that goes no further."""
    user = victims.user
    deaf = Deaf()
    for touch in victims.known("connecting"):
        name = f"{victims.label}{stage}: {touch}"
        bare = victims.run("connecting", [touch, "127.0.0.1", deaf.port], user.env())
        through = victims.run("connecting", [touch, *DESTINATION],
                              user.preload(proxy_url, **extra))
        check(bare.out.startswith("connect -1 EINPROGRESS") and bare.code == 0,
              f"{name}: connects without us", bare)
        equal(through.out, bare.out, f"{name}: as the kernel", through)
    deaf.close()


# --- passing -----------------------------------------------------------------------------

def pass_through(victims, proxy_url, name, point, **extra):
    result = victims.run("passage", [name, *DESTINATION],
                         victims.user.preload(proxy_url, **extra))
    equal(", ".join(result.out.splitlines()) + result.err, PASSAGES[name],
          victims.label + point, result)


def compare_passages(victims, leave_out=()):
    """Unusual things between connect() and the first byte."""
    slow = Simproxy(f"conn\nwait 50\nauth {BASE64}\nwait 50\nsend {OK}\necho\nrepeat\n")
    busy = Simproxy("conn\nexpect\nwait 100\n"
                    r"send HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" + "\nclose\nrepeat\n")
    equal(victims.known("passage"), list(PASSAGES), f"{victims.label}each is expected")
    for name in PASSAGES:
        if name not in leave_out:
            proxy = busy if name.startswith("fail") else slow
            pass_through(victims, proxy.url_with_password, name, name)
    slow.end()
    busy.end()
