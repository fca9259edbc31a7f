#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The agent's life: its start by whoever needs it, in good and bad places, and its end by a
signal, its idleness or a command. Programs go on."""

import functools
import os
import pwd
import signal
import socket
import stat
import time

import harness
from agents import (ADDRESS, AGENT, OPEN, Talk, agent_env, challenge, connect, end_program,
                    ends, kill, lives, route, start_agent, start_program)
from harness import CTL, PATIENCE, check, clean_env, equal, run, start, wait_until
from simproxy import BASE64, OK, Simproxy, requests

TOGETHER = 20
ELSEWHERE = "203.0.113.9"
NOBODY = pwd.getpwnam("nobody")


# --- its beginning -----------------------------------------------------------------------

def mode_of(path):
    status = path.lstat()
    return stat.filemode(status.st_mode), status.st_uid


def on_demand(proxy):
    user, me = harness.User("demand"), os.getuid()
    check(not user.socket.parent.exists(), "there is no agent, not even its directory")
    equal(connect(user, proxy), "OK", "a program starts the agent")
    pid = user.agent_pid()
    check(pid and lives(pid), "which stays when the program has gone", pid)
    equal(mode_of(user.socket.parent), ("drwx------", me), "its directory is the user's alone")
    equal(mode_of(user.socket), ("srw-------", me), "so is its socket")
    equal([mode_of(path)[0] for path in user.socket.parent.iterdir() if path != user.socket],
          ["-rw-------"] * 2, "and so are its lock and its names")
    other = harness.User("demand2")
    result = other.ctl("status", env=harness.with_library(other.env()))
    check(result.code == 0 and other.agent_pid(), "gatepassctl starts one too", result)
    for one in (user, other) if harness.AS_ROOT else ():
        with open(f"/proc/{one.agent_pid()}/environ", "rb") as file:
            check(b"LD_PRELOAD" not in file.read(), "its environment has no LD_PRELOAD")
        with open(f"/proc/{one.agent_pid()}/maps", encoding="ascii") as file:
            check("libgatepass" not in file.read(), "it does not run under the library")


def agents():
    return {pid for pid, name in harness.descendants().items() if name == "gatepass-agent"}


def together(proxy):
    user, before = harness.User("programs"), agents()
    programs = [start_program(user, proxy) for _ in range(TOGETHER)]
    equal([end_program(program)[0] for program in programs], ["OK"] * TOGETHER,
          f"{TOGETHER} programs without an agent")
    pid = user.agent_pid()
    check(pid and wait_until(lambda: agents() - before == {pid}), "leave one agent",
          lambda: f"{before}, then {agents()}")
    user = harness.User("agents")
    many = [start([AGENT], agent_env(user)) for _ in range(TOGETHER)]
    wait_until(lambda: sum(agent.poll() is None for agent in many) == 1)
    left = [agent.pid for agent in many if agent.poll() is None]
    equal(left, [user.agent_pid()], f"of {TOGETHER} agents one stays, and it answers")
    equal([agent.returncode for agent in many if agent.pid not in left],
          [0] * (TOGETHER - 1), "the others leave quietly")
    for agent in many:
        harness.stop(agent)


def stale_and_live(proxy):
    user = harness.User("stale")
    first = start_agent(user)
    inode = user.socket.stat().st_ino
    second = run([AGENT], agent_env(user))
    equal((second.code, second.err), (0, ""), "a second agent leaves quietly", second)
    equal((user.agent_pid(), user.socket.stat().st_ino), (first.pid, inode),
          "the first one's socket is not stolen")
    kill(first.pid)
    check(user.socket.is_socket(), "a killed agent leaves its socket behind")
    equal(connect(user, proxy), "OK", "the next program replaces it")
    check(user.agent_pid() not in (None, first.pid), "by a new agent", user.agent_pid())
    harness.stop(first)


def stop_and_start(proxy):
    user = harness.User("stop")
    connect(user, proxy)
    pid = user.agent_pid()
    result = user.ctl("agent", "stop")
    check(result.code == 0 and not lives(pid), "agent stop ends it", result)
    check(result.seconds < 1.5 * PATIENCE, "at once, as nobody else talks to it", result)
    check(not user.socket.exists(), "and removes its socket")
    equal(connect(user, proxy), "OK", "the next program starts another")
    check(user.agent_pid() not in (None, pid), "a new one", user.agent_pid())
    talk = Talk(user.socket)
    equal(talk.ask("status")[0], "state", "somebody is talking to it")
    stopping = start([CTL, "agent", "stop"], user.env())
    check(wait_until(lambda: not user.socket.exists()), "agent stop removes the socket at once")
    equal(talk.ask("status")[0], "state", "and who was there before is served to the end")
    talk.close()
    equal(ends(stopping), 0, "which is then")


def refuses(user, path, pattern, what):
    result = run([AGENT], agent_env(user, GATEPASS_AGENT=path))
    check(result.code == 1 and pattern in result.err and len(result.err.splitlines()) == 1 and
          str((path or user.socket).parent) in result.err, f"{what}: the agent refuses", result)


CONNECT = """
import errno, socket, sys
for address in sys.argv[1:]:
    link = socket.socket()
    link.settimeout(0.3)
    print(errno.errorcode.get(link.connect_ex((address, 443)), "OK"))
