/* SPDX-License-Identifier: MIT */
/* NTLM: the published examples, what challenges are refused, and handshakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <glib.h>

#include <gatepass/limits.h>

#include "credential.h"
#include "endpoint.h"
#include "guard.h"
#include "md4.h"
#include "ntlm.h"
#include "scheme.h"

/* Octets of a table's hexadecimal digits. */
struct octets {
	uint8_t bytes[1024];
	size_t len;
};

static struct octets from_hex(const char *hex)
{
	struct octets octets = {.len = strlen(hex) / 2};

	assert_true(octets.len <= sizeof(octets.bytes));
	for (size_t i = 0; i < octets.len; i++)
		octets.bytes[i] = (uint8_t)(gp_hex_digit(hex[2 * i]) * 16 +
					    gp_hex_digit(hex[2 * i + 1]));
	return octets;
}

static struct gp_text text_of(const struct octets *octets)
{
	return (struct gp_text){(const char *)octets->bytes, octets->len};
}

static void expect_hex(const void *bytes, size_t len, const char *hex)
{
	struct octets wanted = from_hex(hex);

	assert_int_equal(len, wanted.len);
	assert_memory_equal(bytes, wanted.bytes, len);
}

static void test_md4(void **state)
{
	static const char *const cases[][2] = {
		/* RFC 1320 A.5 */
		{"", "31d6cfe0d16ae931b73c59d7e0c089c0"},
		{"a", "bde52cb31de33e46245e05fbdbd6fb24"},
		{"abc", "a448017aaf21d8525fc10ae87aa6729d"},
		{"message digest", "d9130a8164549fe818874806e1c7014b"},
		{"abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9"},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
		 "043f8582f241db351ce627e153e7f0e4"},
		{"1234567890123456789012345678901234567890123456789012345678901234567890"
		 "1234567890",
		 "e33b4ddc9c38f2199c3e7b164fcc0536"},
	};
	uint8_t out[MD4_LEN];
	struct md4 md4;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		size_t half = strlen(cases[i][0]) / 2;

		md4_init(&md4);
		md4_add(&md4, cases[i][0], half);
		md4_add(&md4, cases[i][0] + half, strlen(cases[i][0]) - half);
		md4_finish(&md4, out);
		expect_hex(out, sizeof(out), cases[i][1]);
	}
}

/* [MS-NLMP] 4.2.1, 4.2.4 */
#define SPEC_CHALLENGE                                                                   \
	"4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef00000000000000" \
	"002400240044000000060070170000000f53006500720076006500720002000c0044006f006d00" \
	"610069006e0001000c0053006500720076006500720000000000"
#define SPEC_BLOB                                                                        \
	"01010000000000000000000000000000aaaaaaaaaaaaaaaa0000000002000c0044006f006d0061" \
	"0069006e0001000c005300650072007600650072000000000000000000"

static void test_specification(void **state)
{
	struct octets message = from_hex(SPEC_CHALLENGE), blob = from_hex(SPEC_BLOB);
	uint8_t key[NTLM_KEY_LEN], proof[NTLM_KEY_LEN], session[NTLM_KEY_LEN];
	struct ntlm_challenge challenge;

	(void)state;
	assert_true(ntlm_read_challenge(text_of(&message), &challenge));
	assert_int_equal(challenge.flags, 0xe28a8233);
	assert_false(challenge.has_time);
	expect_hex(challenge.nonce, NTLM_NONCE_LEN, "0123456789abcdef");
	expect_hex(challenge.info.p, challenge.info.len,
		   "02000c0044006f006d00610069006e0001000c00530065007200760065007200");
	assert_true(
		ntlm_key(gp_text("Domain"), gp_text("User"), gp_text("Password"), key));
	expect_hex(key, sizeof(key), "0c868a403bfd7a93a3001ef22ef02e3f");
	assert_true(ntlm_prove(key, challenge.nonce, text_of(&blob), proof, session));
	expect_hex(proof, sizeof(proof), "68cd0ab851e51c96aabc927bebef6a1c");
	expect_hex(session, sizeof(session), "8de40ccadbc14a82f15cb0ad0de95ca3");
}

/* A message 3 as we write it. */
static struct octets write_authenticate(struct ntlm_use *use)
{
	struct ntlm_challenge challenge;
	struct octets octets;
	struct gp_buf out;

