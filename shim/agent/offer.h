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
#include "verdicts.h"

struct credential;
struct kerberos;
struct proxy_list;
struct secret;

struct offer_terms {
	/* All that is pointed to is borrowed until the answer. */
	const struct proxy_list *proxy;
	const struct scheme_policy *policy;
	/* What the proxy asks for, as far as is known, to choose a scheme from; NULL:
	 * nothing */
	const GPtrArray *offers;
	/* The reply goes on with this scheme's handshake; or NULL */
	const struct scheme *continued;
	struct scheme_request request;
	/* The value that the request carried when it was challenged; NULL: none of ours,
	 * or offer_refused() has said what it means */
	const struct secret *refused;
	unsigned seconds; /* to wait for others' trials, at the most */
	bool may_prompt;
	bool accepted_only; /* and do not wait for others' trials */
};

struct offer_answer {
	enum scheme_scope scope;
	bool more;                    /* see SCHEME_MORE */
	bool later;                   /* the proxy has to be asked first */
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

/* Why there is no authorization. */
struct offer_problem {
	unsigned rank; /* the highest is told; 0: none */
	const char *reason, *text;
	bool is_sentence; /* else the text goes behind the proxy's name */
};

/* Zero-initialised: nothing was offered. Members are its own, unless told. */
struct offer {
	struct offer_terms terms;
	struct offer_caller caller;
	gint64 deadline;
	bool cancelled;
	unsigned again; /* refusals that were nobody's fault */
	unsigned lost;  /* handshakes that did not come to their end */
	unsigned unfit; /* schemes that do not work in this conversation */
	/* What is tried, one after the other */
	const struct scheme *candidates[SCHEMES_MAX + 1];
	unsigned next;
	const struct scheme *scheme; /* the one that is being tried, or NULL */
	struct offer_problem problem;
	char *sent;                /* the last answer, unless it was for the proxy */
	bool more;                 /* it was a leg before the last */
	struct kerberos *kerberos; /* its handshake; NULL: none has begun */
	bool asking_kerberos;
	char *token;                  /* of a ticket, to be sent; or NULL */
	struct credential *candidate; /* while waiting for its verdict */
	struct verdict_wait *wait;
	struct credential *given; /* to be read: the last answer was made of it, and there
				   * is no verdict of this conversation's; or NULL */
	const struct scheme *given_by; /* to be read: and by this scheme */
	struct verdict_id given_id;
	bool trying; /* to be read: others may be waiting for that verdict */
};

/* The offers of a conversation come one after another. */
void offer_make(struct offer *offer, const struct offer_terms *terms,
		const struct offer_caller *caller);

enum offer_reply {
	OFFER_OTHER, /* the value was not made of `given` */
	OFFER_JUDGED,
	OFFER_CONTINUED /* the handshake goes on */
};

/* What does the reply to the value, or with NULL to what was last given, mean? If that
 * was made of `given`, judges it: it is to be judged no more. */
enum offer_reply offer_refused(struct offer *offer, const struct scheme_request *request,
			       const char *value);

/* The connection ended under the handshake. */
void offer_lost(struct offer *offer);

/* The verdict on `given`, which must be there. */
void offer_accept(struct offer *offer);
void offer_drop(struct offer *offer); /* there will be none */

/* Nobody listens any more: what is waited for is answered soon, with nothing. */
void offer_cancel(struct offer *offer);

void offer_release(struct offer *offer);

#endif
