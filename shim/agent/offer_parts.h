/* SPDX-License-Identifier: MIT */
/* What the parts of an offer know of each other. */
#ifndef GATEPASS_OFFER_PARTS_H
#define GATEPASS_OFFER_PARTS_H

#include "offer.h"

/* What the person can do something about is told before what only explains. */
enum offer_rank {
	RANK_SCHEME = 1,
	RANK_TICKET,
	RANK_CREDENTIAL,
	RANK_INVALID,
	RANK_KEYRING,
	RANK_REJECTED
};

const struct endpoint *offer_proxy(const struct offer *offer);
struct verdict_id offer_id(const struct credential *credential,
			   const struct scheme *scheme);

/* Each of these may answer, after which the offer may be gone. */

/* There is no answer by this scheme; `problem` may be told if there is none at all. */
void offer_note(struct offer *offer, const struct offer_problem *problem);
void offer_try_next(struct offer *offer);

/* A credential has been found, of which nobody knows yet that it was rejected. */
void offer_consider(struct offer *offer, struct credential *credential);
void offer_find_credential(struct offer *offer);

void offer_give(struct offer *offer, struct credential *credential,
		struct gp_text authorization, bool more);
/* `accepted`: the proxy has accepted such an authorization before. */
void offer_give_later(struct offer *offer, bool accepted, const char *text);

/* --- offer_judge.c */

bool offer_is_given(const struct offer *offer, const struct verdict_id *id);
/* It becomes `given`, and is tried if it is unknown. */
void offer_take_over(struct offer *offer, struct credential *credential);
void offer_reject(struct offer *offer, const struct verdict_id *id);
/* Judges the credential that was found, if the refused value was made of it. */
void offer_judge_found(struct offer *offer, struct credential *credential);

/* --- offer_ticket.c */

void offer_find_ticket(struct offer *offer);
/* Makes the authorization of what was found: a ticket, or a password to get one with. */
void offer_use_ticket(struct offer *offer, struct credential *credential);
void offer_forget_ticket(struct offer *offer);

#endif
