/* SPDX-License-Identifier: MIT */
/*
 * Negotiate (RFC 4559) with Kerberos: offer_ticket.c has it made. A ticket cannot be told
 * from the token that was made of it.
 */
#include "scheme.h"

#include "kerberos.h"

static bool owns(struct gp_text token68)
{
	return !scheme_is_ntlm(token68);
}

static bool can_answer(const struct gp_challenge *challenge,
		       const struct scheme_request *request)
{
	(void)request;
	return owns(challenge->token68) && kerberos_is_possible();
}

struct opinion {
	bool offered, goes_on;
};

static void note_opinion(void *data, const struct gp_challenge *challenge)
{
	struct opinion *opinion = data;

	if (!gp_text_is(challenge->scheme, scheme_negotiate.name))
		return;
	opinion->offered = true;
	opinion->goes_on |= challenge->token68.len && owns(challenge->token68);
}

static enum scheme_judgement judge(const struct scheme_request *request,
				   const char *value)
{
	struct opinion opinion = {false, false};

	(void)value;
	scheme_each(request->challenges, note_opinion, &opinion);
	if (opinion.goes_on)
		return SCHEME_GOES_ON;
	return opinion.offered ? SCHEME_REJECTED : SCHEME_UNFIT;
}

const struct scheme scheme_negotiate = {
	.name = "Negotiate",
	.label = "negotiate",
	.number = 4,
	.by_ticket = true,
	.scope = SCHEME_FOR_CONNECTION,
	.owns = owns,
	.can_answer = can_answer,
	.judge = judge,
};