"""


@functools.cache
def direct():
    """How a connection to a documentation network (RFC 5737) ends without us."""
    return run(["/usr/bin/python3", "-c", CONNECT, ELSEWHERE], clean_env()).out.split()


def goes_on(user, proxy, path, what):
    """Without an agent a program's connections go direct, or fail at once."""
    result = run(["/usr/bin/python3", "-c", CONNECT, ELSEWHERE, ADDRESS],
                 user.preload(proxy.url_with_password, GATEPASS_AGENT=path))
    equal((result.code, result.out.split(), result.err), (0, direct() + ["ENETUNREACH"], ""),
          f"{what}: the program goes on without an agent", result)
    check(result.seconds < 5 * PATIENCE, f"{what}: and soon", result)


def listen_at(path):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(path))
    listener.listen()
    return listener


def bad_sockets(user, proxy):
    place = user.home / "place"
    place.mkdir(mode=0o700)
    (place / "file").write_text("mine")
    (place / "directory").mkdir()
    (place / "link").symlink_to("file")
    (place / "dangling").symlink_to("nowhere")
    for name in ("file", "directory", "link", "dangling"):
        refuses(user, place / name, "is no socket", f"a {name} in the socket's place")
        goes_on(user, proxy, place / name, f"a {name} in the socket's place")
    equal(((place / "file").read_text(), (place / "nowhere").exists(),
           os.readlink(place / "link"), (place / "directory").is_dir()),
          ("mine", False, "file", True), "what was there is as it was")
    other = listen_at(place / "other")
    refuses(user, place / "other", "no agent", "another program's socket")
    check((place / "other").is_socket() and not other.close(), "is left to it")


def bad_directories(user, proxy):
    writable = user.home / "writable"
    writable.mkdir()
    writable.chmod(0o777)
    cases = [("a directory that others may write to", writable, "written to by other users")]
    if harness.AS_ROOT:
        foreign = user.home / "foreign"
        foreign.mkdir(mode=0o755)
        os.chown(foreign, NOBODY.pw_uid, NOBODY.pw_gid)
        cases.append(("another user's directory", foreign, "belongs to another user"))
    for name, directory, pattern in cases:
        refuses(user, directory / "agent", pattern, name)
        goes_on(user, proxy, directory / "agent", name)
        equal(list(directory.iterdir()), [], f"{name}: nothing is made there")


