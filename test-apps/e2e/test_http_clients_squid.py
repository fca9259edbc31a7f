#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Requests through Squid, which says 407 before it reads a body, and trusts the connection only
behind a short one."""

import harness
from http_matrix import run_matrix
from proxies import squid_basic


def main():
    run_matrix(lambda _: squid_basic(), "squid")


harness.main(main)
