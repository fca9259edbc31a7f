#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Proxies that mean harm: heads, bodies and challenges without end, and what would be headers of
requests if it were copied. Programs come to an end by themselves, the proxy gets few requests
and none with anything of its making, and nobody's memory grows."""

import base64
import concurrent.futures
import contextlib
import itertools
import re
import socket
import struct
import threading

import harness
import proxies
from agents import ADDRESS
from harness import PATIENCE, check, equal, run
from simproxy import BASE64, Simproxy

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
ASKS = b"HTTP/1.1 407 No\r\nProxy-Authenticate: "
EMPTY = b"\r\nContent-Length: 0\r\n\r\n"
BASIC = ASKS + b'Basic realm="x"'
REQUESTS_MAX = 13  # GP_ROUNDS_MAX, and the first one
PROGRAM_KIB = 64 * 1024  # of Python
AGENT_KIB = 48 * 1024

# Reads a response for a few seconds, or as much of it as is too much.
PROGRAM = """
import os, re, socket, struct, sys
host, port, target, size = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
link = socket.socket()
for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
    link.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", 3, 0))
if size:
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
error = link.connect_ex((host, port))
got = b""
try:
    if target and not error:
        link.send(f"GET {target} HTTP/1.1\\r\\nHost: a.example\\r\\n\\r\\n".encode())
        while len(got) < 1000000 and (data := link.recv(65536)):
            got += data
            if got.startswith(b"HTTP/1.1 200") and got.endswith(b"\\r\\n\\r\\n"):
                break
except OSError as failure:
    error = failure.errno
peak = re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]
print(os.strerror(error), len(got), got[:12], peak, sep="|")
"""
ADDRESS_OF = {"tunnel": (ADDRESS, 443, ""), "forward": (ADDRESS, 80, "/")}


class Hostile:
    """Answers each request by what `stream(count)` yields, until nobody listens; `count` tells
    how many there were on this connection."""

    def __init__(self, stream):
        self.requests = []
        self._stream = stream
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._converse, args=(self._listener.accept()[0],),
                                 daemon=True).start()

    def _converse(self, link):
        with link, contextlib.suppress(OSError):
            for count in itertools.count():
                request = b""
                while not request.endswith(b"\r\n\r\n"):
                    data = link.recv(65536)
                    if not data:
                        return
                    request += data
                self.requests.append(request)
                for part in self._stream(count):
                    link.sendall(part)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


# --- what they say -----------------------------------------------------------------------

def always(response):
    return lambda count: [response]


def endless(first, *parts):
    return lambda count: itertools.chain([first], itertools.cycle(parts))


def stale(count):
    yield ASKS + b'Digest realm="x", nonce="%d%d", stale=true, qop="auth"' % (count, id(count)) + \
        EMPTY


def type_2(target=b"P\0L\0A\0B\0"):
    """NTLM's second message with this name in it."""
    flags = 0x00000001 | 0x00000004 | 0x00000200 | 0x00080000 | 0x00800000
    info = struct.pack("<HH", 2, len(target)) + target + struct.pack("<HH", 0, 0)
    head = b"NTLMSSP\0" + struct.pack("<IHHII", 2, len(target), len(target), 56, flags) + \
        b"12345678" + bytes(8) + \
        struct.pack("<HHI", len(info), len(info), 56 + len(target)) + bytes(8)
    return base64.b64encode(head + target + info)


def ntlm(message):
    return lambda count: [ASKS + b"NTLM" + (b" " + message if count else b"") + EMPTY]


def digest(value):
    return always(ASKS + b'Digest realm="%s", nonce="n%s", opaque="%s", qop="auth"' %
                  (value, value, value) + EMPTY)


