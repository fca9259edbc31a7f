/* SPDX-License-Identifier: MIT */
/*
 * One handshake with a proxy, from route to outcome: what a client's conversation keeps.
 */
#ifndef GATEPASS_HANDSHAKE_H
#define GATEPASS_HANDSHAKE_H

#include <stdbool.h>

#include <gatepass/host.h>

#include "addresses.h"
#include "offer.h"
#include "routes.h"
#include "session.h"

struct handshake {
	struct conversation conversation; /* the first member */
	struct session *session;
	union gp_address destination;
	struct route route;
	struct addresses addresses; /* of the proxy */
	unsigned compared;          /* of the route's peers */
	bool unsure;                /* one of them has no address */
	/* The request that we hear of. NULL: not known; see handshake_set_request() */
	char *method, *uri;
	bool bodiless;
	char *ccache;           /* of the process that asks, or NULL */
	GPtrArray *reply;       /* of char *, what the last challenge said; or NULL */
	GPtrArray *offers;      /* of char *, what the proxy asks for; NULL: not known */
	struct secret *offered; /* the authorization of the request, if there is no
				   verdict on it yet; or NULL */
	bool asked_again;       /* by a request whose connection stays */
	struct offer offer;
};

/* Becomes the session's conversation, which there is none of yet. */
struct handshake *handshake_new(struct session *session);
/* The session has no conversation afterwards. */
void handshake_forget(struct session *session);

/* Copies what is not NULL. */
void handshake_set_request(struct handshake *h, const char *method, const char *uri,
			   bool bodiless);

/* Ends the question of a client that has gone; frees the handshake. */
bool handshake_is_abandoned(struct handshake *h);

/* What terms.request says of it, but for the challenges. */
struct scheme_request handshake_request(const struct handshake *h);

/* Takes what the proxy is known to ask for, at present, as `offers`. */
void handshake_recall(struct handshake *h);

/* Adds the authorization and what is to be known of it. */
void handshake_add_answer(struct gp_buf *reply, const struct offer_answer *answer);

/* See offer_make(); tells the client when a person is being asked. `answer` is called
 * with the handshake. */
void handshake_ask(struct handshake *h, const struct offer_terms *terms,
		   void (*answer)(void *data, const struct offer_answer *answer));

#endif
