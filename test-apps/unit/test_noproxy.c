/* SPDX-License-Identifier: MIT */
/* The no_proxy list of gatepass/noproxy.h: the union of what curl and Go match. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gatepass/noproxy.h>

#include "guard.h"

static struct guard guard;

struct match {
	const char *list, *host;
	uint16_t port;
	bool exempt;
};

static void check(const struct match *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			char *list = guard_string(&guard, place, cases[i].list);

			expect(gp_noproxy_match(list, cases[i].host, cases[i].port) ==
				       cases[i].exempt,
			       "list \"%s\", host %s:%u: not %d", list, cases[i].host,
			       cases[i].port, cases[i].exempt);
		}
}

#define CHECK(cases) check(cases, sizeof(cases) / sizeof(*(cases)))

static void names(void **state)
{
	static const struct match cases[] = {
		{"corp.test", "corp.test", 443, true},
		{"corp.test", "www.corp.test", 443, true},
		{"corp.test", "a.b.corp.test", 443, true},
		{"orp.test", "corp.test", 443, false},
		{"orp.test", "www.corp.test", 443, false},
		{"corp.test", "corp.test.example", 443, false},
		{"corp.test", "test", 443, false},
		{"www.corp.test", "corp.test", 443, false},
		{".corp.test", "corp.test", 443, true},
		{".corp.test", "www.corp.test", 443, true},
		{".corp.test", "xcorp.test", 443, false},
		{"*.corp.test", "www.corp.test", 443, true},
		{"*.corp.test", "a.b.corp.test", 443, true},
		{"*.corp.test", "corp.test", 443, false},
		{"*.corp.test", "xcorp.test", 443, false},
		{"Corp.TEST", "www.corp.test", 443, true},
		{"*.Corp.TEST", "www.corp.test", 443, true},
		{"localhost", "localhost", 80, true},
		{"b\xC3\xBC"
		 "cher.example",
		 "www.b\xC3\xBC"
		 "cher.example",
		 80, true},
	};

	(void)state;
	CHECK(cases);
}

static void everything(void **state)
{
	static const struct match cases[] = {
		{"*", "example.org", 443, true},
		{"*", "192.0.2.1", 80, true},
		{"*", "2001:db8::1", 80, true},
		{"*", "intranet", 80, true},
		{"a.test, *", "x.org", 80, true},
		{"**", "x.org", 80, false},
		{"ex*ample.org", "example.org", 80, false},
		{"*example.org", "example.org", 80, false},
		{"www.*", "www.example.org", 80, false},
		{"*.", "example.org", 80, false},
		{".", "example.org", 80, false},
	};

	(void)state;
	CHECK(cases);
}

static void separators(void **state)
{
	static const struct match cases[] = {
		{"a.test,b.test", "a.test", 1, true},
		{"a.test,b.test", "b.test", 1, true},
		{"a.test b.test", "b.test", 1, true},
		{"a.test\tb.test\nc.test", "c.test", 1, true},
		{" , ,, a.test ,\t, b.test , ", "b.test", 1, true},
		{" , ,, a.test ,\t, b.test , ", "c.test", 1, false},
		{"a.test;b.test", "b.test", 1, false},
		{"a.testb.test", "b.test", 1, false},
		{",", "a.test", 1, false},
		{" ", "a.test", 1, false},
		{"", "a.test", 1, false},
	};

	(void)state;
	CHECK(cases);
	assert_false(gp_noproxy_match(NULL, "a.test", 1));
}

static void ports(void **state)
{
	static const struct match cases[] = {
		{"corp.test:80", "corp.test", 80, true},
		{"corp.test:80", "www.corp.test", 80, true},
		{"corp.test:80", "corp.test", 443, false},
		{".corp.test:80", "www.corp.test", 80, true},
		{".corp.test:80", "www.corp.test", 81, false},
		{"*.corp.test:80", "www.corp.test", 80, true},
		{"*.corp.test:80", "www.corp.test", 81, false},
		{"192.0.2.1:80", "192.0.2.1", 80, true},
		{"192.0.2.1:80", "192.0.2.1", 81, false},
		{"[2001:db8::1]:80", "2001:db8::1", 80, true},
		{"[2001:db8::1]:80", "2001:db8::1", 81, false},
		{"corp.test:65535", "corp.test", 65535, true},
		{"corp.test:65616", "corp.test", 80, false},
		{"corp.test:080x", "corp.test", 80, false},
		{"corp.test:-80", "corp.test", 80, false},
		{"corp.test:http", "corp.test", 80, false},
		{":80", "corp.test", 80, false},
		{"2001:db8::1:80", "2001:db8::1", 80, false},
		{"2001:db8::1:80", "2001:db8::1:80", 443, true},
	};

	(void)state;
	CHECK(cases);
}

static void addresses(void **state)
{
	static const struct match cases[] = {
		{"192.0.2.1", "192.0.2.1", 80, true},
		{"192.0.2.1", "192.0.2.10", 80, false},
		{"192.0.2.1", "192.0.2.11", 80, false},
		{"92.0.2.1", "192.0.2.1", 80, false},
		{"2001:db8::1", "2001:db8::1", 80, true},
		{"[2001:db8::1]", "2001:db8::1", 80, true},
		{"2001:DB8::1", "2001:db8::1", 80, true},
		{"2001:db8:0:0:0:0:0:1", "2001:db8::1", 80, true},
		{"2001:db8::1", "2001:db8:0::0:1", 80, true},
		{"2001:db8::1", "2001:db8::11", 80, false},
		{"::1", "1::1", 80, false},
		{"[2001:db8::1", "2001:db8::1", 80, false},
		{"192.0.2.*", "192.0.2.1", 80, false},
		{"192.0.2.1", "::ffff:192.0.2.1", 80, true},
		{"::ffff:192.0.2.1", "192.0.2.1", 80, true},
		{"192.0.2.0/24", "::ffff:192.0.2.1", 80, true},
		{"x ::ffff:192.0.2.1:80", "192.0.2.1", 80, false},
	};

	(void)state;
	CHECK(cases);
}

static void networks(void **state)
{
	static const struct match cases[] = {
		{"192.0.2.0/24", "192.0.2.0", 80, true},
		{"192.0.2.0/24", "192.0.2.255", 80, true},
		{"192.0.2.0/24", "192.0.3.0", 80, false},
		{"192.0.2.0/24", "192.0.1.255", 80, false},
		{"192.0.2.128/25", "192.0.2.127", 80, false},
		{"192.0.2.128/25", "192.0.2.128", 80, true},
		{"192.0.2.4/30", "192.0.2.7", 80, true},
		{"192.0.2.4/30", "192.0.2.8", 80, false},
		{"192.0.2.77/24", "192.0.2.1", 80, true},
		{"192.0.2.1/32", "192.0.2.1", 80, true},
		{"192.0.2.1/32", "192.0.2.0", 80, false},
		{"0.0.0.0/0", "203.0.113.9", 80, true},
		{"0.0.0.0/0", "2001:db8::1", 80, false},
		{"0.0.0.0/0", "example.org", 80, false},
		{"::/0", "192.0.2.1", 80, false},
		{"::/0", "2001:db8::1", 80, true},
		{"2001:db8::/32", "2001:db8:ffff::1", 80, true},
		{"2001:db8::/32", "2001:db9::1", 80, false},
		{"2001:db8::/33", "2001:db8:7fff::1", 80, true},
		{"2001:db8::/33", "2001:db8:8000::1", 80, false},
		{"2001:db8::1/128", "2001:db8::1", 80, true},
		{"2001:db8::1/128", "2001:db8::", 80, false},
		{"192.0.2.0/33", "192.0.2.0", 80, false},
		{"192.0.2.0/-1", "192.0.2.0", 80, false},
		{"192.0.2.0/", "192.0.2.0", 80, false},
		{"192.0.2.0/24x", "192.0.2.0", 80, false},
		{"192.0.2.0/4294967320", "192.0.2.0", 80, false},
		{"/24", "192.0.2.0", 80, false},
		{"example.org/24", "example.org", 80, false},
		{"2001:db8::/129", "2001:db8::", 80, false},
		{"2001:db8::1/128,x.test", "x.test", 80, true},
	};

	(void)state;
	CHECK(cases);
}

static void local_names(void **state)
{
	static const struct match cases[] = {
		{"<local>", "intranet", 80, true},
		{"<LOCAL>", "intranet", 80, true},
		{"<local>", "www.example.org", 80, false},
		{"<local>", "192.0.2.1", 80, false},
		{"<local>", "2001:db8::1", 80, false},
		{"x.test <local>", "wiki", 443, true},
		{"<locals>", "intranet", 80, false},
		{"local", "intranet", 80, false},
	};

	(void)state;
	CHECK(cases);
}

static void unintelligible_entries_hide_no_others(void **state)
{
	static const struct match cases[] = {
		{"[,%%,:::,/,*/8,]:80,good.test", "good.test", 80, true},
		{"http://x.test,good.test", "good.test", 80, true},
		{"[,%%,:::,/,*/8,]:80,good.test", "bad.test", 80, false},
	};
	static char list[20000];

	(void)state;
	CHECK(cases);
	memset(list, 'a', sizeof(list));
	memcpy(list + sizeof(list) - 12, ",good.test", 11);
	assert_true(gp_noproxy_match(list, "good.test", 80));
	assert_false(gp_noproxy_match(list, "bad.test", 80));
}

