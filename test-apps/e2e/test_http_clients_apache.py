#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Requests through Apache, which reads a body to its end before it says 407."""

import harness
from http_matrix import run_matrix
from proxies import apache_basic


def main():
    run_matrix(lambda _: apache_basic(), "apache2")


harness.main(main)
