/* SPDX-License-Identifier: MIT */
/*
 * The arithmetic of Digest.
 *
 * A user name stands raw in username, in UTF-8, as browsers and curl send it; a
 * quoted-string may hold such octets (obs-text, RFC 9110 5.6.4). RFC 7616 has username*
 * for what a quoted-string may not hold, which is control characters; Squid and Apache
 * know no such field, and for them an authorization without username is none.
 */
#include "digest.h"

#include <string.h>

#include <glib.h>
#include <openssl/evp.h>

static const struct {
	const char *name, *session_name; /* Squid compares them with their case */
	const char *hash;                /* libcrypto's name */
} algorithms[] = {
	[DIGEST_MD5] = {"MD5", "MD5-sess", "MD5"},
	[DIGEST_SHA_256] = {"SHA-256", "SHA-256-sess", "SHA2-256"},
	[DIGEST_SHA_512_256] = {"SHA-512-256", "SHA-512-256-sess", "SHA2-512/256"},
};

static const char *const qop_names[] = {
	[DIGEST_QOP_AUTH] = "auth",
	[DIGEST_QOP_AUTH_INT] = "auth-int",
};

/* NULL where the system's policy forbids it, as FIPS 140 does MD5. */
static const EVP_MD *find_hash(enum digest_algorithm algorithm)
{
	static EVP_MD *found[G_N_ELEMENTS(algorithms)];

	if (!found[algorithm])
		found[algorithm] = EVP_MD_fetch(NULL, algorithms[algorithm].hash, NULL);
	return found[algorithm];
}

static void to_hex(const unsigned char *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

/* H(part ":" part ...) in hex. */
static bool hash(enum digest_algorithm algorithm, const struct gp_text *parts,
		 size_t count, char out[static DIGEST_HEX_MAX + 1])
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok = context && EVP_DigestInit_ex2(context, find_hash(algorithm), NULL);

	for (size_t i = 0; ok && i < count; i++)
		ok = (i == 0 || EVP_DigestUpdate(context, ":", 1)) &&
		     EVP_DigestUpdate(context, parts[i].p, parts[i].len);
	ok = ok && EVP_DigestFinal_ex(context, bytes, &len);
	EVP_MD_CTX_free(context);
	to_hex(bytes, len, out);
	explicit_bzero(bytes, sizeof(bytes));
	return ok;
}

static bool read_algorithm(const char *name, struct digest *out)
{
	out->names_algorithm = name != NULL;
	if (!name)
		name = algorithms[DIGEST_MD5].name;
	for (size_t i = 0; i < G_N_ELEMENTS(algorithms); i++) {
		out->algorithm = (enum digest_algorithm)i;
		out->session = gp_text_is(gp_text(name), algorithms[i].session_name);
		if (out->session || gp_text_is(gp_text(name), algorithms[i].name))
			return find_hash(out->algorithm) != NULL;
	}
	return false;
}

/* An empty list counts as none; one without a name that we know cannot be answered. */
static bool read_qop(const char *list, struct digest *out)
{
	struct gp_text rest = gp_text(list);
	bool empty = true;

	while (rest.len) {
		struct gp_text item = gp_text_trim(gp_text_cut(&rest, ","));

		if (gp_text_is(item, qop_names[DIGEST_QOP_AUTH]))
			out->qop = DIGEST_QOP_AUTH;
		else if (!out->qop && gp_text_is(item, qop_names[DIGEST_QOP_AUTH_INT]))
			out->qop = DIGEST_QOP_AUTH_INT;
		empty &= !item.len;
	}
	return out->qop || empty;
}

/* Repeated in a header, they must not end its line. */
static bool is_safe(const char *text)
{
	for (; text && *text; text++)
		if (gp_is_control(*text) && *text != '\t')
			return false;
	return true;
}

char *digest_param(const struct gp_challenge *challenge, const char *name)
{
	size_t size = challenge->params.len + 1;
	char *value = g_malloc(size);

	if (!gp_challenge_param(challenge, name, value, size)) {
		g_free(value);
		return NULL;
	}
	return g_realloc(value, strlen(value) + 1);
}

static bool has_word(const struct gp_challenge *challenge, const char *name,
		     const char *word)
{
	char value[8];

	return gp_challenge_param(challenge, name, value, sizeof(value)) &&
	       gp_text_is(gp_text(value), word);
}

bool digest_read(const struct gp_challenge *challenge, struct digest *out)
{
	char *algorithm = digest_param(challenge, "algorithm");
	char *qop = digest_param(challenge, "qop");
	bool ok;

	memset(out, 0, sizeof(*out));
	out->userhash = has_word(challenge, "userhash", "true");
	out->utf8 = has_word(challenge, "charset", "UTF-8");
	out->stale = has_word(challenge, "stale", "true");
	out->realm = digest_param(challenge, "realm");
	out->nonce = digest_param(challenge, "nonce");
	out->opaque = digest_param(challenge, "opaque");
	if (!out->realm)
		out->realm = g_strdup(""); /* as other clients */
	ok = read_algorithm(algorithm, out) && read_qop(qop, out) && out->nonce &&
	     (out->qop || !out->session) && is_safe(out->realm) && is_safe(out->nonce) &&
	     is_safe(out->opaque);
	g_free(algorithm);
	g_free(qop);
	if (!ok)
		digest_release(out);
	return ok;
}

void digest_release(struct digest *digest)
{
	g_clear_pointer(&digest->realm, g_free);
	g_clear_pointer(&digest->nonce, g_free);
	g_clear_pointer(&digest->opaque, g_free);
}