	gp_buf_init(&out, (char *)octets.bytes, sizeof(octets.bytes));
	assert_true(ntlm_read_challenge(use->challenge, &challenge));
	assert_true(ntlm_write_authenticate(&challenge, use, &out));
	assert_false(out.full);
	octets.len = out.len;
	return octets;
}

static uint32_t number_at(const struct octets *message, size_t place, unsigned size)
{
	uint32_t number = 0;

	assert_true(place + size <= message->len);
	for (unsigned i = 0; i < size; i++)
		number |= (uint32_t)message->bytes[place + i] << 8 * i;
	return number;
}

enum { LM = 12, NT = 20, DOMAIN = 28, USER = 36, WORKSTATION = 44, KEY = 52 };

static struct gp_text field_of(const struct octets *message, size_t field)
{
	size_t len = number_at(message, field, 2),
	       place = number_at(message, field + 4, 4);

	assert_int_equal(number_at(message, field + 2, 2), len);
	assert_true(place >= 88 && place + len <= message->len);
	return (struct gp_text){(const char *)message->bytes + place, len};
}

/* The same message with its fields in the order of Chromium, and so with another MIC. */
static struct octets in_chromium_order(const struct octets *message,
				       const struct ntlm_use *use,
				       const uint8_t session[static NTLM_KEY_LEN])
{
	static const uint8_t order[] = {KEY, LM, NT, DOMAIN, USER, WORKSTATION};
	struct octets out = *message;

	memset(out.bytes + 72, 0, NTLM_KEY_LEN);
	out.len = 88;
	for (size_t i = 0; i < sizeof(order); i++) {
		struct gp_text field = field_of(message, order[i]);

		out.bytes[order[i] + 4] = (uint8_t)out.len;
		out.bytes[order[i] + 5] = (uint8_t)(out.len >> 8);
		memcpy(out.bytes + out.len, field.p, field.len);
		out.len += field.len;
	}
	const struct gp_text messages[] = {use->negotiate, use->challenge, text_of(&out)};

	assert_true(ntlm_sign(session, messages, out.bytes + 72));
	return out;
}

/* Chromium's tests: with a MIC, which those of the specification lack. */
#define CHROMIUM_NEGOTIATE                                                               \
	"4e544c4d53535000010000000782080000000000200000000000000020000000"
#define CHROMIUM_FIXED(nt_len, domain, user, workstation, mic)                           \
	"4e544c4d53535000030000001800180058000000" nt_len "70000000"                     \
	"0c000c00" domain "08000800" user "10001000" workstation                         \
	"000000005800000003820800"                                                       \
	"0000000000000000" mic "000000000000000000000000000000000000000000000000"
#define CHROMIUM_TIME     "0101000000000000800bc8fd00d4d201aaaaaaaaaaaaaaaa00000000"
#define CHROMIUM_SERVER   "02000c0044006f006d00610069006e0001000c00530065007200760065007200"
#define CHROMIUM_BINDINGS "6586e99d81c2fc984e47172fd4dd0310"
#define CHROMIUM_NAMES                                                                   \
	"44006f006d00610069006e005500730065007200"                                       \
	"43004f004d0050005500540045005200"

struct chromium {
	const char *challenge, *bindings, *service, *session, *wanted;
};

static const struct chromium chromium[] = {
	{SPEC_CHALLENGE, CHROMIUM_BINDINGS, "HTTP/Server",
	 "623dbd071be7a530b6a95c2eb4982470",
	 CHROMIUM_FIXED(
		 "8a008a00", "fa000000", "06010000", "0e010000",
		 "f7361633f0ad9bdf4a7c421bc6b824a3") "8c0260dbef690662af9c42d50782d2e"
						     "d" CHROMIUM_TIME CHROMIUM_SERVER
						     "06000400020000000a00100"
						     "0" CHROMIUM_BINDINGS
						     "0900160048005400540050002f005300650"
						     "07200760065007200000000000000000"
						     "0" CHROMIUM_NAMES},
	{SPEC_CHALLENGE, "00000000000000000000000000000000", "HTTP/server",
	 "6d69a8a5c63b8ee9d1d38a76e2f24a6f",
	 CHROMIUM_FIXED(
		 "8a008a00", "fa000000", "06010000", "0e010000",
		 "a737506959feea74aa77a1c05be239a2") "fe4dec67cf4dbdf8c7a78089b1c546a"
						     "7" CHROMIUM_TIME CHROMIUM_SERVER
						     "06000400020000000a00100000000000000"
						     "000000000000000000000"
						     "0900160048005400540050002f007300650"
						     "07200760065007200000000000000000"
						     "0" CHROMIUM_NAMES},
	/* a server without attributes */
	{"4e544c4d53535000020000000c000c003800000033820a820123456789abcdef00000000000000"
	 "000000000000000000060070170000000f530065007200760065007200",
	 CHROMIUM_BINDINGS, "HTTP/Server", "5530f244c677afe1ded93b4579173391",
	 CHROMIUM_FIXED(
		 "6a006a00", "da000000", "e6000000", "ee000000",
		 "3137d69e5cc87d7a9f7cf41a5a19dc25") "bed9a94220c2252b916e9ce39d973a2"
						     "d" CHROMIUM_TIME
						     "06000400020000000a00100"
						     "0" CHROMIUM_BINDINGS
						     "0900160048005400540050002f005300650"
						     "07200760065007200000000000000000"
						     "0" CHROMIUM_NAMES},
};

