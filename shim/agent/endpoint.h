/* SPDX-License-Identifier: MIT */
/*
 * A proxy's host and port: the key under which everything about a proxy is remembered.
 */
#ifndef GATEPASS_ENDPOINT_H
#define GATEPASS_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <gatepass/host.h>
#include <gatepass/limits.h>

struct endpoint {
	char host[GP_HOST_MAX + 1]; /* normalised, see gp_host_normalise() */
	uint16_t port;
};

/* "host:port", NUL-terminated. */
static inline void endpoint_text(const struct endpoint *endpoint,
				 char out[static GP_AUTHORITY_MAX + 1])
{
	struct gp_buf buf;

	gp_buf_init(&buf, out, GP_AUTHORITY_MAX);
	gp_host_authority(endpoint->host, endpoint->port, &buf);
	out[buf.len] = '\0';
}

static inline bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && !strcmp(a->host, b->host);
}

#endif
