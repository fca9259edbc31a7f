/* SPDX-License-Identifier: MIT */
/* Which environment variables travel, and which of two spellings counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <gatepass/variables.h>

#define ENTRIES 6

static char environment[ENTRIES][2][32]; /* name, value */

static char *look_up(const char *name)
{
	for (int i = 0; i < ENTRIES; i++)
		if (!strcmp(environment[i][0], name))
			return environment[i][1];
	return NULL;
}

static void set(int i, const char *name, const char *value)
{
	strncpy(environment[i][0], name, sizeof(environment[i][0]) - 1);
	strncpy(environment[i][1], value, sizeof(environment[i][1]) - 1);
}

static int clear(void **state)
{
	(void)state;
	memset(environment, 0, sizeof(environment));
	return 0;
}

/* The value told for the key, or NULL. */
static const char *told(const char *key)
{
	struct gp_variable variable;
	unsigned index = 0;

	while (gp_variable_next(&index, look_up, &variable))
		if (!strcmp(variable.key, key))
			return variable.value;
	return NULL;
}

static void nothing_is_set(void **state)
{
	struct gp_variable variable;
	unsigned index = 0;

	(void)state;
	assert_false(gp_variable_next(&index, look_up, &variable));
	assert_false(gp_variable_next(&index, look_up, &variable));
}

static void lower_case_goes_first(void **state)
{
	(void)state;
	set(0, "https_proxy", "lower");
	set(1, "HTTPS_PROXY", "upper");
	set(2, "ALL_PROXY", "upper");
	set(3, "no_proxy", "");
	set(4, "NO_PROXY", "upper");
	set(5, "http_proxy", "");
	assert_string_equal(told("https-proxy"), "lower");
	assert_string_equal(told("all-proxy"), "upper");
	assert_string_equal(told("no-proxy"), "upper");
	assert_string_equal(told("http-proxy"), "");
	assert_null(told("gatepass-proxy"));
}

static void a_cgi_program_does_not_believe_http_proxy(void **state)
{
	(void)state;
	set(0, "HTTP_PROXY", "upper");
	assert_string_equal(told("http-proxy"), "upper");
	set(1, "REQUEST_METHOD", "GET");
	assert_null(told("http-proxy"));
	set(2, "http_proxy", "lower");
	assert_string_equal(told("http-proxy"), "lower");
}

static void some_name_a_proxy(void **state)
{
	struct gp_variable variable;
	unsigned index = 0;

	(void)state;
	set(0, "GATEPASS_NO_PROXY", "x");
	set(1, "GATEPASS_CONFIG", "/x");
	assert_true(gp_variable_next(&index, look_up, &variable));
	assert_string_equal(variable.key, "gatepass-no-proxy");
	assert_false(variable.is_proxy);
	assert_true(gp_variable_next(&index, look_up, &variable));
	assert_string_equal(variable.key, "gatepass-config");
	assert_true(variable.is_proxy);
	assert_false(gp_variable_next(&index, look_up, &variable));
}

static void the_agent_inherits_few(void **state)
{
	(void)state;
	assert_true(gp_variable_is_inherited("HOME=/x"));
	assert_true(gp_variable_is_inherited("XDG_RUNTIME_DIR=/x"));
	assert_true(gp_variable_is_inherited("GATEPASS_LOG=debug"));
	assert_false(gp_variable_is_inherited("GATEPASS_PROXY=http://a:b@c"));
	assert_true(gp_variable_is_inherited("SSH_ASKPASS=/x"));
	assert_false(gp_variable_is_inherited("SSH_ASKPASS_REQUIRE=force"));
	assert_false(gp_variable_is_inherited("HOMEWARD=x"));
	assert_false(gp_variable_is_inherited("LD_PRELOAD=x"));
	assert_false(gp_variable_is_inherited(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_is_set, clear),
		cmocka_unit_test_setup(lower_case_goes_first, clear),
		cmocka_unit_test_setup(a_cgi_program_does_not_believe_http_proxy, clear),
		cmocka_unit_test_setup(some_name_a_proxy, clear),
		cmocka_unit_test(the_agent_inherits_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
