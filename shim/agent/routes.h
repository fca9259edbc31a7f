/* SPDX-License-Identifier: MIT */
/*
 * Which way a connection goes, and which names need a stand-in address. Decides from what
 * is known at once; what needs a look-up of the proxy's name is left to the caller.
 */
#ifndef GATEPASS_ROUTES_H
#define GATEPASS_ROUTES_H

#include <stdbool.h>

#include <gatepass/host.h>
#include <gatepass/limits.h>

#include "choice.h"

struct asker;
struct config;

enum route_way { ROUTE_DIRECT, ROUTE_TUNNEL, ROUTE_UNREACHABLE };

#define ROUTE_PEERS_MAX 8

struct route {
	enum route_way way;
	char authority[GP_AUTHORITY_MAX + 1]; /* ROUTE_TUNNEL: what to CONNECT to */
	struct proxy_list proxy;              /* ROUTE_TUNNEL */
	int error;                            /* ROUTE_UNREACHABLE: an errno, and */
	char reason[512];                     /* a sentence */

	/* ROUTE_TUNNEL: proxies known by name that listen on the destination's port. When
	 * the destination is an address of one of them, the way is direct after all. */
	unsigned peer_count;
	struct endpoint peers[ROUTE_PEERS_MAX];
};

/* `host`: the name that the process looked up itself for this address, or NULL. Release
 * `out` with route_release(). */
void routes_decide(const struct asker *asker, const struct config *config,
		   const union gp_address *destination, const char *host,
		   struct route *out);
void route_release(struct route *route);

/* Is the normalised name one for the proxy to resolve? False: for the system's resolver.
 */
bool routes_name_is_proxied(const struct asker *asker, const struct config *config,
			    const char *name);

#endif
