#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Squid with NTLM that Samba verifies: is it what later tests take it for? curl, which knows NTLM
itself, and requests made by hand say."""

import http.client

import harness
import origin
import proxies
from harness import check, equal, run

FIRST = "TlRMTVNTUAABAAAAB4IIAAAAAAAgAAAAAAAAACAAAAA="  # NTLM's first message
SECOND = "TlRMTVNTUAAC"  # how the proxy's begins
ORDER = ["Negotiate", "NTLM", "Basic"]


def ask(proxy, url, version=11, **headers):
    """(status, challenges, does the connection stay?) of a request."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=30)
    connection._http_vsn, connection._http_vsn_str = version, f"HTTP/{version / 10}"
    connection.request("GET", url, headers=headers)
    response = connection.getresponse()
    stays = not response.will_close
    response.read()
    connection.close()
    return response.status, response.headers.get_all("Proxy-Authenticate", []), stays


def names(challenges):
    return [challenge.split()[0] for challenge in challenges]


def curl(proxy, url, *options, user=proxies.USER, password=proxies.PASSWORD):
    return run(["curl", "-sS", "--max-time", "30", "-w", "%{http_code}", "-x", proxy.url,
                "-U", f"{user}:{password}", *options, url])


def accepts(proxy, site, name, *options, **who):
    for method, url in (("GET", site.http), ("CONNECT", site.https)):
        proxy.forget()
        result = curl(proxy, f"{url}/page", "--cacert", site.authority.file, *options, **who)
        check(result.code == 0 and result.bytes == origin.BODY + b"200",
              f"{name}: curl gets through, {method}", result)
        equal(proxy.settled(200, 1, method), 1, f"{name}: by the proxy", proxy.lines)


def rejects(proxy, site, name, *options, **who):
    proxy.forget()
    result = curl(proxy, f"{site.http}/page", *options, **who)
    check(result.bytes.endswith(b"407") and origin.BODY not in result.bytes, f"{name}: 407", result)


def verifies(site):
    proxy = proxies.squid_ntlm()
    rejects(proxy, site, "NTLM, nothing known", "--proxy-basic")
    accepts(proxy, site, "NTLM", "--proxy-ntlm")
    accepts(proxy, site, "NTLM, with the domain", "--proxy-ntlm",
            user=f"{proxies.DOMAIN}\\{proxies.USER}")
    rejects(proxy, site, "NTLM, wrong password", "--proxy-ntlm", password="wrong")


def offers(site):
    for schemes in (["NTLM"], ["Negotiate"], ORDER, ["Basic", "NTLM"]):
        proxy = proxies.squid_ntlm(schemes)
        for version in (11, 10):
            status, challenges, stays = ask(proxy, f"{site.http}/page", version)
            equal((status, names(challenges), stays), (407, schemes, version == 11),
                  f"{schemes}, HTTP/{version / 10}: what it was told to, in this order")


def continues(site):
    """NTLM's messages under both names; but not where the connection is not to stay."""
    proxy = proxies.squid_ntlm(ORDER)
    for scheme in ("NTLM", "Negotiate"):
        first = {"Proxy-Authorization": f"{scheme} {FIRST}"}
        status, challenges, stays = ask(proxy, f"{site.http}/page", **first)
        check(status == 407 and stays and len(challenges) == 1 and
              challenges[0].startswith(f"{scheme} {SECOND}"),
              f"{scheme}: the next message of NTLM", challenges)
        status, challenges, stays = ask(proxy, f"{site.http}/page", 10, **first)
        equal((status, names(challenges), stays), (407, ["Basic"], False),
              f"{scheme}, HTTP/1.0: others only")


def closes(site):
    proxy = proxies.squid_ntlm(["NTLM"], keep_alive=False)
    status, challenges, stays = ask(proxy, f"{site.http}/page")
    equal((status, challenges, stays), (407, ["NTLM"], False), "keep_alive off: the 407 closes")
    status, challenges, stays = ask(proxy, f"{site.http}/page",
                                       **{"Proxy-Authorization": f"NTLM {FIRST}"})
    check(status == 407 and stays, "keep_alive off: but not amid the handshake", challenges)
    accepts(proxy, site, "keep_alive off", "--proxy-anyauth")


def main():
    lacking = harness.needs("squid", "ntlm_auth", "curl", "openssl")
    if lacking:
        harness.skip("everything", f"no {lacking}")
        return
    site = origin.Site()
    verifies(site)
    offers(site)
    continues(site)
    closes(site)


harness.main(main)
