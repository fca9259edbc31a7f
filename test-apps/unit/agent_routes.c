/* SPDX-License-Identifier: MIT */
/* Which way a connection goes, and which names get a stand-in: a table of cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <glib.h>

#include "addresses.h"
#include "asker.h"
#include "config.h"
#include "hostname.h"
#include "credential.h"
#include "names.h"
#include "routes.h"
#include "secret.h"

static char *no_problems[] = {NULL};

static struct config config_of(const char *url, const char *no_proxy)
{
	struct config config = {.path = (char *)"/etc/gatepass.conf",
				.no_proxy = (char *)no_proxy,
				.problems = no_problems};

	if (url)
		assert_int_equal(proxy_list_parse(url, &config.proxy), GP_OK);
	return config;
}

struct way {
	const char *what;
	struct asker asker;
	const char *config, *config_no_proxy;
	const char *address, *host;
	const char *wanted; /* "direct", "errno N", or "AUTHORITY via HOST:PORT" */
};

#define PROXY .asker.gatepass_proxy = "http://p.test:3128"

static const struct way ways[] = {
	{"nothing configured", .address = "192.0.2.1:443", .wanted = "direct"},
	{"GATEPASS_PROXY", PROXY, .address = "192.0.2.1:443",
	 .wanted = "192.0.2.1:443 via p.test:3128"},
	{"IPv6", PROXY, .address = "[2001:db8::1]:443",
	 .wanted = "[2001:db8::1]:443 via p.test:3128"},
	{"mapped", PROXY, .address = "[::ffff:192.0.2.1]:443",
	 .wanted = "192.0.2.1:443 via p.test:3128"},
	{"loopback", PROXY, .address = "127.0.0.1:443", .wanted = "direct"},
	{"loopback, mapped", PROXY, .address = "[::ffff:127.0.0.1]:443",
	 .wanted = "direct"},
	{"link-local", PROXY, .address = "[fe80::1]:443", .wanted = "direct"},
	{"the file is second", PROXY, .config = "http://f.test:1",
	 .address = "192.0.2.1:443", .wanted = "192.0.2.1:443 via p.test:3128"},
	{"the file is before the variables", .asker.https_proxy = "http://v.test:1",
	 .config = "http://f.test:1", .address = "192.0.2.1:443",
	 .wanted = "192.0.2.1:443 via f.test:1"},
	{"port 80: http_proxy",
	 .asker = {.http_proxy = "h.test:1",
		   .https_proxy = "s.test:1",
		   .all_proxy = "a.test:1"},
	 .address = "192.0.2.1:80", .wanted = "192.0.2.1:80 via h.test:1"},
	{"port 80: all_proxy",
	 .asker = {.https_proxy = "s.test:1", .all_proxy = "a.test:1"},
	 .address = "192.0.2.1:80", .wanted = "192.0.2.1:80 via a.test:1"},
	{"port 80: https_proxy", .asker = {.https_proxy = "s.test:1"},
	 .address = "192.0.2.1:80", .wanted = "192.0.2.1:80 via s.test:1"},
	{"port 22: https_proxy",
	 .asker = {.http_proxy = "h.test:1",
		   .https_proxy = "s.test:1",
		   .all_proxy = "a.test:1"},
	 .address = "192.0.2.1:22", .wanted = "192.0.2.1:22 via s.test:1"},
	{"port 22: all_proxy",
	 .asker = {.http_proxy = "h.test:1", .all_proxy = "a.test:1"},
	 .address = "192.0.2.1:22", .wanted = "192.0.2.1:22 via a.test:1"},
	{"port 22: http_proxy", .asker = {.http_proxy = "h.test:1"},
	 .address = "192.0.2.1:22", .wanted = "192.0.2.1:22 via h.test:1"},
	{"a variable that cannot be used",
	 .asker = {.http_proxy = "h.test:1", .all_proxy = "socks5://a.test:1"},
	 .address = "192.0.2.1:22", .wanted = "192.0.2.1:22 via h.test:1"},
	{"only such a variable", .asker = {.https_proxy = "https://s.test"},
	 .address = "192.0.2.1:443", .wanted = "direct"},
	{"GATEPASS_PROXY that cannot be used",
	 .asker.gatepass_proxy = "http://p.test:70000", .config = "http://f.test:1",
	 .address = "192.0.2.1:443", .wanted = "errno 22"},
	{"port 0", .asker.gatepass_proxy = "http://p.test:0", .address = "192.0.2.1:443",
	 .wanted = "errno 22"},
	{"no host", .asker.gatepass_proxy = "http://:80", .address = "192.0.2.1:443",
	 .wanted = "errno 22"},
	{"exempt by GATEPASS_NO_PROXY", PROXY, .asker.gatepass_no_proxy = "192.0.2.0/24",
	 .address = "192.0.2.1:443", .wanted = "direct"},
	{"exempt by no_proxy", PROXY, .asker.no_proxy = "192.0.2.1",
	 .address = "192.0.2.1:443", .wanted = "direct"},
	{"exempt by the file", PROXY, .config_no_proxy = "192.0.2.1",
	 .address = "192.0.2.1:443", .wanted = "direct"},
	{"the union of the lists", PROXY, .asker.gatepass_no_proxy = "a.test",
	 .asker.no_proxy = "b.test", .config_no_proxy = "c.test", .host = "www.b.test",
	 .address = "192.0.2.1:443", .wanted = "direct"},
	{"a name that is not exempt", PROXY, .asker.no_proxy = "b.test", .host = "a.test",
	 .address = "192.0.2.1:443", .wanted = "192.0.2.1:443 via p.test:3128"},
	{"a bad name is ignored", PROXY, .asker.no_proxy = "b.test",
	 .host = "a\r\nb.test", .address = "192.0.2.1:443",
	 .wanted = "192.0.2.1:443 via p.test:3128"},
	{"a stand-in", PROXY, .address = "198.18.0.1:443",
	 .wanted = "stood.test:443 via p.test:3128"},
	{"a stand-in of IPv6", PROXY, .address = "[100::198.18.0.1]:8443",
	 .wanted = "stood.test:8443 via p.test:3128"},
	{"a stand-in without proxy", .address = "198.18.0.1:443", .wanted = "errno 113"},
	{"a stand-in that is exempt", PROXY, .asker.no_proxy = "test",
	 .address = "198.18.0.1:443", .wanted = "errno 113"},
	{"a stand-in for nothing", PROXY, .address = "198.18.0.2:443",
	 .wanted = "198.18.0.2:443 via p.test:3128"},
	{"the proxy's address", .asker.gatepass_proxy = "http://192.0.2.8:3128",
	 .address = "192.0.2.8:3128", .wanted = "direct"},
	{"another port of it", .asker.gatepass_proxy = "http://192.0.2.8:3128",
	 .address = "192.0.2.8:3129", .wanted = "192.0.2.8:3129 via 192.0.2.8:3128"},
	{"a proxy of the variables", PROXY, .asker.http_proxy = "http://192.0.2.9:8080",
	 .address = "192.0.2.9:8080", .wanted = "direct"},
	{"the proxy by its name", PROXY, .host = "P.test", .address = "192.0.2.8:3128",
	 .wanted = "direct"},
	{"a proxy learnt before", PROXY, .address = "192.0.2.77:3128",
	 .wanted = "direct"},
	{"alternatives", .asker.gatepass_proxy = "http://u@p.test:1, q.test:2",
	 .address = "192.0.2.1:443", .wanted = "192.0.2.1:443 via p.test:1"},
};

