/* SPDX-License-Identifier: MIT */
/* Lists of ports, and what their numbers tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ports.h"

static void test_list(void **state)
{
	struct ports ports = {0};

	(void)state;
	assert_true(ports_parse("80", &ports));
	assert_int_equal(ports.count, 1);
	assert_true(ports_have(&ports, 80));
	assert_false(ports_have(&ports, 81));
	assert_true(ports_parse(" 1, 65535,,\t80 ", &ports));
	assert_int_equal(ports.count, 3);
	assert_true(ports_have(&ports, 1) && ports_have(&ports, 65535) &&
		    ports_have(&ports, 80));
	assert_true(ports_parse("", &ports));
	assert_int_equal(ports.count, 0);
	assert_false(ports_have(&ports, 0));
}

static void test_bad_list(void **state)
{
	static const char *const bad[] = {"0",    "65536", "80,x",  "80-90",
					  "http", "-1",    "80;81", "80:81"};
	struct ports ports = {.count = 1, .list = {7}};
	char many[PORTS_MAX * 2 + 3];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ports_parse(bad[i], &ports))
			fail_msg("%s is taken", bad[i]);
	for (size_t i = 0; i < PORTS_MAX + 1; i++)
		memcpy(many + 2 * i, "1,", 3);
	assert_false(ports_parse(many, &ports));
	assert_true(ports.count == 1 && ports_have(&ports, 7));
	many[2 * PORTS_MAX] = '\0';
	assert_true(ports_parse(many, &ports));
	assert_int_equal(ports.count, PORTS_MAX);
}

static void test_protocol(void **state)
{
	static const uint16_t http[] = {80,   81,   82,   280,  591,   593,  1024, 3000,
					3128, 5000, 8000, 8080, 8081,  8888, 9090, 9200,
					9091, 5899, 5904, 6670, 49152, 65535};
	static const uint16_t other[] = {21,   22,   25,   79,   83,   443,  1023, 2222,
					 3306, 5222, 5223, 5269, 5432, 5671, 5672, 5900,
					 6379, 6667, 6697, 8443, 9443, 3389, 27017};

	(void)state;
	for (size_t i = 0; i < sizeof(http) / sizeof(http[0]); i++)
		if (!ports_may_be_http(http[i]))
			fail_msg("%d", http[i]);
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		if (ports_may_be_http(other[i]))
			fail_msg("%d", other[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_bad_list),
		cmocka_unit_test(test_protocol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
