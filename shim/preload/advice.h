/* SPDX-License-Identifier: MIT */
/*
 * Asking the agent how a challenge is answered, in steps that never wait: in the
 * conversation that told the way if that is still open, else in a new one. Keeps errno.
 */
#ifndef GATEPASS_ADVICE_H
#define GATEPASS_ADVICE_H

#include <gatepass/authorization.h>
#include <gatepass/host.h>
#include <gatepass/text.h>

#include "link.h"

/* Stays valid until the answer has come. */
struct challenge {
	int status;      /* 0: there was no response to what was offered */
	bool kept;       /* the connection can carry the answer */
	bool persistent; /* the request asked for one that stays */
	bool bodiless;   /* it has no body */
	struct gp_text method, uri, fields;
	struct gp_text offered; /* our authorization in the request; p is NULL for none */
	const union gp_address *destination; /* of the connection */
	bool tunnel;                         /* see struct route_question */
};

struct advice {
	bool asks_way; /* of a new conversation, before it is shown the challenge */
	bool reopened; /* a second agent is being asked about one challenge */
};

void advice_begin(struct advice *advice, struct link *link,
		  const struct challenge *challenge);

/* PROGRESS_DONE: *answer has its value in the link's packet, or none: then it may say
 * `more`. PROGRESS_FAILED, PROGRESS_WAIT: as link_step(). */
enum progress advice_step(struct advice *advice, struct link *link,
			  const struct challenge *challenge,
			  struct gp_authorization *answer) GP_MUST_CHECK;

/* Adds what a response says by Proxy-Authentication-Info (RFC 7615) to an outcome. */
void advice_add_info(struct link *link, struct gp_text fields);

#endif