static bool list_ends_in_star(const char *list, size_t len)
{
	return len > 1 && list[len - 2] == ',' && list[len - 1] == '*';
}

static void every_prefix_is_safe(void **state)
{
	static const char whole[] =
		"a.test:80,[2001:db8::1]:80,192.0.2.0/24,*.x,<local>,*";
	static const char *const hosts[] = {"a.test", "2001:db8::1", "192.0.2.1", "wiki"};

	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++) {
		char *list = guard_room(&guard, GUARD_TAIL, len + 1);
		bool all = list_ends_in_star(whole, len);

		memcpy(list, whole, len);
		list[len] = '\0';
		expect(gp_noproxy_match(list, "other.example", 443) == all, "\"%s\"",
		       list);
		for (size_t i = 0; i < 4; i++)
			expect(gp_noproxy_match(list, hosts[i], 443) || !all,
			       "\"%s\", %s", list, hosts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(everything),
		cmocka_unit_test(separators),
		cmocka_unit_test(ports),
		cmocka_unit_test(addresses),
		cmocka_unit_test(networks),
		cmocka_unit_test(local_names),
		cmocka_unit_test(unintelligible_entries_hide_no_others),
		cmocka_unit_test(every_prefix_is_safe),
	};

	guard_init(&guard, 4096);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	guard_release(&guard);
	return failed;
}
