/* SPDX-License-Identifier: MIT */
/*
 * The no_proxy list: the union of what curl and Go understand, so that what works there
 * works here.
 */
#ifndef GATEPASS_NOPROXY_H
#define GATEPASS_NOPROXY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Does `list` exempt host:port from proxying? `host` is normalised (gp_host_normalise):
 * a name or a numeric address. Entries are separated by commas or white space:
 *
 *   example.org     the name and everything below it    192.0.2.1   2001:db8::1
 *   .example.org    the same                            [2001:db8::1]
 *   *.example.org   everything below it                 192.0.2.0/24   2001:db8::/32
 *   *               everything                          <local>   names without a dot
 *
 * each but the last three with an optional ":port". Case does not matter. A NULL list is
 * empty. Unintelligible entries match nothing. Pure; safe everywhere.
 */
bool gp_noproxy_match(const char *list, const char *host, uint16_t port);

#endif
