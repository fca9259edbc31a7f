#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Bad input: each is a clear error or a safe refusal, never a crash, and nothing of it comes
out as a header of its own."""

import os
import pwd
import re

import harness
import proxies
from harness import APPS, BUILD, check, equal, run
from simproxy import Simproxy

SCRIPT = """
conn
repeat
expect
send HTTP/1.1 407 Proxy Authentication Required\\r\\nProxy-Authenticate: Basic realm="x"\\r\\n
send Content-Length: 0\\r\\n\\r\\n
loop
"""
BIG = "x" * 4096


def survives(result, name):
    """The program lived on: it has an exit status of its own."""
    return check(result.code in (0, 1) and not result.timed_out, f"{name}: no crash", result)


def says(result, pattern, name):
    """One line that says what is wrong, and the exit status for it."""
    text = result.err.strip()
    check(result.code in (1, 2) and re.search(pattern, text, re.I) and
          len(text.splitlines()) == 1, f"{name}: a clear error", result)


def connect(user, url, host=proxies.ORIGIN, **extra):
    return run([APPS / "connect_errno", host, 443], user.preload(url, **extra))


def bad_urls(user):
    cases = {
        "no host": ("http://", "host"),
        "no host but a port": ("http://:3128", "host"),
        "port 0": ("http://127.0.0.1:0", "port"),
        "port 70000": ("http://127.0.0.1:70000", "port"),
        "port in letters": ("http://127.0.0.1:http", "port"),
        "another scheme": ("gopher://127.0.0.1:70", "http://"),
        "a line end in the user": ("http://a%0d%0aX-Evil:%201@127.0.0.1:1", "user"),
        "a line end in the password": ("http://a:b%0d%0aX-Evil:%201@127.0.0.1:1", "user"),
        "a line end in the host": ("http://127.0.0.1%0d%0aX-Evil:1", "host"),
        "half an escape": ("http://a%2@127.0.0.1:1", "user"),
        "a host of 300": (f"http://{'h' * 300}:3128", "host|long"),
        "a host of 70000": (f"http://{'h' * 70000}:3128", ""),
        "a space": ("http://127.0.0.1 :1", ""),
    }
    for name, (url, pattern) in cases.items():
        result = connect(user, url)
        survives(result, f"proxy URL with {name}")
        check("OK" not in result.out, f"proxy URL with {name}: nothing is connected", result)
        state = user.status(env=user.env(GATEPASS_PROXY=url))
        problems = "\n".join(state.get("problems") or [])
        check(problems and re.search(pattern, problems, re.I),
              f"proxy URL with {name}: status tells the problem", state)
        says(user.ctl("login", "--proxy", url, "--user", "a", "--session", "--password-stdin",
                      input="pw\n"), pattern, f"login for a proxy URL with {name}")


def headers_are_whole(proxy, name):
    """Every header that the proxy got is one of ours, in form and name."""
    strange = [line for line in proxy.told("header") if not re.match(
        r"(Host|Proxy-Authorization|Proxy-Connection|User-Agent): [^\\]*$", line)]
    strange += [line for line in proxy.told("request")
                if not re.match(r"CONNECT \S+:\d+ HTTP/1\.1$", line)]
    check(not strange and not proxy.told("data"), f"{name}: no header is injected", strange)


def bad_users(user, proxy):
    for name, text in (("a colon", "al:ice"), ("a line end", "alice\r\nX-Evil: 1"),
                       ("a control character", "alice\x01"), ("600 characters", "a" * 600)):
        says(user.login(proxy.url, "pw", user=text, session=True), "user",
             f"login of a user with {name}")
    result = connect(user, proxy.url.replace("//", "//al%3aice:pw@"))
    survives(result, "a colon in the URL's user")
    equal(result.out.split()[:1], ["EACCES"], "a colon in the URL's user: refused")
    check(not [line for line in proxy.told("header") if "Authorization" in line],
          "a colon in the URL's user: no credentials are sent", proxy.told("header"))


def bad_hosts(user, proxy):
    for name, host in (("a line end", "evil.test\r\nX-Evil: 1"), ("a space", "evil test"),
                       ("256 characters", "h" * 252 + ".com"), ("3000 characters", "h" * 3000),
                       ("a label of 100", "h" * 100 + ".test"), ("nothing", "")):
        survives(connect(user, proxy.url, host), f"a host name with {name}")
    asked = [line for line in proxy.told("request") if len(line) > 300 or "evil" in line.lower()]
    check(not asked, "no bad host name reaches the proxy", asked)
    headers_are_whole(proxy, "bad host names")


def bad_configuration(user):
    path = user.home / "gatepass.conf"
    cases = {
        "an unknown key": ("[proxy]\nurl = http://127.0.0.1:1\nfrobnicate = yes\n", 3),
        "an unknown group": ("[proxy]\nurl = http://127.0.0.1:1\n\n[jabberwock]\nx = 1\n", 4),
        "broken syntax": ("[proxy]\n\nthis is no pair\n", 3),
        "a line outside every group": ("url = http://127.0.0.1:1\n", 1),
        "a bad URL": ("# mine\n[proxy]\nurl = http://127.0.0.1:70000\n", 3),
        "an unclosed group": ("[proxy\nurl = http://127.0.0.1:1\n", 1),
    }
    for name, (text, line) in cases.items():
        path.write_text(text)
        place = f"{path}:{line}:"
        env = user.env(GATEPASS_CONFIG=path)
        state = user.status(env=env)
        check(any(place in problem for problem in state.get("problems") or []),
              f"configuration with {name}: status tells the line", f"{place}\n{state}")
        checked = run([BUILD / "gatepass-agent", "--check"], env)
        check(checked.code == 1 and place in checked.out + checked.err,
              f"configuration with {name}: gatepass-agent --check tells the line", checked)
        survives(connect(user, None, GATEPASS_CONFIG=path), f"configuration with {name}")
    path.write_bytes(b"\0\xff" * 5000)
    survives(connect(user, None, GATEPASS_CONFIG=path), "configuration of binary rubbish")
    path.write_text("[proxy]\nurl = http://127.0.0.1:3128\n")
    good = run([BUILD / "gatepass-agent", "--check"], user.env(GATEPASS_CONFIG=path))
    equal(good.code, 0, "gatepass-agent --check is content with a good file", good)


def long_passwords(user):
    proxy = Simproxy(f"conn\nrepeat\nauth {proxies.basic('alice', BIG)}\n"
                             "send HTTP/1.1 200 OK\\r\\n\\r\\n\necho\n")
    result = user.login(proxy.url, BIG, session=True)
    equal(result.code, 0, "a password of 4096 octets is stored", result)
    result = run([APPS / "echo_client", proxies.ORIGIN, 7, "hello"], user.preload(proxy.url))
    check(result.out == "hello\n" and proxy.told("challenged"), "and works", result)
    says(user.login(proxy.url, BIG + "y", session=True), "password", "a password of 4097 octets")
    says(user.login(proxy.url, "", session=True), "password", "an empty password")
    # RFC 7617 section 2: no control characters.
    says(user.login(proxy.url, "won\r\nX-Evil: 1", session=True), "password",
         "a password with a line end")


def odd_passwords(user):
    """Octets that are nothing special in base64, and must not become any before."""
    for name, text in (("a colon", "won:der"), ("blanks", " won der "),
                       ("percent signs", "%41%0a%"), ("umlauts", "Wunderl\u00e4nd")):
        proxy = Simproxy(f"conn\nrepeat\nauth {proxies.basic('alice', text)}\n"
                                 "send HTTP/1.1 200 OK\\r\\n\\r\\n\necho\n")
        equal(user.login(proxy.url, text, session=True).code, 0, f"a password with {name}")
        result = run([APPS / "echo_client", proxies.ORIGIN, 7, "hello"],
                     user.preload(proxy.url))
        equal(result.out, "hello\n", f"a password with {name} works", result)
        headers_are_whole(proxy, f"a password with {name}")


IMPOSTOR = """
import os, socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
server.listen(8)
while True:
    link, _ = server.accept()
    print(link.recv(1 << 18), flush=True)
    try:
        link.send(b"gatepass 1 way\\nway=direct\\n")
    except OSError:
        pass
    link.close()
