/* SPDX-License-Identifier: MIT */
/*
 * Challenges: the value of a Proxy-Authenticate field (RFC 9110 11.3, 11.7.1). One field
 * may hold several challenges, and each of several fields may. The parser is tolerant:
 * what real proxies send wrongly (an unescaped quote in a realm, a missing closing quote,
 * empty list elements) costs at the most a parameter, never the challenge's scheme. Pure;
 * no allocation; slices point into the field's value.
 */
#ifndef GATEPASS_CHALLENGE_H
#define GATEPASS_CHALLENGE_H

#include <stdbool.h>

#include <gatepass/text.h>

struct gp_challenge {
	struct gp_text scheme;  /* auth-scheme, compare with gp_text_is() */
	struct gp_text token68; /* empty when there is none */
	struct gp_text params;  /* the list of auth-params, raw */
};

/* Takes the next challenge off *rest, which begins as the field's value. False at the
 * end. */
bool gp_challenge_next(struct gp_text *rest, struct gp_challenge *out);

/* An auth-param, as sent: `value` still has its quotes and escapes. */
struct gp_auth_param {
	struct gp_text name, value;
};

/* Takes the next parameter off *rest, which begins as challenge->params. */
bool gp_auth_param_next(struct gp_text *rest, struct gp_auth_param *out);

/* The value of the named parameter, unquoted, NUL-terminated. When it occurs more than
 * once, the last one counts, as for other clients. False if it is absent or needs more
 * than `cap` bytes. */
bool gp_challenge_param(const struct gp_challenge *challenge, const char *name, char *out,
			size_t cap) GP_MUST_CHECK;

#endif
