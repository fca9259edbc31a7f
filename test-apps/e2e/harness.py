# SPDX-License-Identifier: MIT
"""What every end-to-end test stands on: TAP output, users with their own home, programs run
with and without the library, and a clean-up that leaves no process and no file behind.

A test is a program:

    import harness
    from harness import check, run

    def main():
        alice = harness.User("alice")
        result = run(["curl", "-s", url], alice.preload(proxy.url))
        check(result.code == 0, "curl gets through", result)

    harness.main(main)

Everything started through start() or run(), and everything that these leave behind (the
test is its descendants' reaper), is stopped when the test ends, however it ends.
"""

import collections
import ctypes
import functools
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GATEPASS_BUILD") or ROOT / "build").resolve()
LIBRARY = BUILD / "libgatepass.so"
CTL = BUILD / "gatepassctl"
WRAPPER = BUILD / "gatepass"
APPS = BUILD / "apps"
SANITIZER = next((name for name in ("address", "thread", "undefined")
                  if BUILD.name.endswith("-" + name)), "")

AS_ROOT = os.geteuid() == 0
# An instrumented build is several times slower; so is everything that waits for it.
PATIENCE = 4 if SANITIZER else 1


# --- TAP ---------------------------------------------------------------------------------

_count = 0
_failed = 0
_finished = False


def _point(line):
    print(line, flush=True)


def check(condition, name, diagnostic=""):
    """One test point. The diagnostic (anything with a str(), or a function that makes it) is
    shown when it failed."""
    global _count, _failed
    _count += 1
    name = str(name).replace("#", " ")
    if condition:
        _point(f"ok {_count} - {name}")
        return True
    _failed += 1
    _point(f"not ok {_count} - {name}")
    for line in str(diagnostic() if callable(diagnostic) else diagnostic).splitlines():
        _point(f"# {line}")
    return False


def equal(got, wanted, name, diagnostic=""):
    def differ():
        return (f"got {got!r}, wanted {wanted!r}\n"
                f"{diagnostic() if callable(diagnostic) else diagnostic}")
    return check(got == wanted, name, differ)


def skip(name, why):
    global _count
    _count += 1
    _point(f"ok {_count} - {name} # SKIP {why}")


def needs(*programs):
    """The first of the programs that is not installed, or None; sbin is searched as well."""
    return next((name for name in programs if not find_program(name)), None)


def find_program(name):
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def done():
    """Prints the plan. Returns the exit status."""
    global _finished
    _finished = True
    _point(f"1..{_count}")
    return 1 if _failed or not _count else 0


def main(body):
    """Runs a whole test program and exits."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    # A shell's background job ignores it, and so would every program that is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sanitizer_runtime()  # not by several threads of the test
        body()
    except BaseException as error:  # SystemExit and KeyboardInterrupt need the clean-up too
        check(False, f"the test itself: {error!r}", traceback.format_exc())
    finally:
        try:
            stuck = sweep()
            check(not stuck, "no process is left behind", stuck)
        except Exception:
            check(False, "clean-up", traceback.format_exc())
    sys.exit(done())


# --- the directory and the processes of this test ----------------------------------------

# Short: the names of Unix sockets in it have at most 107 bytes. Servers that give up root
# must be able to walk through it, but nobody else may list it.
DIRECTORY = pathlib.Path(tempfile.mkdtemp(prefix="gp-", dir="/tmp"))
DIRECTORY.chmod(0o711)

# Daemons that our children leave behind become our children, where we can find them.
_PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

_started = []
_users = []
_on_cleanup = []


def clean_env():
    """What a program gets: nothing of the caller's but where programs are."""
    env = {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": str(DIRECTORY),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    for name in ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"):
        if name in os.environ:
            env[name] = os.environ[name]
    return env


class Result:
    """A program's end: code (negative: a signal), out, err, and whether it had to be killed."""

    def __init__(self, argv, code, out, err, timed_out, seconds):
        self.argv, self.code, self.timed_out = argv, code, timed_out
        self.bytes = out
        self.out = out.decode(errors="replace")
        self.err = err.decode(errors="replace")
        self.seconds = seconds

    def __str__(self):
        how = "timed out" if self.timed_out else f"exit {self.code}"
        return "\n".join([f"$ {' '.join(map(str, self.argv))}", f"[{how}, {self.seconds:.2f} s]",
                          self.out[-2000:], self.err[-2000:]])