static void test_chromium(void **state)
{
	struct octets negotiate = from_hex(CHROMIUM_NEGOTIATE);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(chromium); i++) {
		const struct chromium *c = &chromium[i];
		struct octets challenge = from_hex(c->challenge), made;
		struct ntlm_use use = {.flags = 0x00088203,
				       .domain = gp_text("Domain"),
				       .user = gp_text("User"),
				       .password = gp_text("Password"),
				       .workstation = gp_text("COMPUTER"),
				       .service = gp_text(c->service),
				       .negotiate = text_of(&negotiate),
				       .challenge = text_of(&challenge)};

		memset(use.nonce, 0xaa, sizeof(use.nonce));
		ntlm_time(1495570387000000, use.time);
		memcpy(use.bindings, from_hex(c->bindings).bytes, sizeof(use.bindings));
		made = write_authenticate(&use);
		made = in_chromium_order(&made, &use, from_hex(c->session).bytes);
		expect_hex(made.bytes, made.len, c->wanted);
	}
}

static struct octets from_base64(const char *base64)
{
	struct octets octets;
	gsize len;
	guchar *bytes = g_base64_decode(base64, &len);

	assert_true(len <= sizeof(octets.bytes));
	memcpy(octets.bytes, bytes, len);
	octets.len = len;
	g_free(bytes);
	return octets;
}

/* What Samba's ntlm_auth has sent, and what it has accepted then. */
#define SAMBA_NEGOTIATE "TlRMTVNTUAABAAAAB4IIoAAAAAAAAAAAAAAAAAAAAAA="
#define SAMBA_CHALLENGE                                                                  \
	"TlRMTVNTUAACAAAADgAOADgAAAAFgoqiTAn24gGtDEYAAAAAAAAAAEAAQABGAAAABgEAAAAAAA9QAE" \
	"wA"                                                                             \
	"QQBCAFMAUgBWAAIADgBQAEwAQQBCAFMAUgBWAAEADgBQAEwAQQBCAFMAUgBWAAQAAAADAAQAdgBtAA" \
	"cA"                                                                             \
	"CACwrdaxbnvdAQAAAAA="
#define SAMBA_AUTHENTICATE                                                               \
	"TlRMTVNTUAADAAAAGAAYAIAAAAC0ALQAmAAAAAgACABYAAAACgAKAGAAAAAWABYAagAAAAAAAABMAQ" \
	"AA"                                                                             \
	"BYKKogYBsR0AAAAPGGXUir6uu6cy1/"                                                 \
	"bfPqt+LFAATABBAEIAYQBsAGkAYwBlAFcATwBSAEsAUwBUAEEA"                             \
	"VABJAE8ATgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADrrA5Mz4RpPM9dRE3xtGDcAQEAAAAAAACwrd" \
	"ax"                                                                             \
	"bnvdAREiM0RVZneIAAAAAAIADgBQAEwAQQBCAFMAUgBWAAEADgBQAEwAQQBCAFMAUgBWAAQAAAADAA" \
	"QA"                                                                             \
	"dgBtAAcACACwrdaxbnvdAQYABAACAAAACgAQAAAAAAAAAAAAAAAAAAAAAAAJACQASABUAFQAUAAvAH" \
	"AA"                                                                             \
	"cgBvAHgAeQAuAGUAeABhAG0AcABsAGUAAAAAAAAAAAA="

