/* SPDX-License-Identifier: MIT */
/* The chunked transfer coding of gatepass/http.h (RFC 9112 7.1): every body is fed whole,
 * byte by byte, at every split point, and as each of its prefixes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gatepass/http.h>

#include "guard.h"

#define LONGEST_LINE (16 * 1024)

static struct guard guard;

/* Feeds one piece from guarded memory. */
static enum gp_scan feed(struct gp_chunked *chunked, const char *bytes, size_t len,
			 size_t *used)
{
	*used = SIZE_MAX;
	return gp_chunked_feed(chunked, guard_copy(&guard, GUARD_TAIL, bytes, len), len,
			       used);
}

/* Feeds bytes[0..len) in pieces of `piece` bytes, the first of `first`. Returns the last
 * answer and how many bytes were taken in all; feeding goes on only while more is wanted.
 */
static enum gp_scan feed_pieces(const char *bytes, size_t len, size_t first, size_t piece,
				size_t *taken)
{
	struct gp_chunked chunked = {0};
	enum gp_scan scan = GP_SCAN_MORE;
	size_t next = first;

	*taken = 0;
	while (scan == GP_SCAN_MORE && *taken < len) {
		size_t used, count = len - *taken < next ? len - *taken : next;

		scan = feed(&chunked, bytes + *taken, count, &used);
		if (scan == GP_SCAN_BAD)
			break;
		expect(used <= count, "%zu of %zu bytes used", used, count);
		expect(scan == GP_SCAN_DONE || used == count,
		       "more wanted, but not taken");
		*taken += used;
		next = piece;
	}
	return scan;
}

static void check_body(const char *bytes, size_t total, size_t body)
{
	size_t taken;

	for (size_t len = 0; len <= total; len++) {
		enum gp_scan expected = len < body ? GP_SCAN_MORE : GP_SCAN_DONE;
		size_t until = len < body ? len : body;

		expect(feed_pieces(bytes, len, len, len, &taken) == expected || len == 0,
		       "\"%s\": first %zu", bytes, len);
		expect(taken == until, "\"%s\": first %zu, %zu taken", bytes, len, taken);
		expect(feed_pieces(bytes, len, 1, 1, &taken) == expected,
		       "\"%s\": bytes of %zu", bytes, len);
		expect(taken == until, "\"%s\": bytes of %zu, %zu taken", bytes, len,
		       taken);
	}
	for (size_t split = 1; split < total; split++) {
		expect(feed_pieces(bytes, total, split, total, &taken) == GP_SCAN_DONE,
		       "\"%s\": split at %zu", bytes, split);
		expect(taken == body, "\"%s\": split at %zu, %zu taken", bytes, split,
		       taken);
	}
}

/* What follows the '|' comes after the body. */
static void bodies(void **state)
{
	static const char *const cases[] = {
		"0\r\n\r\n|",
		"0\r\n\r\n|HTTP/1.1 200 OK\r\n\r\n",
		"5\r\nhello\r\n0\r\n\r\n|0\r\n\r\n",
		"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n|x",
		"5\nhello\n0\n\n|\n",
		"5\r\nhello\n0\r\n\n|\r\n",
		"5\nhello\r\n0\n\r\n|\r\n",
		"a\r\n0123456789\r\n0\r\n\r\n|",
		"A\r\n0123456789\r\n0\r\n\r\n|",
		"19\r\n0\r\n\r\n1\r\nx\r\n0\r\n\r\n\r\n\r\n01234\r\n0\r\n\r\n|x",
		"00005\r\nhello\r\n000\r\n\r\n|x",
		"000000000000005\r\nhello\r\n000000000000000\r\n\r\n|x",
		"5;ext\r\nhello\r\n0;last\r\n\r\n|x",
		"5;a=b;c=\"d;e\"\r\nhello\r\n0\r\n\r\n|x",
		"5 ; a = b\r\nhello\r\n0\r\n\r\n|x",
		"5;a=\"\\\"0\"\r\nhello\r\n0\r\n\r\n|x",
		"5;\r\nhello\r\n0\r\n\r\n|x",
		"0\r\nA: b\r\n\r\n|x",
		"0\r\nA: b\r\nC: d\r\n\r\n|x",
		"0\nA: b\nC: d\n\n|x",
		"0\r\nProxy-Authentication-Info: nextnonce=\"x\"\r\n\r\n|HTTP/1.1",
		"0;x=y\r\nA: b\r\n c\r\n\r\n|x",
	};
	char bytes[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *bar = strchr(cases[i], '|');
		size_t body = (size_t)(bar - cases[i]);

		memcpy(bytes, cases[i], body);
		strcpy(bytes + body, bar + 1);
		check_body(bytes, strlen(bytes), body);
	}
}

