#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The user's credential helper: git's own ones, and a script that can do everything wrong."""

import re
import subprocess

import harness
import origin
import proxies
import simproxy
from agents import ADDRESS, OPEN
from harness import APPS, PATIENCE, check, equal, run, start, wait_until
from proxies import PASSWORD, USER

TOGETHER = 20
SECRET = "looking-glass"

# Tells what it is asked, then does what the file beside it says.
SCRIPT = r"""#!/bin/sh
here=%s
question=$(cat)
heard=$(
	echo "$question" | sed 's/^/said /'
	env | sed 's/=.*//; s/^/variable /'
	tty >/dev/null && echo "terminal stdin"
	(: </dev/tty) 2>/dev/null && echo "terminal tty"
	echo "operation $1"
)
# In one piece: another one may be writing.
printf '%%s\n' "$heard" >> $here/heard
[ "$1" = get ] || exit 0
. $here/get
"""


class Helper:
    def __init__(self, user, answer=""):
        self.directory = user.home / "helper"
        self.directory.mkdir()
        self.path = self.directory / "helper"
        self.path.write_text(SCRIPT % self.directory)
        self.path.chmod(0o755)
        self.says(answer)

    def says(self, shell):
        (self.directory / "get").write_text(shell + "\n")

    def gives(self, user, password, more=""):
        self.says(f"echo username={user}; echo password={password}; {more}")

    def heard(self, word):
        try:
            text = (self.directory / "heard").read_text()
        except OSError:
            return []
        return re.findall(rf"^{word} (.*)$", text, re.M)

    def operations(self):
        return self.heard("operation")

    def forget(self):
        (self.directory / "heard").unlink(missing_ok=True)


def new_user(name, value, log=False):
    user = harness.User(name)
    user.configure(f"[proxy]\ncredential_helper = {value}\n")
    if log:
        user.variables["GATEPASS_LOG"] = f"debug:{user.home}/log"
    return user


def scripted(name, answer="", more="", log=False):
    user = new_user(name, f"{harness.DIRECTORY}/{name}/helper/helper", log)
    helper = Helper(user, answer)
    return user, helper


def connect(user, proxy, address=ADDRESS, port=443):
    """The name of what connect() says."""
    result = run([APPS / "connect_errno", address, port], user.preload(proxy.url))
    return (result.out.split() or ["?"])[0]


def offered(proxy):
    return simproxy.offered([f"{word} {rest}" for _, word, rest in proxy.events])


def credential(user, proxy):
    state = user.status(env=user.env(GATEPASS_PROXY=proxy.url))
    found = state.get("credential") or {}
    return found.get("store"), found.get("user"), state.get("verdict")


def problems(user, proxy):
    return user.status(env=user.env(GATEPASS_PROXY=proxy.url)).get("problems")


# --- git's own helpers -------------------------------------------------------------------

def git_credential(user, value, operation, text):
    return run(["git", "-c", "credential.helper=", "-c", f"credential.helper={value}",
                "credential", operation], user.env(), text + "\n")


def described(proxy, user=USER, password=None):
    lines = f"protocol=http\nhost={proxy.host}:{proxy.port}\nusername={user}\n"
    return lines + (f"password={password}\n" if password else "")


def gits_own(squid, port, name, value, args=""):
    """A helper to which git has told the password; and that has it no more when it was wrong."""
    user = new_user(name, f"{value}{args}")
    give = lambda password: git_credential(user, value + args, "approve",
                                           described(squid, password=password))
    equal(connect(user, squid, proxies.ORIGIN, port), "EACCES", f"{name}: nothing is stored")
    equal(give("wrong").code, 0, f"{name}: git stores a wrong password")
    squid.forget()
    equal(connect(user, squid, proxies.ORIGIN, port), "EACCES", f"{name}: it is rejected")
    equal(squid.count(407, sent=True), 1, f"{name}: it was tried once", squid.lines())
    gone = lambda: "wrong" not in git_credential(user, value + args, "fill",
                                                 described(squid)).out
    check(wait_until(gone), f"{name}: and erased")
    equal(give(PASSWORD).code, 0, f"{name}: git stores the right password")
    equal(connect(user, squid, proxies.ORIGIN, port), "OK", f"{name}: it works")
    equal(credential(user, squid), ("helper", USER, "accepted"), f"{name}: status")
    human = user.ctl("status", env=user.env(GATEPASS_PROXY=squid.url))
    check("alice, from the credential helper (accepted)" in human.out, f"{name}: for people",
          human)
    return user


