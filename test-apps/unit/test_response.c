/* SPDX-License-Identifier: MIT */
/* Where responses end for gatepass/response.h (RFC 9112 6.3, 9.3; RFC 9110 15.2): each is
 * fed whole, byte by byte, at every split point, and as each of its prefixes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gatepass/response.h>

#include "guard.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static struct guard guard;
static struct gp_response response;

/* Feeds bytes[0..len) in pieces of `piece` bytes, the first of `first`, until it is over.
 * Returns the last answer, but for one "bad", which is said once. */
static enum gp_scan feed(const char *bytes, size_t len, size_t first, size_t piece,
			 bool bodiless, size_t *taken)
{
	enum gp_scan scan = GP_SCAN_MORE;
	size_t next = first;
	bool bad = false;

	gp_response_begin(&response, bodiless);
	*taken = 0;
	while (scan != GP_SCAN_DONE && *taken < len) {
		size_t used = SIZE_MAX, count = len - *taken < next ? len - *taken : next;
		char *p = guard_copy(&guard, GUARD_TAIL, bytes + *taken, count);

		scan = gp_response_feed(&response, p, count, &used);
		expect(used <= count, "%zu of %zu bytes used", used, count);
		expect(scan == GP_SCAN_DONE || used == count, "more, but %zu of %zu used",
		       used, count);
		expect(!bad || scan == GP_SCAN_MORE, "bad, then %d", scan);
		bad |= scan == GP_SCAN_BAD;
		*taken += used;
		next = piece;
	}
	expect(scan == GP_SCAN_DONE || !gp_response_keeps(&response),
	       "kept before it is over");
	return bad ? GP_SCAN_BAD : scan;
}

/* What an endless response, or one of `end` bytes, answers when `len` bytes of it came.
 */
static void expect_fed(const char *bytes, size_t len, size_t first, size_t piece,
		       bool bodiless, size_t end)
{
	enum gp_scan expected = len < end ? GP_SCAN_MORE : GP_SCAN_DONE;
	size_t taken, until = len < end ? len : end;

	expect(feed(bytes, len, first, piece, bodiless, &taken) == expected,
	       "%s\n%zu bytes, first %zu, pieces of %zu", bytes, len, first, piece);
	expect(taken == until, "%s\n%zu bytes, first %zu, pieces of %zu: %zu taken",
	       bytes, len, first, piece, taken);
}

enum kept { CLOSES, KEPT };

/* It ends at the '|', or with the connection if there is none. */
static void check(const char *text, bool bodiless, enum kept kept)
{
	static char bytes[4096];
	const char *bar = strchr(text, '|');
	size_t end = bar ? (size_t)(bar - text) : SIZE_MAX, len = strlen(text);
	size_t used;

	assert_true(len < sizeof(bytes));
	strcpy(bytes, text);
	if (bar) {
		strcpy(bytes + end, bar + 1);
		len--;
	}
	for (size_t shown = 0; shown <= len; shown++) {
		expect_fed(bytes, shown, len, len, bodiless, end);
		expect_fed(bytes, shown, 1, 1, bodiless, end);
	}
	for (size_t split = 1; split < len; split++)
		expect_fed(bytes, len, split, len, bodiless, end);
	expect(gp_response_keeps(&response) == (kept == KEPT), "%s\nkept?", text);
	if (!bar)
		return;
	expect(gp_response_feed(&response, "x", 1, &used) == GP_SCAN_DONE && !used,
	       "%s\ngoes on", text);
}

#define OK "HTTP/1.1 200 OK\r\n"

