/* SPDX-License-Identifier: MIT */
/* The authority of an http URL. */
#include <string.h>

#include <gatepass/host.h>

#include "authority.h"

static bool is_name(struct gp_text host)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = gp_ascii_lower(host.p[i]);

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') &&
		    (unsigned char)c < 0x80 && (!c || !strchr("-._~", c)))
			return false;
	}
	return host.len > 0 && host.len <= GP_HOST_MAX;
}

bool authority_parse(struct gp_text text, struct authority *out)
{
	const char *bracket = text.len ? memchr(text.p, ']', text.len) : NULL;
	size_t bracketed = bracket ? (size_t)(bracket - text.p) + 1 : 0;
	struct gp_text rest = gp_text_from(text, bracketed);
	char normal[GP_HOST_MAX + 1];
	uint64_t port;

	out->host = (struct gp_text){text.p, bracketed + gp_text_cut(&rest, ":").len};
	out->port = rest;
	if (rest.p && (!gp_text_to_uint(rest, 65535, &port) || !port))
		return false;
	return bracket ? gp_host_normalise(out->host, normal) == GP_OK
		       : is_name(out->host);
}

void authority_write(const struct authority *authority, struct gp_buf *out)
{
	gp_buf_add(out, authority->host.p, authority->host.len);
	gp_buf_add_string(out, authority->port.len ? ":" : "");
	gp_buf_add(out, authority->port.p, authority->port.len);
}
