/* SPDX-License-Identifier: MIT */
/*
 * Digest (RFC 7616, RFC 2617, RFC 2069).
 *
 * Theory of operation. A challenge is answered with its own nonce. Before one, a live
 * nonce is used, with its next count. A nonce dies when a request that used it is
 * refused.
 *
 * Requests on several connections may come to the proxy in another order than they were
 * given their counts. Squid then refuses those that are late (with nonce_strictness on,
 * also those that are early) and forgets the nonce. So requests at once are spread over
 * the nonces that there are. And a new nonce belongs to the request that was challenged
 * with it, until that was accepted: a second attempt is disturbed by nobody.
 *
 * Refused, the first use of a nonce that nobody else has used tells of the password. Any
 * other may be refused because the proxy has forgotten the nonce, or saw a later count
 * before, which some say by "stale" and others do not.
 */
#include "scheme.h"

#include <string.h>

#include "credential.h"
#include "endpoint.h"
#include "log.h"
#include "nfc.h"
#include "nonces.h"
#include "proxies.h"
#include "secret.h"

/* auth-int takes a body that is known: the one of a request that has none. Release `out`
 * if it is true. */
static bool read_answerable(const struct gp_challenge *challenge,
			    const struct scheme_request *request, struct digest *out)
{
	if (!digest_read(challenge, out))
		return false;
	if (out->qop != DIGEST_QOP_AUTH_INT || request->bodiless || !request->method)
		return true;
	digest_release(out);
	return false;
}

static bool can_answer(const struct gp_challenge *challenge,
		       const struct scheme_request *request)
{
	struct digest digest;
	bool ok = read_answerable(challenge, request, &digest);

	if (ok)
		digest_release(&digest);
	return ok;
}

struct best {
	const struct scheme_request *request;
	struct digest digest;
	bool found;
};

/* The strongest algorithm; of equals the proxy's first. */
static void compare(void *data, const struct gp_challenge *challenge)
{
	struct best *best = data;
	struct digest digest;

	if (!gp_text_is(challenge->scheme, scheme_digest.name) ||
	    !read_answerable(challenge, best->request, &digest))
		return;
	if (best->found && digest.algorithm <= best->digest.algorithm) {
		digest_release(&digest);
		return;
	}
	digest_release(&best->digest);
	best->digest = digest;
	best->found = true;
}

static struct nonce *find_nonce(const struct scheme_request *request)
{
	struct best best = {.request = request};
	struct nonce *nonce = NULL;

	scheme_each(request->challenges, compare, &best);
	if (best.found)
		nonce = request->challenged ? nonces_need(request->proxy, &best.digest)
					    : nonces_choose(request->proxy, &best.digest);
	digest_release(&best.digest);
	return nonce;
}

/* The credential in the form that the proxy hashes. */
struct identity {
	const char *user;
	struct gp_text password;
	struct secret *composed_user, *composed_password; /* NULL: as it was typed */
};

/* RFC 7616 4 wants NFC where the challenge says UTF-8. Elsewhere what was typed counts,
 * also in UTF-8: all current clients do. */
static void identify(const struct credential *credential, bool utf8, struct identity *out)
{
	const struct secret *password = credential->password;

	*out = (struct identity){
		credential->user, {password->bytes, password->len}, NULL, NULL};
	if (!utf8)
		return;
	out->composed_user = nfc_new(credential->user, strlen(credential->user));
	out->composed_password = nfc_new(password->bytes, password->len);
	if (out->composed_user)
		out->user = out->composed_user->bytes;
	if (out->composed_password)
		out->password = (struct gp_text){out->composed_password->bytes,
						 out->composed_password->len};
}

static void release_identity(struct identity *identity)
{
	secret_free(identity->composed_user);
	secret_free(identity->composed_password);
}

static bool write_value(const struct credential *credential,
			const struct scheme_request *request, struct nonce *nonce,
			struct gp_buf *out)
{
	char *uri = digest_uri(request->uri);
	struct identity identity;
	bool ok;

	identify(credential, nonce->digest.utf8, &identity);
	const struct digest_use use = {
		.user = identity.user,
		.password = identity.password,
		.method = request->method,
		.uri = uri,
		.cnonce = nonce->cnonce,
		.nc = nonce_use(nonce),
	};
	ok = digest_write(&nonce->digest, &use, out);
	release_identity(&identity);
	g_free(uri);
	return ok;
}

static enum scheme_result authorize(const struct credential *credential,
				    const struct scheme_request *request,
				    struct gp_buf *out, const char **text)
{
	struct nonce *nonce;