def start(argv, env=None, **options):
    """Starts a program that runs beside the test. It is stopped at the end of the test."""
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.DEVNULL)
    options.setdefault("stderr", subprocess.DEVNULL)
    options.setdefault("cwd", DIRECTORY)
    process = subprocess.Popen([str(arg) for arg in argv],
                               env=clean_env() if env is None else env, **options)
    _started.append(process)
    return process


def run(argv, env=None, input=b"", timeout=60, **options):
    """Runs a program to its end and returns its Result."""
    begin = time.monotonic()
    if isinstance(input, str):
        input = input.encode()
    process = start(argv, env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, **options)
    timed_out = False
    try:
        out, err = process.communicate(input, timeout=timeout * PATIENCE)
    except subprocess.TimeoutExpired:
        timed_out = True
        process.kill()
        try:
            out, err = process.communicate(timeout=5)
        except subprocess.TimeoutExpired:  # a descendant holds the pipes
            out, err = b"", b"its output is still held open by a descendant"
    _started.remove(process)
    return Result(argv, process.returncode, out, err, timed_out, time.monotonic() - begin)


def stop(process):
    """Stops a program from start(), politely at first."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()
    if process in _started:
        _started.remove(process)


def on_cleanup(function):
    _on_cleanup.append(function)


def _stat(pid):
    """(parent, name, state) of a process; None when it is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    name, _, rest = text.partition("(")[2].rpartition(")")
    fields = rest.split()
    return int(fields[1]), name, fields[0]


def descendants(root=None):
    """{pid: name} of all living processes below `root` (this one)."""
    children = collections.defaultdict(list)
    for entry in os.listdir("/proc"):
        stat = _stat(entry) if entry.isdigit() else None
        if stat and stat[2] != "Z":
            children[stat[0]].append((int(entry), stat[1]))
    found, todo = {}, [root or os.getpid()]
    while todo:
        for pid, name in children[todo.pop()]:
            found[pid] = name
            todo.append(pid)
    return found


def wait_until(condition, seconds=10, step=0.02):
    """Waits for a condition; returns its last value."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(step)


def _reap():
    ours = {process.pid for process in _started}
    for entry in os.listdir("/proc"):
        stat = _stat(entry) if entry.isdigit() else None
        if stat and stat[0] == os.getpid() and stat[2] == "Z" and int(entry) not in ours:
            try:
                os.waitpid(int(entry), os.WNOHANG)
            except ChildProcessError:
                pass


def sweep():
    """Stops everything and removes the directory. Returns {pid: name} of what should have
    gone by itself and had not: agents that were told to stop, helpers of stopped servers."""
    stuck = {}
    for user in _users:
        stuck.update(user.stop_agent())
    for pid, name in descendants().items():
        if name == "gatepass-agent":  # at a place of its own
            os.kill(pid, signal.SIGTERM)
    for process in reversed(list(_started)):
        stop(process)
    for function in reversed(_on_cleanup):
        function()
    # A helper that has just lost its server needs a moment to notice.
    wait_until(lambda: _reap() or not descendants(), 3)
    stuck.update(descendants())
    for pid in stuck:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    wait_until(lambda: _reap() or not descendants(), 3)
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    return stuck


# --- small things ------------------------------------------------------------------------

def free_port():
    """A port that nobody listens at. Below those that the kernel gives to clients: a client
    that knocks at its own port, before the server is there, would connect to itself."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def answers(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), 1).close()
        return True
    except OSError:
        return False


def start_server(make_argv, env=None, tries=3, **options):
    """Starts a server at a free port: make_argv(port) prepares and returns its command.
    Returns (process, port). Another program can take the port first: then another one is
    tried."""
    for _ in range(tries):
        port = free_port()
        with tempfile.TemporaryFile(dir=DIRECTORY) as messages:
            process = start(make_argv(port), env, stdout=messages, stderr=messages, **options)
            wait_until(lambda: process.poll() is not None or answers(port), 20)
            if process.poll() is None:
                return process, port
            messages.seek(0)
            said = messages.read().decode(errors="replace")
    raise RuntimeError(f"{process.args[0]} does not start: {said}")


# The runtimes start themselves at the first call that they intercept. In programs with
# p11-kit (curl, wget, git) that is a malloc() in its constructor, within newlocale(), whose
# lock the start then destroys: they hang, also without us. So it must happen before.
_START_RUNTIME = """
#include <stdlib.h>
__attribute__((constructor)) static void start(void)
{
	free(malloc(1));
}
"""


