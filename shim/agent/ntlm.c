/* SPDX-License-Identifier: MIT */
/*
 * The messages of NTLM ([MS-NLMP]).
 *
 * Theory of operation. A message is a fixed part, which says where in the rest each field
 * is, and the fields. Numbers are little-endian. Message 3 is written from its beginning
 * to its end; a field's place is noted when it has been written, the proof when what it
 * proves has been, and the MIC last.
 */
#include "ntlm.h"

#include <string.h>

#include <glib.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <gatepass/limits.h>

#include "md4.h"

static const char signature[8] = "NTLMSSP";

/* Where in message 2. Those of NT 4 and older end before the info. */
enum {
	CHALLENGE_FLAGS = 20,
	CHALLENGE_NONCE = 24,
	CHALLENGE_OLD_END = 32,
	CHALLENGE_INFO = 40,
	CHALLENGE_END = 48
};

/* Where in message 3. */
enum {
	AUTHENTICATE_LM = 12,
	AUTHENTICATE_NT = 20,
	AUTHENTICATE_DOMAIN = 28,
	AUTHENTICATE_USER = 36,
	AUTHENTICATE_WORKSTATION = 44,
	AUTHENTICATE_KEY = 52,
	AUTHENTICATE_MIC = 72,
};

/* Attributes of a server, 2.2.2.1. */
enum {
	INFO_END = 0,
	INFO_FLAGS = 6,
	INFO_TIME = 7,
	INFO_SERVICE = 9,
	INFO_BINDINGS = 10,
};

#define INFO_FLAG_MIC 2u

static uint32_t read_number(const char *p, unsigned size)
{
	uint32_t number = 0;

	for (unsigned i = 0; i < size; i++)
		number |= (uint32_t)(uint8_t)p[i] << 8 * i;
	return number;
}

static void write_number(char *p, unsigned size, size_t number)
{
	for (unsigned i = 0; i < size; i++)
		p[i] = (char)(number >> 8 * i);
}

static void add_number(struct gp_buf *out, unsigned size, uint32_t number)
{
	char bytes[4];

	write_number(bytes, size, number);
	gp_buf_add(out, bytes, size);
}

static void add_zeros(struct gp_buf *out, size_t count)
{
	while (count--)
		gp_buf_add(out, "", 1);
}

static void add_bytes(struct gp_buf *out, const uint8_t *bytes, size_t len)
{
	gp_buf_add(out, (const char *)bytes, len);
}

uint32_t ntlm_type(struct gp_text message)
{
	if (message.len < sizeof(signature) + 4 ||
	    memcmp(message.p, signature, sizeof(signature)) != 0)
		return 0;
	return read_number(message.p + sizeof(signature), 4);
}

static void begin_message(struct gp_buf *out, uint32_t type)
{
	gp_buf_add(out, signature, sizeof(signature));
	add_number(out, 4, type);
}

/* As all fields of message 1, which name us to whoever listens, it is left out. */
static void add_no_field(struct gp_buf *out, uint32_t place)
{
	add_number(out, 4, 0);
	add_number(out, 4, place);
}

void ntlm_write_negotiate(uint32_t flags, struct gp_buf *out)
{
	begin_message(out, 1);
	add_number(out, 4, flags);
	add_no_field(out, 32);
	add_no_field(out, 32);
}

struct attribute {
	uint32_t id;
	struct gp_text value;
};

/* Takes it off *rest; false, and *rest is as it was, at the end or if it is not whole. */
static bool next_attribute(struct gp_text *rest, struct attribute *out)
{
	uint32_t len;

	if (rest->len < 4)
		return false;
	out->id = read_number(rest->p, 2);
	len = read_number(rest->p + 2, 2);
	if (out->id == INFO_END || len > rest->len - 4)
		return false;
	out->value = (struct gp_text){rest->p + 4, len};
	*rest = gp_text_from(*rest, 4 + (size_t)len);
	return true;
}

static bool is_end(struct gp_text rest)
{
	return !rest.len || (rest.len >= 4 && read_number(rest.p, 2) == INFO_END);
}

