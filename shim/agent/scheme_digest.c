/* SPDX-License-Identifier: MIT */
/*
 * Digest (RFC 7616, RFC 2617, RFC 2069).
 *
 * Theory of operation. A challenge is answered with its own nonce. Before one, the
 * youngest live nonce is used, with its next count. A nonce dies when a request that used
 * it is refused. The first use of a nonce that a proxy has just made tells of the
 * password; a later one may be refused because the proxy has forgotten the nonce, which
 * some say by "stale" and others do not.
 */
#include "scheme.h"

#include <string.h>

#include "credential.h"
#include "nonces.h"
#include "secret.h"

static bool can_answer(const struct gp_challenge *challenge)
{
	struct digest digest;
	bool ok = digest_read(challenge, &digest);

	if (ok)
		digest_release(&digest);
	return ok;
}

struct best {
	struct digest digest;
	bool found;
};

/* The strongest algorithm; of equals the proxy's first. */
static void compare(void *data, const struct gp_challenge *challenge)
{
	struct best *best = data;
	struct digest digest;

	if (!gp_text_is(challenge->scheme, scheme_digest.name) ||
	    !digest_read(challenge, &digest))
		return;
	if (best->found && digest.algorithm <= best->digest.algorithm) {
		digest_release(&digest);
		return;
	}
	digest_release(&best->digest);
	*best = (struct best){digest, true};
}

static struct nonce *find_nonce(const struct scheme_request *request)
{
	struct best best = {.found = false};
	struct nonce *nonce = NULL;

	scheme_each(request->challenges, compare, &best);
	if (best.found)
		nonce = request->challenged
				? nonces_need(request->proxy, &best.digest)
				: nonces_youngest(request->proxy, &best.digest);
	digest_release(&best.digest);
	return nonce;
}

static bool has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (gp_is_control(text[i]))
			return true;
	return false;
}

static bool write_value(const struct credential *credential,
			const struct scheme_request *request, struct nonce *nonce,
			struct gp_buf *out)
{
	char *uri = digest_uri(request->uri);
	const struct digest_use use = {
		.user = credential->user,
		.password = {credential->password->bytes, credential->password->len},
		.method = request->method,
		.uri = uri,
		.cnonce = nonce->cnonce,
		.nc = ++nonce->count,
	};
	bool ok = digest_write(&nonce->digest, &use, out);

	g_free(uri);
	return ok;
}

static enum scheme_result authorize(const struct credential *credential,
				    const struct scheme_request *request,
				    struct gp_buf *out, const char **text)
{
	struct nonce *nonce;

	if (has_control(credential->user, strlen(credential->user))) {
		*text = "the user name holds a control character: log in with another "
			"one";
		return SCHEME_INVALID;
	}
	*text = "the proxy has to be asked for a nonce first";
	if (!request->method || !request->uri ||
	    has_control(request->uri, strlen(request->uri)))
		return SCHEME_LATER;
	nonce = find_nonce(request);
	if (!nonce)
		return SCHEME_LATER;
	*text = "libcrypto cannot make the digest";
	return write_value(credential, request, nonce, out) ? SCHEME_OK : SCHEME_INVALID;
}

/* An authorization that was sent. */
struct sent {
	struct digest digest;
	char *username, *uri, *cnonce, *response;
	uint32_t nc; /* 0: none */
};

static uint32_t read_nc(const struct gp_challenge *challenge)
{
	char *text = digest_param(challenge, "nc");
	guint64 nc = text ? g_ascii_strtoull(text, NULL, 16) : 0;

	g_free(text);
	return nc <= UINT32_MAX ? (uint32_t)nc : 0;
}

static void release_sent(struct sent *sent)
{
	digest_release(&sent->digest);
	g_free(sent->username);
	g_free(sent->uri);
	g_free(sent->cnonce);
	g_free(sent->response);
}

/* Release `out` if it is true. */
static bool read_sent(const char *value, struct sent *out)
{
	struct gp_text rest = gp_text(value);
	struct gp_challenge challenge;

	memset(out, 0, sizeof(*out));
	if (!gp_challenge_next(&rest, &challenge) ||
	    !digest_read(&challenge, &out->digest))
		return false;
	out->username = digest_param(&challenge, "username");
	out->uri = digest_param(&challenge, "uri");
	out->cnonce = digest_param(&challenge, "cnonce");
	out->response = digest_param(&challenge, "response");
	out->nc = read_nc(&challenge);
	if (out->username && out->uri && out->response &&
	    (out->cnonce || !out->digest.qop))
		return true;
	release_sent(out);
	return false;
}

