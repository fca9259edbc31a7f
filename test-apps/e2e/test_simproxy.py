#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The scripted proxy does what its scripts say: other tests rely on it."""

import socket
import time
import zlib

import harness
import origin
from harness import check, equal, run
from simproxy import Simproxy

REQUEST = b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n"
ANSWER = REQUEST[:-2] + b"proxy-authorization: Basic YTpi\r\n\r\n"


def dial(proxy):
    return socket.create_connection((proxy.host.strip("[]"), proxy.port), 5)


def talk(proxy, *messages):
    """Says each and hears until the end."""
    with dial(proxy) as link:
        for message in messages:
            link.sendall(message)
        link.shutdown(socket.SHUT_WR)
        heard = b""
        while data := link.recv(65536):
            heard += data
    return heard


def conversation():
    proxy = Simproxy("""
# every word that ends by itself
conn
expect
send HTTP/1.1 200 OK\\r\\nX: \\x41\\\\\\r\\n\\r\\n
banner hello
read 3
body 30
chunked 10 4
conn
auth YTpi
send done
conn
challenge HTTP/1.0 407 No\\r\\n\\r\\n
auth YTpi close
conn
expect
loop
""")
    equal(talk(proxy, REQUEST, b"abcdef"),
          b"HTTP/1.1 200 OK\r\nX: A\\\r\n\r\nHTTP/1.1 200 Connection established\r\n\r\nhello"
          b"abcdefghijklmnopqrstuvwxyzabcd4\r\nabcd\r\n4\r\nabcd\r\n2\r\nab\r\n0\r\n\r\n",
          "expect, send, banner, read, body, chunked")
    equal(proxy.told("request", 1), ["CONNECT a.test:443 HTTP/1.1"], "the request is logged")
    equal(proxy.told("header", 1), ["Host: a.test:443"], "and its header")
    equal(proxy.told("data", 1), ["abc"], "and what is read")
    heard = talk(proxy, REQUEST, REQUEST, ANSWER)
    equal((heard.count(b" 407 "), heard[-4:]), (2, b"done"), "auth challenges until it is right")
    equal(talk(proxy, REQUEST), b"HTTP/1.0 407 No\r\n\r\n", "challenge, auth close")
    talk(proxy, REQUEST, REQUEST, b"\x00stray\r\n1 close")
    equal(len(proxy.told("request", 4)), 2, "loop")
    equal(proxy.told("data", 4), ["\\x00stray\\x0d\\x0a1 close"], "octets are escaped")
    equal(dial(proxy).recv(1), b"",
          "a connection too many is closed")
    check(proxy.wait_for("unscripted"), "and reported")


