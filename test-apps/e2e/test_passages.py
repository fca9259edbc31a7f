#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Unusual things that programs do while a socket connects."""
import harness
from harness import APPS, check, equal, run
from simproxy import BASE64, OK, Simproxy
NAMES = run([APPS / "passage", "--list"]).out.split()
def main():
    user = harness.User("alice")
    slow = Simproxy(f"conn\nwait 50\nauth {BASE64}\nwait 50\nsend {OK}\necho\nrepeat\n")
    busy = Simproxy("conn\nexpect\nwait 100\n"
                    r"send HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" + "\nclose\nrepeat\n")
    for name in NAMES:
        p = busy if name.startswith("fail") else slow
        r = run([APPS / "passage", name, "198.51.100.7", "7"], user.preload(p.url_with_password), timeout=25)
        print("==", name, r.code, r.out.split("\n"), r.err)
harness.main(main)
