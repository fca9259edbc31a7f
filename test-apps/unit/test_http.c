/* SPDX-License-Identifier: MIT */
/* Response heads and body framing of gatepass/http.h (RFC 9112 2.2, 4, 5, 6.3, 9.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gatepass/http.h>

#include "guard.h"

static struct guard guard;

static void responses_begin(void **state)
{
	static const char begin[] = "HTTP/1.";
	static const char *const others[] = {
		"S",
		"SSH-2.0-OpenSSH",
		"http/1.1 200",
		"HTTP/2.0 200",
		"HTTP/0.9",
		"HTTP 200",
		"HTTQ",
		" HTTP/1.1",
		"\r\n",
		"HTTP/1x",
		"220 smtp",
		"<html>",
		"\x16\x03\x01",
		"HTTP/11",
	};

	(void)state;
	for (size_t len = 0; len < sizeof(begin); len++) {
		char *p = guard_copy(&guard, GUARD_TAIL, begin, len);

		expect(gp_http_response_begins(p, len), "%zu bytes", len);
		for (size_t i = 0; i < len; i++) {
			p[i] ^= 0x20;
			expect(!gp_http_response_begins(p, len), "%zu of %zu bytes", i,
			       len);
			p[i] = '\0';
			expect(!gp_http_response_begins(p, len), "NUL at %zu of %zu", i,
			       len);
			p[i] = begin[i];
		}
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		size_t len = strlen(others[i]);
		char *p = guard_copy(&guard, GUARD_TAIL, others[i], len);

		expect(!gp_http_response_begins(p, len), "%s", others[i]);
	}
	assert_true(gp_http_response_begins("HTTP/1.1 200 OK\r\n", 17));
	assert_true(gp_http_response_begins("HTTP/1.0", 8));
}

/* `head` in the sense of the table: `len` bytes of it, followed by something else. */
static void check_length(const char *bytes, size_t total, size_t len)
{
	for (size_t shown = 0; shown <= total; shown++) {
		char *p = guard_copy(&guard, GUARD_TAIL, bytes, shown);
		size_t expected = shown < len ? 0 : len;

		for (size_t seen = 0; seen <= shown && (len == 0 || seen < len); seen++)
			expect(gp_http_head_length(p, shown, seen) == expected,
			       "\"%s\": %zu of %zu shown, %zu seen: not %zu", bytes,
			       shown, total, seen, expected);
	}
}

