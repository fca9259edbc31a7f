#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Requests through a Squid that offers NTLM in other ways than the plain one: under Negotiate's
name, beside other schemes, and on connections that it closes first."""

import harness
from http_matrix import Matrix
from http_tools import TOOLS
from proxies import squid_ntlm

CLIENTS = ("curl", "wget", "python3 urllib", "node")


def main():
    lacking = harness.needs("squid", "ntlm_auth", "curl", "openssl")
    if lacking:
        harness.skip("everything", f"no {lacking}")
        return
    matrix = Matrix(lambda _: None)
    for offers, keep_alive in ((("NTLM",), False), (("Negotiate",), True),
                               (("Negotiate", "NTLM", "Basic"), True)):
        matrix.proxy = squid_ntlm(offers, keep_alive)
        for way in ("observe", "forward"):
            matrix.forget(matrix.user(way))
        matrix.clients(CLIENTS)
        matrix.tool(TOOLS[0])
        harness.stop(matrix.proxy.process)


harness.main(main)
