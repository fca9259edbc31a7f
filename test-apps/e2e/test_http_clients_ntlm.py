#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Requests through a Squid that wants NTLM of each connection, which takes a request without a
body, and a connection that stays, before the program's own."""

import harness
from http_matrix import run_matrix
from proxies import squid_ntlm


def main():
    run_matrix(lambda _: squid_ntlm(), "squid", "ntlm_auth")


harness.main(main)
