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

struct credential;
struct proxy_list;
struct scheme;
struct verdict_wait;

struct offer_terms {
	const struct proxy_list *proxy; /* borrowed until the answer */
	const struct scheme *scheme;    /* NULL: none that we know */
	unsigned seconds;               /* to wait for others' trials, at the most */
	bool may_prompt;
	bool accepted_only; /* and do not wait for others' trials */
};

struct offer_answer {
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
	struct credential *candidate; /* while waiting for its verdict */
	struct verdict_wait *wait;
	struct credential *given; /* to be read: the last answer was made of it, and there
				   * is no verdict of this conversation's; or NULL */
	bool trying;              /* to be read: others may be waiting for that verdict */
};

/* The offers of a conversation come one after another. */
void offer_make(struct offer *offer, const struct offer_terms *terms,
		const struct offer_caller *caller);

/* The verdict on `given`, which must be there. */
void offer_accept(struct offer *offer);
void offer_reject(struct offer *offer);
void offer_drop(struct offer *offer); /* there will be none */

/* Nobody listens any more: what is waited for is answered soon, with nothing. */
void offer_cancel(struct offer *offer);

void offer_release(struct offer *offer);

#endif
