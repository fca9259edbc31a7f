/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes Digest: whatever a proxy asks for, the answer is one line, and reads back as
 * what was asked; and nothing that a proxy or a program says of an authorization does
 * harm.
 */
#include <string.h>

#include <glib.h>

#include "credential.h"
#include "digest.h"
#include "endpoint.h"
#include "scheme.h"

#include "replay.h"

#define VALUE_MAX 4096

static const struct digest_use use = {
	.user = "a \"b\" \\",
	.password = {"secret", 6},
	.method = "GET",
	.uri = "/\"\\",
	.cnonce = "0123456789abcdef",
	.nc = 0xfedcba98,
};

static void check_line(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		must(!gp_is_control(bytes[i]) || bytes[i] == '\t');
}

static void check_same(const struct digest *asked, const struct digest *told)
{
	must(told->algorithm == asked->algorithm && told->session == asked->session);
	must(told->names_algorithm == asked->names_algorithm);
	must(told->qop == asked->qop && told->userhash == asked->userhash);
	must(!strcmp(told->realm, asked->realm) && !strcmp(told->nonce, asked->nonce));
	must(!g_strcmp0(told->opaque, asked->opaque));
}

static void check_answer(const struct digest *asked)
{
	static char storage[8 * VALUE_MAX];
	struct gp_challenge challenge;
	struct digest told;
	struct gp_text rest;
	struct gp_buf out;
	char *uri;

	gp_buf_init(&out, storage, sizeof(storage));
	must(digest_write(asked, &use, &out) && !out.full);
	check_line(out.p, out.len);
	rest = (struct gp_text){out.p, out.len};
	must(gp_challenge_next(&rest, &challenge) && digest_read(&challenge, &told));
	check_same(asked, &told);
	uri = digest_param(&challenge, "uri");
	must(uri && !strcmp(uri, use.uri));
	must(!gp_challenge_next(&rest, &challenge));
	g_free(uri);
	digest_release(&told);
}

static void check_scheme(char *value)
{
	static const struct endpoint proxy = {"p.test", 1};
	static struct credential *credential;
	gpointer values[] = {value};
	const GPtrArray challenges = {values, 1};
	const struct scheme_request request = {
		.proxy = &proxy,
		.challenges = &challenges,
		.challenged = true,
		.method = use.method,
		.uri = use.uri,
		.bodiless = strlen(value) % 2,
	};
	static char storage[8 * VALUE_MAX];
	struct gp_buf out;
	const char *text;

	if (!credential)
		credential = credential_new(CREDENTIAL_SESSION, &proxy, use.user,
					    use.password.p, use.password.len);
	gp_buf_init(&out, storage, sizeof(storage) - 1);
	if (scheme_digest.authorize(credential, &request, &out, &text) == SCHEME_OK) {
		must(!out.full);
		storage[out.len] = '\0';
		must(scheme_digest.matches(credential, &request, storage));
		scheme_digest.inform(credential, &request, storage, value);
	}
	(void)scheme_digest.matches(credential, &request, value);
	scheme_digest.inform(credential, &request, value, value);
	(void)scheme_digest.judge(&request, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gp_challenge challenge;
	struct digest digest;

	if (size > VALUE_MAX)
		return 0;
	char *value = fuzz_copy(data, size, 1);
	struct gp_text rest = gp_text(value);

	while (gp_challenge_next(&rest, &challenge)) {
		if (!digest_read(&challenge, &digest))
			continue;
		check_answer(&digest);
		digest_release(&digest);
	}
	check_scheme(value);
	return 0;
}
