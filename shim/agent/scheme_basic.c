/* SPDX-License-Identifier: MIT */
/* Basic (RFC 7617): user and password in base64, with padding, which Squid insists on.
 * UTF-8 whatever the challenge's charset says, as all current clients. */
#include "scheme.h"

#include <string.h>

#include "base64.h"
#include "credential.h"
#include "secret.h"

static void encode(const struct credential *credential, struct gp_buf *out)
{
	const struct secret *password = credential->password;
	const struct gp_text parts[] = {
		gp_text(credential->user),
		gp_text(":"),
		{password->bytes, password->len},
	};

	base64_add(out, parts, G_N_ELEMENTS(parts));
}

static bool can_answer(const struct gp_challenge *challenge,
		       const struct scheme_request *request)
{
	(void)challenge;
	(void)request;
	return true;
}

static enum scheme_result authorize(const struct credential *credential,
				    const struct scheme_request *request,
				    struct gp_buf *out, const char **text)
{
	(void)request;
	if (!credential_user_is_valid(credential->user)) {
		*text = "the user name holds a colon or a control character, which Basic "
			"authentication cannot carry: log in with another user name";
		return SCHEME_INVALID;
	}
	if (!credential_password_is_valid(credential->password->bytes,
					  credential->password->len)) {
		*text = "the password holds a control character or is too long for Basic "
			"authentication: change it";
		return SCHEME_INVALID;
	}
	gp_buf_add_string(out, "Basic ");
	encode(credential, out);
	return SCHEME_OK;
}

static bool matches(const struct credential *credential,
		    const struct scheme_request *request, const char *value)
{
	size_t len = strlen(value), size = BASE64_MAX(len);
	char *storage = secret_alloc(size);
	const char *text;
	struct gp_buf made;
	bool same;

	gp_buf_init(&made, storage, size);
	same = authorize(credential, request, &made, &text) == SCHEME_OK && !made.full &&
	       made.len == len && !memcmp(made.p, value, len);
	secret_dealloc(storage, size);
	return same;
}

static enum scheme_judgement judge(const struct scheme_request *request,
				   const char *value)
{
	(void)value;
	return scheme_is_dropped(&scheme_basic, request->challenges) ? SCHEME_AGAIN
								     : SCHEME_REJECTED;
}

const struct scheme scheme_basic = {
	.name = "Basic",
	.label = "basic",
	.number = 1,
	.last_resort = true,
	.can_answer = can_answer,
	.authorize = authorize,
	.matches = matches,
	.judge = judge,
};