static struct ntlm_use samba_use(const struct octets *negotiate,
				 const struct octets *challenge)
{
	struct ntlm_use use = {.flags = 0xa28a8205,
			       .domain = gp_text("PLAB"),
			       .user = gp_text("alice"),
			       .password = gp_text("wonderland"),
			       .workstation = gp_text("WORKSTATION"),
			       .service = gp_text("HTTP/proxy.example"),
			       .negotiate = text_of(negotiate),
			       .challenge = text_of(challenge)};

	memcpy(use.version, from_hex("0601b11d0000000f").bytes, sizeof(use.version));
	memcpy(use.nonce, from_hex("1122334455667788").bytes, sizeof(use.nonce));
	return use;
}

static void test_samba(void **state)
{
	struct octets negotiate = from_base64(SAMBA_NEGOTIATE),
		      challenge = from_base64(SAMBA_CHALLENGE),
		      wanted = from_base64(SAMBA_AUTHENTICATE), made;
	struct ntlm_use use = samba_use(&negotiate, &challenge);
	uint8_t key[NTLM_KEY_LEN];

	(void)state;
	made = write_authenticate(&use);
	assert_int_equal(made.len, wanted.len);
	assert_memory_equal(made.bytes, wanted.bytes, made.len);
	assert_true(ntlm_key(use.domain, use.user, use.password, key));
	expect_hex(key, sizeof(key), "a5107ac32677747ddc438b48ee909aa5");
}

static void test_negotiate(void **state)
{
	char storage[32];
	struct gp_buf out;

	(void)state;
	gp_buf_init(&out, storage, sizeof(storage));
	ntlm_write_negotiate(0x00088207, &out);
	assert_false(out.full);
	expect_hex(out.p, out.len, CHROMIUM_NEGOTIATE);
	assert_int_equal(ntlm_type((struct gp_text){out.p, out.len}), 1);
}

/* With the attributes, the field's length and place as they are given. */
static struct octets make_challenge(const char *flags, const char *field,
				    const char *info)
{
	char hex[1024];

	snprintf(hex, sizeof(hex),
		 "4e544c4d53535000020000000000000038000000%s0123456789abcdef"
		 "0000000000000000%s0000000000000000%s",
		 flags, field, info);
	return from_hex(hex);
}

static bool reads(const char *flags, const char *field, const char *info,
		  struct ntlm_challenge *out)
{
	static struct octets made; /* `out` points into it */

	made = make_challenge(flags, field, info);
	return ntlm_read_challenge(text_of(&made), out);
}

#define WITH_INFO "05828a00"

static void test_info(void **state)
{
	static const struct {
		const char *field, *info;
		bool good;
		size_t len;
	} cases[] = {
		{"0000000000000000", "", true, 0},
		{"00000000ffffffff", "", true, 0},
		{"0400040038000000", "00000000", true, 0},
		{"0800080038000000", "0100000000000000", true, 4},
		/* no end mark; something behind it */
		{"0400040038000000", "01000000", true, 4},
		{"0800080038000000", "00000000ffffffff", true, 0},
		{"0600060038000000", "010002006100", true, 6},
		/* cut short, overlong, half an attribute */
		{"0500050038000000", "0100020061", false, 0},
		{"0600060038000000", "010003006100", false, 0},
		{"060006003800ffff", "0100ffff6100", false, 0},
		{"0600060038000000", "010000000000", false, 0},
		{"0300030038000000", "010000", false, 0},
		/* not where it can be */
		{"0400040039000000", "00000000", false, 0},
		{"0400040000000000", "00000000", false, 0},
		{"040004002f000000", "00000000", false, 0},
		{"04000400ffffffff", "00000000", false, 0},
		{"04000400fcffffff", "00000000", false, 0},
		{"ffffffff38000000", "00000000", false, 0},
		/* attributes of another length than theirs */
		{"0800080038000000", "0600040002000000", true, 8},
		{"0600060038000000", "060002000200", false, 0},
		{"0800080038000000", "0700040000000000", false, 0},
	};
	struct ntlm_challenge challenge;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		expect(reads(WITH_INFO, cases[i].field, cases[i].info, &challenge) ==
			       cases[i].good,
		       "case %zu", i);
		if (cases[i].good)
			assert_int_equal(challenge.info.len, cases[i].len);
		/* Nobody looks at it. */
		assert_true(reads("05820a00", cases[i].field, cases[i].info, &challenge));
		assert_int_equal(challenge.info.len, 0);
	}
	assert_true(reads(WITH_INFO, "0c000c0038000000", "070008000102030405060708",
			  &challenge));
	assert_true(challenge.has_time);
	expect_hex(challenge.time, NTLM_TIME_LEN, "0102030405060708");
}