static char *describe(const struct route *route)
{
	char proxy[GP_AUTHORITY_MAX + 1];

	if (route->way == ROUTE_DIRECT)
		return g_strdup("direct");
	if (route->way == ROUTE_UNREACHABLE)
		return g_strdup_printf("errno %d", route->error);
	endpoint_text(&route->proxy.hops[0], proxy);
	return g_strdup_printf("%s via %s", route->authority, proxy);
}

static void ignore(void *data, const struct addresses *found)
{
	(void)data;
	assert_int_equal(found->count, 1);
}

static void test_ways(void **state)
{
	const struct endpoint learnt = {"192.0.2.77", 3128};

	(void)state;
	assert_int_equal(names_number("stood.test"), 1);
	addresses_find(&learnt, 1, ignore, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
		struct config config = config_of(ways[i].config, ways[i].config_no_proxy);
		union gp_address address;
		struct route route;
		char *text;

		assert_true(gp_address_parse(ways[i].address, &address));
		routes_decide(&ways[i].asker, &config, &address, ways[i].host, &route);
		text = describe(&route);
		if (strcmp(text, ways[i].wanted))
			fail_msg("%s: %s, not %s", ways[i].what, text, ways[i].wanted);
		assert_true((route.way == ROUTE_UNREACHABLE) ==
			    (route.reason[0] != '\0'));
		g_free(text);
		route_release(&route);
		proxy_list_release(&config.proxy);
	}
	names_close();
	addresses_clear();
}