/* The data is anything, NUL and line ends included. */
static void binary_data(void **state)
{
	static const char bytes[] = "8\r\n\0\n\r\0\xFF;0\n\r\n0\r\n\r\nx";

	(void)state;
	check_body(bytes, sizeof(bytes) - 1, sizeof(bytes) - 2);
}

static void bad_bodies(void **state)
{
	static const char *const cases[] = {
		"\r\n",
		"\n",
		";x\r\n",
		" \r\n",
		"g\r\n",
		"5x\r\nhello\r\n0\r\n\r\n",
		"-1\r\n",
		"+5\r\nhello\r\n0\r\n\r\n",
		"0000000000000005\r\nhello\r\n0\r\n\r\n",
		"1111111111111111\r\n",
		"FFFFFFFFFFFFFFFFF\r\n",
		"<html>\r\n",
		"5\r\nhello\r\n\r\n",
		"5\r\nhello5\r\n",
		"5\r\nhelloworld\r\n0\r\n\r\n",
		"5\r\nhello\r\nx\r\n",
		"HTTP/1.1 200 OK\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t taken, len = strlen(cases[i]);

		expect(feed_pieces(cases[i], len, len, len, &taken) == GP_SCAN_BAD,
		       "\"%s\"", cases[i]);
		expect(feed_pieces(cases[i], len, 1, 1, &taken) == GP_SCAN_BAD,
		       "\"%s\" in bytes", cases[i]);
		for (size_t split = 1; split < len; split++)
			expect(feed_pieces(cases[i], len, split, len, &taken) ==
				       GP_SCAN_BAD,
			       "\"%s\" split at %zu", cases[i], split);
	}
}

static void huge_sizes_are_waited_for(void **state)
{
	static const char size[] = "FFFFFFFFFFFFFFF\r\n";
	static char data[4096];
	struct gp_chunked chunked = {0};
	size_t used;

	(void)state;
	assert_int_equal(feed(&chunked, size, sizeof(size) - 1, &used), GP_SCAN_MORE);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(feed(&chunked, data, sizeof(data), &used), GP_SCAN_MORE);
		assert_int_equal(used, sizeof(data));
	}
}

/* A line of `len` bytes without its end, somewhere in a body that is well-formed else. */
static size_t with_line(char *out, const char *before, size_t len, const char *after)
{
	char *p = stpcpy(out, before);

	memset(p, 'x', len);
	strcpy(p + len, after);
	return strlen(out);
}

static void long_lines(void **state)
{
	static char bytes[3 * LONGEST_LINE];
	static const char *const places[][2] = {
		{"5;", "\r\nhello\r\n0\r\n\r\n"},
		{"0;", "\r\n\r\n"},
		{"0\r\nA: ", "\r\n\r\n"},
		{"0\r\nA: b\r\nC: ", "\r\n\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		size_t taken, len;

		len = with_line(bytes, places[i][0], LONGEST_LINE - 16, places[i][1]);
		expect(feed_pieces(bytes, len, len, len, &taken) == GP_SCAN_DONE,
		       "line %zu", i);
		expect(taken == len, "line %zu", i);
		expect(feed_pieces(bytes, len, 1, 1, &taken) == GP_SCAN_DONE, "line %zu",
		       i);
		len = with_line(bytes, places[i][0], LONGEST_LINE + 16, places[i][1]);
		expect(feed_pieces(bytes, len, len, len, &taken) == GP_SCAN_BAD,
		       "line %zu", i);
		expect(feed_pieces(bytes, len, 1, 1, &taken) == GP_SCAN_BAD, "line %zu",
		       i);
	}
}

/* The maximum is a line's, not that of all lines together. */
static void many_short_lines(void **state)
{
	static char bytes[8 * LONGEST_LINE];
	char *p = bytes;
	size_t taken;

	(void)state;
	for (int i = 0; i < 4000; i++)
		p = stpcpy(p, "1;ext\r\nx\r\n");
	p = stpcpy(p, "0\r\n");
	for (int i = 0; i < 4000; i++)
		p = stpcpy(p, "A: bcd\r\n");
	p = stpcpy(p, "\r\n");
	size_t len = (size_t)(p - bytes);

	assert_int_equal(feed_pieces(bytes, len, len, len, &taken), GP_SCAN_DONE);
	assert_int_equal(taken, len);
	assert_int_equal(feed_pieces(bytes, len, 1, 1, &taken), GP_SCAN_DONE);
	assert_int_equal(taken, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies),     cmocka_unit_test(binary_data),
		cmocka_unit_test(bad_bodies), cmocka_unit_test(huge_sizes_are_waited_for),
		cmocka_unit_test(long_lines), cmocka_unit_test(many_short_lines),
	};

	guard_init(&guard, 8 * LONGEST_LINE);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	guard_release(&guard);
	return failed;
}
