/* SPDX-License-Identifier: MIT */
/* The numbers behind stand-in addresses: they survive the agent, torn lines and old lines
 * do no harm, and the oldest is reused when all are taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <glib.h>
#include <glib/gstdio.h>

#include <gatepass/host.h>

#include "names.h"

static char *directory, *file;

static int make_directory(void **state)
{
	(void)state;
	directory = g_dir_make_tmp("gatepass-names-XXXXXX", NULL);
	file = g_build_filename(directory, "names", NULL);
	return directory ? 0 : -1;
}

static int remove_directory(void **state)
{
	(void)state;
	names_close();
	g_unlink(file);
	g_rmdir(directory);
	g_free(file);
	g_free(directory);
	return 0;
}

static void write_file(const char *text)
{
	assert_true(g_file_set_contents(file, text, -1, NULL));
}

static void assert_file(const char *wanted)
{
	char *text = NULL;

	assert_true(g_file_get_contents(file, &text, NULL, NULL));
	assert_string_equal(text, wanted);
	g_free(text);
}

static void test_survive(void **state)
{
	struct stat st;

	(void)state;
	names_open(directory);
	assert_int_equal(names_number("a.test"), 1);
	assert_int_equal(names_number("b.test"), 2);
	assert_int_equal(names_number("a.test"), 1);
	assert_null(names_name(3));
	assert_null(names_name(0));
	names_close();
	assert_file("1 a.test\n2 b.test\n");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	names_open(directory);
	assert_string_equal(names_name(2), "b.test");
	assert_int_equal(names_number("c.test"), 3);
}

static void test_torn_line(void **state)
{
	(void)state;
	write_file("1 a.test\n2 b.te");
	names_open(directory);
	assert_string_equal(names_name(1), "a.test");
	assert_null(names_name(2));
	assert_int_equal(names_number("c.test"), 2);
	names_close();
	assert_file("1 a.test\n2 c.test\n");
}

static void test_bad_lines(void **state)
{
	(void)state;
	write_file("x a.test\n0 b.test\n131071 c.test\n5 d test\n6 192.0.2.1\n7\n\n8 "
		   "ok.test\n");
	names_open(directory);
	for (uint32_t number = 0; number < 8; number++)
		assert_null(names_name(number));
	assert_null(names_name(131071));
	assert_string_equal(names_name(8), "ok.test");
}

static void test_later_lines_win(void **state)
{
	(void)state;
	write_file("1 a.test\n1 b.test\n2 b.test\n");
	names_open(directory);
	assert_null(names_name(1));
	assert_string_equal(names_name(2), "b.test");
	assert_int_not_equal(names_number("a.test"), 2);
}

static void test_compacted(void **state)
{
	GString *text = g_string_new(NULL);

	(void)state;
	for (int i = 0; i < 1000; i++)
		g_string_append_printf(text, "1 n%d.test\n", i);
	write_file(text->str);
	g_string_free(text, TRUE);
	names_open(directory);
	assert_string_equal(names_name(1), "n999.test");
	assert_file("1 n999.test\n");
	assert_int_equal(names_number("more.test"), 2);
	assert_file("1 n999.test\n2 more.test\n");
}

static void test_foreign_file(void **state)
{
	(void)state;
	assert_int_equal(symlink("/dev/null", file), 0);
	names_open(directory);
	assert_int_equal(names_number("a.test"), 1);
	assert_string_equal(names_name(1), "a.test");
}

static void test_reuse(void **state)
{
	char name[32];

	(void)state;
	for (uint32_t i = 1; i <= GP_FAKE_MAX; i++) {
		snprintf(name, sizeof(name), "n%u.test", i);
		assert_int_equal(names_number(name), i);
	}
	/* A use of the first makes the second the one unused for longest. */
	assert_string_equal(names_name(1), "n1.test");
	assert_int_equal(names_number("new.test"), 2);
	assert_string_equal(names_name(2), "new.test");
	assert_int_equal(names_number("n2.test"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_survive, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(test_torn_line, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(test_bad_lines, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(test_later_lines_win, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(test_compacted, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(test_foreign_file, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(test_reuse, make_directory,
						remove_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