static void bodies(void **state)
{
	static const struct {
		const char *text;
		enum kept kept;
	} cases[] = {
		{OK "Content-Length: 0\r\n\r\n|", KEPT},
		{OK "Content-Length: 5\r\n\r\nhello|HTTP/1.1 200 OK\r\n\r\n", KEPT},
		{OK "Content-Length: 5, 5\r\n\r\n\r\n\r\n\n|x", KEPT},
		{"HTTP/1.1 407 x\nContent-Length: 5\n\nhello|\n", KEPT},
		{OK "Content-Length: 5\r\nConnection: close\r\n\r\nhello|x", CLOSES},
		{"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello|", CLOSES},
		{"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"
		 "hello|x",
		 KEPT},
		{OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n|x", KEPT},
		{OK "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n6\r\n\r\n\r\n0\n"
		    "\r\n0\r\nA: b\r\n\r\n|0\r\n\r\n",
		 KEPT},
		{OK "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
		    "5\r\nhello\r\n0\r\n\r\n|x",
		 CLOSES},
		{"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n|hello", KEPT},
		{"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n|hello", KEPT},
		{"HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
		 "\r\n|x",
		 CLOSES},
		/* with the connection */
		{OK "\r\nhello\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", CLOSES},
		{OK "Connection: keep-alive\r\n\r\n", CLOSES},
		{OK "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n", CLOSES},
		{"HTTP/1.0 200 OK\n\n\n\n", CLOSES},
		/* not there yet */
		{OK "Content-Length: 18446744073709551615\r\n\r\nhello", CLOSES},
		{OK "Content-Length: 5\r\n\r\nhell", CLOSES},
		{OK "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFF\r\nhello", CLOSES},
		{OK "Content-Length: 5\r\n \r\n", CLOSES},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check(cases[i].text, false, cases[i].kept);
}

static void interim_responses_are_part_of_it(void **state)
{
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
	static const struct {
		const char *text;
		enum kept kept;
	} cases[] = {
		{CONTINUE OK "Content-Length: 5\r\n\r\nhello|x", KEPT},
		{CONTINUE "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n"
			  "Connection: close\r\n\r\nHTTP/1.0 199\n\n" CONTINUE OK
			  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n|" CONTINUE,
		 KEPT},
		{CONTINUE "HTTP/1.1 204 x\r\n\r\n|" CONTINUE, KEPT},
		{CONTINUE, CLOSES},
		/* but what follows this one is of another protocol */
		{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		 "Connection: Upgrade\r\nContent-Length: 5\r\n\r\n|\x81\x05hello",
		 CLOSES},
		{CONTINUE "HTTP/1.1 101 x\r\n\r\n|HTTP/1.1 200 OK\r\n\r\n", CLOSES},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check(cases[i].text, false, cases[i].kept);
}

/* RFC 9110 9.3.2: the fields speak of a body that does not come. */
static void responses_to_head(void **state)
{
	static const struct {
		const char *text;
		enum kept kept;
	} cases[] = {
		{OK "\r\n|x", KEPT},
		{OK "Content-Length: 5\r\n\r\n|HTTP/1.1 200 OK\r\n\r\n", KEPT},
		{OK "Content-Length: 5\r\nConnection: close\r\n\r\n|hello", CLOSES},
		{OK "Content-Length: 5\r\nContent-Length: x\r\n\r\n|", KEPT},
		{OK "Transfer-Encoding: chunked\r\n\r\n|", KEPT},
		{OK "Transfer-Encoding: gzip\r\n\r\n|", KEPT},
		{"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n|", CLOSES},
		{"HTTP/1.1 407 x\r\nProxy-Connection: close\r\n\r\n|", CLOSES},
		{CONTINUE "HTTP/1.1 407 x\r\nContent-Length: 5\r\n\r\n|x", KEPT},
		{"HTTP/1.1 101 x\r\n\r\n|x", CLOSES},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check(cases[i].text, true, cases[i].kept);
}

/* Everything is taken, and said to be bad once, however it comes in pieces. */
static void check_bad(const char *bytes, size_t len)
{
	size_t taken;

	for (size_t first = 1; first <= len; first++) {
		expect(feed(bytes, len, first, len, false, &taken) == GP_SCAN_BAD,
		       "%.80s\nfirst %zu", bytes, first);
		expect(taken == len, "%.80s\nfirst %zu: %zu taken", bytes, first, taken);
	}
	expect(feed(bytes, len, 1, 1, false, &taken) == GP_SCAN_BAD, "%.80s\nin bytes",
	       bytes);
	expect(taken == len, "%.80s\nin bytes: %zu taken", bytes, taken);
}

static void others(void **state)
{
	static const char *const cases[] = {
		"S",
		"SSH-2.0-OpenSSH_9.2p1\r\n",
		"HTTP/2 200\r\n\r\n",
		"HTTP/0.9 200 OK\r\n\r\n",
		"ICY 200 OK\r\n\r\n",
		"<html></html>",
		"\r\nHTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 20 OK\r\n\r\nhello",
		"HTTP/1.x 200 OK\r\n\r\n",
		CONTINUE "SSH-2.0",
		CONTINUE "HTTP/1.1 x\r\n\r\n" OK "Content-Length: 0\r\n\r\n",
		OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
		OK "Content-Length: x\r\n\r\n" OK "\r\n",
		OK "Transfer-Encoding: chunked\r\n\r\nhello" OK "\r\n",
		OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
	};
	static const char nul[] = OK "A: \0\r\n\r\nhello";

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_bad(cases[i], strlen(cases[i]));
	check_bad(nul, sizeof(nul) - 1);
}

/* A final head of `len` bytes, after an interim one. */
static size_t make_head(char *out, size_t len)
{
	char *p = stpcpy(out, CONTINUE "HTTP/1.1 204 x\r\nA: ");
	size_t total = strlen(CONTINUE) + len;

	memset(p, 'v', total - (size_t)(p - out));
	memcpy(out + total - 4, "\r\n\r\n", 4);
	return total;
}

static void long_heads(void **state)
{
	static char bytes[GP_HEAD_MAX + 1024];
	static const size_t pieces[] = {1, 1000, sizeof(bytes)};

	(void)state;
	for (size_t i = 0; i < COUNT(pieces); i++) {
		size_t taken, len = make_head(bytes, GP_HEAD_MAX);

		expect(feed(bytes, len, pieces[i], pieces[i], false, &taken) ==
			       GP_SCAN_DONE,
		       "pieces of %zu", pieces[i]);
		expect(taken == len, "pieces of %zu", pieces[i]);
		expect(gp_response_keeps(&response), "pieces of %zu", pieces[i]);
		len = make_head(bytes, GP_HEAD_MAX + 1);
		expect(feed(bytes, len, pieces[i], pieces[i], false, &taken) ==
			       GP_SCAN_BAD,
		       "pieces of %zu", pieces[i]);
		expect(taken == len, "pieces of %zu", pieces[i]);
	}
}

/* A proxy that works for hours says so every few seconds. */
static void many_interim_responses(void **state)
{
	size_t used;

	(void)state;
	gp_response_begin(&response, false);
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(
			gp_response_feed(&response, CONTINUE, strlen(CONTINUE), &used),
			GP_SCAN_MORE);
		assert_int_equal(used, strlen(CONTINUE));
	}
	assert_int_equal(
		gp_response_feed(&response, OK "Content-Length: 1\r\n\r\nx", 39, &used),
		GP_SCAN_DONE);
	assert_int_equal(used, 39);
}

static void one_after_the_other(void **state)
{
	static const char bytes[] = OK "Content-Length: 5\r\n\r\nhello" OK
				       "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
				       "HTTP/1.1 204 x\r\n\r\n";
	size_t used, at = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		gp_response_begin(&response, false);
		assert_false(gp_response_keeps(&response));
		assert_int_equal(gp_response_feed(&response, bytes + at,
						  sizeof(bytes) - 1 - at, &used),
				 GP_SCAN_DONE);
		assert_true(gp_response_keeps(&response));
		at += used;
	}
	assert_int_equal(at, sizeof(bytes) - 1);
}

/* Another one may begin in the middle of what went wrong before. */
static void begins_anew(void **state)
{
	static const char *const before[] = {
		"x", "HTTP/1.1 2", OK "\r\nx", OK "Content-Length: 5\r\n\r\nx",
		OK "Transfer-Encoding: chunked\r\n\r\n5\r\nx"};
	size_t used;

	(void)state;
	for (size_t i = 0; i < COUNT(before); i++) {
		gp_response_begin(&response, true);
		assert_int_not_equal(
			gp_response_feed(&response, before[i], strlen(before[i]), &used),
			SIZE_MAX);
		gp_response_begin(&response, false);
		expect(gp_response_feed(&response,
					OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
					52, &used) == GP_SCAN_DONE &&
			       used == 52,
		       "after %s", before[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies),
		cmocka_unit_test(interim_responses_are_part_of_it),
		cmocka_unit_test(responses_to_head),
		cmocka_unit_test(others),
		cmocka_unit_test(long_heads),
		cmocka_unit_test(many_interim_responses),
		cmocka_unit_test(one_after_the_other),
		cmocka_unit_test(begins_anew),
	};

	guard_init(&guard, GP_HEAD_MAX + 1024);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	guard_release(&guard);
	return failed;
}
