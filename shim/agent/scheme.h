/* SPDX-License-Identifier: MIT */
/*
 * Authentication schemes (RFC 9110 11): one file each, in a table from strong to weak.
 */
#ifndef GATEPASS_SCHEME_H
#define GATEPASS_SCHEME_H

#include <glib.h>

#include <gatepass/text.h>

struct credential;

enum scheme_result {
	SCHEME_OK,
	SCHEME_INVALID /* the scheme cannot carry this user or password */
};

struct scheme {
	const char *name;
	/* Writes the value of Proxy-Authorization. `out` is memory for secrets. On
	 * SCHEME_INVALID *text says why, without the secret. */
	enum scheme_result (*authorize)(const struct credential *credential,
					struct gp_buf *out, const char **text);
};

extern const struct scheme scheme_basic;

/* The strongest that one of the Proxy-Authenticate values (char *) offers and that we
 * have, or NULL. NULL is no values. */
const struct scheme *scheme_choose(const GPtrArray *challenges);

/* Calls `visit` with the name of each challenge, in the proxy's order and spelling. */
void scheme_each(const GPtrArray *challenges,
		 void (*visit)(void *data, struct gp_text name), void *data);

#endif