LINE = "\r\nX: y\r\n".encode("utf-16-le")
STREAMS = {
    "a head without end": endless(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 60000 + b"\r\n"),
    "a 407's head without end": endless(BASIC + b"\r\n", b"X: " + b"y" * 60000 + b"\r\n"),
    "a line without end": endless(b"HTTP/1.1 407 ", b"y" * 60000),
    "interim responses without end": endless(b"", b"HTTP/1.1 102 P\r\n\r\n" * 100),
    "100 (Continue) without end": endless(b"", b"HTTP/1.1 100 C\r\n\r\n" * 100),
    "interim responses without end behind a 407":
        endless(BASIC + EMPTY, b"HTTP/1.1 102 P\r\n\r\n" * 100),
    "Basic for ever": always(BASIC + EMPTY),
    "Digest's stale nonces for ever": stale,
    "NTLM for ever": always(ASKS + b"NTLM" + EMPTY),
    "NTLM's second message for ever": ntlm(type_2()),
    "NTLM's second message at once": always(ASKS + b"NTLM " + type_2() + EMPTY),
    "NTLM's second message, a name of 30 kB": ntlm(type_2(b"A\0" * 15000)),
    "NTLM's second message, headers": ntlm(type_2(LINE)),
    "NTLM's second message, cut": ntlm(type_2()[:40]),
    "NTLM's second message, zeros": ntlm(base64.b64encode(b"NTLMSSP\0\2\0\0\0" + bytes(90))),
    "Negotiate for ever": always(ASKS + b"Negotiate " + type_2() + EMPTY),
    "a 407's body of 1 GB": endless(BASIC + b"\r\nContent-Length: 1000000000\r\n\r\n",
                                    b"z" * 100000),
    "a 407's body until the end": endless(BASIC + b"\r\n\r\n", b"z" * 100000),
    "chunk extensions without end":
        endless(BASIC + b"\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"e" * 50000),
    "chunks without end": endless(BASIC + b"\r\nTransfer-Encoding: chunked\r\n\r\n",
                                  b"1\r\nx\r\n" * 10000),
    "trailers without end": endless(BASIC + b"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
                                    b"X: y\r\n" * 10000),
    "NULs": always(ASKS + b'Basic realm="\0"\0' + EMPTY),
    "NULs without end": endless(b"", bytes(60000)),
    "a NUL in Digest": digest(b"a\0b"),
    "a realm in percents": digest(b"a%0d%0aX: y"),
    "line ends in quotes": digest(b"a\\\r\\\nX: y"),
    "folded lines": digest(b"a\r\n X: y"),
    "a CR": digest(b"a\rX: y"),
    "an LF": digest(b"a\nX: y"),
    "control characters": digest(b"a\x01\x7f"),
    "quotes": digest(b'q\\"\\\\'),
    "fields of 20 kB": digest(b"r" * 20000),
    "fields of 64 KiB": digest(b"r" * 65536),
    "a scheme of 60 kB": always(ASKS + b"S" * 60000 + EMPTY),
    "ten thousand challenges": always(ASKS + b"Basic, " * 8000 + b"Basic" + EMPTY),
    "parameters without end": always(ASKS + b"Digest " + b"a=b, " * 12000 + b"c=d" + EMPTY),
}

LINES = re.compile(rb"(GET|CONNECT) [!-~]+ HTTP/1\.1|(?!X:)[A-Z][A-Za-z-]*: [ -~\x80-\xff]*")


def is_sound(request):
    """Does it consist of lines that a proxy did not make?"""
    return all(LINES.fullmatch(line) for line in request.split(b"\r\n")[:-2])


# --- the runs ----------------------------------------------------------------------------

def attempt(user, way, proxy, size=0):
    host, port, target = ADDRESS_OF.get(way, ("127.0.0.1", proxy.port, "http://a.example/"))
    return run(["/usr/bin/python3", "-c", PROGRAM, host, port, target, size],
               user.preload(f"http://alice:pw@127.0.0.1:{proxy.port}"), timeout=60)


def judge(user, name, way):
    """What is wrong, if anything."""
    proxy = Hostile(STREAMS[name])
    result = attempt(user, way, proxy)
    proxy.close()
    words = result.out.strip().split("|")
    bad = [request for request in proxy.requests if not is_sound(request)]
    if result.code or result.timed_out or len(words) != 4:
        return str(result)
    if not 1 <= len(proxy.requests) <= REQUESTS_MAX:
        return f"{len(proxy.requests)} requests"
    if bad:
        return f"a request with lines of the proxy's: {bad[0][:500]}"
    if int(words[3]) > PROGRAM_KIB and not harness.SANITIZER:
        return f"{words[3]} KiB"
    return ""


def peak(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s*(\d+)", status.read())[1])


def small_buffers(user):
    """A challenge is larger than what the program lets the kernel hold."""
    for way in ("forward", "observe"):
        for size in (1, 4096):
            proxy = Hostile(lambda count: [OK if count else
                                           BASIC + b"\r\nX: " + b"y" * 60000 + EMPTY])
            result = attempt(user, way, proxy, size)
            proxy.close()
            check("|b'HTTP/1.1 200'|" in result.out and len(proxy.requests) == 2,
                  f"{way}: a long challenge, a buffer of {size}", result)


def main():
    proxy = Simproxy(f"conn\nauth {BASE64}\nsend HTTP/1.1 200 x\\r\\n\\r\\nhello\nfinish\nrepeat\n")
    bare = run(["curl", "-sS", f"http://{proxies.ORIGIN}:7/", "-p", "-x", proxy.url])
    check("407" in bare.err, "407 without us", bare)
    user = harness.User("alice")
    program = ["/usr/bin/python3", "-c", "import socket\n"
               f"link = socket.create_connection(('{ADDRESS}', 443))\nprint(link.recv(9))"]
    equal(run(program, user.preload(proxy.url_with_password)).out, "b'hello'\n", "a good proxy")
    pid = user.agent_pid()
    small_buffers(user)
    runs = list(itertools.product(STREAMS, ("tunnel", "forward", "observe")))
    with concurrent.futures.ThreadPoolExecutor(6 // PATIENCE + 1) as pool:
        for (name, way), problem in zip(runs, pool.map(lambda run: judge(user, *run), runs)):
            equal(problem, "", f"{way}: {name}")
    check(harness.SANITIZER or peak(pid) < AGENT_KIB, "the agent stays small", peak(pid))
    equal(user.agent_pid(), pid, "it is the same agent")
    equal(run(program, user.preload(proxy.url_with_password)).out, "b'hello'\n",
          "the good proxy again")


harness.main(main)
