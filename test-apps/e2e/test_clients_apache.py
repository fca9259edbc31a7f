#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Clients through Apache, whose reply to CONNECT is HTTP/1.0 and whose 407 keeps the connection."""

import harness
from matrix import run_matrix
from proxies import apache_basic


def main():
    run_matrix(apache_basic, "apache2")


harness.main(main)
