/* SPDX-License-Identifier: MIT */
/* What the agent says of an authorization. */
#ifndef GATEPASS_AUTHORIZATION_H
#define GATEPASS_AUTHORIZATION_H

#include <stdbool.h>

/* What it is good for. */
enum gp_scope {
	GP_SCOPE_PROXY,   /* each request to the proxy */
	GP_SCOPE_REQUEST, /* one request, by its method and target */
	/* One leg of a handshake with a connection: goes out once. When that has let a
	 * request pass, no further one on it needs any; another connection is another
	 * handshake. */
	GP_SCOPE_CONNECTION
};

struct gp_authorization {
	const char *value; /* of Proxy-Authorization; NULL: none */
	enum gp_scope scope;
	/* The proxy is going to challenge what goes out with it: that goes without the
	 * request's body, over a connection that stays. */
	bool more;
};

#endif
