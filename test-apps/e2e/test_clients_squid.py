#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Clients through Squid, which keeps the connection after its 407."""

import harness
from matrix import run_matrix
from proxies import squid_basic


def main():
    run_matrix(squid_basic, "squid")


harness.main(main)