static bool is_user(const struct sent *sent, const char *user)
{
	char hashed[DIGEST_HEX_MAX + 1];

	if (!sent->digest.userhash)
		return !strcmp(sent->username, user);
	return digest_user(&sent->digest, user, hashed) &&
	       !strcmp(sent->username, hashed);
}

static bool matches(const struct credential *credential,
		    const struct scheme_request *request, const char *value)
{
	char response[DIGEST_HEX_MAX + 1];
	struct sent sent;
	bool same;

	if (!request->method || !read_sent(value, &sent))
		return false;
	same = is_user(&sent, credential->user) &&
	       digest_response(
		       &sent.digest,
		       &(struct digest_use){.user = credential->user,
					    .password = {credential->password->bytes,
							 credential->password->len},
					    .method = request->method,
					    .uri = sent.uri,
					    .cnonce = sent.cnonce,
					    .nc = sent.nc},
		       response) &&
	       !strcmp(sent.response, response);
	release_sent(&sent);
	return same;
}

/* What the proxy says about a nonce, in all its challenges. */
struct opinion {
	const char *nonce;
	bool offered, stale, named;
};

static void note_opinion(void *data, const struct gp_challenge *challenge)
{
	struct opinion *opinion = data;
	struct digest digest;

	if (!gp_text_is(challenge->scheme, scheme_digest.name))
		return;
	opinion->offered = true;
	if (!digest_read(challenge, &digest))
		return;
	opinion->stale |= digest.stale;
	opinion->named |= !strcmp(digest.nonce, opinion->nonce);
	digest_release(&digest);
}

/* Without qop the value does not tell. */
static bool is_first_use(const struct sent *sent, const struct nonce *nonce)
{
	return sent->digest.qop ? sent->nc == 1 && !(nonce && nonce->early)
				: nonce && nonce->count == 1 && !nonce->early;
}

static enum scheme_judgement judge_sent(const struct scheme_request *request,
					const struct sent *sent)
{
	const struct nonce *nonce = nonces_find(request->proxy, sent->digest.nonce);
	struct opinion opinion = {.nonce = sent->digest.nonce};
	bool first = is_first_use(sent, nonce), known = nonce != NULL;

	scheme_each(request->challenges, note_opinion, &opinion);
	if (!opinion.named)
		nonces_forget(request->proxy, sent->digest.nonce);
	if (opinion.stale ||
	    (request->challenges && request->challenges->len && !opinion.offered))
		return SCHEME_AGAIN;
	if (first || opinion.named)
		return SCHEME_REJECTED;
	/* Else another client has been refused with it, and sees to it. */
	return known ? SCHEME_UNSURE : SCHEME_AGAIN;
}

static enum scheme_judgement judge(const struct scheme_request *request,
				   const char *value)
{
	enum scheme_judgement judgement;
	struct sent sent;

	if (!read_sent(value, &sent))
		return SCHEME_AGAIN;
	judgement = judge_sent(request, &sent);
	release_sent(&sent);
	return judgement;
}

/* nextnonce: the next request spares itself a 407 that says "stale". */
static void inform(const struct scheme_request *request, const char *value,
		   const char *info)
{
	const struct gp_challenge params = {.params = gp_text(info)};
	char *next = digest_param(&params, "nextnonce");
	const struct nonce *nonce;
	struct digest digest;
	struct sent sent;

	if (next && next[0] && !has_control(next, strlen(next)) &&
	    read_sent(value, &sent)) {
		nonce = nonces_find(request->proxy, sent.digest.nonce);
		digest_copy(&digest, nonce ? &nonce->digest : &sent.digest);
		g_free(digest.nonce);
		digest.nonce = g_strdup(next);
		if (!nonces_find(request->proxy, next))
			nonces_need(request->proxy, &digest)->early = true;
		digest_release(&digest);
		release_sent(&sent);
	}
	g_free(next);
}

const struct scheme scheme_digest = {
	.name = "Digest",
	.label = "digest",
	.number = 2,
	.scope = SCHEME_FOR_REQUEST,
	.can_answer = can_answer,
	.authorize = authorize,
	.matches = matches,
	.judge = judge,
	.inform = inform,
};
