/* SPDX-License-Identifier: MIT */
/*
 * The messages of NTLM ([MS-NLMP]): octets in, octets out. Pure; time and random numbers
 * come from the caller. A password is answered with NTLMv2 and a MIC only. No session
 * security is asked for, as a proxy has no use for it, so neither RC4 nor DES is needed.
 */
#ifndef GATEPASS_NTLM_H
#define GATEPASS_NTLM_H

#include <stdbool.h>
#include <stdint.h>

#include <gatepass/text.h>

/* Those flags of 2.2.2.5 that matter here. */
#define NTLM_UNICODE     0x00000001u
#define NTLM_OEM         0x00000002u
#define NTLM_ASK_TARGET  0x00000004u
#define NTLM_NTLM        0x00000200u
#define NTLM_ALWAYS_SIGN 0x00008000u
#define NTLM_EXTENDED    0x00080000u /* session security */
#define NTLM_TARGET_INFO 0x00800000u

#define NTLM_KEY_LEN     16
#define NTLM_NONCE_LEN   8
#define NTLM_TIME_LEN    8
#define NTLM_VERSION_LEN 8

/* Five names of 255 characters come to 2.6 KiB, and what else is in it is small. */
#define NTLM_INFO_MAX 4096
/* The longest that is made: NTLM_INFO_MAX and names, which UTF-16 makes twice as long. */
#define NTLM_MESSAGE_MAX (8 * 1024)

/* By the system's policy: that of FIPS 140 forbids MD5. */
bool ntlm_is_allowed(void);

/* 1 is the client's first message, 2 the server's, 3 the client's last; 0: none of them.
 */
uint32_t ntlm_type(struct gp_text message);

void ntlm_write_negotiate(uint32_t flags, struct gp_buf *out);

/* What message 2 says. */
struct ntlm_challenge {
	uint32_t flags;
	uint8_t nonce[NTLM_NONCE_LEN];
	struct gp_text info; /* a part of the message: attributes, every one whole */
	bool has_time;
	uint8_t time[NTLM_TIME_LEN];
};

bool ntlm_read_challenge(struct gp_text message,
			 struct ntlm_challenge *out) GP_MUST_CHECK;

/* Text is UTF-8. Of names at most GP_USER_MAX octets: domain and user together,
 * workstation, service. */
struct ntlm_use {
	uint32_t flags; /* what message 3 claims to be agreed upon */
	uint8_t version[NTLM_VERSION_LEN];
	uint8_t nonce[NTLM_NONCE_LEN]; /* our own */
	uint8_t time[NTLM_TIME_LEN];   /* if the server has told none; see ntlm_time() */
	uint8_t bindings[16];          /* to a TLS channel; zero: none */
	struct gp_text domain, user, password;
	struct gp_text workstation;
	struct gp_text service;              /* "HTTP/host", whom we believe to talk to */
	struct gp_text negotiate, challenge; /* messages 1 and 2 as they were sent */
};

/* Message 3. False if libcrypto has no HMAC-MD5 or no memory. What does not fit sets
 * out->full. Names are sent in UTF-16, but without NTLM_UNICODE as they are. */
bool ntlm_write_authenticate(const struct ntlm_challenge *challenge,
			     const struct ntlm_use *use,
			     struct gp_buf *out) GP_MUST_CHECK;

/* "DOMAIN\user". Without a backslash the domain is empty; "user@realm" is all user, for
 * the server knows what it means. */
void ntlm_split(struct gp_text name, struct gp_text *domain, struct gp_text *user);

/* From microseconds since 1970 to what messages hold. */
void ntlm_time(int64_t microseconds, uint8_t out[static NTLM_TIME_LEN]);

/* The steps of ntlm_write_authenticate(), which can be false for its reasons: the key of
 * user and password, the proof that goes before `blob` with the key of this session, and
 * the MIC of all three messages. */
bool ntlm_key(struct gp_text domain, struct gp_text user, struct gp_text password,
	      uint8_t out[static NTLM_KEY_LEN]) GP_MUST_CHECK;
bool ntlm_prove(const uint8_t key[static NTLM_KEY_LEN],
		const uint8_t nonce[static NTLM_NONCE_LEN], struct gp_text blob,
		uint8_t proof[static NTLM_KEY_LEN],
		uint8_t session[static NTLM_KEY_LEN]) GP_MUST_CHECK;
bool ntlm_sign(const uint8_t session[static NTLM_KEY_LEN],
	       const struct gp_text messages[3],
	       uint8_t out[static NTLM_KEY_LEN]) GP_MUST_CHECK;

#endif