def bad_default(user, proxy):
    own = user.socket.parent
    elsewhere = user.home / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    makers = {
        "a file": (own.touch, own.unlink, "not a directory"),
        "a link": (lambda: own.symlink_to(elsewhere), own.unlink, "not a directory"),
        "open to others": (lambda: own.mkdir() or own.chmod(0o755), own.rmdir, "make its mode"),
    }
    if harness.AS_ROOT:
        makers["another user's"] = (
            lambda: own.mkdir(mode=0o700) or os.chown(own, NOBODY.pw_uid, NOBODY.pw_gid),
            own.rmdir, "belongs to another user")
    for name, (make, remove, pattern) in makers.items():
        make()
        refuses(user, None, pattern, f"its default directory is {name}")
        goes_on(user, proxy, None, f"its default directory is {name}")
        remove()
    equal(list(elsewhere.iterdir()), [], "nothing was made behind the link")


def bad_places():
    user, proxy = harness.User("places"), Simproxy(OPEN)
    bad_sockets(user, proxy)
    bad_directories(user, proxy)
    bad_default(user, proxy)
    equal((connect(user, proxy), len(requests(proxy.end()))), ("OK", 2),
          "in a good place the same program gets through, and it alone")


def socket_activation():
    user = harness.User("systemd")
    place = user.home / "activated"
    listener = listen_at(place)
    code = ("import os, sys\nos.dup2(int(sys.argv[1]), 3)\n"
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')\n"
            "os.execv(sys.argv[2], sys.argv[2:])\n")
    starter = ["/usr/bin/python3", "-c", code, listener.fileno(), AGENT, "--idle", 1]
    for what in ("LISTEN_FDS", "LISTEN_FDS again"):
        early = Talk(place)
        early.say("status")
        agent = start(starter, agent_env(user), pass_fds=[listener.fileno()])
        verb, values = early.hear()
        equal((verb, values.get("pid"), values.get("socket")),
              ("state", str(agent.pid), str(place)), f"{what}: who waited is answered")
        early.close()
        equal((ends(agent), place.is_socket(), user.socket.exists()), (0, True, False),
              f"{what}: it leaves when idle, and leaves the socket to its owner")


# --- its end -----------------------------------------------------------------------------

def idleness():
    idle, keeping, warned = (harness.User(f"idle{i}") for i in range(3))
    started = time.monotonic()
    leaves, stays, guards = (start_agent(user, "--idle", 2) for user in (idle, keeping, warned))
    equal(keeping.login("http://127.0.0.1:1", "pw", session=True).code, 0, "login --session")
    talk = Talk(warned.socket)
    talk.ask(*route("http://u:p@127.0.0.1:1"))
    talk.ask(*challenge())
    equal(talk.ask(*challenge(1))[0], "refuse", "a password is rejected")
    talk.close()
    equal(ends(leaves), 0, "an idle agent leaves")
    # GLib's timers of seconds come up to a quarter of one early.
    check(time.monotonic() - started > 1.7, "not before its time")
    check(not idle.socket.exists(), "and removes its socket")
    time.sleep(3)
    equal((stays.poll(), keeping.agent_pid()), (None, stays.pid),
          "not while it keeps a session's password")
    equal((guards.poll(), warned.agent_pid()), (None, guards.pid),
          "nor while it knows of a rejected one, which a new agent would try again")
    for agent in (stays, guards):
        harness.stop(agent)


def killed_while_asked():
    """A program that waits for its answer asks a new agent, as if nothing had been."""
    user = harness.User("killed")
    proxy = Simproxy(OPEN)
    agent = start_agent(user)
    agent.send_signal(signal.SIGSTOP)
    program = start_program(user, proxy)
    time.sleep(0.5 * PATIENCE)
    equal(program.poll(), None, "a program waits for a stopped agent")
    kill(agent.pid)
    equal(end_program(program)[0], "OK", "killed before its first answer: the program goes on")
    check(user.agent_pid() not in (None, agent.pid), "with a new agent")
    harness.stop(agent)
    proxy.end()


