/* SPDX-License-Identifier: MIT */
/* The choice among the authentication schemes that a proxy offers. */
#include "scheme.h"

#include <gatepass/challenge.h>

/* From strong to weak. */
static const struct scheme *const schemes[] = {&scheme_basic};

void scheme_each(const GPtrArray *challenges,
		 void (*visit)(void *data, struct gp_text name), void *data)
{
	struct gp_challenge challenge;

	for (guint i = 0; challenges && i < challenges->len; i++) {
		struct gp_text rest = gp_text(challenges->pdata[i]);

		while (gp_challenge_next(&rest, &challenge))
			visit(data, challenge.scheme);
	}
}

struct offer {
	const char *name;
	bool found;
};

static void compare(void *data, struct gp_text name)
{
	struct offer *offer = data;

	offer->found |= gp_text_is(name, offer->name);
}

const struct scheme *scheme_choose(const GPtrArray *challenges)
{
	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
		struct offer offer = {.name = schemes[i]->name};

		scheme_each(challenges, compare, &offer);
		if (offer.found)
			return schemes[i];
	}
	return NULL;
}