/* The end mark and what is behind it are left out. */
static bool read_info(struct gp_text info, struct ntlm_challenge *out)
{
	struct gp_text rest = info;
	struct attribute attribute;

	while (next_attribute(&rest, &attribute)) {
		if (attribute.id == INFO_FLAGS && attribute.value.len != 4)
			return false;
		if (attribute.id != INFO_TIME)
			continue;
		if (attribute.value.len != NTLM_TIME_LEN)
			return false;
		out->has_time = true;
		memcpy(out->time, attribute.value.p, NTLM_TIME_LEN);
	}
	out->info = (struct gp_text){info.p, info.len - rest.len};
	return is_end(rest);
}

/* The part of the message that the field at `field` names. */
static bool read_field(struct gp_text message, size_t field, size_t first,
		       struct gp_text *out)
{
	uint32_t len = read_number(message.p + field, 2);
	uint32_t place = read_number(message.p + field + 4, 4);

	*out = (struct gp_text){0};
	if (!len)
		return true;
	if (place < first || place > message.len || len > message.len - place)
		return false;
	*out = (struct gp_text){message.p + place, len};
	return true;
}

bool ntlm_read_challenge(struct gp_text message, struct ntlm_challenge *out)
{
	struct gp_text info;

	memset(out, 0, sizeof(*out));
	if (ntlm_type(message) != 2 || message.len < CHALLENGE_OLD_END)
		return false;
	out->flags = read_number(message.p + CHALLENGE_FLAGS, 4);
	memcpy(out->nonce, message.p + CHALLENGE_NONCE, NTLM_NONCE_LEN);
	if (!(out->flags & NTLM_TARGET_INFO))
		return true;
	return message.len >= CHALLENGE_END &&
	       read_field(message, CHALLENGE_INFO, CHALLENGE_END, &info) &&
	       info.len <= NTLM_INFO_MAX && read_info(info, out);
}

void ntlm_split(struct gp_text name, struct gp_text *domain, struct gp_text *user)
{
	const char *end = name.len ? memchr(name.p, '\\', name.len) : NULL;

	*domain = (struct gp_text){0};
	*user = name;
	if (!end)
		return;
	*domain = (struct gp_text){name.p, (size_t)(end - name.p)};
	*user = gp_text_from(name, domain->len + 1);
}

void ntlm_time(int64_t microseconds, uint8_t out[static NTLM_TIME_LEN])
{
	/* Tenths of a microsecond since 1601. */
	uint64_t time = ((uint64_t)microseconds + 11644473600000000u) * 10;

	for (unsigned i = 0; i < NTLM_TIME_LEN; i++)
		out[i] = (uint8_t)(time >> 8 * i);
}

/* An octet that belongs to no character of UTF-8 is a U+FFFD. */
static gunichar take_char(struct gp_text *rest)
{
	gunichar c = g_utf8_get_char_validated(rest->p, (gssize)rest->len);
	bool is_char = c != (gunichar)-1 && c != (gunichar)-2;

	*rest = gp_text_from(*rest, is_char ? (size_t)g_unichar_to_utf8(c, NULL) : 1);
	return is_char ? c : 0xfffd;
}

/* As Windows and Samba: one character for one, and three of Latin stay what they are
 * whose capitals are others' (micro sign, dotless i, long s). */
static gunichar to_upper(gunichar c)
{
	return c == 0xb5 || c == 0x131 || c == 0x17f ? c : g_unichar_toupper(c);
}

/* Takes a character off the text, which has one; returns how many octets it has in
 * UTF-16. */
static size_t take_utf16(struct gp_text *rest, bool upper, char out[static 4])
{
	gunichar c = take_char(rest);

	if (c <= 0xffff) {
		write_number(out, 2, upper ? to_upper(c) : c);
		return 2;
	}
	c -= 0x10000;
	write_number(out, 2, 0xd800 + (c >> 10));
	write_number(out + 2, 2, 0xdc00 + (c & 0x3ff));
	return 4;
}

static void add_utf16(struct gp_buf *out, struct gp_text text, bool upper)
{
	char bytes[4];

	while (text.len)
		gp_buf_add(out, bytes, take_utf16(&text, upper, bytes));
}

