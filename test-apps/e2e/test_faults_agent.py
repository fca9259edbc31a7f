#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The agent fails at each message of a conversation: it is killed, it stops for a while, it stops
for ever, it is of another version, it talks rubbish. Programs go on, or are told so."""

import random
import socket
import threading
import time

import harness
from agents import ADDRESS, Between, kill, pack, start_agent
from harness import APPS, PATIENCE, check, equal, run, start
from simproxy import BASE64, OK, Simproxy

HOST = "origin.gatepass.test"
PAGE = r"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npage\n"
TUNNEL = f"conn\nauth {BASE64}\nsend {OK}\nsend hello\nfinish\nrepeat\n"
WEB = f"conn\nauth {BASE64}\nsend {PAGE}\nloop\nrepeat\n"
MESSAGES = 20  # more than any of the conversations has
RUBBISH = 100


class Kind:
    """A program that goes one way: how it is started, and what it says when all is well."""

    def __init__(self, name, script, argv, said, **variables):
        self.name, self.script, self.argv, self.said = name, script, argv, said
        self.variables = variables

    def begin(self, user, proxy, path):
        variables = {key: proxy.url for key in self.variables}
        return start(self.argv, user.preload(proxy.url_with_password, GATEPASS_AGENT=path,
                                             **variables), stdout=-1, stderr=-1)


def end(process, timeout=60):
    """(standard output, exit status); None for one that had to be killed."""
    try:
        out = process.communicate(timeout=timeout * PATIENCE)[0].decode(errors="replace")
        return out, process.returncode
    except harness.subprocess.TimeoutExpired:
        process.kill()
        return "it hangs", None
    finally:
        harness.stop(process)


CURL = ["curl", "-sS", "-m", "50", "-w", "%{http_code}"]
KINDS = [
    Kind("a blocking tunnel", TUNNEL, [APPS / "probe", HOST, 7], "got hello"),
    Kind("a tunnel that does not block", TUNNEL, [APPS / "probe", "-n", HOST, 7], "got hello"),
    Kind("forwarded requests", WEB, [*CURL, f"http://{HOST}/", f"http://{HOST}/"], "page\n200"),
    Kind("observed requests", WEB, [*CURL, f"http://{HOST}/"], "page\n200", http_proxy=1),
]


# --- faults ------------------------------------------------------------------------------

def dies(between):
    between.leave()  # first: else the program finds somebody here who ends at once
    kill(between.agent.pid)
    between.cut()
    return False


def pauses(between):
    time.sleep(0.2)
    return True


def is_silent(between):
    return False


def try_kind(kind, fault, number, last):
    """(happened, out, code)"""
    user = harness.User(f"{fault.__name__[:2]}{number}-{last}")
    proxy = Simproxy(kind.script)
    agent = start_agent(user)
    between = Between(user, last, fault)
    between.agent = agent
    out, code = end(kind.begin(user, proxy, between.path))
    between.cut()
    harness.stop(agent)
    proxy.stop()
    return between.happened, out, code


def at_each_message(kind, fault, number, judge, what):
    problems, happened, last = [], True, 0
    while happened and last < MESSAGES:
        last += 1
        happened, out, code = try_kind(kind, fault, number, last)
        if not judge(kind, out, code):
            problems.append(f"message {last}: exit {code}: {out}")
    check(last > 3 and not happened and not problems,
          f"{kind.name}: {what} at each of {last - 1} messages", "\n".join(problems))


def goes_on(kind, out, code):
    return code == 0 and kind.said in out


class Silence:
    """An agent that says nothing more from some message on is waited for until the deadline, by
    all of these at the same time."""

    def __init__(self, kind, number):
        self.kind, self.runs = kind, []
        for last in range(1, 10):
            thread = threading.Thread(target=self._try, args=(number, last), daemon=True)
            thread.start()
            self.runs.append(thread)
        self.told = []

    def _try(self, number, last):
        began = time.monotonic()
        happened, out, code = try_kind(self.kind, is_silent, number, last)
        self.told.append((last, happened, out, code, time.monotonic() - began))

    def end(self):
        for thread in self.runs:
            thread.join()
        # Two deadlines: the name's and the connection's.
        problems = [told for told in self.told if told[3] is None or told[3] < 0 or
                    told[4] > 70 * PATIENCE]
        happened = [told for told in self.told if told[1]]
        check(len(self.told) == 9 and len(happened) > 3 and not problems,
              f"{self.kind.name}: the agent says nothing more, from each of its messages on: "
              "an end by itself", "\n".join(map(str, self.told)))


# --- other agents ------------------------------------------------------------------------

class Other:
    """An agent that answers a question by what `answer(verb, link)` sends."""

    def __init__(self, name, answer):
        self.path = harness.DIRECTORY / name
        self._answer = answer
        self.asked = 0
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            link = self._listener.accept()[0]
            threading.Thread(target=self._converse, args=(link,), daemon=True).start()

    def _converse(self, link):
        with link:
            try:
                while question := link.recv(1 << 18):
                    self.asked += 1
                    self._answer(question.split(b"\n", 1)[0].split()[-1].decode(), link)
            except OSError:
                pass  # closed by either


ROUNDS = """
import re, socket, struct, sys
names, errors = set(), set()
for i in range(int(sys.argv[1])):
    try:
        socket.getaddrinfo(f"n{i}.example", 443)
    except socket.gaierror as error:
        names.add(error.args[0])
    link = socket.socket()
    # Some of these proxies do not exist, or say nothing.
    link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 50000))
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 50000))
    errors.add(link.connect_ex((sys.argv[2], int(sys.argv[3]))))
    try:
        link.send(b"GET / HTTP/1.1\\r\\nHost: far.example\\r\\n\\r\\n")
        link.recv(100)
    except OSError as error:
        errors.add(error.errno)
    link.close()
    try:
        name = socket.getnameinfo(("198.18.0.9", 443), socket.NI_NUMERICSERV)[0]
        if re.search("[\\0- %\\x7f]", name):
            sys.exit(f"no name: {name!r}")
    except (OSError, UnicodeDecodeError):
        pass  # a name may be in another alphabet
