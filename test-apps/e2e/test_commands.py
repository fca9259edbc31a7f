#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""gatepass and gatepassctl by themselves: usage, errors, what they put into environments and
messages. The agent here is a scripted one, so that its every word is known."""

import json
import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import termios
import threading
import time

import harness
from harness import BUILD, CTL, DIRECTORY, LIBRARY, WRAPPER, check, equal, run, skip

PROXY = "http://proxy.example:3128"


def escape(value):
    return "".join(f"%{ord(c):02X}" if c == "%" or c < " " or c == "\x7f" else c for c in value)


def message(verb, *pairs):
    return f"gatepass 1 {verb}\n" + "".join(f"{key}={escape(value)}\n" for key, value in pairs)


def parse(packet):
    head, *lines = packet.decode(errors="surrogateescape").split("\n")
    pairs = [line.split("=", 1) for line in lines if line]
    return head.split(" ")[2], {key: bytes_of(value) for key, value in pairs}


def bytes_of(value):
    out, rest = b"", value.encode(errors="surrogateescape")
    while rest:
        if rest.startswith(b"%"):
            out, rest = out + bytes([int(rest[1:3], 16)]), rest[3:]
        else:
            out, rest = out + rest[:1], rest[1:]
    return out


class Agent:
    """Answers each verb with its messages, and keeps what it was asked."""

    def __init__(self, **answers):
        self.directory = DIRECTORY / f"agent{time.monotonic_ns()}"
        self.directory.mkdir(mode=0o700)
        self.path = self.directory / "agent"
        self.answers = answers
        self.asked = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(self.path))
        self.listener.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            link, _ = self.listener.accept()
            packet = link.recv(1 << 18)
            if packet:
                verb, values = parse(packet)
                self.asked.append((verb, values))
                for answer in self.answers.get(verb, []):
                    link.send(answer if isinstance(answer, bytes) else answer.encode())
            link.close()

    def env(self, **extra):
        return environment(GATEPASS_AGENT=str(self.path), **extra)

    def ctl(self, *args, input=b"", **extra):
        return run([CTL, *args], self.env(**extra), input, 15)

    def last(self, verb):
        return next((values for asked, values in reversed(self.asked) if asked == verb), {})


def environment(**extra):
    env = harness.clean_env()
    env["XDG_RUNTIME_DIR"] = str(DIRECTORY)
    env.update(extra)
    return env


def preload_environment(**extra):
    """An instrumented library needs its runtime before it."""
    runtime = harness.sanitizer_runtime()
    if runtime:
        extra["LD_PRELOAD"] = ":".join(runtime + [extra.get("LD_PRELOAD", "")]).rstrip(":")
        extra.setdefault("ASAN_OPTIONS", "detect_leaks=0")
    return environment(**extra)


def gatepass(*args, env=None, **options):
    return run([WRAPPER, *args], preload_environment(**(env or {})), **options)


def variables(result):
    return dict(line.split("=", 1) for line in result.out.splitlines() if "=" in line)


def one_line(result, status, *words):
    lines = result.err.splitlines()
    return (result.code == status and len(lines) == 1 and not result.out
            and all(word in lines[0] for word in words))


# --- gatepass ----------------------------------------------------------------------------

def wrapper_status():
    equal(gatepass("sh", "-c", "exit 7").code, 7, "gatepass: exit status is the command's")
    equal(gatepass("sh", "-c", "kill -TERM $$").code, -signal.SIGTERM,
          "gatepass: a signal that ends the command is seen")
    result = gatepass("--", "printf", "%s|", "a b", "", "-v", "*")
    equal(result.out, "a b||-v|*|", "gatepass: arguments arrive as they are", result)
    plain = DIRECTORY / "plain"
    plain.write_text("#!/bin/sh\n")
    path = f"{DIRECTORY}:/usr/bin:/bin"
    for command, status, words in (("no-such-command", 127, "command not found"),
                                   ("./no-such-command", 127, "command not found"),
                                   ("", 127, "command not found"),
                                   (str(plain), 126, "permission denied"),
                                   ("plain", 126, "permission denied"),
                                   (str(DIRECTORY), 126, "directory")):
        result = gatepass(command, env={"PATH": path})
        check(one_line(result, status, f"gatepass: {command}: ", words),
              f"gatepass: {os.path.basename(command)!r}: exit {status}", result)


def wrapper_usage():
    for args in ([], ["-x", "true"], ["-p"], ["-p", ""], ["-n"], ["--what", "true"],
                 ["--env", "true"]):
        result = gatepass(*args)
        check(one_line(result, 2, "gatepass: ", "gatepass --help"),
              f"gatepass: usage error: {' '.join(args)!r}", result)
    result = gatepass("--help")
    check(result.code == 0 and "Usage: gatepass" in result.out and not result.err,
          "gatepass: --help", result)
    result = gatepass("--version")
    check(result.code == 0 and result.out.split()[0] == "gatepass" and result.out[9].isdigit(),
          "gatepass: --version", result)


def wrapper_preload():
    ours = str(LIBRARY)
    before = harness.sanitizer_runtime()
    got = variables(gatepass("env"))
    equal(got.get("LD_PRELOAD", "").split(":"), before + [ours],
          "gatepass: LD_PRELOAD is the absolute path")
    got = variables(gatepass("env", env={"LD_PRELOAD": "libm.so.6"}))
    equal(got.get("LD_PRELOAD", "").split(":"), before + ["libm.so.6", ours],
          "gatepass: an LD_PRELOAD that was there stays in front")
    got = variables(gatepass(WRAPPER, "env"))
    equal(got.get("LD_PRELOAD", "").count(ours), 1, "gatepass: not twice when nested")

    link = DIRECTORY / "link"
    link.symlink_to(WRAPPER)
    got = variables(run([link, "env"], preload_environment(), cwd="/"))
    equal(got.get("LD_PRELOAD", "").split(":")[-1], ours, "gatepass: finds it through a symlink")
    got = variables(run(["./gatepass", "env"], preload_environment(), cwd=BUILD))
    equal(got.get("LD_PRELOAD", "").split(":")[-1], ours, "gatepass: absolute from ./gatepass")

    planted = DIRECTORY / "planted"
    planted.mkdir()
    shutil.copy(WRAPPER, planted / "gatepass")
    shutil.copy(LIBRARY, planted / "libgatepass.so")
    result = run(["sh", "gatepass", "env"], preload_environment(), cwd=planted)
    check("planted" not in result.out and "./" not in variables(result).get("LD_PRELOAD", ""),
          "gatepass: takes no library from the current directory", result)
    spaced = DIRECTORY / "with space"
    shutil.copytree(planted, spaced)
    check(one_line(run([spaced / "gatepass", "true"], preload_environment()), 1, "space"),
          "gatepass: a path that LD_PRELOAD cannot hold is refused")


def wrapper_variables():
    result = gatepass("-v", "-p", PROXY, "-n", "a.example, b.example", "env")
    got = variables(result)
    equal([got.get(f"GATEPASS_{name}") for name in ("PROXY", "NO_PROXY", "LOG")],
          [PROXY, "a.example, b.example", "info"], "gatepass: -p, -n, -v", result)
    got = variables(gatepass("-v", "env", env={"GATEPASS_LOG": "debug:/dev/null"}))
    equal(got.get("GATEPASS_LOG"), "debug:/dev/null", "gatepass: -v leaves GATEPASS_LOG alone")
    mine = {name: "mine" for name in ("proxy", "library", "agent", "status", "option", "env",
                                      "here", "quoted", "IFS_")}
    got = variables(gatepass("-v", "-n", "x", "env", env=mine))
    equal({name: got.get(name) for name in mine}, mine,
          "gatepass: the command's variables stay what they were")
    marker = DIRECTORY / "marker"
    for url in ("ftp://proxy.example:21", "http://", "http://proxy.example:0",
                "http://proxy.example:70000", "http://alice:sesame@:3128"):
        result = gatepass("-p", url, "touch", marker)
        check(one_line(result, 1) and not marker.exists() and "sesame" not in result.err,
              f"gatepass: -p {url} is refused", result)


def wrapper_env():
    ours = str(LIBRARY)
    result = gatepass("--env")
    check(result.code == 0 and "export LD_PRELOAD=" in result.out and ours in result.out,
          "gatepass: --env", result)
    for shell in ("dash", "bash"):
        if harness.needs(shell):
            skip(f"gatepass: --env in {shell}", "not installed")
            continue
        # Unset first, because an instrumented library needs its runtime there.
        script = ('lines=$1; LD_PRELOAD=$2; eval "$lines"; eval "$lines"; '
                  'printf "%s\\n" "$LD_PRELOAD" "$GATEPASS_NO_PROXY"')
        lines = gatepass("--env", "-n", "it's a $HOME `x`").out
        for old, wanted in (("", ours), ("libm.so.6", f"libm.so.6:{ours}")):
            result = run([shell, "-uc", script, shell, lines, old])
            equal(result.out.splitlines(), [wanted, "it's a $HOME `x`"],
                  f"gatepass: --env in {shell}, LD_PRELOAD was {old!r}", result)


# --- gatepassctl: usage and finding the agent --------------------------------------------

def ctl_usage():
    for args in ([], ["what"], ["login", "--what"], ["login", "extra"], ["login", "--user"],
                 ["logout", "extra"], ["status", "extra"], ["agent"], ["agent", "restart"],
                 ["agent", "start", "stop"], ["check"], ["check", "a", "b"]):
        result = run([CTL, *args], environment())
        check(one_line(result, 2, "gatepassctl: ", "--help"),
              f"gatepassctl: usage error: {' '.join(args)!r}", result)
    for args in (["--help"], ["login", "--help"], ["check", "--help"]):
        result = run([CTL, *args], environment())
        check(result.code == 0 and "Usage:" in result.out and not result.err,
              f"gatepassctl: {' '.join(args)}", result)
    result = run([CTL, "--version"])
    check(result.code == 0 and result.out.startswith("gatepassctl "), "gatepassctl: --version")
    if os.path.exists("/dev/full"):
        with open("/dev/full", "wb") as full:
            process = harness.start([CTL, "--help"], stdout=full)
            equal(process.wait(10), 1, "gatepassctl: output that cannot be written is an error")


def ctl_socket():
    for path, words in (("relative/agent", "relative"), ("/" + "x" * 200, "longer")):
        result = run([CTL, "status"], environment(GATEPASS_AGENT=path))
        check(one_line(result, 1, "socket", words),
              f"gatepassctl: GATEPASS_AGENT of {len(path)} bytes is refused", result)
    blocked = DIRECTORY / "stream"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(blocked))
    listener.listen()
    result = run([CTL, "status"], environment(GATEPASS_AGENT=str(blocked)))
    check(one_line(result, 1, str(blocked)), "gatepassctl: a socket of another type", result)
    result = run([CTL, "agent", "stop"], environment(GATEPASS_AGENT=str(DIRECTORY / "none")))
    check(result.code == 0 and "not running" in result.out,
          "gatepassctl: agent stop without an agent", result)


def ctl_other_user():
    if not harness.AS_ROOT:
        skip("gatepassctl: a socket of another user", "needs root to make one")
        return
    directory = DIRECTORY / "stranger"
    directory.mkdir()
    os.chown(directory, 65534, 65534)
    program = ("import socket, sys\n"
               "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
               "s.bind(sys.argv[1]); s.listen(); print(flush=True)\n"
               "c, _ = s.accept(); print(c.recv(1 << 18), flush=True)\n")
    stranger = harness.start([sys.executable, "-c", program, directory / "agent"],
                             stdout=subprocess.PIPE, user=65534, group=65534)
    stranger.stdout.readline()
    result = run([CTL, "login", "--proxy", PROXY, "--user", "alice", "--password-stdin"],
                 environment(GATEPASS_AGENT=str(directory / "agent")), "sesame\n")
    check(one_line(result, 1, "another user"), "gatepassctl: a socket of another user", result)
    equal(stranger.stdout.readline(), b"b''\n", "gatepassctl: nothing was sent to them")


START = """#!{python}
import json, os, socket, sys
report = dict(argv=sys.argv[1:], env=dict(os.environ), sid=os.getsid(0), cwd=os.getcwd(),
              stdio=[os.readlink(f"/proc/self/fd/{{i}}") for i in range(3)],
              fds=sorted(int(i) for i in os.listdir("/proc/self/fd")))
