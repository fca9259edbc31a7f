/* SPDX-License-Identifier: MIT */
/* uri-host [ ":" port ], as it stands in a Host field (RFC 9110 7.2). */
#ifndef GATEPASS_AUTHORITY_H
#define GATEPASS_AUTHORITY_H

#include <stdbool.h>

#include <gatepass/text.h>

struct authority {
	struct gp_text host; /* IPv6 in its brackets */
	struct gp_text port; /* empty: that of the scheme */
};

/* The host is a name of letters, digits, "-._~" and octets above 127, or an IPv6 address
 * in brackets; the port is in 1..65535. False for everything else. */
bool authority_parse(struct gp_text text, struct authority *out) GP_MUST_CHECK;

void authority_write(const struct authority *authority, struct gp_buf *out);

#endif