/* libcrypto wipes what it keeps of the key. */
static bool hmac(const uint8_t key[static NTLM_KEY_LEN], const struct gp_text *parts,
		 size_t count, uint8_t out[static NTLM_KEY_LEN])
{
	static EVP_MAC *algorithm;
	char digest[] = "MD5";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end()};
	EVP_MAC_CTX *context;
	size_t len;
	bool ok;

	if (!algorithm)
		algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
	context = algorithm ? EVP_MAC_CTX_new(algorithm) : NULL;
	ok = context && EVP_MAC_init(context, key, NTLM_KEY_LEN, params);
	for (size_t i = 0; ok && i < count; i++)
		ok = EVP_MAC_update(context, (const unsigned char *)parts[i].p,
				    parts[i].len);
	ok = ok && EVP_MAC_final(context, out, &len, NTLM_KEY_LEN);
	EVP_MAC_CTX_free(context);
	return ok;
}

bool ntlm_is_allowed(void)
{
	static const uint8_t key[NTLM_KEY_LEN];
	uint8_t out[NTLM_KEY_LEN];

	return hmac(key, NULL, 0, out);
}

/* NTOWFv1: a server keeps it instead of the password. */
static void hash_password(struct gp_text password, uint8_t out[static MD4_LEN])
{
	struct md4 md4;
	char bytes[4];

	md4_init(&md4);
	while (password.len)
		md4_add(&md4, bytes, take_utf16(&password, false, bytes));
	md4_finish(&md4, out);
	explicit_bzero(bytes, sizeof(bytes));
}

/* NTOWFv2. */
bool ntlm_key(struct gp_text domain, struct gp_text user, struct gp_text password,
	      uint8_t out[static NTLM_KEY_LEN])
{
	char storage[2 * (GP_USER_MAX + 1)];
	uint8_t hash[MD4_LEN];
	struct gp_buf name;
	bool ok;

	gp_buf_init(&name, storage, sizeof(storage));
	add_utf16(&name, user, true);
	add_utf16(&name, domain, false);
	if (name.full)
		return false;
	hash_password(password, hash);
	ok = hmac(hash, &(struct gp_text){name.p, name.len}, 1, out);
	explicit_bzero(hash, sizeof(hash));
	return ok;
}

bool ntlm_prove(const uint8_t key[static NTLM_KEY_LEN],
		const uint8_t nonce[static NTLM_NONCE_LEN], struct gp_text blob,
		uint8_t proof[static NTLM_KEY_LEN], uint8_t session[static NTLM_KEY_LEN])
{
	const struct gp_text parts[] = {{(const char *)nonce, NTLM_NONCE_LEN}, blob};

	return hmac(key, parts, G_N_ELEMENTS(parts), proof) &&
	       hmac(key, &(struct gp_text){(const char *)proof, NTLM_KEY_LEN}, 1,
		    session);
}

bool ntlm_sign(const uint8_t session[static NTLM_KEY_LEN],
	       const struct gp_text messages[3], uint8_t out[static NTLM_KEY_LEN])
{
	return hmac(session, messages, 3, out);
}

static void begin_attribute(struct gp_buf *out, uint32_t id, size_t len)
{
	add_number(out, 2, id);
	add_number(out, 2, (uint32_t)len);
}

/* The server's attributes, with ours instead of those that are ours to say. */
static void add_info(const struct ntlm_challenge *challenge, const struct ntlm_use *use,
		     struct gp_buf *out)
{
	struct gp_text rest = challenge->info;
	struct attribute attribute;
	uint32_t flags = INFO_FLAG_MIC;
	size_t service;

	while (next_attribute(&rest, &attribute)) {
		if (attribute.id == INFO_FLAGS)
			flags |= read_number(attribute.value.p, 4);
		if (attribute.id == INFO_FLAGS || attribute.id == INFO_BINDINGS ||
		    attribute.id == INFO_SERVICE)
			continue;
		begin_attribute(out, attribute.id, attribute.value.len);
		gp_buf_add(out, attribute.value.p, attribute.value.len);
	}
	begin_attribute(out, INFO_FLAGS, 4);
	add_number(out, 4, flags);
	begin_attribute(out, INFO_BINDINGS, sizeof(use->bindings));
	add_bytes(out, use->bindings, sizeof(use->bindings));
	begin_attribute(out, INFO_SERVICE, 0);
	service = out->len;
	add_utf16(out, use->service, false);
	if (!out->full)
		write_number(out->p + service - 2, 2, out->len - service);
	begin_attribute(out, INFO_END, 0);
}

