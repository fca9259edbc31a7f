/* SPDX-License-Identifier: MIT */
/*
 * What one conversation sends to its proxy: finds a credential, waits until no other
 * conversation tries it, makes the authorization of it, and takes the verdict on it.
 */
#ifndef GATEPASS_OFFER_H
#define GATEPASS_OFFER_H

#include <stdbool.h>

#include <glib.h>

#include <gatepass/text.h>

#include "scheme.h"

struct credential;
struct proxy_list;
struct secret;
struct verdict_wait;

struct offer_terms {
	/* All that is pointed to is borrowed until the answer. */
	const struct proxy_list *proxy;
	const struct scheme *scheme; /* NULL: none that we know */
	struct scheme_request request;
	/* The value that the request carried when it was challenged; NULL: none of ours,
	 * or offer_refused() has said what it means */
	const struct secret *refused;
	unsigned seconds; /* to wait for others' trials, at the most */
	bool may_prompt;
	bool accepted_only; /* and do not wait for others' trials */
};

struct offer_answer {
	bool per_request;             /* see struct scheme */
	struct gp_text authorization; /* empty: there is none, */
	const char *reason, *text;    /* and why, as PROTOCOL.md's "refuse" says it */
};

struct offer_caller {
	void (*prompting)(void *data, unsigned seconds);
	/* Once, maybe before offer_make() returns. May release the offer. The answer is
	 * valid during the call. */
	void (*answer)(void *data, const struct offer_answer *answer);
	void *data;
};

/* Zero-initialised: nothing was offered. Members are its own, unless told. */
struct offer {
	struct offer_terms terms;
	struct offer_caller caller;
	gint64 deadline;
	bool cancelled;
	unsigned again;               /* refusals that were nobody's fault */
	char *sent;                   /* the last answer, if it was for one request */
	struct credential *candidate; /* while waiting for its verdict */
	struct verdict_wait *wait;
	struct credential *given; /* to be read: the last answer was made of it, and there
				   * is no verdict of this conversation's; or NULL */
	bool trying;              /* to be read: others may be waiting for that verdict */
};

/* The offers of a conversation come one after another. */
void offer_make(struct offer *offer, const struct offer_terms *terms,
		const struct offer_caller *caller);

/* Was the value, or with NULL what was last given, refused? If it was made of `given`,
 * judges that and returns true: it is to be judged no more. */
bool offer_refused(struct offer *offer, const struct scheme_request *request,
		   const char *value);

/* The verdict on `given`, which must be there. */
void offer_accept(struct offer *offer);
void offer_drop(struct offer *offer); /* there will be none */

/* Nobody listens any more: what is waited for is answered soon, with nothing. */
void offer_cancel(struct offer *offer);

void offer_release(struct offer *offer);

#endif
