#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Clients through tinyproxy, which speaks HTTP/1.0, sends no length and closes after its 407."""

import harness
from matrix import run_matrix
from proxies import tinyproxy_basic


def main():
    run_matrix(tinyproxy_basic, "tinyproxy")


harness.main(main)
