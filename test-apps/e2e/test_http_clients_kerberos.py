#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Requests through a Squid that wants a Kerberos ticket. It has a name, which stands for an address
where nobody listens, too."""

import harness
import kdc
from harness import check
from http_matrix import Matrix
from proxies import squid_kerberos


class TicketMatrix(Matrix):
    def __init__(self, realm):
        super().__init__(lambda _: squid_kerberos(realm))
        self.realm = realm
        self.log = harness.DIRECTORY / "log"

    def log_in(self, user, password=None):
        user.variables.update(self.realm.client(user))
        result = self.realm.kinit(user)
        if result.code:
            raise RuntimeError(f"kinit: {result}")

    def env(self, user, way, **extra):
        return super().env(user, way, GATEPASS_LOG=f"warn:{self.log}", **extra)

    def run(self):
        self.requests()
        text = self.log.read_text()
        check("refused" in text and "timed out" not in text,
              "each address of the proxy is tried as it should be", text)


def main():
    lacking = harness.needs("squid", "curl", "openssl") or kdc.missing()
    if lacking:
        harness.skip("everything", f"no {lacking}")
        return
    realm = kdc.Kdc()
    TicketMatrix(realm).run()
    realm.stop()


harness.main(main)
