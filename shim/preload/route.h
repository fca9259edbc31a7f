/* SPDX-License-Identifier: MIT */
/* The agent's answer to "which way does this connection go?". */
#ifndef GATEPASS_ROUTE_H
#define GATEPASS_ROUTE_H

#include <gatepass/host.h>

#include "link.h"

enum way { WAY_DIRECT, WAY_TUNNEL, WAY_UNREACHABLE };

struct route {
	enum way way;
	int error;      /* the errno of WAY_UNREACHABLE */
	unsigned count; /* of proxies */
	union gp_address proxies[GP_PROXY_ADDRESSES_MAX]; /* in the order to try */
	const char *authority;     /* both point into the link's packet */
	const char *authorization; /* NULL: send none */
};

/* Asks over an open link. Blocks for the agent's answer. Errors as link_ask(). */
enum gp_err route_ask(struct route *route, struct link *link,
		      const union gp_address *destination,
		      struct patience *patience) GP_MUST_CHECK;

#endif