def killed_while_challenged():
    user = harness.User("killed2")
    proxy = Simproxy('conn\nexpect\nwait 600\nsend HTTP/1.1 407 No\\r\\nContent-Length: 0\\r\\n'
                     f'Proxy-Authenticate: Basic realm="x"\\r\\n\\r\\n\n'
                     f'auth {BASE64}\nsend {OK}\nfinish\n{OPEN}')
    agent = start_agent(user)
    program = start_program(user, proxy)
    check(proxy.wait_for("request"), "a program has its route, and waits for the proxy")
    agent.send_signal(signal.SIGSTOP)
    time.sleep(0.8 * PATIENCE)
    equal(program.poll(), None, "it is challenged, and waits for the agent")
    kill(agent.pid)
    name, took = end_program(program)
    check(name == "OK" and took < 5000 * PATIENCE,
          "killed during the handshake: the program goes on with a new agent",
          f"{name} after {took} ms")
    equal(connect(user, proxy), "OK", "the next program works")
    harness.stop(agent)
    proxy.end()


class Stopped:
    """A stopped agent is waited for until the deadline, which takes half a minute."""

    def __init__(self, proxy):
        self.user, self.proxy = harness.User("stopped"), proxy
        self.agent = start_agent(self.user)
        self.agent.send_signal(signal.SIGSTOP)
        self.program = start_program(self.user, proxy)

    def end(self):
        name, took = end_program(self.program)
        self.agent.send_signal(signal.SIGCONT)
        check(name == "ETIMEDOUT" and 29000 <= took <= 31000 * PATIENCE,
              "a stopped agent: ETIMEDOUT at the deadline", f"{name} after {took} ms")
        equal((connect(self.user, self.proxy), self.user.agent_pid()), ("OK", self.agent.pid),
              "and it serves again when it continues")
        harness.stop(self.agent)


def usage():
    user = harness.User("usage")
    for args in (["--idle", "x"], ["--idle", "-1"], ["--ready-fd", "2"], ["--bogus"], ["word"]):
        result = run([AGENT, *args], agent_env(user))
        check(result.code == 2 and "gatepass-agent --help" in result.err and not result.out,
              f"gatepass-agent {' '.join(args)}: a usage error", result)
    for args, words in ((["--help"], "usage: gatepass-agent"), (["--version"], "gatepass-agent ")):
        result = run([AGENT, *args], agent_env(user))
        check(result.code == 0 and result.out.startswith(words) and not result.err,
              f"gatepass-agent {args[0]}", result)
    for url, wanted, words in (("http://proxy:3128", 0, ""), ("proxy", 0, ""), ("", 1, "host"),
                               ("http://a:sesame@proxy:70000", 1, "port"),
                               ("gopher://a:sesame@proxy", 1, "http://")):
        result = run([AGENT, "--check-proxy"], agent_env(user, GATEPASS_PROXY=url))
        check(result.code == wanted and words in result.err and not result.out and
              len(result.err.splitlines()) == wanted and "sesame" not in result.err,
              f"--check-proxy with {url.replace('a:sesame@', '') or 'nothing'}: {wanted}", result)
    check(not user.socket.parent.exists(), "none of these starts an agent")


def main():
    proxy = Simproxy(OPEN)
    bare = run(["curl", "-sS", f"http://{ADDRESS}:443/", "-p", "-x", proxy.url])
    check("407" in bare.err, "407 without us", bare)
    stopped = Stopped(proxy)  # and the rest meanwhile
    usage()
    on_demand(proxy)
    together(proxy)
    stale_and_live(proxy)
    stop_and_start(proxy)
    bad_places()
    socket_activation()
    idleness()
    killed_while_asked()
    killed_while_challenged()
    stopped.end()
    equal(set(requests(proxy.end())), {f"request CONNECT {ADDRESS}:443 HTTP/1.1"},
          "the proxy was asked for nothing else")


harness.main(main)