/* At every length, as part of the message and as all of it. */
static void test_truncated(void **state)
{
	struct octets whole = from_base64(SAMBA_CHALLENGE);
	struct ntlm_challenge challenge;
	struct guard guard;

	(void)state;
	guard_init(&guard, sizeof(whole.bytes));
	for (size_t len = 0; len <= whole.len; len++)
		for (enum guard_place place = 0; place < GUARD_PLACES; place++) {
			char *bytes = guard_copy(&guard, place, whole.bytes, len);

			expect(ntlm_read_challenge((struct gp_text){bytes, len},
						   &challenge) == (len == whole.len),
			       "%zu octets", len);
		}
	/* As old servers send it. */
	whole.bytes[22] &= 0x7f;
	for (size_t len = 0; len <= whole.len; len++)
		for (enum guard_place place = 0; place < GUARD_PLACES; place++) {
			char *bytes = guard_copy(&guard, place, whole.bytes, len);

			expect(ntlm_read_challenge((struct gp_text){bytes, len},
						   &challenge) == (len >= 32),
			       "%zu octets", len);
		}
	guard_release(&guard);
}

static void test_kinds(void **state)
{
	struct octets message = from_base64(SAMBA_CHALLENGE);
	struct ntlm_challenge challenge;

	(void)state;
	assert_int_equal(ntlm_type(text_of(&message)), 2);
	message.bytes[8] = 3;
	assert_false(ntlm_read_challenge(text_of(&message), &challenge));
	message.bytes[8] = 2;
	message.bytes[7] = 'X';
	assert_int_equal(ntlm_type(text_of(&message)), 0);
	assert_false(ntlm_read_challenge(text_of(&message), &challenge));
	assert_int_equal(ntlm_type(gp_text("NTLMSSP")), 0);
	assert_int_equal(ntlm_type((struct gp_text){NULL, 0}), 0);
}

/* Room for nothing, for one octet, for two ...: never one more is written. */
static void test_room(void **state)
{
	struct octets negotiate = from_base64(SAMBA_NEGOTIATE),
		      message = from_base64(SAMBA_CHALLENGE);
	struct ntlm_use use = samba_use(&negotiate, &message);
	struct ntlm_challenge challenge;
	size_t len = write_authenticate(&use).len;
	struct guard guard;
	struct gp_buf out;

	(void)state;
	guard_init(&guard, len);
	assert_true(ntlm_read_challenge(use.challenge, &challenge));
	for (size_t cap = 0; cap <= len; cap++) {
		gp_buf_init(&out, guard_room(&guard, GUARD_TAIL, cap), cap);
		assert_true(ntlm_write_authenticate(&challenge, &use, &out));
		assert_int_equal(out.full, cap < len);
	}
	guard_release(&guard);
}

/* The longest of everything fits into NTLM_MESSAGE_MAX. */
static void test_longest(void **state)
{
	static char name[GP_USER_MAX], message[48 + NTLM_INFO_MAX + 1],
		storage[NTLM_MESSAGE_MAX];
	struct octets head = make_challenge(WITH_INFO, "0010001030000000", "");
	struct ntlm_use use = {.flags = NTLM_UNICODE,
			       .user = {name, sizeof(name)},
			       .workstation = {name, sizeof(name)},
			       .service = {name, sizeof(name)}};
	struct ntlm_challenge challenge;
	struct gp_buf out;

	(void)state;
	memset(name, 'n', sizeof(name));
	memcpy(message, head.bytes, 48);
	for (size_t i = 48; i + 4 <= sizeof(message); i += 4)
		message[i] = 1; /* an empty computer name */
	assert_true(ntlm_read_challenge((struct gp_text){message, sizeof(message) - 1},
					&challenge));
	assert_int_equal(challenge.info.len, NTLM_INFO_MAX);
	gp_buf_init(&out, storage, sizeof(storage));
	assert_true(ntlm_write_authenticate(&challenge, &use, &out));
	assert_false(out.full);
	message[40] = 1;
	assert_false(ntlm_read_challenge((struct gp_text){message, sizeof(message)},
					 &challenge));
}