static void head_length(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\n\r\n", 19},
		{"HTTP/1.1 200 OK\r\n\r\nSSH-2.0-x\r\n\r\n", 19},
		{"HTTP/1.1 200 OK\n\nSSH-2.0-x\n\n", 17},
		{"HTTP/1.1 200 OK\r\n\nSSH-2.0-x", 18},
		{"HTTP/1.1 200 OK\n\r\nSSH-2.0-x", 18},
		{"HTTP/1.1 200 OK\r\nA: b\r\n\r\n\r\n", 25},
		{"HTTP/1.1 200 OK\nA: b\n\n\n", 22},
		{"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", 29},
		{"HTTP/1.1 200 OK\r\nA: b\r\n \r\n\r\n", 28},
		{"HTTP/1.1 200 OK\r\nA:\r\n\r\n", 23},
		{"HTTP/1.1 200 OK\r\nA: b\r\n", 0},
		{"HTTP/1.1 200 OK\r\r", 0},
		{"HTTP/1.1 200 OK\n\r", 0},
		{"HTTP/1.1 200 OK\n \n", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_length(cases[i].bytes, strlen(cases[i].bytes), cases[i].len);
}

/* Parses a copy in guarded memory, where the slices of `head` point to. */
static enum gp_err parse(const char *bytes, size_t len, enum guard_place place,
			 struct gp_http_head *head)
{
	return gp_http_head_parse(guard_copy(&guard, place, bytes, len), len, head);
}

static void status_lines(void **state)
{
	static const struct {
		const char *bytes;
		int minor, status;
		const char *reason;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\n\r\n", 1, 200, "OK"},
		{"HTTP/1.0 407 Proxy Authentication Required\r\n\r\n", 0, 407,
		 "Proxy Authentication Required"},
		{"HTTP/1.0 200 Connection established\n\n", 0, 200,
		 "Connection established"},
		{"HTTP/1.1 204 \r\n\r\n", 1, 204, ""},
		{"HTTP/1.1 407\r\n\r\n", 1, 407, ""},
		{"HTTP/1.1 407\n\n", 1, 407, ""},
		{"HTTP/1.1 100 Continue\r\n\r\n", 1, 100, "Continue"},
		{"HTTP/1.1 299 x\r\n\r\n", 1, 299, "x"},
		{"HTTP/1.1 503 Acc\xE8s: refus\xE9\r\n\r\n", 1, 503,
		 "Acc\xE8s: refus\xE9"},
		{"HTTP/1.9 200 OK\r\n\r\n", 9, 200, "OK"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			struct gp_http_head head;
			struct gp_http_field field;
			size_t len = strlen(cases[i].bytes);

			expect(parse(cases[i].bytes, len, place, &head) == GP_OK,
			       "case %zu", i);
			expect(head.minor == cases[i].minor, "case %zu: %d", i,
			       head.minor);
			expect(head.status == cases[i].status, "case %zu: %d", i,
			       head.status);
			head.reason = gp_text_trim(head.reason);
			expect(head.reason.len == strlen(cases[i].reason),
			       "case %zu: reason", i);
			assert_memory_equal(head.reason.p ? head.reason.p : "",
					    cases[i].reason, head.reason.len);
			assert_false(gp_http_field_next(&head.fields, &field));
		}
}

static void bad_heads(void **state)
{
#define BAD(text)                                                                        \
	{                                                                                \
		text, sizeof(text) - 1                                                   \
	}
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		BAD("HTTP/2.0 200 OK\r\n\r\n"),
		BAD("HTTP/0.9 200 OK\r\n\r\n"),
		BAD("http/1.1 200 OK\r\n\r\n"),
		BAD("HTTP/1 200 OK\r\n\r\n"),
		BAD("HTTP/1. 200 OK\r\n\r\n"),
		BAD("HTTP/1.x 200 OK\r\n\r\n"),
		BAD("HTTP/1.10 200 OK\r\n\r\n"),
		BAD("HTTP/1.1200 OK\r\n\r\n"),
		BAD("HTTP/1.1 20 OK\r\n\r\n"),
		BAD("HTTP/1.1 2000 OK\r\n\r\n"),
		BAD("HTTP/1.1 20x OK\r\n\r\n"),
		BAD("HTTP/1.1 -20 OK\r\n\r\n"),
		BAD("HTTP/1.1 +20 OK\r\n\r\n"),
		BAD("HTTP/1.1 099 x\r\n\r\n"),
		BAD("HTTP/1.1 OK\r\n\r\n"),
		BAD("HTTP/1.1\r\n\r\n"),
		BAD("HTTP/1.1 \r\n\r\n"),
		BAD("ICY 200 OK\r\n\r\n"),
		BAD("\r\n\r\n"),
		BAD("HTTP/1.1 200 O\0K\r\n\r\n"),
		BAD("HTTP/1.1 200 OK\r\nA: \0\r\n\r\n"),
		BAD("HTTP/1.1 200 OK\r\nA\0: b\r\n\r\n"),
		BAD("HTTP/1.1 200OK\r\n\r\n"),
		BAD("HTTP/1.1 200 OK\r\n\0: b\r\n\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			struct gp_http_head head;

			expect(parse(cases[i].bytes, cases[i].len, place, &head) ==
				       GP_ERR_HTTP_SYNTAX,
			       "case %zu: %s", i, cases[i].bytes);
		}
}

/* Field lines as "name=value;", runs of blanks as one: an obsolete fold is "one or more
 * SP" (RFC 9112 5.2). */
static void show_fields(struct gp_text fields, char *out)
{
	struct gp_http_field field;

	while (gp_http_field_next(&fields, &field)) {
		memcpy(out, field.name.p, field.name.len);
		out += field.name.len;
		*out++ = '=';
		for (size_t i = 0; i < field.value.len; i++) {
			char c = field.value.p[i] == '\t' ? ' ' : field.value.p[i];

			if (c != ' ' || out[-1] != ' ')
				*out++ = c;
		}
		*out++ = ';';
	}
	*out = '\0';
}

static void field_lines(void **state)
{
	static const char *const cases[][2] = {
		{"A: b\r\n", "A=b;"},
		{"A:b\r\nC:d\r\n", "A=b;C=d;"},
		{"A: b\nC: d\n", "A=b;C=d;"},
		{"A: b\r\nC: d\nE: f\r\n", "A=b;C=d;E=f;"},
		{"A:\t b \t\r\n", "A=b;"},
		{"A:\r\n", "A=;"},
		{"A: \t \r\nB: c\r\n", "A=;B=c;"},
		{"A : b\r\n", "A=b;"},
		{"A\t : b\r\n", "A=b;"},
		{"A: b:c\r\n", "A=b:c;"},
		{"proxy-AUTHENTICATE: Basic realm=\"x: y\"\r\n",
		 "proxy-AUTHENTICATE=Basic realm=\"x: y\";"},
		{"A: b\r\n c\r\n", "A=b c;"},
		{"A: b\r\n\tc\r\nD: e\r\n", "A=b c;D=e;"},
		{"A: b\r\n  c \r\n\t d\r\n", "A=b c d;"},
		{"A: b\n c\nD: e\n", "A=b c;D=e;"},
		{"A:\r\n b\r\n", "A=b;"},
		{"A: b\r\n \r\nC: d\r\n", "A=b;C=d;"},
		{"A: b\r\n C: d\r\n", "A=b C: d;"},
		/* a CR that ends no line is a space (RFC 9112 2.2) */
		{"A: b\rC: d\r\n", "A=b C: d;"},
		{"A: b\r\r\nC: d\r\n", "A=b;C=d;"},
		{"A: b\n\r C: d\r\n", "A=b C: d;"},
		{"A: b\n\r\r\nC: d\r\n", "A=b;C=d;"},
		{"no colon here\r\nA: b\r\n", "A=b;"},
		{": b\r\nC: d\r\n", "C=d;"},
		{"A: b\r\nno colon here\r\n", "A=b;"},
		{"A: b\r\njunk\r\nC: d\r\n", "A=b;C=d;"},
		{"A: caf\xE9\r\n", "A=caf\xE9;"},
		{"A: 1\r\nA: 2\r\na: 3\r\n", "A=1;A=2;a=3;"},
	};
	char bytes[512], shown[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			struct gp_http_head head;
			int len = snprintf(bytes, sizeof(bytes),
					   "HTTP/1.1 407 x\r\n%s\r\n", cases[i][0]);

			expect(parse(bytes, (size_t)len, place, &head) == GP_OK,
			       "case %zu", i);
			show_fields(head.fields, shown);
			expect(strcmp(shown, cases[i][1]) == 0, "case %zu: %s", i, shown);
		}
}

static void long_heads(void **state)
{
	static char bytes[64 * 1024];
	struct gp_http_head head;
	struct gp_http_field field;
	size_t len = sizeof(bytes);

	(void)state;
	memset(bytes, 'v', len);
	memcpy(bytes, "HTTP/1.1 407 x\r\nA: ", 19);
	memcpy(bytes + len - 4, "\r\n\r\n", 4);
	assert_int_equal(gp_http_head_length(bytes, len, 0), len);
	assert_int_equal(gp_http_head_length(bytes, len, len - 1), len);
	assert_int_equal(parse(bytes, len, GUARD_TAIL, &head), GP_OK);
	assert_true(gp_http_field_next(&head.fields, &field));
	assert_int_equal(field.value.len, len - 19 - 4);
	assert_false(gp_http_field_next(&head.fields, &field));
}

enum kept { CLOSES, KEPT };

struct framing_case {
	const char *status, *fields;
	enum gp_http_body body;
	uint64_t length;
	enum kept kept;
};

static void check_framing(const struct framing_case *cases, size_t count)
{
	char bytes[512];

	for (size_t i = 0; i < count; i++) {
		struct gp_http_head head;
		struct gp_http_framing framing = {0};
		int len = snprintf(bytes, sizeof(bytes), "HTTP/%s x\r\n%s\r\n",
				   cases[i].status, cases[i].fields);

		assert_int_equal(parse(bytes, (size_t)len, GUARD_TAIL, &head), GP_OK);
		expect(gp_http_framing(&head, &framing) == GP_OK, "%s", bytes);
		expect(framing.body == cases[i].body, "%sbody %d", bytes, framing.body);
		expect(framing.body != GP_BODY_LENGTH ||
			       framing.length == cases[i].length,
		       "%slength %llu", bytes, (unsigned long long)framing.length);
		expect(framing.keep_alive == (cases[i].kept == KEPT), "%skept %d", bytes,
		       framing.keep_alive);
	}
}

#define FRAMING(cases) check_framing(cases, sizeof(cases) / sizeof(*(cases)))

static void body_framing(void **state)
{
	static const struct framing_case cases[] = {
		/* RFC 9112 6.3, 1: no body, whatever the fields say */
		{"1.1 204", "Content-Length: 5\r\n", GP_BODY_NONE, 0, KEPT},
		{"1.1 304", "Content-Length: 5\r\n", GP_BODY_NONE, 0, KEPT},
		{"1.1 304", "Transfer-Encoding: chunked\r\n", GP_BODY_NONE, 0, KEPT},
		{"1.1 100", "", GP_BODY_NONE, 0, KEPT},
		{"1.1 199", "Content-Length: 5\r\n", GP_BODY_NONE, 0, KEPT},
		/* 4: transfer codings */
		{"1.1 407", "Transfer-Encoding: chunked\r\n", GP_BODY_CHUNKED, 0, KEPT},
		{"1.1 407", "transfer-encoding:CHUNKED\r\n", GP_BODY_CHUNKED, 0, KEPT},
		{"1.1 407", "Transfer-Encoding: gzip, chunked\r\n", GP_BODY_CHUNKED, 0,
		 KEPT},
		{"1.1 407", "Transfer-Encoding: gzip ,, chunked ,\r\n", GP_BODY_CHUNKED,
		 0, KEPT},
		{"1.1 407", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
		 GP_BODY_CHUNKED, 0, KEPT},
		{"1.1 407", "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n",
		 GP_BODY_CLOSE, 0, CLOSES},
		{"1.1 407", "Transfer-Encoding: chunked, gzip\r\n", GP_BODY_CLOSE, 0,
		 CLOSES},
		{"1.1 407", "Transfer-Encoding: gzip\r\n", GP_BODY_CLOSE, 0, CLOSES},
		{"1.1 407", "Transfer-Encoding: xchunked\r\n", GP_BODY_CLOSE, 0, CLOSES},
		{"1.1 407", "Transfer-Encoding: chunkedx\r\n", GP_BODY_CLOSE, 0, CLOSES},
		/* 3: both; the transfer coding wins, the connection is not to be trusted
		 */
		{"1.1 407", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
		 GP_BODY_CHUNKED, 0, CLOSES},
		{"1.1 407", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
		 GP_BODY_CHUNKED, 0, CLOSES},
		{"1.1 407", "Content-Length: x\r\nTransfer-Encoding: chunked\r\n",
		 GP_BODY_CHUNKED, 0, CLOSES},
		{"1.1 407", "Content-Length: 5\r\nTransfer-Encoding: gzip\r\n",
		 GP_BODY_CLOSE, 0, CLOSES},
		/* 5, 6: Content-Length */
		{"1.1 407", "Content-Length: 0\r\n", GP_BODY_LENGTH, 0, KEPT},
		{"1.1 407", "Content-Length:   17  \r\n", GP_BODY_LENGTH, 17, KEPT},
		{"1.1 407", "content-LENGTH: 5\r\n", GP_BODY_LENGTH, 5, KEPT},
		{"1.1 407", "Content-Length: 5, 5\r\n", GP_BODY_LENGTH, 5, KEPT},
		{"1.1 407", "Content-Length: 5\r\nContent-Length: 5\r\n", GP_BODY_LENGTH,
		 5, KEPT},
		{"1.1 407", "Content-Length: 4294967296\r\n", GP_BODY_LENGTH, 4294967296,
		 KEPT},
		/* 7: until the connection closes, which a field cannot promise away */
		{"1.1 407", "", GP_BODY_CLOSE, 0, CLOSES},
		{"1.1 407", "Connection: keep-alive\r\n", GP_BODY_CLOSE, 0, CLOSES},
		{"1.0 407", "Proxy-Connection: keep-alive\r\n", GP_BODY_CLOSE, 0, CLOSES},
		{"1.1 407", "X-Content-Length: 5\r\n", GP_BODY_CLOSE, 0, CLOSES},
	};

	(void)state;
	FRAMING(cases);
}

static void persistence(void **state)
{
#define FIVE "Content-Length: 5\r\n"
	static const struct framing_case cases[] = {
		{"1.1 407", FIVE, GP_BODY_LENGTH, 5, KEPT},
		{"1.1 407", FIVE "Connection: close\r\n", GP_BODY_LENGTH, 5, CLOSES},
		{"1.1 407", FIVE "connection: CLOSE\r\n", GP_BODY_LENGTH, 5, CLOSES},
		{"1.1 407", FIVE "Proxy-Connection: close\r\n", GP_BODY_LENGTH, 5,
		 CLOSES},
		{"1.1 407", FIVE "Connection: foo , close\r\n", GP_BODY_LENGTH, 5,
		 CLOSES},
		{"1.1 407", FIVE "Connection: foo\r\nConnection: close\r\n",
		 GP_BODY_LENGTH, 5, CLOSES},
		{"1.1 407", FIVE "Connection: keep-alive, close\r\n", GP_BODY_LENGTH, 5,
		 CLOSES},
		{"1.1 407", FIVE "Connection: closed\r\n", GP_BODY_LENGTH, 5, KEPT},
		{"1.1 407", FIVE "Connection: x-close\r\n", GP_BODY_LENGTH, 5, KEPT},
		{"1.1 407", FIVE "Connection: Keep-Alive\r\n", GP_BODY_LENGTH, 5, KEPT},
		{"1.1 204", "Connection: close\r\n", GP_BODY_NONE, 0, CLOSES},
		{"1.0 407", FIVE, GP_BODY_LENGTH, 5, CLOSES},
		{"1.0 407", FIVE "Connection: keep-alive\r\n", GP_BODY_LENGTH, 5, KEPT},
		{"1.0 407", FIVE "Connection: foo,Keep-Alive\r\n", GP_BODY_LENGTH, 5,
		 KEPT},
		{"1.0 407", FIVE "Proxy-Connection: Keep-Alive\r\n", GP_BODY_LENGTH, 5,
		 KEPT},
		{"1.0 407", FIVE "Connection: close\r\nProxy-Connection: keep-alive\r\n",
		 GP_BODY_LENGTH, 5, CLOSES},
		{"1.0 407", FIVE "Keep-Alive: timeout=5\r\n", GP_BODY_LENGTH, 5, CLOSES},
		{"1.1 407", "Transfer-Encoding: chunked\r\nConnection: close\r\n",
		 GP_BODY_CHUNKED, 0, CLOSES},
		/* whose next request would go past it */
		{"1.1 200", FIVE "Via: 1.1 host (tinyproxy/1.11.1)\r\n", GP_BODY_LENGTH,
		 5, CLOSES},
		{"1.1 200", FIVE "Via: 1.1 a\r\nvia: 1.1 b, 1.0 c (tinyproxy/1.8),\r\n",
		 GP_BODY_LENGTH, 5, CLOSES},
		{"1.1 200",
		 FIVE "Via: 1.1 host (tinyproxy/1.11.1), 1.1 squid (squid/5.7)\r\n",
		 GP_BODY_LENGTH, 5, KEPT},
		{"1.1 200", FIVE "Via: 1.1 tinyproxy\r\nX: (tinyproxy/1)\r\n",
		 GP_BODY_LENGTH, 5, KEPT},
		{"1.1 200", FIVE "Via: ,\r\n", GP_BODY_LENGTH, 5, KEPT},
	};

	(void)state;
	FRAMING(cases);
}

/* A transfer coding in an HTTP/1.0 message is faulty framing (RFC 9112 6.1). */
static void transfer_coding_in_http_1_0_is_not_kept(void **state)
{
	static const char bytes[] = "HTTP/1.0 407 x\r\nTransfer-Encoding: chunked\r\n"
				    "Connection: keep-alive\r\n\r\n";
	struct gp_http_head head;
	struct gp_http_framing framing;

	(void)state;
	assert_int_equal(parse(bytes, sizeof(bytes) - 1, GUARD_TAIL, &head), GP_OK);
	assert_int_equal(gp_http_framing(&head, &framing), GP_OK);
	assert_false(framing.keep_alive);
}

static void bad_framing(void **state)
{
	static const char *const cases[] = {
		"Content-Length: 5, 6\r\n",
		"Content-Length: 5\r\nContent-Length: 6\r\n",
		"Content-Length: 5\r\nA: b\r\nContent-Length: 50\r\n",
		"Content-Length: -5\r\n",
		"Content-Length: +5\r\n",
		"Content-Length: 5x\r\n",
		"Content-Length: 0x5\r\n",
		"Content-Length: 5 5\r\n",
		"Content-Length: five\r\n",
		"Content-Length: 5.0\r\n",
		"Content-Length: 99999999999999999999999\r\n",
		"Content-Length: 5\r\nContent-Length: x\r\n",
	};
	char bytes[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct gp_http_head head;
		struct gp_http_framing framing;
		int len = snprintf(bytes, sizeof(bytes), "HTTP/1.1 407 x\r\n%s\r\n",
				   cases[i]);

		assert_int_equal(parse(bytes, (size_t)len, GUARD_TAIL, &head), GP_OK);
		expect(gp_http_framing(&head, &framing) == GP_ERR_HTTP_FRAMING, "%s",
		       cases[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(responses_begin),
		cmocka_unit_test(head_length),
		cmocka_unit_test(status_lines),
		cmocka_unit_test(bad_heads),
		cmocka_unit_test(field_lines),
		cmocka_unit_test(long_heads),
		cmocka_unit_test(body_framing),
		cmocka_unit_test(persistence),
		cmocka_unit_test(transfer_coding_in_http_1_0_is_not_kept),
		cmocka_unit_test(bad_framing),
	};

	guard_init(&guard, 64 * 1024);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	guard_release(&guard);
	return failed;
}
