/* SPDX-License-Identifier: MIT */
/* Slices, character classes and the bounded writer of gatepass/text.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gatepass/text.h>

#include "guard.h"

static struct guard guard;

static struct gp_text slice(const char *bytes, size_t len)
{
	return (struct gp_text){.p = bytes, .len = len};
}

static bool same(struct gp_text text, const char *expected)
{
	size_t len = strlen(expected);

	return text.len == len && (len == 0 || memcmp(text.p, expected, len) == 0);
}

static void text_of_string(void **state)
{
	(void)state;
	assert_int_equal(gp_text(NULL).len, 0);
	assert_int_equal(gp_text("").len, 0);
	assert_true(same(gp_text("abc"), "abc"));
}

static void is_ignores_ascii_case_only(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *word;
		bool is;
	} cases[] = {
		{"Basic", 5, "bASIC", true}, {"Basic", 4, "Basic", false},
		{"Basic", 5, "Basi", false}, {"", 0, "", true},
		{"", 0, "x", false},         {"x", 1, "", false},
		{"@", 1, "`", false},        {"[", 1, "{", false},
		{"\xC4", 1, "\xE4", false},  {"\xC4", 1, "\xC4", true},
		{"a\0b", 3, "a", false},     {"a\0", 2, "a", false},
		{"0", 1, "\x10", false},     {"K", 1, "\xE2\x84\xAA", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			char *p = guard_copy(&guard, place, cases[i].text, cases[i].len);

			expect(gp_text_is(slice(p, cases[i].len), cases[i].word) ==
				       cases[i].is,
			       "case %zu: %s", i, cases[i].text);
		}
	assert_true(gp_text_is(slice(NULL, 0), ""));
	assert_false(gp_text_is(slice(NULL, 0), "x"));
}

static void ends(void **state)
{
	(void)state;
	assert_true(gp_text_ends(gp_text("www.Example.org"), gp_text(".example.ORG")));
	assert_true(gp_text_ends(gp_text("abc"), gp_text("abc")));
	assert_true(gp_text_ends(gp_text("abc"), gp_text("")));
	assert_true(gp_text_ends(gp_text(NULL), gp_text(NULL)));
	assert_false(gp_text_ends(gp_text("bc"), gp_text("abc")));
	assert_false(gp_text_ends(gp_text("abcd"), gp_text("abc")));
	assert_false(gp_text_ends(gp_text(""), gp_text("a")));
}

static void trim(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"a", "a"},
		{" a", "a"},
		{"a\t", "a"},
		{" \t a b\t ", "a b"},
		{" \t ", ""},
		{"\ra\n", "\ra\n"},
		{"\va\f", "\va\f"},
		{"\xA0"
		 "a",
		 "\xA0"
		 "a"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			size_t len = strlen(cases[i][0]);
			char *p = guard_copy(&guard, place, cases[i][0], len);

			expect(same(gp_text_trim(slice(p, len)), cases[i][1]), "case %zu",
			       i);
		}
	assert_int_equal(gp_text_trim(slice(NULL, 0)).len, 0);
}

static void from(void **state)
{
	(void)state;
	assert_true(same(gp_text_from(gp_text("abc"), 0), "abc"));
	assert_true(same(gp_text_from(gp_text("abc"), 1), "bc"));
	assert_true(same(gp_text_from(gp_text("abc"), 3), ""));
	assert_int_equal(gp_text_from(gp_text(NULL), 0).len, 0);
}

static void cut(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *parts[5];
	} cases[] = {
		{"a", 1, {"a"}},      {"a,b;c", 5, {"a", "b", "c"}}, {"a,", 2, {"a", ""}},
		{",a", 2, {"", "a"}}, {",;", 2, {"", "", ""}},       {"", 0, {""}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			char *p = guard_copy(&guard, place, cases[i].text, cases[i].len);
			struct gp_text rest = slice(p, cases[i].len);

			for (size_t n = 0; cases[i].parts[n]; n++) {
				expect(rest.p, "case %zu ends before part %zu", i, n);
				expect(same(gp_text_cut(&rest, ",;"), cases[i].parts[n]),
				       "case %zu, part %zu", i, n);
			}
			expect(!rest.p && rest.len == 0, "case %zu has no end", i);
			assert_int_equal(gp_text_cut(&rest, ",;").len, 0);
			assert_null(rest.p);
		}
}

/* strchr() finds the terminator of its string: a NUL in the text is no separator. */
static void cut_knows_that_nul_is_no_separator(void **state)
{
	struct gp_text rest = slice("a\0b,c", 5);
	struct gp_text part = gp_text_cut(&rest, ",");

	(void)state;
	assert_int_equal(part.len, 3);
	assert_true(same(rest, "c"));
}