/* What a server says of flags stays, but for what is ours to say. */
static void test_attributes(void **state)
{
	struct octets negotiate = from_base64(SAMBA_NEGOTIATE),
		      message = make_challenge(WITH_INFO, "3000300038000000",
					       "090002006100"
					       "0600040001000000"
					       "0a0004000a0b0c0d"
					       "070008000102030405060708"
					       "ff7f02006100"
					       "00000000"
					       "01000000"),
		      made;
	struct ntlm_use use = samba_use(&negotiate, &message);
	struct gp_text nt;

	(void)state;
	use.service = gp_text("s");
	made = write_authenticate(&use);
	nt = field_of(&made, NT);
	expect_hex(nt.p + 16, nt.len - 16,
		   "0101000000000000010203040506070811223344556677880000"
		   "0000"
		   "070008000102030405060708"
		   "ff7f02006100"
		   "0600040003000000"
		   "0a00100000000000000000000000000000000000"
		   "090002007300"
		   "00000000"
		   "00000000");
}

static void expect_key(const char *domain, const char *user, const char *same_user)
{
	uint8_t key[NTLM_KEY_LEN], same[NTLM_KEY_LEN];

	assert_true(ntlm_key(gp_text(domain), gp_text(user), gp_text("x"), key));
	assert_true(ntlm_key(gp_text(domain), gp_text(same_user), gp_text("x"), same));
	assert_memory_equal(key, same, sizeof(key));
}

static void test_names(void **state)
{
	static const char *const cases[][3] = {
		{"PLAB\\alice", "PLAB", "alice"},
		{"alice", "", "alice"},
		{"alice@plab.test", "", "alice@plab.test"},
		{"plab.test\\a\\b@c", "plab.test", "a\\b@c"},
		{"\\alice", "", "alice"},
		{"PLAB\\", "PLAB", ""},
		{"", "", ""},
	};
	struct octets negotiate = from_base64(SAMBA_NEGOTIATE),
		      challenge = from_base64(SAMBA_CHALLENGE), made;
	struct ntlm_use use = samba_use(&negotiate, &challenge);
	uint8_t key[NTLM_KEY_LEN], other[NTLM_KEY_LEN];
	struct gp_text domain, user;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		ntlm_split(gp_text(cases[i][0]), &domain, &user);
		assert_int_equal(domain.len, strlen(cases[i][1]));
		assert_int_equal(user.len, strlen(cases[i][2]));
		assert_memory_equal(domain.p ? domain.p : "", cases[i][1], domain.len);
		assert_memory_equal(user.p, cases[i][2], user.len);
	}
	expect_key("D", "zo\xc3\xab\xc3\xbf", "ZO\xc3\x8b\xc5\xb8");
	expect_key("D", "gro\xc3\x9f", "GRO\xc3\x9f");
	assert_true(ntlm_key(gp_text("D"), gp_text("u"), gp_text("x"), key));
	assert_true(ntlm_key(gp_text("d"), gp_text("u"), gp_text("x"), other));
	assert_memory_not_equal(key, other, sizeof(key));
	/* a pair of surrogates; octets that are no UTF-8 */
	use.user = gp_text("\xf0\x9f\x94\x91\xe2\x82\xac\xff\xc3");
	made = write_authenticate(&use);
	expect_hex(field_of(&made, USER).p, field_of(&made, USER).len,
		   "3dd811ddac20fdfffdff");
	/* as they are */
	use.flags &= ~NTLM_UNICODE;
	use.user = gp_text("alice");
	made = write_authenticate(&use);
	expect_hex(field_of(&made, USER).p, field_of(&made, USER).len, "616c696365");
	expect_hex(field_of(&made, DOMAIN).p, field_of(&made, DOMAIN).len, "504c4142");
}

static void test_long_password(void **state)
{
	static char password[GP_PASSWORD_MAX];
	uint8_t key[NTLM_KEY_LEN], other[NTLM_KEY_LEN];

	(void)state;
	memset(password, 'p', sizeof(password));
	for (size_t len = 0; len < sizeof(password); len += 31) {
		assert_true(ntlm_key(gp_text(""), gp_text("u"),
				     (struct gp_text){password, len}, key));
		assert_true(ntlm_key(gp_text(""), gp_text("u"),
				     (struct gp_text){password, len + 1}, other));
		assert_memory_not_equal(key, other, sizeof(key));
	}
}

/* --- the schemes --- */

static const struct endpoint proxy = {"proxy.example", 3128};