	if (gp_text_has_control(gp_text(credential->user))) {
		*text = "the user name holds a control character: log in with another "
			"one";
		return SCHEME_INVALID;
	}
	*text = "the proxy has to be asked for a nonce first";
	if (!request->method || !request->uri ||
	    gp_text_has_control(gp_text(request->uri)))
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

static bool is_made_as(const struct credential *credential, bool utf8,
		       const struct sent *sent, const char *method, const char *response)
{
	char wanted[DIGEST_HEX_MAX + 1];
	struct identity identity;
	bool same;

	identify(credential, utf8, &identity);
	const struct digest_use use = {
		.user = identity.user,
		.password = identity.password,
		.method = method,
		.uri = sent->uri,
		.cnonce = sent->cnonce,
		.nc = sent->nc,
	};
	same = is_user(sent, use.user) && digest_response(&sent->digest, &use, wanted) &&
	       !g_ascii_strcasecmp(wanted, response);
	release_identity(&identity);
	return same;
}

/* Was the response made of the credential, for what was sent? That does not repeat the
 * challenge's charset. */
static bool is_made_of(const struct credential *credential, const struct sent *sent,
		       const char *method, const char *response)
{
	return is_made_as(credential, false, sent, method, response) ||
	       is_made_as(credential, true, sent, method, response);
}

static bool matches(const struct credential *credential,
		    const struct scheme_request *request, const char *value)
{
	struct sent sent;
	bool same;

	if (!request->method || !read_sent(value, &sent))
		return false;
	same = is_made_of(credential, &sent, request->method, sent.response);
	release_sent(&sent);
	return same;
}

/* What the proxy says about a nonce, in all its challenges. */
struct opinion {
	const char *nonce;
	bool stale, named;
};

static void note_opinion(void *data, const struct gp_challenge *challenge)
{
	struct opinion *opinion = data;
	struct digest digest;

	if (!gp_text_is(challenge->scheme, scheme_digest.name) ||
	    !digest_read(challenge, &digest))
		return;
	opinion->stale |= digest.stale;
	opinion->named |= !strcmp(digest.nonce, opinion->nonce);
	digest_release(&digest);
}

/* Then the proxy has not seen a later count. Without qop it has seen none. */
static bool is_last_use(const struct sent *sent, const struct nonce *nonce)
{
	return !sent->digest.qop || sent->nc == nonce->count;
}

/* `nonce` is NULL if it is not remembered. */
static bool tells_of_password(const struct sent *sent, const struct nonce *nonce,
			      bool named)
{
	if (!nonce)
		return sent->nc == 1;
	if (named && is_last_use(sent, nonce))
		return true;
	return nonce->count == 1 && !nonce->early;
}

static enum scheme_judgement judge_sent(const struct scheme_request *request,
					const struct sent *sent)
{
	struct nonce *nonce = nonces_find(request->proxy, sent->digest.nonce);
	const bool dead = nonce && nonce->refused;
	struct opinion opinion = {.nonce = sent->digest.nonce};

	scheme_each(request->challenges, note_opinion, &opinion);
	if (nonce && !opinion.named)
		nonce_refuse(nonce, !dead && is_last_use(sent, nonce));
	if (opinion.stale || scheme_is_dropped(&scheme_digest, request->challenges))
		return SCHEME_AGAIN;
	/* Another client has been refused with it, and sees to it. */
	if (dead)
		return SCHEME_AGAIN;
	if (tells_of_password(sent, nonce, opinion.named))
		return SCHEME_REJECTED;
	return nonce ? SCHEME_UNSURE : SCHEME_AGAIN;
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

/* Has the proxy failed to prove that it knows the password? A proof is optional, and one
 * over a response's body cannot be checked. */
static bool is_impostor(const struct credential *credential, const struct sent *sent,
			const struct gp_challenge *info)
{
	char *proof = digest_param(info, "rspauth");
	char *qop = digest_param(info, "qop");
	bool wrong = proof && sent->digest.qop == DIGEST_QOP_AUTH &&
		     (!qop || gp_text_is(gp_text(qop), "auth")) &&
		     !is_made_of(credential, sent, "", proof);

	g_free(proof);
	g_free(qop);
	return wrong;
}

/* The request has been served, and what the proxy got is of no use for another one: so it
 * is not worth failing a program for. curl and browsers do not even look. */
static void doubt(const struct endpoint *endpoint)
{
	struct proxy *proxy = proxies_get(endpoint);
	char name[GP_AUTHORITY_MAX + 1];

	if (proxy->doubtful)
		return;
	proxy->doubtful = true;
	endpoint_text(endpoint, name);
	log_warn("%s has accepted a password that it does not know: wrong rspauth", name);
}

/* The next request spares itself a 407 that says "stale". */
static void take_next(const struct endpoint *proxy, const struct digest *digest,
		      const struct gp_challenge *info)
{
	char *next = digest_param(info, "nextnonce");
	struct digest copy;

	if (next && next[0] && !gp_text_has_control(gp_text(next)) &&
	    !nonces_find(proxy, next)) {
		digest_copy(&copy, digest);
		g_free(copy.nonce);
		copy.nonce = g_strdup(next);
		nonces_need(proxy, &copy)->early = true;
		digest_release(&copy);
	}
	g_free(next);
}

static void inform(const struct credential *credential,
		   const struct scheme_request *request, const char *value,
		   const char *info)
{
	const struct gp_challenge params = {.params = gp_text(info)};
	struct nonce *nonce;
	struct sent sent;

	if (!read_sent(value, &sent))
		return;
	nonce = nonces_find(request->proxy, sent.digest.nonce);
	if (nonce)
		nonce->proven = true;
	if (is_impostor(credential, &sent, &params))
		doubt(request->proxy);
	else
		take_next(request->proxy, nonce ? &nonce->digest : &sent.digest, &params);
	release_sent(&sent);
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