/* What is proved to be from who knows the password: "temp" in 3.3.2. */
static void add_blob(const struct ntlm_challenge *challenge, const struct ntlm_use *use,
		     struct gp_buf *out)
{
	add_number(out, 4, 0x0101);
	add_zeros(out, 4);
	add_bytes(out, challenge->has_time ? challenge->time : use->time, NTLM_TIME_LEN);
	add_bytes(out, use->nonce, NTLM_NONCE_LEN);
	add_zeros(out, 4);
	add_info(challenge, use, out);
	add_zeros(out, 4);
}

/* Notes in the message at `out`'s `start` that the field is what stands behind `from`. */
static void end_field(struct gp_buf *out, size_t start, size_t field, size_t from)
{
	size_t len = out->len - from;
	char *p;

	if (out->full)
		return;
	p = out->p + start + field;
	write_number(p, 2, len);
	write_number(p + 2, 2, len);
	write_number(p + 4, 4, from - start);
}

static void add_name(const struct ntlm_use *use, struct gp_text name, struct gp_buf *out,
		     size_t start, size_t field)
{
	size_t from = out->len;

	if (use->flags & NTLM_UNICODE)
		add_utf16(out, name, false);
	else
		gp_buf_add(out, name.p, name.len);
	end_field(out, start, field, from);
}

/* Without a server's time the LM response might be one as well. Nobody needs it beside
 * the other, and it would give a listener a second thing to guess the password by. */
static void add_no_lm(struct gp_buf *out, size_t start)
{
	size_t from = out->len;

	add_zeros(out, 24);
	end_field(out, start, AUTHENTICATE_LM, from);
}

static bool add_response(const struct ntlm_challenge *challenge,
			 const struct ntlm_use *use, struct gp_buf *out, size_t start,
			 uint8_t session[static NTLM_KEY_LEN])
{
	uint8_t key[NTLM_KEY_LEN], proof[NTLM_KEY_LEN];
	size_t from = out->len, blob = from + NTLM_KEY_LEN;
	bool ok;

	add_zeros(out, NTLM_KEY_LEN);
	add_blob(challenge, use, out);
	end_field(out, start, AUTHENTICATE_NT, from);
	if (out->full)
		return true;
	ok = ntlm_key(use->domain, use->user, use->password, key) &&
	     ntlm_prove(key, challenge->nonce,
			(struct gp_text){out->p + blob, out->len - blob}, proof, session);
	if (ok)
		memcpy(out->p + from, proof, NTLM_KEY_LEN);
	explicit_bzero(key, sizeof(key));
	return ok;
}

static bool add_mic(const struct ntlm_use *use, struct gp_buf *out, size_t start,
		    const uint8_t session[static NTLM_KEY_LEN])
{
	const struct gp_text messages[] = {
		use->negotiate, use->challenge, {out->p + start, out->len - start}};
	uint8_t mic[NTLM_KEY_LEN];

	if (!ntlm_sign(session, messages, mic))
		return false;
	memcpy(out->p + start + AUTHENTICATE_MIC, mic, NTLM_KEY_LEN);
	return true;
}

/* Up to the MIC; the fields' places are noted later. */
static void add_fixed_part(const struct ntlm_use *use, struct gp_buf *out)
{
	begin_message(out, 3);
	add_zeros(out, 6 * 8);
	add_number(out, 4, use->flags);
	add_bytes(out, use->version, NTLM_VERSION_LEN);
	add_zeros(out, NTLM_KEY_LEN);
}

bool ntlm_write_authenticate(const struct ntlm_challenge *challenge,
			     const struct ntlm_use *use, struct gp_buf *out)
{
	uint8_t session[NTLM_KEY_LEN];
	size_t start = out->len;
	bool ok;

	add_fixed_part(use, out);
	add_name(use, use->domain, out, start, AUTHENTICATE_DOMAIN);
	add_name(use, use->user, out, start, AUTHENTICATE_USER);
	add_name(use, use->workstation, out, start, AUTHENTICATE_WORKSTATION);
	add_no_lm(out, start);
	ok = add_response(challenge, use, out, start, session);
	end_field(out, start, AUTHENTICATE_KEY, out->len);
	if (ok && !out->full)
		ok = add_mic(use, out, start, session);
	explicit_bzero(session, sizeof(session));
	return ok;
}