static void to_uint(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool ok;
		uint64_t value;
	} cases[] = {
		{"0", 0, true, 0},
		{"1", 0, false, 0},
		{"65535", 65535, true, 65535},
		{"65536", 65535, false, 0},
		{"000000000000000000000000080", 65535, true, 80},
		{"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
		{"18446744073709551616", UINT64_MAX, false, 0},
		{"18446744073709551620", UINT64_MAX, false, 0},
		{"99999999999999999999", UINT64_MAX, false, 0},
		{"184467440737095516150", UINT64_MAX, false, 0},
		{"18446744073709551615", UINT64_MAX - 1, false, 0},
		{"", 9, false, 0},
		{"+1", 9, false, 0},
		{"-1", UINT64_MAX, false, 0},
		{" 1", 9, false, 0},
		{"1 ", 9, false, 0},
		{"0x1", 99, false, 0},
		{"1a", 99, false, 0},
		{"\xB2", 99, false, 0},
		{"/", 99, false, 0},
		{":", 99, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			size_t len = strlen(cases[i].text);
			char *p = guard_copy(&guard, place, cases[i].text, len);
			uint64_t value = 77;
			bool ok = gp_text_to_uint(slice(p, len), cases[i].max, &value);

			expect(ok == cases[i].ok, "\"%s\": %d", cases[i].text, ok);
			expect(!ok || value == cases[i].value, "\"%s\"", cases[i].text);
		}
}

static void copy(void **state)
{
	(void)state;
	for (size_t cap = 1; cap <= 8; cap++) {
		char *out = guard_room(&guard, GUARD_TAIL, cap);
		bool fits = cap > 5;

		memset(out, 'X', cap);
		expect(gp_text_copy(slice("hello!", 5), out, cap) == fits, "cap %zu",
		       cap);
		assert_string_equal(out, fits ? "hello" : "");
	}
	assert_false(gp_text_copy(slice("", 0), guard_room(&guard, GUARD_TAIL, 0), 0));
	char one[1] = {'X'};

	assert_true(gp_text_copy(slice(NULL, 0), one, sizeof(one)));
	assert_string_equal(one, "");
}

static bool is_tchar(int c)
{
	return c > 0 && strchr("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
			       c);
}

static void character_classes(void **state)
{
	static const char digits[] = "0123456789abcdef";

	(void)state;
	for (int c = 0; c < 256; c++) {
		int lower = c >= 'A' && c <= 'Z' ? c + 32 : c;
		const char *digit = c ? strchr(digits, lower) : NULL;
		int value = digit ? (int)(digit - digits) : -1;

		expect((unsigned char)gp_ascii_lower((char)c) == lower, "lower %d", c);
		expect(gp_hex_digit((char)c) == value, "hex %d", c);
		expect(gp_is_token_char((char)c) == is_tchar(c), "token %d", c);
		expect(gp_is_control((char)c) == (c < 32 || c == 127), "control %d", c);
	}
}

static void buffer_takes_what_fits(void **state)
{
	struct gp_buf buf;
	char *storage = guard_room(&guard, GUARD_TAIL, 26);

	(void)state;
	gp_buf_init(&buf, storage, 26);
	assert_int_equal(buf.len, 0);
	assert_false(buf.full);
	gp_buf_add(&buf, "ab", 2);
	gp_buf_add(&buf, NULL, 0);
	gp_buf_add_string(&buf, "");
	gp_buf_add_string(&buf, "cd");
	gp_buf_add_uint(&buf, 0);
	gp_buf_add_uint(&buf, UINT64_MAX);
	gp_buf_add(&buf, "\0", 1);
	assert_false(buf.full);
	assert_int_equal(buf.len, 26);
	assert_memory_equal(storage, "abcd018446744073709551615\0", 26);
	gp_buf_add(&buf, "", 0);
	assert_false(buf.full);
	gp_buf_add(&buf, "x", 1);
	assert_true(buf.full);
	assert_int_equal(buf.len, 26);
}

static void buffer_writes_nothing_once_full(void **state)
{
	struct gp_buf buf;
	char storage[8];

	(void)state;
	memset(storage, 'X', sizeof(storage));
	gp_buf_init(&buf, storage, 4);
	gp_buf_add_string(&buf, "ab");
	gp_buf_add_string(&buf, "cde");
	assert_true(buf.full);
	gp_buf_add_string(&buf, "f");
	gp_buf_add_uint(&buf, 7);
	assert_true(buf.full);
	assert_int_equal(buf.len, 2);
	assert_memory_equal(storage, "abXXXXXX", 8);
}

static void buffer_survives_absurd_lengths(void **state)
{
	struct gp_buf buf;
	char storage[8] = "";

	(void)state;
	gp_buf_init(&buf, storage, sizeof(storage));
	gp_buf_add_string(&buf, "abcd");
	gp_buf_add(&buf, storage, SIZE_MAX - 2);
	assert_true(buf.full);
	assert_int_equal(buf.len, 4);
	gp_buf_init(&buf, NULL, 0);
	gp_buf_add(&buf, "x", 1);
	assert_true(buf.full);
	assert_int_equal(buf.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_string),
		cmocka_unit_test(is_ignores_ascii_case_only),
		cmocka_unit_test(ends),
		cmocka_unit_test(trim),
		cmocka_unit_test(from),
		cmocka_unit_test(cut),
		cmocka_unit_test(cut_knows_that_nul_is_no_separator),
		cmocka_unit_test(to_uint),
		cmocka_unit_test(copy),
		cmocka_unit_test(character_classes),
		cmocka_unit_test(buffer_takes_what_fits),
		cmocka_unit_test(buffer_writes_nothing_once_full),
		cmocka_unit_test(buffer_survives_absurd_lengths),
	};

	guard_init(&guard, 4096);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	guard_release(&guard);
	return failed;
}
