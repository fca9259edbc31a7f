/* SPDX-License-Identifier: MIT */
/*
 * Which way a connection goes, and which names need a stand-in address. Decides from what
 * is known at once; what needs a look-up of the proxy's name is left to the caller.
 */
#ifndef GATEPASS_ROUTES_H
#define GATEPASS_ROUTES_H

#include <stdbool.h>

#include <glib.h>

#include <gatepass/host.h>
#include <gatepass/limits.h>

#include "choice.h"
#include "scheme.h"

struct asker;
struct config;

enum route_way {
	ROUTE_DIRECT,
	ROUTE_TUNNEL,
	ROUTE_FORWARD,
	ROUTE_OBSERVE,
	ROUTE_UNREACHABLE
};

/* A proxy known by its name. */
struct peer {
	struct endpoint endpoint;
	struct proxy_list proxy; /* that names it */
};

struct route {
	enum route_way way;
	struct proxy_list proxy; /* ROUTE_TUNNEL, ROUTE_FORWARD, ROUTE_OBSERVE */
	struct scheme_policy policy;
	/* ROUTE_TUNNEL, ROUTE_FORWARD: the destination */
	char authority[GP_AUTHORITY_MAX + 1];
	bool forward_if_refused; /* ROUTE_TUNNEL */
	/* ROUTE_OBSERVE, when the destination is a stand-in: what it stands for; else its
	 * host is empty */
	struct endpoint stood_for;
	int error;        /* ROUTE_UNREACHABLE: an errno, and */
	char reason[512]; /* a sentence */

	/* Whatever the way is: proxies on the destination's port. When the destination is
	 * an address of one of them, route_observe() it. */
	GPtrArray *peers; /* of struct peer */
};

struct route_question {
	union gp_address destination;
	const char *host;  /* the name that the process looked up for it, or NULL */
	bool wants_tunnel; /* not ROUTE_FORWARD */
};

/* Release `out` with route_release(). */
void routes_decide(const struct asker *asker, const struct config *config,
		   const struct route_question *question, struct route *out);
void route_observe(struct route *route, unsigned peer); /* there are no peers after it */
void route_release(struct route *route);

/* Is the normalised name one for the proxy to resolve? False: for the system's resolver.
 */
bool routes_name_is_proxied(const struct asker *asker, const struct config *config,
			    const char *name);

#endif