def store(squid, port):
    user = gits_own(squid, port, "store", "store", f" --file {harness.DIRECTORY}/store/'the file'")
    kept = (user.home / "the file").read_text()
    equal(kept, f"http://{USER}:{PASSWORD}@{squid.host}%3a{squid.port}\n",
          "store: what is in the file")


def cache(squid, port):
    user = gits_own(squid, port, "cache", "cache", " --timeout 600")
    run(["git", "credential-cache", "exit"], user.env())


def same_for_git():
    """What is stored for git is what git asks for when it uses that proxy itself."""
    user, proxy = new_user("git", "store"), simproxy.Simproxy(OPEN)
    text = described(proxy, password=simproxy.PASSWORD)
    git_credential(user, "store", "approve", text)
    equal(connect(user, proxy), "OK", "git's ~/.git-credentials are ours")
    proxy.stop()


# --- what is asked and told --------------------------------------------------------------

def protocol():
    user, helper = scripted("protocol", log=True)
    helper.gives(USER, simproxy.PASSWORD, "echo; echo password=behind the end")
    proxy = simproxy.Simproxy(OPEN)
    user.variables.update(SECRET_THING="x", LD_LIBRARY_PATH="/nonexistent")
    ends = together(user, proxy)
    equal(ends, ["OK"] * TOGETHER, f"{TOGETHER} programs get through", ends)
    wait_until(lambda: len(helper.operations()) == 2)
    equal(helper.operations(), ["get", "store"], "one question, one store", helper.operations())
    wanted = ["protocol=http", f"host={proxy.host}:{proxy.port}"]
    equal(helper.heard("said"), [*wanted, *wanted, f"username={USER}",
                                 f"password={simproxy.PASSWORD}"], "what the helper is told")
    variables = set(helper.heard("variable"))
    check({"HOME", "PATH", "XDG_RUNTIME_DIR"} <= variables and
          not variables & {"SECRET_THING", "LD_LIBRARY_PATH", "LD_PRELOAD", "GATEPASS_PROXY",
                           "http_proxy"}, "its environment", sorted(variables))
    equal(helper.heard("terminal"), [], "it has no terminal")
    equal(connect(user, proxy), "OK", "a later program")
    equal(len(helper.operations()), 2, "asks and tells no more")
    log = (user.home / "log").read_text()
    check(simproxy.PASSWORD not in log and simproxy.BASE64 not in log, "no secret in the log", log)
    proxy.stop()


def together(user, proxy):
    programs = [start([APPS / "connect_errno", ADDRESS, 443], user.preload(proxy.url),
                      stdout=subprocess.PIPE, text=True) for _ in range(TOGETHER)]
    return [(program.communicate(timeout=60 * PATIENCE)[0].split() or ["?"])[0]
            for program in programs]


def configured_user():
    user, helper = scripted("configured")
    user.configure(f"[proxy]\nuser = {USER}\ncredential_helper = {helper.path}\n")
    proxy = simproxy.Simproxy(OPEN)
    helper.says(f"echo password={simproxy.PASSWORD}")
    equal(connect(user, proxy), "OK", "[proxy] user, and a helper that tells a password only")
    check(f"username={USER}" in helper.heard("said"), "it was told the user")
    proxy.stop()
    proxy = simproxy.Simproxy(OPEN)
    helper.gives("bob", simproxy.PASSWORD)
    equal(connect(user, proxy), "EACCES", "another user's password is not used")
    equal(offered(proxy), 0, "nothing is offered to the proxy")
    proxy.stop()


