#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Requests through Squid with the rule of Debian's configuration, that no tunnel goes to ports of
plain HTTP."""

import harness
from http_matrix import run_matrix
from proxies import squid_debian


def main():
    run_matrix(lambda witness: squid_debian(witness.https_port, witness.tunnel_port), "squid")


harness.main(main)
