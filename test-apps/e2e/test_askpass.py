#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Asking the person at the desktop, by an askpass program: once for all programs, and never
where nobody could answer."""

import re
import time

import harness
import origin
import proxies
from harness import check, equal, run, wait_until
from proxies import PASSWORD, USER
from trial import connect_together, end_connecting, start_connecting

TOGETHER = 20

# Notes its question, then does what the next line of the file beside it says.
SCRIPT = r"""#!/bin/sh
here=%s
{ echo "begins $1"; tty >/dev/null && echo "terminal"; } >> $here/heard
read -r answer < $here/answers
sed -i 1d $here/answers
eval "$answer"
status=$?
echo "ends $1" >> $here/heard
exit $status
"""


class Askpass:
    def __init__(self, user, *answers):
        self.directory = user.home / "askpass"
        self.directory.mkdir()
        self.path = self.directory / "askpass"
        self.path.write_text(SCRIPT % self.directory)
        self.path.chmod(0o755)
        self.answers(*answers)

    def answers(self, *lines):
        (self.directory / "answers").write_text("".join(f"{line}\n" for line in lines))

    def heard(self, word="begins"):
        try:
            text = (self.directory / "heard").read_text()
        except OSError:
            return []
        return re.findall(rf"^{word} (.*)$", text, re.M)

    def is_one_at_a_time(self):
        text = (self.directory / "heard").read_text()
        words = re.findall(r"^(begins|ends) ", text, re.M)
        return words == ["begins", "ends"] * (len(words) // 2)


def person(name, *answers, config="", **variables):
    """A user with a screen."""
    user = harness.User(name)
    askpass = Askpass(user, *answers)
    user.variables.update(DISPLAY=":4711", GATEPASS_ASKPASS=str(askpass.path),
                          GATEPASS_LOG=f"debug:{user.home}/log")
    user.variables.update(variables)
    user.variables = {key: value for key, value in user.variables.items() if value}
    if config:
        user.configure(config)
    return user, askpass


def types(*words):
    return [f"echo {word}" for word in words]


def connect(user, squid, port):
    return end_connecting(start_connecting(user, squid, port))


def credential(user, squid):
    state = user.status(env=user.env(GATEPASS_PROXY=squid.url))
    found = state.get("credential") or {}
    return found.get("store"), found.get("user"), state.get("verdict")


def prompts(squid, user=USER, rejected=False):
    prefix = "Rejected by the proxy. " if rejected else ""
    place = f"{squid.host}:{squid.port}"
    return [f"{prefix}Username for 'http://{place}': ",
            f"{prefix}Password for 'http://{user}@{place}': "]


def accepted(squid, port):
    """Slowly typed, while twenty wait; kept for the session, then."""
    user, askpass = person("accepted", f"sleep 1; echo {USER}", f"sleep 1; echo {PASSWORD}")
    squid.forget()
    ends = connect_together(user, squid, port, TOGETHER)
    equal(ends, ["OK"] * TOGETHER, f"{TOGETHER} programs get through", ends)
    equal(askpass.heard(), prompts(squid), "one question for the name, one for the password")
    equal(squid.count(407, sent=True), 0, "no failed logon", squid.lines())
    equal(credential(user, squid), ("askpass", USER, "accepted"), "status")
    human = user.ctl("status", env=user.env(GATEPASS_PROXY=squid.url))
    check("alice, as typed (accepted)" in human.out, "status for people", human)
    equal(connect(user, squid, port), "OK", "a later program")
    equal(len(askpass.heard()), 2, "asks nobody")
    check(PASSWORD not in (user.home / "log").read_text(), "no secret in the log")
    result = user.ctl("logout", "--proxy", squid.url)
    check("Removed 1" in result.out, "logout forgets it", result)
    askpass.answers(*types(USER, PASSWORD))
    equal(connect(user, squid, port), "OK", "and the next program asks again")
    equal(len(askpass.heard()), 4, "with two questions")


def configured(squid, port):
    user, askpass = person("configured", *types(PASSWORD), GATEPASS_ASKPASS=None,
                           SSH_ASKPASS="/nonexistent/askpass")
    user.configure(f"[proxy]\nuser = {USER}\naskpass = {askpass.path}\n")
    equal(connect(user, squid, port), "OK", "[proxy] user and askpass")
    equal(askpass.heard(), prompts(squid)[1:], "the name is not asked for")
    user, askpass = person("ssh", *types(USER, PASSWORD), GATEPASS_ASKPASS=None)
    user.variables["SSH_ASKPASS"] = str(askpass.path)
    equal(connect(user, squid, port), "OK", "SSH_ASKPASS")
    user, askpass = person("none", *types(USER, PASSWORD), GATEPASS_ASKPASS=None,
                           config="[proxy]\naskpass =\n")
    user.variables["SSH_ASKPASS"] = str(askpass.path)
    equal(connect(user, squid, port), "EACCES", "an empty askpass: nobody is asked")
    equal(askpass.heard(), [], "and nothing is run")


def no_screen(squid, port):
    user, askpass = person("dark", *types(USER, PASSWORD), DISPLAY="")
    equal(connect(user, squid, port), "EACCES", "no screen: refused")
    equal(askpass.heard(), [], "no screen: nobody is asked")
    user.ctl("agent", "stop")
    user.variables.update(WAYLAND_DISPLAY="wayland-0")
    equal(connect(user, squid, port), "OK", "Wayland is a screen too")


def corrected(squid, port):
    """Wrong, then right: the waiting programs wait for that too."""
    user, askpass = person("corrected", *types(USER, "wrong", USER, PASSWORD))
    squid.forget()
    ends = connect_together(user, squid, port, TOGETHER)
    equal(ends, ["OK"] * TOGETHER, "wrong, then right: all get through", ends)
    equal(askpass.heard(), prompts(squid) + prompts(squid, rejected=True),
          "the second question says why it comes")
    equal(squid.count(407, sent=True), 1, "one failed logon", squid.lines())


def rejected(squid, port):
    """Three times wrong, one of them twice the same; then nobody is asked any more."""
    user, askpass = person("rejected", *types(USER, "one", USER, "two", USER, "two"))
    squid.forget()
    ends = connect_together(user, squid, port, TOGETHER)
    equal(ends, ["EACCES"] * TOGETHER, "three times wrong: all are refused", ends)
    equal(len(askpass.heard()), 6, "after three questions", askpass.heard())
    equal(squid.count(407, sent=True), 2, "of which the proxy sees two", squid.lines())
    askpass.answers(*types(USER, PASSWORD))
    equal(connect(user, squid, port), "EACCES", "the next program is refused")
    equal(len(askpass.heard()), 6, "and asks nobody")
    equal(credential(user, squid), ("askpass", USER, "rejected"), "status")
    user.configure("# changed\n")
    equal(connect(user, squid, port), "OK", "a changed configuration: it asks again")
    equal(askpass.heard()[6:], prompts(squid), "as if for the first time")


def dismissed(squid, port):
    user, askpass = person("dismissed", "sleep 1; exit 1")
    squid.forget()
    ends = connect_together(user, squid, port, TOGETHER)
    equal(ends, ["EACCES"] * TOGETHER, "dismissed: all are refused", ends)
    equal(askpass.heard(), prompts(squid)[:1], "by one question")
    equal(connect(user, squid, port), "EACCES", "the next program is refused")
    equal(len(askpass.heard()), 1, "and asks nobody")
    check("which was not entered" in (user.home / "log").read_text(), "the log tells why")
    askpass.answers(*types(USER, PASSWORD))
    user.login(squid.url, "wrong", session=True)
    equal(connect(user, squid, port), "OK", "a person who has logged in is asked again")
    for name, answers in (("name", ["echo"]), ("password", [f"echo {USER}", "echo"]),
                          ("word", ["printf '\\001'"])):
        user, askpass = person(f"empty-{name}", *answers)
        equal(connect(user, squid, port), "EACCES", f"an empty or bad {name}: refused")
        equal(len(askpass.heard()), len(answers), f"an empty or bad {name}: asked once")
    equal(squid.count(407, sent=True), 1, "the proxy saw what was logged in only",
          squid.lines())


def interrupted(squid, port):
    """A program that is interrupted leaves the window open: what is typed then is for the next
    one."""
    user, askpass = person("left", f"echo {USER}",
                           f"while ! [ -e $here/go ]; do sleep 0.05; done; echo {PASSWORD}")
    program = start_connecting(user, squid, port)
    wait_until(lambda: len(askpass.heard()) == 2)
    harness.stop(program)
    (askpass.directory / "go").touch()
    equal(connect(user, squid, port), "OK", "an interrupted program: the next one has the answer")
    equal(len(askpass.heard()), 2, "without a further question")


class Hanging:
    """A window that nobody answers ends after a minute."""

    def __init__(self, squid, port):
        self.user, self.askpass = person("hanging", "trap '' TERM; sleep 1000 & wait; sleep 1000")
        self.begin = time.monotonic()
        self.program = start_connecting(self.user, squid, port)

    def end(self, squid, port):
        equal(end_connecting(self.program), "EACCES", "nobody answers: refused")
        seconds = time.monotonic() - self.begin
        check(seconds > 55, "after a minute", seconds)
        check(wait_until(lambda: "sleep" not in harness.descendants().values()),
              "the window is gone", harness.descendants())
        equal(connect(self.user, squid, port), "EACCES", "the next program is refused")
        equal(len(self.askpass.heard()), 1, "and asks nobody")
        problems = self.user.status(env=self.user.env(GATEPASS_PROXY=squid.url)).get("problems")
        check(problems and "within 60 seconds" in problems[0], "status tells", problems)


class Slow:
    """A person who takes longer than programs wait for each other otherwise, and mistypes."""

    def __init__(self, squid, port):
        self.user, self.askpass = person("slow", f"echo {USER}", "sleep 35; echo wrong",
                                         *types(USER, PASSWORD))
        self.programs = [start_connecting(self.user, squid, port) for _ in range(3)]

    def end(self, squid):
        equal([end_connecting(program) for program in self.programs], ["OK"] * 3,
              "slowly typed: all get through")
        equal(self.askpass.heard(), prompts(squid) + prompts(squid, rejected=True),
              "by one question, and another for what was mistyped")


def two_proxies(squid, port, other):
    """One window at a time."""
    user, askpass = person("two", *[f"sleep 0.5; echo {word}" for word in (USER, PASSWORD) * 2])
    programs = [start_connecting(user, one, port) for one in (squid, other, squid, other)]
    equal([end_connecting(program) for program in programs], ["OK"] * 4, "two proxies: all work")
    equal(sorted(askpass.heard()), sorted(prompts(squid) + prompts(other)), "each is asked for")
    check(askpass.is_one_at_a_time(), "one after the other",
          (askpass.directory / "heard").read_text())


def missing(squid, port):
    user, _ = person("missing", GATEPASS_ASKPASS="/nonexistent/askpass")
    equal(connect(user, squid, port), "EACCES", "no such program: refused")
    problems = user.status(env=user.env(GATEPASS_PROXY=squid.url)).get("problems")
    check(problems and "nonexistent" in problems[0], "status tells", problems)


def main():
    lacking = harness.needs("squid", "ncat")
    if lacking:
        harness.skip("everything", f"no {lacking}")
        return
    squid, port = proxies.squid_basic(), origin.echo_server()
    bare = run(["ncat", "--proxy", f"127.0.0.1:{squid.port}", "--proxy-type", "http",
                proxies.ORIGIN, port])
    check("407" in bare.err, "407 without us", bare)
    other = proxies.squid_basic()
    hanging, slow = Hanging(squid, port), Slow(other, port)
    for part in (accepted, configured, no_screen, corrected, rejected, dismissed, interrupted,
                 missing):
        part(squid, port)
    two_proxies(squid, port, other)
    slow.end(other)
    hanging.end(squid, port)


harness.main(main)
