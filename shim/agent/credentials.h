/* SPDX-License-Identifier: MIT */
/*
 * Finds the credential for a proxy: what its URL carries, then the stores in order. One
 * that the proxy has rejected, by the scheme that it is for, is passed over.
 */
#ifndef GATEPASS_CREDENTIALS_H
#define GATEPASS_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "endpoint.h"
#include "store.h"

struct credential;

struct credential_query {
	const struct endpoint *proxy;
	const char *user;       /* a certain user's, or NULL */
	struct credential *url; /* of the proxy's URL, or NULL */
	uint8_t scheme;         /* see struct verdict_id; 0: for none in particular */
	bool may_prompt;
};

struct credential_answer {
	struct credential *credential; /* NULL: there is none that could be used */
	struct credential *rejected;   /* the first that was passed over, or NULL */
	enum store_state keyring;      /* what it said */
	enum store_state person;       /* and what the one who was asked */
};

struct credential_caller {
	void (*prompting)(void *data, unsigned seconds);
	/* Once. The answer's credentials are borrowed. */
	void (*found)(void *data, const struct credential_answer *answer);
	void *data;
};

/* Copies what it needs of the query. May call back before it returns; always calls back
 * within the stores' time limits. */
void credentials_find(const struct credential_query *query,
		      const struct credential_caller *caller);

/* Forgets what slow stores said: they have changed. */
void credentials_refresh(void);

/* The stores to ask, NULL-terminated; by default session, Secret Service, helper and
 * person. For tests. */
void credentials_set_stores(const struct store *const *stores);

#endif