def bodies():
    proxy = Simproxy("""
conn
expect
report
auth YTpi early
report
head
send HTTP/1.1 100 Continue\\r\\n\\r\\n
payload
report
conn
auth YTpi
report
conn
auth YTpi early close
conn
auth YTpi head
payload
report
""")
    chunked = (b"PUT /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"a;x=1\r\nabcdefghij\r\n3 ; y\r\nklm\r\n0\r\nT: y\r\n\r\n")
    post = b"POST http://a.test:8080/x?y=1 HTTP/1.1\r\nContent-Length: 5\r\n"
    credentials = b"Proxy-Authorization: basic YTpi\r\n"
    whole = f"13 {zlib.crc32(b'abcdefghijklm'):08x}"
    five = f"5 {zlib.crc32(b'hello'):08x}"
    heard = talk(proxy, chunked + post + b"\r\nhello" + post + credentials + b"\r\nhel", b"lo",
                 b"HEAD /h HTTP/1.1\r\n\r\n")
    equal([line for line in heard.decode().splitlines() if line.startswith(("PUT", "POST"))],
          [f"PUT /p {whole}", f"POST /x?y=1 {five}"], "report tells what the request was")
    equal(proxy.told("body", 1), [whole, five, five], "bodies are read and summed up")
    equal((len(proxy.told("challenged", 1)), heard.count(b" 407 ")), (1, 1), "auth, early")
    check(heard.endswith(b"Content-Length: 19\r\n\r\n"), "no body answers HEAD", heard)
    with dial(proxy) as link:
        link.sendall(post + b"\r\n")
        check(proxy.wait_for("header", 4), "the head is there")
        equal(proxy.told("challenged", 2), [], "auth waits for the body")
        link.sendall(b"hello" + b"HEAD / HTTP/1.1\r\n\r\n" + post + b"\r\nhel")
        check(proxy.wait_for("challenged", 3), "and answers then", proxy.events)
        link.shutdown(socket.SHUT_WR)
        heard = b""
        while data := link.recv(65536):
            heard += data
        equal((heard.count(b" 407 "), heard.count(b"Who goes?")), (3, 2),
              "a 407 to HEAD has no body", heard)
        equal(proxy.told("body", 2)[-1], f"3 {zlib.crc32(b'hel'):08x} cut", "a body cut short")
    with dial(proxy) as link:
        link.sendall(post + b"\r\n")
        check(b"Who goes?" in link.recv(1000), "auth, early close")
        equal(link.recv(1), b"", "closes")
    heard = talk(proxy, post + b"\r\n", post + credentials + b"\r\nhello")
    check(b"Who goes?" in heard and heard.endswith(f"{five}\n".encode()), "auth, head", heard)


def handshakes():
    def get(*fields, version="1.1"):
        return "".join([f"GET http://a.test/ HTTP/{version}\r\n",
                        *(f"{field}\r\n" for field in fields), "\r\n"]).encode()

    def ntlm(message, *fields, **options):
        return get(f"Proxy-Authorization: ntlm {message}", *fields, **options)

    def told(script, *messages):
        """What each request is answered, and whether the connection ends then."""
        proxy = Simproxy(script)
        heard = talk(proxy, *messages)
        proxy.stop()
        words = (b" 407 ", b" 200 ", b"c2Vjb25k", b"close")
        return [" ".join(word.decode().strip() for word in words if word in reply)
                for reply in heard.split(b"HTTP/1.1")[1:]]

    legs = "conn\nlegs NTLM 1 3{}\nreport\nloop\n"
    first, second, good = "407", "407 c2Vjb25k", "200"
    for name, script, messages, wanted in (
            ("three messages, and what follows", "",
             (get(), ntlm("1x"), ntlm("3x"), get(), get()), [first, second, good, good, good]),
            ("the last one without the first", "", (ntlm("3x"), get()), [first, first]),
            ("something between them", "", (ntlm("1"), get(), ntlm("3")),
             [second, first, first]),
            ("the last one twice", "", (ntlm("1"), ntlm("3"), ntlm("3")),
             [second, good, first]),
            ("again", "", (ntlm("1"), ntlm("3"), ntlm("1"), ntlm("3")),
             [second, good, second, good]),
            ("another scheme", "", (ntlm("1").replace(b"ntlm", b"Negotiate"),), [first]),
            ("each", " each", (ntlm("1"), ntlm("3"), get(), ntlm("1"), ntlm("3")),
             [second, good, first, second, good]),
            ("close", " close", (get(), get()), [first]),
            ("drop", " drop", (get(), ntlm("1"), ntlm("3")), [first, second]),
            ("strict", " strict", (get("Connection: close"), get()), ["407 close"]),
            ("strict with the first one", " strict", (ntlm("1", version="1.0"),),
             ["407 close"]),
            ("strict with the last one", " strict",
             (ntlm("1", "Proxy-Connection: keep-alive", version="1.0"),
              ntlm("3", "Connection: close")), [second, good])):
        equal(told(legs.format(script), *messages), wanted, f"legs: {name}")


def timing():
    proxy = Simproxy("conn\nwait 100\nsplit 2\ndelay 50\nsend abcdef\nclose\n")
    begin, pieces = time.monotonic(), []
    with dial(proxy) as link:
        while data := link.recv(100):
            pieces.append(data)
    equal(pieces, [b"ab", b"cd", b"ef"], "split")
    check(0.19 < time.monotonic() - begin < 3, "wait and delay", time.monotonic() - begin)


def endings():
    proxy = Simproxy("conn\nexpect\nreset\nconn\nhold\nconn\nsend x\nfinish\nconn\nclose\n")
    with dial(proxy) as link:
        link.sendall(REQUEST)
        try:
            equal(link.recv(1), b"a reset", "reset")
        except ConnectionResetError:
            check(True, "reset")
    with dial(proxy) as link:
        link.sendall(b"anybody?")
        link.settimeout(0.2)
        try:
            equal(link.recv(1), b"silence", "hold")
        except TimeoutError:
            check(proxy.wait_for("data"), "hold says nothing, and hears", proxy.events)
    with dial(proxy) as link:
        equal(link.recv(10) + link.recv(10), b"x", "finish ends its side")
        link.sendall(b"still here")
        check(proxy.wait_for("data", 2), "and hears on", proxy.events)
    equal(dial(proxy).recv(1), b"", "close")


def relays():
    echo = origin.echo_server()
    proxy = Simproxy("conn\nexpect\nsend y\nrelay\nconn\nexpect\nrelay\nconn\necho\n",
                             ipv6=True)
    big = b"0123456789abcdef" * 65536
    request = f"CONNECT anything.test:{echo} HTTP/1.1\r\n\r\n".encode()
    with dial(proxy) as link:
        link.sendall(request + b"first")
        heard = b""
        while len(heard) < 6:
            heard += link.recv(100)
        equal(heard, b"yfirst", "relay, and what came with the head")
        link.shutdown(socket.SHUT_WR)
        equal(link.recv(1), b"", "relay passes the half-close on")
    equal(talk(proxy, f"CONNECT x:{harness.free_port()} HTTP/1.1\r\n\r\n".encode()), b"",
          "relay to nobody closes")
    check(proxy.told("lost", 2), "and reports", proxy.events)
    with dial(proxy) as link:
        link.settimeout(10)
        heard = b""
        for at in range(0, len(big), 65536):
            link.sendall(big[at:at + 65536])
            while len(heard) < at + 65536:
                heard += link.recv(65536)
        equal(heard == big, True, "echo of a megabyte")


def mistakes():
    for script, pattern in (("", "no conn"), ("expect\n", ":1: conn must"),
                            ("conn\nexpct\n", ":2: unknown"), ("conn\nsend \\q\n", ":2:"),
                            ("conn\nsplit x\n", ":2:"), ("conn\nrepeat\nconn\n", ":3:"),
                            ("conn\nchunked 3\n", ":2:"), ("conn\nauth x late\n", ":2:"),
                            ("conn\nauth\n", ":2:"), ("conn\nlegs NTLM 1\n", ":2:"),
                            ("conn\nlegs NTLM 1 3 late\n", ":2:"), ("conn\nsend \\x4\n", ":2:")):
        result = run([harness.BUILD / "simproxy", "-"], input=script)
        check(result.code == 2 and pattern in result.err, f"a mistake in {script!r}", result)


def main():
    conversation()
    bodies()
    handshakes()
    timing()
    endings()
    relays()
    mistakes()


harness.main(main)