def rejected():
    """Erased once, and only what it gave, and not what has come since."""
    user, helper = scripted("rejected")
    proxy = simproxy.Simproxy(OPEN)
    helper.gives(USER, "wrong")
    equal(together(user, proxy), ["EACCES"] * TOGETHER, "a wrong password: all are refused")
    equal(offered(proxy), 1, "it was offered once", proxy.events)
    check(wait_until(lambda: "erase" in helper.operations()), "it is erased")
    said = helper.heard("said")
    equal(said[said.index("password=wrong") - 1], f"username={USER}", "of that user", said)
    equal(connect(user, proxy), "EACCES", "the next program is refused too")
    equal((offered(proxy), helper.operations().count("erase")), (1, 1),
          "and nothing is offered or erased again")
    equal(credential(user, proxy), ("helper", USER, "rejected"), "rejected: status")
    helper.gives(USER, simproxy.PASSWORD)
    equal(connect(user, proxy), "OK", "a corrected one is noticed")
    proxy.stop()
    user, helper = scripted("changed")
    proxy = simproxy.Simproxy(OPEN)
    # It changes while the proxy thinks.
    helper.says(f"mv {helper.directory}/next {helper.directory}/get\n"
                f"echo username={USER}; echo password=wrong")
    (helper.directory / "next").write_text(
        f"echo username={USER}; echo password={simproxy.PASSWORD}\n")
    equal(connect(user, proxy), "OK", "changed meanwhile: the new one is used")
    wait_until(lambda: "store" in helper.operations())
    check("erase" not in helper.operations(), "and nothing is erased", helper.operations())
    proxy.stop()


def not_its_own():
    """What came from elsewhere is neither stored in the helper nor erased from it."""
    user, helper = scripted("other")
    proxy = simproxy.Simproxy(OPEN)
    for password, name in (("wrong", "EACCES"), (simproxy.PASSWORD, "OK")):
        user.login(proxy.url, password, session=True)
        equal(connect(user, proxy), name, f"the session's {password}")
    check(not {"store", "erase"} & set(helper.operations()), "the helper is not told",
          helper.operations())
    proxy.stop()


def expiry():
    user, helper = scripted("expiry")
    proxy = simproxy.Simproxy(OPEN)
    helper.gives(USER, simproxy.PASSWORD, "echo password_expiry_utc=1000000000")
    equal(connect(user, proxy), "EACCES", "an expired password is not used")
    equal(offered(proxy), 0, "nothing is offered")
    helper.gives(USER, simproxy.PASSWORD, "echo password_expiry_utc=$(($(date +%s) + 9000))")
    equal(connect(user, proxy), "OK", "one that expires later is")
    wait_until(lambda: "store" in helper.operations())
    check(any(line.startswith("password_expiry_utc=") for line in helper.heard("said")),
          "and stored with its end")
    proxy.stop()


# --- what can go wrong -------------------------------------------------------------------

def bad_helpers():
    proxy = simproxy.Simproxy(OPEN)
    for name, answer, problem in (
            ("nothing", "exit 0", None),
            ("failing", "echo password=half; exit 3", "exit status 3"),
            ("killed", "kill -9 $$", "signal 9"),
            ("babbling", "head -c 9000 /dev/urandom", None),
            ("endless", "yes babble", "longer than"),
            ("huge", "echo username=alice; printf password=; head -c 9999 /dev/zero | tr '\\0' x",
             "longer than HTTP"),
            ("no-user", f"echo password={simproxy.PASSWORD}", None),
            ("noisy", f"yes password={SECRET} | head -c 99999 >&2; exit 1", "exit status 1"),
            ("leaky", f"set -x; echo username=u; echo password={SECRET}; exit 1", "exit status 1"),
    ):
        user, helper = scripted(name, answer, log=True)
        equal(connect(user, proxy), "EACCES", f"{name}: refused")
        got = problems(user, proxy)
        check(not got and not problem or problem and got and problem in got[0],
              f"{name}: the problem that status tells", got)
        log = (user.home / "log").read_text()
        check(SECRET not in log, f"{name}: no secret in the log", log)
        helper.gives(USER, simproxy.PASSWORD)
        if name != "endless":
            fresh = simproxy.Simproxy(OPEN)
            equal(connect(user, fresh), "OK", f"{name}: and later a good one is used")
            fresh.stop()
    proxy.stop()


def hanging():
    """One program waits, the others do without; a person's session store still works."""
    user, helper = scripted("hanging", "trap '' TERM; sleep 1000 & wait; sleep 1000")
    proxy = simproxy.Simproxy(OPEN)
    equal(connect(user, proxy), "EACCES", "hanging: refused in the end")
    check(problems(user, proxy)[0].endswith("no answer within 15 seconds"), "hanging: status",
          problems(user, proxy))
    check(wait_until(lambda: "sleep" not in harness.descendants().values()),
          "hanging: it is gone with all that it started", harness.descendants())
    helper.forget()
    equal(connect(user, proxy), "EACCES", "hanging: the next program")
    equal(helper.operations(), [], "hanging: does not wait for it")
    helper.gives(USER, simproxy.PASSWORD)
    user.configure(f"[proxy]\ncredential_helper = {helper.path}\n# mended\n")
    equal(connect(user, proxy), "OK", "hanging: a changed configuration counts at once")
    proxy.stop()


