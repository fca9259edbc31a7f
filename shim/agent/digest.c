/* SPDX-License-Identifier: MIT */
/* The arithmetic of Digest. User and password are hashed as they were typed, in UTF-8,
 * whatever the challenge's charset says: all current clients do. */
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

/* An empty list counts as none; one without "auth" cannot be answered. */
static bool read_qop(const char *list, struct digest *out)
{
	struct gp_text rest = gp_text(list);
	bool empty = true;

	while (rest.len) {
		struct gp_text item = gp_text_trim(gp_text_cut(&rest, ","));

		out->qop |= gp_text_is(item, "auth");
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

static bool is_true(const struct gp_challenge *challenge, const char *name)
{
	char value[8];

	return gp_challenge_param(challenge, name, value, sizeof(value)) &&
	       gp_text_is(gp_text(value), "true");
}

bool digest_read(const struct gp_challenge *challenge, struct digest *out)
{
	char *algorithm = digest_param(challenge, "algorithm");
	char *qop = digest_param(challenge, "qop");
	bool ok;

	memset(out, 0, sizeof(*out));
	out->userhash = is_true(challenge, "userhash");
	out->stale = is_true(challenge, "stale");
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
	const struct gp_text target[] = {gp_text(use->method), gp_text(use->uri)};
	bool ok = hash_secret(digest, use, secret) &&
		  hash(digest->algorithm, target, G_N_ELEMENTS(target), request);

	write_nc(use->nc, nc);
	const struct gp_text with_qop[] = {gp_text(secret), gp_text(digest->nonce),
					   gp_text(nc),     gp_text(use->cnonce),
					   gp_text("auth"), gp_text(request)};
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
		gp_buf_add_string(out, ", qop=auth, nc=");
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