@functools.cache
def sanitizer_runtime():
    """What must stand beside the library in LD_PRELOAD, if it is an instrumented one."""
    name = {"address": "libasan.so", "thread": "libtsan.so"}.get(SANITIZER)
    if not name:
        return []
    found = subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True)
    starter = DIRECTORY / "start.so"
    subprocess.run(["gcc", "-O0", "-shared", "-fPIC", "-Wl,-z,initfirst", "-x", "c", "-",
                    "-o", starter], input=_START_RUNTIME.encode(), check=True)
    return [found.stdout.strip(), str(starter)]


def with_library(env, library=LIBRARY):
    env = dict(env)
    parts = [*sanitizer_runtime(), str(library)]
    if SANITIZER == "thread":
        # In calls that may block it ignores atomics until libc returns, and there we are
        # libc; so it comes behind us. AddressSanitizer insists on being the first.
        parts.insert(0, parts.pop())
        # A forked child has its parent's threads that are still to be joined.
        env.setdefault("TSAN_OPTIONS", "report_thread_leaks=0")
    env["LD_PRELOAD"] = ":".join(parts)
    if SANITIZER == "address":
        env.setdefault("ASAN_OPTIONS", "detect_leaks=0")
    return env


# --- users -------------------------------------------------------------------------------

class User:
    """A person with a home, a runtime directory and so an agent of their own, and with a
    library and victims of one class."""

    def __init__(self, name, build=BUILD):
        self.name = name
        self.library = build / "libgatepass.so"
        self.apps = build / "apps"
        self.home = DIRECTORY / name
        self.runtime = DIRECTORY / name / "run"
        for directory in (self.home, self.runtime):
            directory.mkdir(mode=0o700)
        self.socket = self.runtime / "gatepass" / "agent"
        self.variables = {}  # more of the environment; the keyring adds its bus
        _users.append(self)

    def env(self, **extra):
        """The user's environment; a variable set to None is left out."""
        env = clean_env()
        env.update(HOME=str(self.home), XDG_RUNTIME_DIR=str(self.runtime))
        env.update(self.variables)
        env.update({key: str(value) for key, value in extra.items() if value is not None})
        return env

    def configure(self, text):
        """Writes the user's configuration file."""
        path = self.home / ".config/gatepass/gatepass.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)  # what names programs must be nobody else's to write

    def preload(self, proxy_url=None, **extra):
        """The environment for a program with the library; nothing else names the proxy."""
        return with_library(self.env(GATEPASS_PROXY=proxy_url, **extra), self.library)

    def bare(self, proxy, **extra):
        """The environment for a program without the library, which is told the proxy in the
        ordinary way, without credentials."""
        return self.env(http_proxy=proxy.url, https_proxy=proxy.url, **extra)

    def ctl(self, *args, input=b"", env=None, timeout=30):
        return run([CTL, *args], env or self.env(), input, timeout)

    def login(self, proxy_url, password, user="alice", session=False):
        """gatepassctl login; the password goes by standard input."""
        return self.ctl("login", "--proxy", proxy_url, "--user", user, "--password-stdin",
                        *(["--session"] if session else []), input=password + "\n")

    def ask_agent(self, message, path=None):
        """One message to the agent, in its own protocol: the answer's verb and its keys,
        each with a list of values. None without an agent."""
        link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            link.settimeout(20)
            link.connect(str(path or self.socket))
            link.send(message.encode())
            head, *lines = link.recv(1 << 18).decode(errors="replace").splitlines()
        except (OSError, ValueError):
            return None
        finally:
            link.close()
        values = collections.defaultdict(list)
        for line in lines:
            key, _, value = line.partition("=")
            values[key].append(value)
        return head.split()[-1], values

    def agent_pid(self):
        answer = self.ask_agent("gatepass 1 status\n")
        return int(answer[1]["pid"][0]) if answer else None

    def status(self, *args, env=None):
        """What `gatepassctl status --json` says."""
        result = self.ctl("status", "--json", *args, env=env)
        try:
            return json.loads(result.out)
        except ValueError:
            return {"not json": str(result)}

    def stop_agent(self):
        """Returns {pid: name} of the agent if it does not obey."""
        pid = self.agent_pid()
        self.ask_agent("gatepass 1 stop\n")
        if pid and not wait_until(lambda: _reap() or not _stat(pid), 5):
            return {pid: "gatepass-agent"}
        return {}