void digest_copy(struct digest *to, const struct digest *from)
{
	*to = *from;
	to->realm = g_strdup(from->realm);
	to->nonce = g_strdup(from->nonce);
	to->opaque = g_strdup(from->opaque);
}

bool digest_user(const struct digest *digest, const char *user,
		 char out[static DIGEST_HEX_MAX + 1])
{
	const struct gp_text parts[] = {gp_text(user), gp_text(digest->realm)};

	return hash(digest->algorithm, parts, G_N_ELEMENTS(parts), out);
}

/* HA1: what the proxy stores instead of the password. */
static bool hash_secret(const struct digest *digest, const struct digest_use *use,
			char out[static DIGEST_HEX_MAX + 1])
{
	const struct gp_text parts[] = {gp_text(use->user), gp_text(digest->realm),
					use->password};
	char inner[DIGEST_HEX_MAX + 1];
	bool ok;

	if (!digest->session)
		return hash(digest->algorithm, parts, G_N_ELEMENTS(parts), out);
	ok = hash(digest->algorithm, parts, G_N_ELEMENTS(parts), inner) &&
	     hash(digest->algorithm,
		  (struct gp_text[]){gp_text(inner), gp_text(digest->nonce),
				     gp_text(use->cnonce)},
		  3, out);
	explicit_bzero(inner, sizeof(inner));
	return ok;
}

/* HA2: what is asked of the proxy. */
static bool hash_request(const struct digest *digest, const struct digest_use *use,
			 char out[static DIGEST_HEX_MAX + 1])
{
	struct gp_text parts[3] = {gp_text(use->method), gp_text(use->uri)};
	char body[DIGEST_HEX_MAX + 1];

	if (digest->qop != DIGEST_QOP_AUTH_INT)
		return hash(digest->algorithm, parts, 2, out);
	if (!hash(digest->algorithm, &use->body, 1, body))
		return false;
	parts[2] = gp_text(body);
	return hash(digest->algorithm, parts, 3, out);
}

static void write_nc(uint32_t nc, char out[static 9])
{
	const unsigned char bytes[] = {(unsigned char)(nc >> 24),
				       (unsigned char)(nc >> 16),
				       (unsigned char)(nc >> 8), (unsigned char)nc};

	to_hex(bytes, sizeof(bytes), out);
}

bool digest_response(const struct digest *digest, const struct digest_use *use,
		     char out[static DIGEST_HEX_MAX + 1])
{
	char secret[DIGEST_HEX_MAX + 1], request[DIGEST_HEX_MAX + 1], nc[9];
	bool ok = hash_secret(digest, use, secret) && hash_request(digest, use, request);

	write_nc(use->nc, nc);
	const struct gp_text with_qop[] = {
		gp_text(secret),      gp_text(digest->nonce),          gp_text(nc),
		gp_text(use->cnonce), gp_text(qop_names[digest->qop]), gp_text(request)};
	const struct gp_text without[] = {gp_text(secret), gp_text(digest->nonce),
					  gp_text(request)};

	ok = ok &&
	     (digest->qop ? hash(digest->algorithm, with_qop, G_N_ELEMENTS(with_qop), out)
			  : hash(digest->algorithm, without, G_N_ELEMENTS(without), out));
	explicit_bzero(secret, sizeof(secret));
	return ok;
}

static void add_quoted(struct gp_buf *out, const char *name, const char *value)
{
	gp_buf_add_string(out, name);
	gp_buf_add_string(out, "=\"");
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			gp_buf_add(out, "\\", 1);
		gp_buf_add(out, value, 1);
	}
	gp_buf_add(out, "\"", 1);
}

/* Which values are quoted is part of the format: RFC 7616 3.4. */
static void add_fields(const struct digest *digest, const struct digest_use *use,
		       const char *user, const char *response, struct gp_buf *out)
{
	char nc[9];

	gp_buf_add_string(out, "Digest ");
	add_quoted(out, "username", user);
	add_quoted(out, ", realm", digest->realm);
	add_quoted(out, ", nonce", digest->nonce);
	add_quoted(out, ", uri", use->uri);
	add_quoted(out, ", response", response);
	if (digest->names_algorithm) {
		gp_buf_add_string(out, ", algorithm=");
		gp_buf_add_string(
			out, digest->session ? algorithms[digest->algorithm].session_name
					     : algorithms[digest->algorithm].name);
	}
	if (digest->qop) {
		write_nc(use->nc, nc);
		gp_buf_add_string(out, ", qop=");
		gp_buf_add_string(out, qop_names[digest->qop]);
		gp_buf_add_string(out, ", nc=");
		gp_buf_add_string(out, nc);
		add_quoted(out, ", cnonce", use->cnonce);
	}
	if (digest->opaque)
		add_quoted(out, ", opaque", digest->opaque);
	if (digest->userhash)
		gp_buf_add_string(out, ", userhash=true");
}

bool digest_write(const struct digest *digest, const struct digest_use *use,
		  struct gp_buf *out)
{
	char response[DIGEST_HEX_MAX + 1], hashed[DIGEST_HEX_MAX + 1];

	if (!digest_response(digest, use, response) ||
	    (digest->userhash && !digest_user(digest, use->user, hashed)))
		return false;
	add_fields(digest, use, digest->userhash ? hashed : use->user, response, out);
	return true;
}

char *digest_uri(const char *target)
{
	size_t scheme = strcspn(target, ":/?#");
	const char *path;

	if (!scheme || strncmp(target + scheme, "://", 3) != 0)
		return g_strdup(target);
	path = target + scheme + 3;
	path += strcspn(path, "/?#");
	return g_strdup_printf("%s%.*s", *path == '/' ? "" : "/", (int)strcspn(path, "#"),
			       path);
}