open({report!r}, "w").write(json.dumps(report))
if os.path.exists({report!r} + ".refuse"):
    sys.exit(1)
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind(os.environ["GATEPASS_AGENT"])
listener.listen()
os.close(int(sys.argv[2]))
while True:
    link, _ = listener.accept()
    if link.recv(1 << 18).startswith(b"gatepass 1 stop"):
        link.send(b"gatepass 1 stopping\\n")
        os.unlink(os.environ["GATEPASS_AGENT"])
        sys.exit(0)
    link.send(b"gatepass 1 state\\npid=%d\\n" % os.getpid())
    link.close()
"""


def ctl_start():
    place = DIRECTORY / "start"
    place.mkdir()
    report = place / "report"
    shutil.copy(CTL, place / "gatepassctl")
    agent = place / "gatepass-agent"
    agent.write_text(START.format(python=sys.executable, report=str(report)))
    agent.chmod(0o755)
    env = preload_environment(GATEPASS_AGENT=str(place / "socket"), HOME="/nowhere",
                              KRB5CCNAME="k", LC_ALL="C.UTF-8", EDITOR="vi", SECRET="s",
                              LD_PRELOAD="libm.so.6")

    refuse = place / "report.refuse"
    refuse.touch()
    result = run([place / "gatepassctl", "agent", "start"], env)
    check(one_line(result, 1, "gatepass-agent") and result.seconds < 4,
          "gatepassctl: an agent that does not start is an error at once", result)
    refuse.unlink()

    result = run([place / "gatepassctl", "agent", "start"], env)
    check(result.code == 0 and "runs" in result.out, "gatepassctl: agent start", result)
    said = json.loads(report.read_text())
    equal(said["argv"], ["--ready-fd", "3"], "gatepassctl: the agent is given --ready-fd")
    kept = {name for name in env if name.startswith(("GATEPASS_", "KRB5", "LC_", "XDG_"))}
    kept |= {"HOME", "PATH", "LANG"}
    equal(set(said["env"]) - {"LC_CTYPE"}, kept, "gatepassctl: the agent's environment is clean")
    equal(said["stdio"], ["/dev/null"] * 3, "gatepassctl: the agent has no terminal")
    # 3 is the pipe, and listing the directory opens one more.
    equal(len(said["fds"]), 5, "gatepassctl: the agent inherits no other file", said["fds"])
    check(said["sid"] != os.getsid(0) and said["cwd"] == "/", "gatepassctl: it is detached")
    result = run([place / "gatepassctl", "agent", "start"], env)
    check(result.code == 0 and "already" in result.out, "gatepassctl: agent start again", result)
    result = run([place / "gatepassctl", "agent", "stop"], env)
    check(result.code == 0 and "ended" in result.out and not (place / "socket").exists(),
          "gatepassctl: agent stop", result)
    agent.unlink()


# --- gatepassctl: login ------------------------------------------------------------------

STATE = message("state", ("pid", "1"), ("proxy", PROXY), ("origin", "GATEPASS_PROXY"),
                ("host", "proxy.example"), ("port", "3128"))
STORED = message("stored", ("store", "keyring"), ("proxy", PROXY), ("user", "alice"))


def login_stdin():
    agent = Agent(status=[STATE], login=[message("wait", ("seconds", "60")), STORED])
    stdin = ["login", "--user", "alice", "--password-stdin"]
    result = agent.ctl(*stdin, input=b"sesame\n")
    equal((result.code, result.out), (0, f"Stored for alice at {PROXY} in the keyring.\n"),
          "login: says where it stored", result)
    got = agent.last("login")
    equal([got.get(key) for key in ("proxy", "user", "password", "store")],
          [PROXY.encode(), b"alice", b"sesame", b"keyring"], "login: what the agent is told")
    for given, wanted in ((b"p\n\n", b"p\n"), (b"p", b"p"), (b" p%41\t\x01\x7f ", b" p%41\t\x01\x7f "),
                          (b"\xc3\xa4\xff", b"\xc3\xa4\xff"), (b"x" * 4096 + b"\n", b"x" * 4096)):
        agent.asked.clear()
        result = agent.ctl(*stdin, input=given)
        check(result.code == 0 and agent.last("login").get("password") == wanted,
              f"login: password {given[:12]!r} of {len(given)} bytes", result)
    for given, word in ((b"", "empty"), (b"\n", "empty"), (b"a\0b", "NUL"),
                        (b"x" * 4097, "4096"), (b"x" * 100000, "4096")):
        agent.asked.clear()
        result = agent.ctl(*stdin, input=given)
        check(one_line(result, 1, word) and not agent.last("login"),
              f"login: refused: {given[:4]!r} of {len(given)} bytes", result)

    agent.answers["login"] = [STORED.replace("keyring", "session")]
    result = agent.ctl(*stdin, "--session", input="sesame")
    check(agent.last("login").get("store") == b"session" and "agent's memory" in result.out,
          "login: --session", result)
    agent.answers["login"] = [message("error", ("reason", "locked"), ("text", "locked \x1b[2J"))]
    result = agent.ctl(*stdin, input="sesame")
    check(one_line(result, 1, "gatepassctl: locked ?[2J"), "login: the agent's error", result)


def login_proxy():
    agent = Agent(status=[STATE], login=[STORED])
    result = agent.ctl("login", "--proxy", "http://bob@other.example:80/", "--password-stdin",
                       input="sesame")
    equal([agent.last("status").get("proxy"), agent.last("login").get("user")],
          [b"http://other.example:80", b"bob"], "login: --proxy with a user", result)
    agent.asked.clear()
    result = agent.ctl("login", "--proxy", "http://bob:sesame@other.example:80")
    check(one_line(result, 1, "password") and not agent.asked and "sesame" not in result.err,
          "login: a password in --proxy is refused", result)
    for url in ("http://", "ftp://p:1", "http://p:0", "http://p:70000", "http://p:80/?q",
                "http://" + "x" * 300):
        result = agent.ctl("login", "--proxy", url, "--password-stdin", input="x")
        check(one_line(result, 1, "--proxy"), f"login: --proxy {url[:30]} is refused", result)
    result = agent.ctl("login", "--password-stdin", input="x")
    check(one_line(result, 1, "--user"), "login: no user name is known", result)
    result = agent.ctl("login", "--password-stdin", "--user", "u" * 513, input="x")
    check(one_line(result, 1, "512"), "login: an overlong user name", result)
    agent.answers["status"] = [STATE + "user=carol\n"]
    agent.ctl("login", "--password-stdin", input="x")
    equal(agent.last("login").get("user"), b"carol", "login: the user that the agent knows")
    agent.answers["status"] = [message("state", ("pid", "1"))]
    result = agent.ctl("login", "--password-stdin", "--user", "a", input="x")
    check(one_line(result, 1, "no proxy", "--proxy"), "login: no proxy is configured", result)
    # In a session of its own there is no /dev/tty.
    agent.answers["status"] = [STATE]
    result = run([CTL, "login", "--user", "a"], agent.env(), start_new_session=True)
    check(one_line(result, 1, "no terminal", "--password-stdin"), "login: no terminal", result)


class Terminal:
    """gatepassctl on a terminal of its own."""

    def __init__(self, argv, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execve(argv[0], [str(arg) for arg in argv], env)
            finally:
                os._exit(127)
        self.seen = ""

    def expect(self, text, seconds=10):
        end = time.monotonic() + seconds * harness.PATIENCE
        while text not in self.seen and time.monotonic() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.fd, 4096).decode()
                except OSError:  # how a terminal's end of file looks
                    break
        return text in self.seen

    def type(self, text):
        os.write(self.fd, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def end(self):
        """The exit status, negative for a signal."""
        self.expect("\0 never", 2)
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return status


def login_terminal():
    agent = Agent(status=[STATE], login=[STORED])
    terminal = Terminal([CTL, "login"], agent.env())
    check(terminal.expect(f"User name for {PROXY}: "), "login: asks for the user", terminal.seen)
    terminal.type("alice\n")
    check(terminal.expect("Password for alice at proxy.example:3128: "),
          "login: asks for the password", terminal.seen)
    check(not terminal.echoes(), "login: echo is off meanwhile")
    terminal.type("sesame\n")
    check(terminal.expect("Stored for alice"), "login: stored", terminal.seen)
    equal((terminal.end(), agent.last("login").get("password")), (0, b"sesame"),
          "login: the password that was typed")
    check("sesame" not in terminal.seen, "login: it was never shown", terminal.seen)

    for number in (signal.SIGINT, signal.SIGTERM):
        terminal = Terminal([CTL, "login", "--user", "a"], agent.env())
        terminal.expect("Password for")
        before = terminal.echoes()
        if number == signal.SIGINT:
            terminal.type("half\x03")
        else:
            os.kill(terminal.pid, number)
        restored = harness.wait_until(terminal.echoes, 5)
        equal((before, restored, terminal.end()), (False, True, -number),
              f"login: {number.name} restores the terminal")

    for typed, word in (("\n", "empty"), ("\x04", "no password")):
        agent.asked.clear()
        terminal = Terminal([CTL, "login", "--user", "a"], agent.env())
        terminal.expect("Password for")
        terminal.type(typed)
        seen = terminal.expect(word)
        check(seen and terminal.end() == 1 and not agent.last("login"),
              f"login: {typed!r} on the terminal", terminal.seen)


def login_stopped():
    """^Z gives the terminal back, and the question comes again after that."""
    agent = Agent(status=[STATE], login=[STORED])
    # The shell makes a job of it, which can be stopped and continued.
    script = f"set -m; '{CTL}' login --user a; echo stopped $?; read x; fg >/dev/null"
    terminal = Terminal(["/bin/sh", "-c", script], agent.env())
    terminal.expect("Password for")
    terminal.type("half\x1a")
    check(terminal.expect("stopped 148"), "login: ^Z stops it", terminal.seen)
    check(terminal.echoes(), "login: and gives the terminal back")
    terminal.type("\n")
    harness.wait_until(lambda: terminal.expect("\0", 0.1)
                       or terminal.seen.count("Password for") == 2, 5)
    check(terminal.seen.count("Password for") == 2 and not terminal.echoes(),
          "login: asks again when continued", terminal.seen)
    terminal.type("sesame\n")
    check(terminal.expect("Stored for"), "login: and stores then", terminal.seen)
    equal((terminal.end(), agent.last("login").get("password")), (0, b"sesame"),
          "login: what was typed after that, whole")


# --- gatepassctl: logout and status ------------------------------------------------------

def logout():
    agent = Agent(logout=[message("removed", ("proxy", PROXY), ("count", "2"))])
    result = agent.ctl("logout", "--user", "alice", GATEPASS_PROXY=PROXY)
    equal((result.code, result.out), (0, f"Removed 2 entries for {PROXY}.\n"), "logout", result)
    got = agent.last("logout")
    equal((got.get("user"), got.get("gatepass-proxy"), got.get("proxy")),
          (b"alice", PROXY.encode(), None), "logout: what the agent is told")
    agent.answers["logout"] = [message("removed", ("proxy", PROXY), ("count", "0"))]
    result = agent.ctl("logout", "--proxy", PROXY)
    check(result.code == 0 and result.out.startswith("Nothing was stored"), "logout: nothing",
          result)
    equal(agent.last("logout").get("proxy"), PROXY.encode(), "logout: --proxy")


def status_variables():
    agent = Agent(status=[STATE])
    agent.ctl("status", http_proxy="http://a", HTTP_PROXY="http://b", HTTPS_PROXY="http://c",
              all_proxy="", NO_PROXY="x,y", GATEPASS_NO_PROXY="z", GATEPASS_CONFIG="/c\n%")
    equal(agent.last("status"),
          {"http-proxy": b"http://a", "https-proxy": b"http://c", "all-proxy": b"",
           "no-proxy": b"x,y", "gatepass-no-proxy": b"z", "gatepass-config": b"/c\n%"},
          "status: the process's variables")
    agent.ctl("status", HTTP_PROXY="http://b", REQUEST_METHOD="GET")
    equal(agent.last("status"), {}, "status: a CGI program's HTTP_PROXY is not believed")
    agent.ctl("status", HTTP_PROXY="http://b")
    equal(agent.last("status"), {"http-proxy": b"http://b"}, "status: HTTP_PROXY otherwise")


FULL = STATE + message("", ("socket", "/run/x"), ("credential", "keyring"), ("user", 'a"\\é'),
                       ("keyring", "available"), ("scheme", "Basic"), ("scheme", "Digest"),
                       ("challenge", 'Basic realm="\x1b[31mx"'), ("challenge", "Digest"),
                       ("accepted", "digest"),
                       ("verdict", "accepted"), ("outcome", "200"),
                       ("outcome-time", "1767225600"), ("problem", "conf:3: what"),
                       ("unknown", "ignored")).split("\n", 1)[1]


def status_json():
    agent = Agent(status=[FULL])
    result = agent.ctl("status", "--json")
    equal(json.loads(result.out or "null"), {
        "agent": {"running": True, "pid": 1, "socket": "/run/x"},
        "proxy": {"url": PROXY, "origin": "GATEPASS_PROXY"},
        "credential": {"store": "keyring", "user": 'a"\\é'},
        "keyring": "available",
        "asks": ['Basic realm="\x1b[31mx"', "Digest"],
        "schemes": ["Basic", "Digest"],
        "accepted": ["digest"],
        "verdict": "accepted",
        "outcome": {"status": 200, "time": 1767225600},
        "problems": ["conf:3: what"]}, "status --json: everything", result)
    agent.answers["status"] = [message("state", ("pid", "1"))]
    got = json.loads(agent.ctl("status", "--json").out or "null")
    equal((got["proxy"], got["credential"], got["keyring"], got["asks"], got["outcome"]),
          (None, None, None, [], None), "status --json: nothing")
    agent.answers["status"] = [(STATE + "outcome=0\noutcome-error=").encode() + b"\xff refused\n"]
    got = json.loads(agent.ctl("status", "--json").out or "null")
    equal(got["outcome"], {"status": 0, "error": "\ufffd refused", "time": None},
          "status --json: an error, not in UTF-8")
    agent.answers["status"] = [message("error", ("reason", "url"), ("text", "bad URL"))]
    result = agent.ctl("status", "--json")
    check(result.code == 1 and "bad URL" in result.err
          and json.loads(result.out)["agent"]["running"] is False,
          "status --json: an error", result)


def status_human():
    agent = Agent(status=[FULL])
    result = agent.ctl("status", TZ="UTC")
    equal(result.out.splitlines(), [
        "agent       process 1, socket /run/x",
        f"proxy       {PROXY} (from GATEPASS_PROXY)",
        'credential  a"\\é, in the keyring (accepted)',
        'asks for    Basic realm="?[31mx"',
        "            Digest",
        "accepts     digest",
        "last        200, at 2026-01-01 00:00:00",
        "problem     conf:3: what"], "status: everything, nothing for the terminal to obey",
          result)
    for extra, wanted in (("", "run 'gatepassctl login'"),
                          ("keyring=locked\n", "locked"),
                          ("keyring=no-bus\n", "--session"),
                          ("keyring=no-service\n", "--session"),
                          ("accepted=negotiate\n", "none is needed"),
                          ("credential=keyring\nuser=a\nverdict=rejected\n", "rejected")):
        agent.answers["status"] = [STATE + extra]
        result = agent.ctl("status")
        line = next((x for x in result.out.splitlines() if x.startswith("credential")), "")
        check(result.code == 0 and wanted in line, f"status: {extra!r} says what to do", result)
    agent.answers["status"] = [message("state", ("pid", "1"))]
    result = agent.ctl("status")
    check(result.code == 0 and "GATEPASS_PROXY" in result.out, "status: no proxy", result)


def odd_agents():
    for name, answers, words in (
            ("closes", [], "closed"), ("another version", ["gatepass 2 state\n"], "version"),
            ("garbage", [b"\0\1\2"], ""), ("another verb", [message("way")], "way"),
            ("too long", [b"gatepass 1 state\n" + b"x" * 140000], "")):
        result = Agent(status=answers).ctl("status")
        check(one_line(result, 1, words), f"an agent that answers: {name}", result)


def main():
    wrapper_status()
    wrapper_usage()
    wrapper_preload()
    wrapper_variables()
    wrapper_env()
    ctl_usage()
    ctl_socket()
    ctl_other_user()
    ctl_start()
    login_stdin()
    login_proxy()
    login_terminal()
    login_stopped()
    logout()
    status_variables()
    status_json()
    status_human()
    odd_agents()


harness.main(main)