"""


def impostor(directory):
    """Another user's agent. Returns its socket's path, and the file of what it is told."""
    account = pwd.getpwnam("nobody")
    directory.mkdir(mode=0o755)
    os.chown(directory, account.pw_uid, account.pw_gid)
    told = harness.DIRECTORY / "told"
    with open(told, "wb") as output:
        harness.start(["/usr/bin/python3", "-c", IMPOSTOR, directory / "agent"], stdout=output,
                      user=account.pw_uid, group=account.pw_gid, extra_groups=[])
    harness.wait_until((directory / "agent").exists)
    return directory / "agent", told


def bad_places(user, proxy):
    for name, path in (("of 200 octets", f"{user.home}/{'p' * 200}"), ("relative", "agent"),
                       ("in no directory", f"{user.home}/none/agent")):
        survives(connect(user, proxy.url, GATEPASS_AGENT=path), f"an agent's path {name}")
    for name, path in (("of 200 octets", f"{user.home}/{'p' * 200}"), ("relative", "agent")):
        says(user.ctl("status", env=user.env(GATEPASS_AGENT=path)), "path|socket",
             f"an agent's path {name}")
    if not harness.AS_ROOT:
        print("# an agent's socket of another user: only root can make one to try")
        return
    user.home.chmod(0o711)
    path, told = impostor(user.home / "other")
    env = user.env(GATEPASS_AGENT=path)
    survives(connect(user, proxy.url, GATEPASS_AGENT=path), "another user's agent")
    says(user.ctl("status", env=env), "user|own|belong", "another user's agent")
    says(user.ctl("login", "--proxy", proxy.url, "--user", "alice", "--session",
                  "--password-stdin", input="pw\n", env=env), "user|own|belong",
         "login to another user's agent")
    user.ask_agent("is anybody there?", path)
    heard = [line for line in told.read_text().splitlines() if line != "b''"]
    equal(heard, ["b'is anybody there?'"], "another user's agent is told nothing but by us here")


def main():
    user, proxy = harness.User("alice"), Simproxy(SCRIPT)
    bare = run(["curl", "-sS", f"http://{proxies.ORIGIN}:7/", "-p", "-x", proxy.url])
    check("407" in bare.err, "407 without us", bare)
    bad_urls(user)
    bad_users(user, proxy)
    bad_hosts(user, proxy)
    bad_configuration(user)
    long_passwords(user)
    odd_passwords(user)
    bad_places(user, proxy)


harness.main(main)
