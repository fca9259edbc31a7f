#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""One thread sends requests while another one is already waiting for what comes."""

import harness
from agents import ForgetfulAgent
from harness import check, equal, run
from simproxy import BASE64, Simproxy

PAGE = r"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npage\n"
# The second request is challenged.
SCRIPT = f"conn\nexpect\nsend {PAGE}\nauth {BASE64}\nsend {PAGE}\nfinish\n"
PROGRAM = """
import socket, sys, threading, time
link = socket.create_connection((sys.argv[1], int(sys.argv[2])))
request = b"GET http://origin.test/ HTTP/1.1\\r\\nHost: origin.test\\r\\n\\r\\n"
got = b""
first = threading.Event()
def listen():
    global got
    while got.count(b"page") < 2 and b"407" not in got:
        got += link.recv(4096)
        first.set()
listener = threading.Thread(target=listen)
listener.start()
link.sendall(request)
first.wait(20)
time.sleep(0.2)  # it is in recv() again
link.sendall(request)
listener.join(20)
print(got.count(b" 200 "), got.count(b" 407 "))
"""


def main():
    user = harness.User("alice")
    argv = ["/usr/bin/python3", "-c", PROGRAM, "127.0.0.1"]
    proxy = Simproxy(SCRIPT)
    bare = run([*argv, proxy.port], user.env())
    equal(bare.out, "1 1\n", "407 without us", bare)
    proxy.end()
    proxy = Simproxy(SCRIPT)
    agent = ForgetfulAgent(proxy, way="observe")
    result = run([*argv, proxy.port], user.preload(proxy.url, GATEPASS_AGENT=agent.path))
    equal(result.out, "2 0\n", "the waiting thread gets the response, and no 407", result)
    check(proxy.told("challenged"), "although the second request was challenged", proxy.events)
    agent.close()
    proxy.end()


harness.main(main)
