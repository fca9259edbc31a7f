/* SPDX-License-Identifier: MIT */
/* The choice among the authentication schemes that a proxy offers. */
#include "scheme.h"

/* From strong to weak. */
static const struct scheme *const schemes[] = {
	&scheme_negotiate, &scheme_ntlm,           &scheme_digest,
	&scheme_basic,     &scheme_negotiate_ntlm,
};

_Static_assert(G_N_ELEMENTS(schemes) <= SCHEMES_MAX, "a policy has room for all");

/* --- what the user allows ------------------------------------------------------------
 */

void scheme_policy_init(struct scheme_policy *policy)
{
	*policy = (struct scheme_policy){0};
	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
		policy->order[i] = schemes[i];
}

static const struct scheme *find_label(struct gp_text label)
{
	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
		if (gp_text_is(label, schemes[i]->label))
			return schemes[i];
	return NULL;
}

const char *scheme_labels(void)
{
	static char *labels;
	GString *text;

	if (labels)
		return labels;
	text = g_string_new(NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
		g_string_append_printf(text, "%s%s", i ? ", " : "", schemes[i]->label);
	labels = g_string_free(text, FALSE);
	return labels;
}

static bool has(const struct scheme_policy *policy, const struct scheme *scheme)
{
	for (size_t i = 0; policy->order[i]; i++)
		if (policy->order[i] == scheme)
			return true;
	return false;
}

bool scheme_policy_parse(const char *text, struct scheme_policy *out)
{
	struct gp_text rest = gp_text(text), label;
	const struct scheme *scheme;
	size_t count = 0;

	*out = (struct scheme_policy){0};
	while (rest.p) {
		label = gp_text_cut(&rest, ", \t");
		if (!label.len)
			continue;
		scheme = find_label(label);
		if (!scheme)
			return false;
		if (!has(out, scheme))
			out->order[count++] = scheme;
	}
	return count > 0;
}

/* --- what the proxy offers -----------------------------------------------------------
 */

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
	const struct scheme_request *request;
	bool found, can_answer;
};

static void compare(void *data, const struct gp_challenge *challenge)
{
	struct offers *offers = data;

	if (!gp_text_is(challenge->scheme, offers->scheme->name))
		return;
	offers->found = true;
	offers->can_answer |= offers->scheme->can_answer(challenge, offers->request);
}

static struct offers find_offers(const struct scheme *scheme, const GPtrArray *challenges,
				 const struct scheme_request *request)
{
	struct offers offers = {.scheme = scheme, .request = request};

	scheme_each(challenges, compare, &offers);
	return offers;
}

void scheme_candidates(const struct scheme_policy *policy, const GPtrArray *challenges,
		       const struct scheme_request *request, unsigned unfit,
		       const struct scheme *out[static SCHEMES_MAX + 1])
{
	bool takes_passwords = false;
	size_t count = 0;

	for (size_t i = 0; policy->order[i]; i++) {
		const struct scheme *scheme = policy->order[i];

		if (unfit & 1u << scheme->number ||
		    (scheme->last_resort && takes_passwords) ||
		    !find_offers(scheme, challenges, request).can_answer)
			continue;
		out[count++] = scheme;
		takes_passwords |= !scheme->by_ticket;
	}
	out[count] = NULL;
}

bool scheme_is_offered(const struct scheme *scheme, const GPtrArray *challenges)
{
	const struct scheme_request any = {.challenges = challenges};

	return find_offers(scheme, challenges, &any).found;
}

bool scheme_is_dropped(const struct scheme *scheme, const GPtrArray *challenges)
{
	return challenges && challenges->len && !scheme_is_offered(scheme, challenges);
}

static void look_for_message(void *data, const struct gp_challenge *challenge)
{
	bool *found = data;

	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
		if (schemes[i]->scope == SCHEME_FOR_CONNECTION &&
		    gp_text_is(challenge->scheme, schemes[i]->name) &&
		    challenge->token68.len)
			*found = true;
}

bool scheme_is_shaking_hands(const GPtrArray *challenges)
{
	bool found = false;

	scheme_each(challenges, look_for_message, &found);
	return found;
}

const struct scheme *scheme_numbered(uint8_t number)
{
	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
		if (schemes[i]->number == number)
			return schemes[i];
	return NULL;
}

const struct scheme *scheme_of(const char *value)
{
	struct gp_text rest = gp_text(value);
	struct gp_text name = gp_text_cut(&rest, " \t");

	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
		if (gp_text_is(name, schemes[i]->name) &&
		    (!schemes[i]->owns || schemes[i]->owns(gp_text_trim(rest))))
			return schemes[i];
	return NULL;
}
