#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Requests through tinyproxy, which answers and closes, whatever is still on its way, and says a
wrong password by 401."""

import harness
from http_matrix import run_matrix
from proxies import tinyproxy_basic


def main():
    run_matrix(lambda _: tinyproxy_basic(), "tinyproxy")


harness.main(main)
