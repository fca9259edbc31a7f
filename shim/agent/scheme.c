/* SPDX-License-Identifier: MIT */
/* The choice among the authentication schemes that a proxy offers. */
#include "scheme.h"

/* From strong to weak. */
static const struct scheme *const schemes[] = {&scheme_digest, &scheme_basic};

void scheme_each(const GPtrArray *challenges,
		 void (*visit)(void *data, const struct gp_challenge *challenge),
		 void *data)
{
	struct gp_challenge challenge;

	for (guint i = 0; challenges && i < challenges->len; i++) {
		struct gp_text rest = gp_text(challenges->pdata[i]);

		while (gp_challenge_next(&rest, &challenge))
			visit(data, &challenge);
	}
}

struct offers {
	const struct scheme *scheme;
	bool found, can_answer;
};

static void compare(void *data, const struct gp_challenge *challenge)
{
	struct offers *offers = data;

	if (!gp_text_is(challenge->scheme, offers->scheme->name))
		return;
	offers->found = true;
	offers->can_answer |= offers->scheme->can_answer(challenge);
}

static struct offers find_offers(const struct scheme *scheme, const GPtrArray *challenges)
{
	struct offers offers = {.scheme = scheme};

	scheme_each(challenges, compare, &offers);
	return offers;
}

const struct scheme *scheme_choose(const GPtrArray *challenges)
{
	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
		if (find_offers(schemes[i], challenges).can_answer)
			return schemes[i];
	return NULL;
}

bool scheme_is_offered(const struct scheme *scheme, const GPtrArray *challenges)
{
	return find_offers(scheme, challenges).found;
}

const struct scheme *scheme_of(const char *value)
{
	struct gp_text rest = gp_text(value);
	struct gp_text name = gp_text_cut(&rest, " \t");

	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
		if (gp_text_is(name, schemes[i]->name))
			return schemes[i];
	return NULL;
}
