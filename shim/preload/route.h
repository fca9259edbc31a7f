/* SPDX-License-Identifier: MIT */
/* The agent's answer to "which way does this connection go?". */
#ifndef GATEPASS_ROUTE_H
#define GATEPASS_ROUTE_H

#include <gatepass/authorization.h>
#include <gatepass/host.h>

#include "link.h"

enum way {
	WAY_DIRECT,
	WAY_TUNNEL,
	WAY_FORWARD, /* the program's requests go to the proxy, edited */
	WAY_OBSERVE, /* the program speaks to the proxy itself */
	WAY_UNREACHABLE
};

struct route {
	enum way way;
	int error;      /* the errno of WAY_UNREACHABLE */
	unsigned count; /* of proxies */
	union gp_address proxies[GP_PROXY_ADDRESSES_MAX]; /* in the order to try */
	const char *authority; /* points into the link's packet, as does what is */
	struct gp_authorization authorization; /* to be sent with the first request */
	bool settled;                          /* the agent needs not hear how it ends */
	bool forward_if_refused; /* of WAY_TUNNEL: should the proxy refuse CONNECT */
	unsigned remember;       /* seconds for which WAY_DIRECT stays true; 0: unknown */
};

struct route_question {
	const union gp_address *destination;
	bool tunnel; /* the program does not speak HTTP: WAY_FORWARD is no way for it */
	/* Of the request that is to go out; p is NULL if that is not known. */
	struct gp_text method, uri;
	bool bodiless;
};

/* Begins the question on the link; link_step() asks it. */
void route_ask(struct link *link, const struct route_question *question);

/* Reads a line that tells of an authorization; false if this one does not. */
bool route_read_authorization(struct gp_authorization *authorization, const char *key,
			      const char *value);

/* That of its proxies has answered, and goes before the others from here on. */
void route_prefer(struct route *route, unsigned index);

/* Reads the answer. GP_ERR_WIRE_SYNTAX: it is none. */
enum gp_err route_answer(struct route *route, struct gp_wire *answer) GP_MUST_CHECK;

#endif