def with_askpass(user, shell):
    askpass = user.home / "askpass"
    askpass.write_text(f"#!/bin/sh\n{shell}\n")
    askpass.chmod(0o755)
    user.variables.update(DISPLAY=":4711", GATEPASS_ASKPASS=str(askpass))


def outdone():
    """A wrong password is erased also when the person knows the right one."""
    user, helper = scripted("outdone")
    user.configure(f"[proxy]\nuser = {USER}\ncredential_helper = {helper.path}\n")
    with_askpass(user, f"echo {simproxy.PASSWORD}")
    helper.gives(USER, "wrong")
    proxy = simproxy.Simproxy(OPEN)
    equal(connect(user, proxy), "OK", "a wrong one from the helper, the right one typed")
    check(wait_until(lambda: "erase" in helper.operations()), "the wrong one is erased")
    check("store" not in helper.operations(), "the right one is not the helper's",
          helper.operations())
    proxy.stop()


def quits():
    """quit=1: nobody else is asked."""
    user, helper = scripted("quits", "echo quit=1")
    asked = user.home / "asked"
    with_askpass(user, f"echo >> {asked}; exit 1")
    proxy = simproxy.Simproxy(OPEN)
    equal(connect(user, proxy), "EACCES", "quit=1: refused")
    check(not asked.exists(), "quit=1: the person is not asked")
    helper.says("exit 0")
    equal(connect(user, proxy), "EACCES", "without it: refused")
    check(asked.exists(), "without it: the person is asked")
    proxy.stop()


def ways_to_write_it():
    proxy = simproxy.Simproxy(OPEN)
    give = f"echo username={USER}; echo password={simproxy.PASSWORD}"
    user = new_user("shell", f"!f() {{ test \"$1\" = get && {{ {give}; }}; }}; f")
    equal(connect(user, proxy), "OK", "a shell's command")
    user = new_user("missing", "/nonexistent/helper")
    equal(connect(user, proxy), "EACCES", "no such program")
    check("nonexistent" in (problems(user, proxy) or [""])[0], "status tells", problems(user, proxy))
    user = new_user("writable", "!false")
    (user.home / ".config/gatepass/gatepass.conf").chmod(0o666)
    check("others can write" in (problems(user, proxy) or [""])[0],
          "a file that others can write names no programs", problems(user, proxy))
    proxy.stop()


def foreign_file():
    """A program's GATEPASS_CONFIG may not make the agent run anything."""
    user = harness.User("foreign")
    proxy = simproxy.Simproxy(OPEN)
    harm = user.home / "harm"
    config = user.home / "other.conf"
    config.write_text(f"[proxy]\ncredential_helper = !touch {harm} #\n")
    config.chmod(0o644)
    user.ctl("agent", "start")
    result = run([APPS / "connect_errno", ADDRESS, 443],
                 user.preload(proxy.url, GATEPASS_CONFIG=config))
    check(result.out.startswith("EACCES"), "another GATEPASS_CONFIG: refused", result)
    state = user.status(env=user.env(GATEPASS_PROXY=proxy.url, GATEPASS_CONFIG=config))
    check(not harm.exists(), "another GATEPASS_CONFIG: its helper is not run")
    check(any("not used" in text for text in state.get("problems", [])), "and status says so",
          state)
    proxy.stop()


def main():
    lacking = harness.needs("squid", "git", "ncat")
    if lacking:
        harness.skip("everything", f"no {lacking}")
        return
    squid, port = proxies.squid_basic(), origin.echo_server()
    bare = run(["ncat", "--proxy", f"127.0.0.1:{squid.port}", "--proxy-type", "http",
                proxies.ORIGIN, port])
    check("407" in bare.err, "407 without us", bare)
    store(squid, port)
    cache(squid, port)
    for part in (same_for_git, protocol, configured_user, rejected, outdone, not_its_own, expiry,
                 bad_helpers, hanging, quits, ways_to_write_it, foreign_file):
        part()


harness.main(main)
