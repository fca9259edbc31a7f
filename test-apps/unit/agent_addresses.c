/* SPDX-License-Identifier: MIT */
/* The addresses of proxies: what is remembered for how long, and who waits for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "addresses.h"
#include "endpoint.h"
#include "resolver.h"

static const struct endpoint proxy = {"p.test", 3128};

struct answer {
	unsigned count; /* of calls */
	struct addresses found;
};

static void take(void *data, const struct addresses *found)
{
	struct answer *answer = data;

	answer->count++;
	answer->found = *found;
}

static int start(void **state)
{
	(void)state;
	resolver_asked = 0;
	resolver_set("p.test", "192.0.2.1");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	resolver_answer();
	addresses_clear();
	return 0;
}

static void assert_found(const struct answer *answer, const char *address)
{
	char text[GP_ADDRESS_MAX];

	assert_int_equal(answer->count, 1);
	assert_int_equal(answer->found.count, 1);
	gp_address_format(&answer->found.list[0], text);
	assert_string_equal(text, address);
	assert_string_equal(answer->found.error, "");
}

static void assert_not_found(const struct answer *answer)
{
	assert_int_equal(answer->count, 1);
	assert_int_equal(answer->found.count, 0);
	assert_non_null(strstr(answer->found.error, "p.test"));
	assert_null(strchr(answer->found.error, '\n'));
}

static bool is_proxy(const char *address, const char *host)
{
	union gp_address parsed;
	struct endpoint found;

	assert_true(gp_address_parse(address, &parsed));
	if (!addresses_is_proxy(&parsed, &found))
		return false;
	assert_string_equal(found.host, host);
	return true;
}

static void test_memory(void **state)
{
	struct answer first = {0}, together = {0}, later = {0}, much_later = {0};

	(void)state;
	addresses_find(&proxy, 1, take, &first);
	addresses_find(&proxy, 1, take, &together);
	assert_int_equal(first.count, 0);
	resolver_answer();
	assert_found(&first, "192.0.2.1:3128");
	assert_found(&together, "192.0.2.1:3128");
	resolver_set("p.test", "192.0.2.2");
	clock_advance(50);
	addresses_find(&proxy, 1, take, &later);
	assert_found(&later, "192.0.2.1:3128");
	assert_int_equal(resolver_asked, 1);
	clock_advance(20);
	addresses_find(&proxy, 1, take, &much_later);
	resolver_answer();
	assert_found(&much_later, "192.0.2.2:3128");
	assert_int_equal(resolver_asked, 2);
}

static void test_failure(void **state)
{
	struct answer first = {0}, second = {0};

	(void)state;
	resolver_set("p.test", NULL);
	addresses_find(&proxy, 1, take, &first);
	resolver_answer();
	assert_not_found(&first);
	resolver_set("p.test", "192.0.2.1");
	addresses_find(&proxy, 1, take, &second);
	resolver_answer();
	assert_found(&second, "192.0.2.1:3128");
}

static void test_known(void **state)
{
	const struct endpoint number = {"::ffff:192.0.2.1", 3128};
	struct answer answer = {0};

	(void)state;
	assert_false(is_proxy("192.0.2.1:3128", NULL));
	addresses_find(&proxy, 1, take, &answer);
	resolver_answer();
	assert_true(is_proxy("192.0.2.1:3128", "p.test"));
	assert_false(is_proxy("192.0.2.1:3129", NULL));
	addresses_find(&number, 1, take, &answer);
	assert_true(is_proxy("192.0.2.1:3128", "::ffff:192.0.2.1"));
	clock_advance(3500);
	assert_true(is_proxy("192.0.2.1:3128", "::ffff:192.0.2.1"));
	addresses_find(&proxy, 1, take, &answer);
	resolver_answer();
	clock_advance(3500);
	assert_true(is_proxy("192.0.2.1:3128", "p.test"));
	clock_advance(200);
	assert_false(is_proxy("192.0.2.1:3128", NULL));
}

static void test_soon(void **state)
{
	struct answer first = {0}, second = {0};

	(void)state;
	addresses_find_soon(&proxy, take, &first);
	resolver_answer();
	assert_found(&first, "192.0.2.1:3128");
	addresses_find_soon(&proxy, take, &second);
	assert_found(&second, "192.0.2.1:3128");
	assert_int_equal(resolver_asked, 1);
}

/* A name server that does not answer makes one wait, once; who needs the answer gets it.
 */
static void test_dead_server(void **state)
{
	struct answer first = {0}, needs = {0}, second = {0}, third = {0};

	(void)state;
	addresses_find_soon(&proxy, take, &first);
	addresses_find(&proxy, 1, take, &needs);
	while (!first.count)
		g_main_context_iteration(NULL, TRUE);
	assert_not_found(&first);
	assert_int_equal(needs.count, 0);
	addresses_find_soon(&proxy, take, &second);
	assert_not_found(&second);
	assert_int_equal(resolver_asked, 1);
	resolver_answer();
	assert_found(&needs, "192.0.2.1:3128");
	assert_int_equal(first.count + second.count, 2);
	addresses_find_soon(&proxy, take, &third);
	assert_found(&third, "192.0.2.1:3128");
}

/* The same when the address was known once. */
static void test_server_dies(void **state)
{
	struct answer known = {0}, needs = {0}, late = {0};

	(void)state;
	addresses_find(&proxy, 1, take, &known);
	resolver_answer();
	clock_advance(100);
	addresses_find(&proxy, 1, take, &needs);
	clock_advance(2);
	addresses_find_soon(&proxy, take, &late);
	assert_not_found(&late);
	assert_int_equal(needs.count, 0);
}

/* "No such name" is an answer as well, which holds for a minute. */
static void test_no_such_name(void **state)
{
	struct answer first = {0}, second = {0}, third = {0};

	(void)state;
	resolver_set("p.test", NULL);
	addresses_find_soon(&proxy, take, &first);
	resolver_answer();
	assert_not_found(&first);
	resolver_set("p.test", "192.0.2.1");
	addresses_find_soon(&proxy, take, &second);
	assert_not_found(&second);
	clock_advance(60);
	addresses_find_soon(&proxy, take, &third);
	resolver_answer();
	assert_found(&third, "192.0.2.1:3128");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_memory),       TEST(test_failure),     TEST(test_known),
		TEST(test_soon),         TEST(test_dead_server), TEST(test_server_dies),
		TEST(test_no_such_name),
	};

	resolver_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