/* A proxy known by name on the destination's port is to be looked up and compared. */
static void test_peers(void **state)
{
	const struct asker asker = {.gatepass_proxy = "p.test:3128",
				    .http_proxy = "h.test:8080",
				    .https_proxy = "s.test:8080"};
	struct config config = config_of(NULL, NULL);
	union gp_address address;
	struct route route;

	(void)state;
	assert_true(gp_address_parse("192.0.2.1:8080", &address));
	routes_decide(&asker, &config, &address, NULL, &route);
	assert_int_equal(route.way, ROUTE_TUNNEL);
	assert_int_equal(route.peer_count, 2);
	assert_string_not_equal(route.peers[0].host, route.peers[1].host);
	route_release(&route);
}

struct name {
	const char *name;
	struct asker asker;
	bool proxied;
};

static const struct name names[] = {
	{"example.org", {0}, false},
	{"example.org", {.gatepass_proxy = "p.test:1"}, true},
	{"example.org", {.http_proxy = "p.test:1"}, true},
	{"example.org", {.gatepass_proxy = "ftp://p.test:1"}, true},
	{"example.org", {.gatepass_proxy = "p.test:1", .no_proxy = "org"}, false},
	{"example.org",
	 {.gatepass_proxy = "p.test:1", .no_proxy = "a, example.org:81"},
	 false},
	{"example.org",
	 {.gatepass_proxy = "p.test:1", .no_proxy = "example.com:81"},
	 true},
	{"single", {.gatepass_proxy = "p.test:1"}, false},
	{"localhost", {.gatepass_proxy = "p.test:1"}, false},
	{"a.localhost", {.gatepass_proxy = "p.test:1"}, false},
	{"printer.local", {.gatepass_proxy = "p.test:1"}, false},
	{"192.0.2.1", {.gatepass_proxy = "p.test:1"}, false},
	{"p.test", {.gatepass_proxy = "p.test:1"}, false},
	{"h.test", {.gatepass_proxy = "p.test:1", .http_proxy = "h.test"}, false},
};

static void test_names(void **state)
{
	struct config config = config_of(NULL, NULL);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (routes_name_is_proxied(&names[i].asker, &config, names[i].name) !=
		    names[i].proxied)
			fail_msg("case %zu: %s", i, names[i].name);
}

static void test_hosts(void **state)
{
	char host[GP_HOST_MAX + 1], longest[300];

	(void)state;
	assert_true(hostname_normalise("WWW.Example.org.", host));
	assert_string_equal(host, "www.example.org");
	assert_true(hostname_normalise("b\xc3\xbc"
				       "cher.example",
				       host));
	assert_string_equal(host, "xn--bcher-kva.example");
	assert_false(hostname_normalise("", host));
	assert_false(hostname_normalise("a\r\nb", host));
	assert_false(hostname_normalise("\xff.example", host));
	memset(longest, 'a', sizeof(longest));
	longest[256] = '\0';
	assert_false(hostname_normalise(longest, host));
}

static void test_proxy_list(void **state)
{
	struct proxy_list list;

	(void)state;
	assert_int_equal(proxy_list_parse("http://u:a,b@p.test:1", &list), GP_OK);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.user, "u");
	assert_string_equal(list.credential->password->bytes, "a,b");
	proxy_list_release(&list);

	assert_int_equal(proxy_list_parse(" http://p.test:1,q.test:2 r.test ", &list),
			 GP_OK);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.hops[2].host, "r.test");
	assert_int_equal(list.hops[2].port, 80);
	assert_null(list.credential);
	proxy_list_release(&list);

	assert_int_equal(proxy_list_parse("http://b\xc3\xbc"
					  "cher.example:1",
					  &list),
			 GP_OK);
	assert_string_equal(list.hops[0].host, "xn--bcher-kva.example");
	proxy_list_release(&list);
	assert_int_equal(proxy_list_parse("http://\xff.example:1", &list),
			 GP_ERR_URL_HOST);

	assert_int_not_equal(proxy_list_parse("p.test:1, q.test:x", &list), GP_OK);
	assert_int_equal(list.count, 0);
	assert_int_not_equal(proxy_list_parse(",", &list), GP_OK);
	assert_int_not_equal(proxy_list_parse("a b c d e f g h i", &list), GP_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),       cmocka_unit_test(test_peers),
		cmocka_unit_test(test_names),      cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_proxy_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