struct talk {
	struct credential *credential;
	GPtrArray *challenges;
	struct scheme_request request;
	char value[2048];
	const char *text;
};

static void begin_talk(struct talk *talk, const char *user, const char *password)
{
	*talk = (struct talk){.credential =
				      credential_new(CREDENTIAL_SESSION, &proxy, user,
						     password, strlen(password)),
			      .challenges = g_ptr_array_new()};
	talk->request =
		(struct scheme_request){.proxy = &proxy, .challenges = talk->challenges};
}

static void end_talk(struct talk *talk)
{
	credential_unref(talk->credential);
	g_ptr_array_unref(talk->challenges);
}

static void offer(struct talk *talk, const char *challenge)
{
	g_ptr_array_add(talk->challenges, (gpointer)challenge);
	talk->request.challenged = true;
}

static enum scheme_result authorize(struct talk *talk, const struct scheme *scheme)
{
	struct gp_buf out;
	enum scheme_result result;

	gp_buf_init(&out, talk->value, sizeof(talk->value) - 1);
	result = scheme->authorize(talk->credential, &talk->request, &out, &talk->text);
	assert_false(out.full);
	talk->value[out.len] = '\0';
	return result;
}

#define FIRST  "TlRMTVNTUAABAAAAB4IIAAAAAAAgAAAAAAAAACAAAAA="
#define SPNEGO "YIIBIgYGKwYBBQUCoIIBFjCCARKgggEBMIH/oGcwZQYGKwYBBQU="

static const struct scheme *const schemes[] = {&scheme_ntlm, &scheme_negotiate_ntlm};

static char *join(const struct scheme *scheme, const char *token)
{
	return g_strdup_printf("%s %s", scheme->name, token);
}

static void test_handshake(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
		char *first = join(schemes[i], FIRST),
		     *challenge = join(schemes[i], SAMBA_CHALLENGE);
		struct octets last;
		struct talk talk;

		begin_talk(&talk, "PLAB\\alice", "wonderland");
		assert_int_equal(authorize(&talk, schemes[i]), SCHEME_MORE);
		assert_string_equal(talk.value, first);
		/* The proxy told other things first: they change nothing. */
		offer(&talk, "Basic realm=\"r\", Negotiate " SPNEGO ", NTLM, Negotiate");
		assert_int_equal(authorize(&talk, schemes[i]), SCHEME_MORE);
		offer(&talk, challenge);
		talk.request.leg = first;
		assert_int_equal(authorize(&talk, schemes[i]), SCHEME_OK);
		last = from_base64(strchr(talk.value, ' ') + 1);
		assert_int_equal(ntlm_type(text_of(&last)), 3);
		expect_hex(field_of(&last, DOMAIN).p, field_of(&last, DOMAIN).len,
			   "50004c0041004200");
		expect_hex(field_of(&last, USER).p, field_of(&last, USER).len,
			   "61006c00690063006500");
		/* What was agreed: Unicode, and no session security. */
		assert_int_equal(number_at(&last, 60, 4), 0x00088205);
		expect_hex(last.bytes + 64, 8, "0000000000000000");
		end_talk(&talk);
		g_free(first);
		g_free(challenge);
	}
}

/* A leg without the proxy's message, or with that of another scheme: from the start. */
static void test_anew(void **state)
{
	static const char *const offers[] = {"NTLM", "NTLM " FIRST, "NTLM " SPNEGO,
					     "Negotiate " SAMBA_CHALLENGE, "NTLM ="};
	struct talk talk;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(offers); i++) {
		begin_talk(&talk, "alice", "wonderland");
		offer(&talk, offers[i]);
		talk.request.leg = "NTLM " FIRST;
		assert_int_equal(authorize(&talk, &scheme_ntlm), SCHEME_MORE);
		assert_string_equal(talk.value, "NTLM " FIRST);
		end_talk(&talk);
	}
	begin_talk(&talk, "alice", "wonderland");
	offer(&talk, "NTLM " SAMBA_CHALLENGE);
	talk.request.leg = "NTLM " SAMBA_AUTHENTICATE;
	assert_int_equal(authorize(&talk, &scheme_ntlm), SCHEME_MORE);
	talk.request.leg = "NTLM";
	assert_int_equal(authorize(&talk, &scheme_ntlm), SCHEME_MORE);
	end_talk(&talk);
}

