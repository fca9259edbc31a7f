/* SPDX-License-Identifier: MIT */
/*
 * The arithmetic of Digest (RFC 7616, RFC 2617, RFC 2069): parameters in, a header out.
 * Pure; knows no proxy and keeps nothing.
 */
#ifndef GATEPASS_DIGEST_H
#define GATEPASS_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include <gatepass/challenge.h>
#include <gatepass/text.h>

/* From weak to strong. */
enum digest_algorithm { DIGEST_MD5, DIGEST_SHA_256, DIGEST_SHA_512_256 };

#define DIGEST_HEX_MAX 64 /* SHA-256 and SHA-512/256 */

/* The quality of protection. */
enum digest_qop {
	DIGEST_QOP_NONE, /* as in RFC 2069 */
	DIGEST_QOP_AUTH,
	DIGEST_QOP_AUTH_INT /* the request's body is hashed as well */
};

/* What a challenge says, and an authorization repeats. Texts are unescaped. */
struct digest {
	enum digest_algorithm algorithm;
	bool session;         /* "-sess" */
	bool names_algorithm; /* else MD5 is meant, and the answer names none either */
	enum digest_qop qop;  /* "auth", if a challenge leaves the choice */
	bool userhash;
	bool utf8; /* charset=UTF-8; no authorization repeats it */
	bool stale;
	char *realm, *nonce;
	char *opaque; /* NULL: none */
};

/* Of a challenge, or of an authorization, which has the same form. False if it cannot be
 * answered; else release `out` with digest_release(). */
bool digest_read(const struct gp_challenge *challenge, struct digest *out) GP_MUST_CHECK;
void digest_release(struct digest *digest);
void digest_copy(struct digest *to, const struct digest *from);

/* The unescaped value of a parameter, or NULL; free with g_free(). */
char *digest_param(const struct gp_challenge *challenge, const char *name);

/* One use of a nonce. */
struct digest_use {
	const char *user;
	struct gp_text password;
	const char *method;
	const char *uri;    /* see digest_uri() */
	const char *cnonce; /* without '"' and '\'; this and nc: only used with qop */
	uint32_t nc;
	struct gp_text body; /* only used with auth-int */
};

/* False if libcrypto has no memory. Both outputs are NUL-terminated. */
bool digest_user(const struct digest *digest, const char *user,
		 char out[static DIGEST_HEX_MAX + 1]) GP_MUST_CHECK; /* for userhash */
bool digest_response(const struct digest *digest, const struct digest_use *use,
		     char out[static DIGEST_HEX_MAX + 1]) GP_MUST_CHECK;

/* Writes the value of Proxy-Authorization. What does not fit sets out->full. */
bool digest_write(const struct digest *digest, const struct digest_use *use,
		  struct gp_buf *out) GP_MUST_CHECK;

/* The digest-uri of a request's target: path and query of an absolute one, for RFC 2617
 * and RFC 7616 disagree on it and this is what every browser sends; else as it is. Free
 * it with g_free(). */
char *digest_uri(const char *target);

#endif