peak = re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]
print("rounds", i + 1, len(__import__("os").listdir("/proc/self/fd")), peak)
"""
PEAK_KIB = 64 * 1024  # of a Python program


def rounds(user, path, count, port, what, proxy, **extra):
    result = run(["/usr/bin/python3", "-c", ROUNDS, count, ADDRESS, port],
                 user.preload(proxy.url, GATEPASS_AGENT=path, **extra), timeout=120)
    words = result.out.split()
    check(words[:2] == ["rounds", str(count)], f"{what}: the program goes on to its end", result)
    if len(words) == 4:
        check(int(words[2]) <= 5, f"{what}: it has no descriptor more", words)
        check(harness.SANITIZER or int(words[3]) < PEAK_KIB, f"{what}: nor much memory", words)


def versions(user, proxy):
    def newer(verb, link):
        link.send(b"gatepass 2 error\nreason=version\ntext=run gatepassctl agent stop\n")
        link.close()

    def refusing(verb, link):
        link.send(pack("error", ("reason", "version"), ("text", "another version")))
        link.close()
    for name, answer in (("newer", newer), ("refusing", refusing)):
        other = Other(name, answer)
        result = run(["/usr/bin/python3", "-c", "import socket, errno\n"
                      f"print(errno.errorcode[socket.socket().connect_ex(('{ADDRESS}', 443))])"],
                     user.preload(proxy.url, GATEPASS_AGENT=other.path))
        equal((result.out, result.code), ("ENETUNREACH\n", 0),
              f"an agent of another version ({name}): as without one", result)
        result = user.ctl("status", env=user.env(GATEPASS_AGENT=other.path))
        check(result.code == 1 and "gatepassctl agent stop" in result.err + result.out and
              len(result.err.splitlines()) == 1 or name == "refusing" and result.code == 1,
              f"gatepassctl says what to do ({name})", result)


def answers_to(verb, proxy, chance):
    """The fields of a right answer, in one of their forms."""
    authorization = ("authorization", chance.choice(("Basic " + BASE64, "Basic x", "x" * 61000)))
    way = chance.choice(("tunnel", "forward", "observe", "direct", "unreachable"))
    return {
        "route": ("way", [("way", way), ("proxy", f"127.0.0.1:{proxy.port}"), authorization,
                          ("authority", "far.example:443"), ("settled", chance.choice("01")),
                          ("scope", chance.choice(("request", "connection", "x"))),
                          ("more", "1"), ("refused", "forward"), ("errno", "113"),
                          ("remember", "10"), ("reason", "none")]),
        "challenge": ("answer", [authorization, ("scope", "request"), ("text", "why")]),
        "resolve": ("name", [("way", way), ("address", "198.18.0.9")]),
        "reverse": ("name", [("host", "far.example")]),
    }.get(verb, ("error", [("reason", "syntax")]))


ODD = ("", "0", "-1", "%00", "%0d%0aX: y", "%0", "%zz", "\xff" * 9, "9" * 30, "4096", "a" * 300,
       "[::1%lo]:1", "127.0.0.1:0", "127.0.0.1:99999", "::", "x" * 130000, "198.18.0.0", "\x7f")


def change(packet, chance):
    """Some octets of a message are others, are gone, or come twice."""
    packet = bytearray(packet)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(packet))
        if chance.random() < 0.5:
            packet[at] = chance.randrange(256)
        elif chance.random() < 0.5:
            del packet[at:at + chance.randrange(1, 9)]
            packet = packet or bytearray(1)
        else:
            packet[at:at] = packet[at:at + chance.randrange(1, 99)]
    return bytes(packet)


def no_names(user, proxy):
    """What a program is going to print as a host is one."""
    for number, (host, wanted) in enumerate((("far.example", "far.example"),
                                             ("a%0ab", "198.18.0.9"), ("a b", "198.18.0.9"))):
        other = Other(f"name{number}", lambda verb, link, host=host: link.send(
            f"gatepass 1 name\nhost={host}\n".encode()))
        result = run(["/usr/bin/python3", "-c", "import socket\n"
                      "print(socket.getnameinfo(('198.18.0.9', 443), 2)[0])"],
                     user.preload(proxy.url, GATEPASS_AGENT=other.path))
        equal(result.out, wanted + "\n", f"an agent that tells the name {host}", result)


def rubbish(user, proxy, seed):
    """Right answers, answers with an odd field, changed ones, random octets, none."""
    chance, lock = random.Random(seed), threading.Lock()

    def answer(verb, link):
        if verb == "outcome":
            return
        with lock:
            if chance.random() < 0.2:
                link.send(pack("wait", ("seconds", chance.choice(("1", "0", "-1", "999", "x")))))
            word, pairs = answers_to(verb, proxy, chance)
            kind = chance.randrange(8)
            if kind in (1, 2):
                pairs[chance.randrange(len(pairs))] = (chance.choice(pairs)[0],
                                                       chance.choice(ODD))
            elif kind == 3:
                pairs = chance.sample(pairs, chance.randrange(len(pairs) + 1))
            elif kind == 4:
                pairs = chance.choices(pairs, k=40)
            packet = pack(word, *pairs)
            if kind == 5:
                packet = change(packet, chance)
            elif kind == 6:
                packet = chance.randbytes(chance.randrange(1, 300))
            elif kind == 7:
                link.close()
                return
        link.send(packet[:200000])
    for port in (443, 80):
        other = Other(f"rubbish{port}", answer)
        rounds(user, other.path, RUBBISH, port, f"an agent that talks rubbish (port {port}, seed "
               f"{seed})", proxy)
        check(other.asked >= RUBBISH, "it was asked each time", other.asked)


def main():
    proxy = Simproxy(TUNNEL)
    bare = run(["curl", "-sS", f"http://{ADDRESS}:443/", "-p", "-x", proxy.url])
    check("407" in bare.err, "407 without us", bare)
    silences = [Silence(kind, number) for number, kind in enumerate(KINDS)]
    for number, kind in enumerate(KINDS):
        at_each_message(kind, dies, number, goes_on, "the agent is killed")
        at_each_message(kind, pauses, number, goes_on, "the agent pauses")
    user = harness.User("other")
    versions(user, proxy)
    no_names(user, proxy)
    rubbish(user, Simproxy(WEB), 407)
    for silence in silences:
        silence.end()


harness.main(main)