static void test_invalid(void **state)
{
	char *long_name = g_strnfill(GP_USER_MAX + 1, 'n');
	const char *const cases[][2] = {
		{"al\xffice", "x"}, {long_name, "x"}, {"alice", "\xc3"}};
	struct octets oem = from_base64(SAMBA_CHALLENGE);
	char *base64, *challenge;
	struct talk talk;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		begin_talk(&talk, cases[i][0], cases[i][1]);
		assert_int_equal(authorize(&talk, &scheme_ntlm), SCHEME_INVALID);
		assert_non_null(talk.text);
		end_talk(&talk);
	}
	/* A server without Unicode gets the names that it can read. */
	oem.bytes[20] = (uint8_t)NTLM_OEM;
	base64 = g_base64_encode(oem.bytes, oem.len);
	challenge = join(&scheme_ntlm, base64);
	for (size_t i = 0; i < 2; i++) {
		begin_talk(&talk, i ? "no\xc3\xab" : "alice", "\xe2\x82\xac");
		offer(&talk, challenge);
		talk.request.leg = "NTLM " FIRST;
		assert_int_equal(authorize(&talk, &scheme_ntlm),
				 i ? SCHEME_INVALID : SCHEME_OK);
		end_talk(&talk);
	}
	g_free(base64);
	g_free(challenge);
	g_free(long_name);
}

static bool can_answer(const struct scheme *scheme, const char *value)
{
	const struct scheme_request any = {.challenged = true};
	struct gp_text rest = gp_text(value);
	struct gp_challenge challenge;

	assert_true(gp_challenge_next(&rest, &challenge));
	return scheme->can_answer(&challenge, &any);
}

static void test_can_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
		assert_true(can_answer(schemes[i], "NTLM"));
		assert_true(can_answer(schemes[i], "NTLM, Basic realm=x"));
		assert_true(can_answer(schemes[i], "NTLM " SAMBA_CHALLENGE));
		assert_false(can_answer(schemes[i], "NTLM " SPNEGO));
		assert_false(can_answer(schemes[i], "NTLM " FIRST));
		assert_false(can_answer(schemes[i], "NTLM TlRMTVNTUAAC"));
		assert_false(can_answer(schemes[i], "NTLM x"));
	}
}

static void test_judgements(void **state)
{
	static const struct {
		const char *value, *offers;
		enum scheme_judgement wanted;
	} cases[] = {
		{"NTLM " FIRST, "NTLM " SAMBA_CHALLENGE, SCHEME_GOES_ON},
		{"NTLM " FIRST, "NTLM", SCHEME_UNFIT},
		{"NTLM " FIRST, "NTLM " SPNEGO, SCHEME_UNFIT},
		{"NTLM " FIRST, "Basic realm=x", SCHEME_UNFIT},
		{"NTLM " FIRST, NULL, SCHEME_UNFIT},
		{"NTLM " SAMBA_AUTHENTICATE, "NTLM", SCHEME_REJECTED},
		{"NTLM " SAMBA_AUTHENTICATE, "Basic realm=x, NTLM", SCHEME_REJECTED},
		{"NTLM " SAMBA_AUTHENTICATE, "NTLM " SAMBA_CHALLENGE, SCHEME_REJECTED},
		{"NTLM " SAMBA_AUTHENTICATE, NULL, SCHEME_REJECTED},
		{"NTLM " SAMBA_AUTHENTICATE, "Basic realm=x", SCHEME_UNFIT},
		{"NTLM " SAMBA_AUTHENTICATE, "Negotiate", SCHEME_UNFIT},
		{"NTLM x", "NTLM", SCHEME_UNFIT},
	};
	struct talk talk;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		begin_talk(&talk, "alice", "wonderland");
		if (cases[i].offers)
			offer(&talk, cases[i].offers);
		expect(scheme_ntlm.judge(&talk.request, cases[i].value) ==
			       cases[i].wanted,
		       "case %zu", i);
		end_talk(&talk);
	}
	begin_talk(&talk, "alice", "wonderland");
	offer(&talk, "NTLM, Negotiate " SAMBA_CHALLENGE);
	assert_int_equal(scheme_negotiate_ntlm.judge(&talk.request, "Negotiate " FIRST),
			 SCHEME_GOES_ON);
	end_talk(&talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_md4),
		cmocka_unit_test(test_specification),
		cmocka_unit_test(test_chromium),
		cmocka_unit_test(test_samba),
		cmocka_unit_test(test_negotiate),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_password),
		cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_anew),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_can_answer),
		cmocka_unit_test(test_judgements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
