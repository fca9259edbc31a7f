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
#include "ports.h"
#include "resolver.h"
#include "routes.h"
#include "secret.h"

static char *no_problems[] = {NULL};

static struct config config_of(const char *url, const char *no_proxy)
{
	struct config config = {.path = (char *)"/etc/gatepass.conf",
				.no_proxy = (char *)no_proxy,
				.forward_ports = {.count = 1, .list = {80}},
				.problems = no_problems};

	if (url)
		assert_int_equal(proxy_list_parse(url, &config.proxy), GP_OK);
	return config;
}

struct way {
	const char *what;
	struct asker asker;
	const char *config, *config_no_proxy, *user, *forward_ports;
	const char *address, *host;
	bool wants_tunnel;
	/* "direct", "errno N", "tunnel|forward AUTHORITY via HOST:PORT" or
	 * "observe [USER[:PASSWORD]@]HOST:PORT" */
	const char *wanted;
};

#define PROXY .asker.gatepass_proxy = "http://p.test:3128"
#define LOCAL .asker.all_proxy = "http://127.0.0.1:3128"

static const struct way ways[] = {
	{"nothing configured", .address = "192.0.2.1:443", .wanted = "direct"},
	{"GATEPASS_PROXY", PROXY, .address = "192.0.2.1:443",
	 .wanted = "tunnel 192.0.2.1:443 via p.test:3128"},
	{"IPv6", PROXY, .address = "[2001:db8::1]:443",
	 .wanted = "tunnel [2001:db8::1]:443 via p.test:3128"},
	{"mapped", PROXY, .address = "[::ffff:192.0.2.1]:443",
	 .wanted = "tunnel 192.0.2.1:443 via p.test:3128"},
	{"loopback", PROXY, .address = "127.0.0.1:443", .wanted = "direct"},
	{"loopback, mapped", PROXY, .address = "[::ffff:127.0.0.1]:443",
	 .wanted = "direct"},
	{"link-local", PROXY, .address = "[fe80::1]:443", .wanted = "direct"},
	{"the file is second", PROXY, .config = "http://f.test:1",
	 .address = "192.0.2.1:443", .wanted = "tunnel 192.0.2.1:443 via p.test:3128"},
	{"the file is before the variables", .asker.https_proxy = "http://v.test:1",
	 .config = "http://f.test:1", .address = "192.0.2.1:443",
	 .wanted = "tunnel 192.0.2.1:443 via f.test:1"},
	{"port 80: http_proxy",
	 .asker = {.http_proxy = "h.test:1",
		   .https_proxy = "s.test:1",
		   .all_proxy = "a.test:1"},
	 .address = "192.0.2.1:80", .wanted = "forward 192.0.2.1:80 via h.test:1"},
	{"port 80: all_proxy",
	 .asker = {.https_proxy = "s.test:1", .all_proxy = "a.test:1"},
	 .address = "192.0.2.1:80", .wanted = "forward 192.0.2.1:80 via a.test:1"},
	{"port 80: https_proxy", .asker = {.https_proxy = "s.test:1"},
	 .address = "192.0.2.1:80", .wanted = "forward 192.0.2.1:80 via s.test:1"},
	{"port 22: https_proxy",
	 .asker = {.http_proxy = "h.test:1",
		   .https_proxy = "s.test:1",
		   .all_proxy = "a.test:1"},
	 .address = "192.0.2.1:22", .wanted = "tunnel 192.0.2.1:22 via s.test:1"},
	{"port 22: all_proxy",
	 .asker = {.http_proxy = "h.test:1", .all_proxy = "a.test:1"},
	 .address = "192.0.2.1:22", .wanted = "tunnel 192.0.2.1:22 via a.test:1"},
	{"port 22: http_proxy", .asker = {.http_proxy = "h.test:1"},
	 .address = "192.0.2.1:22", .wanted = "tunnel 192.0.2.1:22 via h.test:1"},
	{"a variable that cannot be used",
	 .asker = {.http_proxy = "h.test:1", .all_proxy = "socks5://a.test:1"},
	 .address = "192.0.2.1:22", .wanted = "tunnel 192.0.2.1:22 via h.test:1"},
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
	 .address = "192.0.2.1:443", .wanted = "tunnel 192.0.2.1:443 via p.test:3128"},
	{"a bad name is ignored", PROXY, .asker.no_proxy = "b.test",
	 .host = "a\r\nb.test", .address = "192.0.2.1:443",
	 .wanted = "tunnel 192.0.2.1:443 via p.test:3128"},
	{"a stand-in", PROXY, .address = "198.18.0.1:443",
	 .wanted = "tunnel stood.test:443 via p.test:3128"},
	{"a stand-in of IPv6", PROXY, .address = "[100::198.18.0.1]:8443",
	 .wanted = "tunnel stood.test:8443 via p.test:3128"},
	{"a stand-in without proxy", .address = "198.18.0.1:443", .wanted = "errno 113"},
	{"a stand-in that is exempt", PROXY, .asker.no_proxy = "test",
	 .address = "198.18.0.1:443", .wanted = "errno 113"},
	{"a stand-in for nothing", PROXY, .address = "198.18.0.2:443",
	 .wanted = "tunnel 198.18.0.2:443 via p.test:3128"},
	{"the proxy's address", .asker.gatepass_proxy = "http://192.0.2.8:3128",
	 .address = "192.0.2.8:3128", .wanted = "observe 192.0.2.8:3128"},
	{"another port of it", .asker.gatepass_proxy = "http://192.0.2.8:3128",
	 .address = "192.0.2.8:3129",
	 .wanted = "tunnel 192.0.2.8:3129 via 192.0.2.8:3128"},
	{"a proxy of the variables", PROXY, .asker.http_proxy = "http://192.0.2.9:8080",
	 .address = "192.0.2.9:8080", .wanted = "observe 192.0.2.9:8080"},
	{"the proxy by its name", PROXY, .host = "P.test", .address = "192.0.2.8:3128",
	 .wanted = "observe p.test:3128"},
	{"a proxy learnt before", PROXY, .address = "192.0.2.77:3128",
	 .wanted = "observe 192.0.2.77:3128"},
	{"a proxy learnt before, without one of its own", .address = "192.0.2.77:3128",
	 .wanted = "observe 192.0.2.77:3128"},
	{"a proxy learnt before, by its name", PROXY, .address = "192.0.2.78:3128",
	 .wanted = "observe learnt.test:3128"},
	{"that is in a list", .asker.http_proxy = "http://u:w@learnt.test:3128",
	 .address = "192.0.2.78:3128", .wanted = "observe u:w@learnt.test:3128"},
	{"another port of it", PROXY, .address = "192.0.2.77:80",
	 .wanted = "forward 192.0.2.77:80 via p.test:3128"},
	{"alternatives", .asker.gatepass_proxy = "http://u@p.test:1, q.test:2",
	 .address = "192.0.2.1:443", .wanted = "tunnel 192.0.2.1:443 via p.test:1"},
	{"an alternative", .asker.gatepass_proxy = "http://u:w@p.test:1, 192.0.2.8:2",
	 .address = "192.0.2.8:2", .wanted = "observe u:w@p.test:1"},
	{"no_proxy does not exempt a proxy", LOCAL, .asker.no_proxy = "127.0.0.1, *",
	 .address = "127.0.0.1:3128", .wanted = "observe 127.0.0.1:3128"},
	{"a proxy on the loopback", LOCAL, .address = "127.0.0.1:3128",
	 .wanted = "observe 127.0.0.1:3128"},
	{"asked for in IPv6", LOCAL, .address = "[::ffff:127.0.0.1]:3128",
	 .wanted = "observe 127.0.0.1:3128"},
	{"another port of the loopback", LOCAL, .address = "127.0.0.1:3129",
	 .wanted = "direct"},
	{"another address of it", LOCAL, .address = "127.0.0.2:3128", .wanted = "direct"},
	{"another family of it", LOCAL, .address = "[::1]:3128", .wanted = "direct"},
	{"a proxy on the loopback of IPv6", .asker.all_proxy = "http://[::1]:3128",
	 .address = "[::1]:3128", .wanted = "observe [::1]:3128"},
	{"and written at length", .asker.all_proxy = "http://[0:0:0::0001]:3128",
	 .address = "[::1]:3128", .wanted = "observe [::1]:3128"},
	{"and mapped", .asker.all_proxy = "http://[::ffff:127.0.0.1]:3128",
	 .address = "127.0.0.1:3128", .wanted = "observe [::ffff:127.0.0.1]:3128"},
	{"localhost", .asker.http_proxy = "http://localhost:3128", .host = "localhost",
	 .address = "127.0.0.1:3128", .wanted = "observe localhost:3128"},
	{"link-local", .asker.http_proxy = "http://169.254.7.7:3128",
	 .address = "169.254.7.7:3128", .wanted = "observe 169.254.7.7:3128"},
	{"link-local in IPv6", .asker.http_proxy = "http://[fe80::1]:3128",
	 .address = "[fe80::1]:3128", .wanted = "direct"},
	{"a stand-in of a proxy", .asker.http_proxy = "http://stood.test:3128",
	 .address = "198.18.0.1:3128", .wanted = "observe stood.test:3128"},
	{"that is exempt", .asker.http_proxy = "http://stood.test:3128",
	 .asker.no_proxy = "*", .address = "198.18.0.1:3128",
	 .wanted = "observe stood.test:3128"},
	{"another port of it", .asker.http_proxy = "http://stood.test:3128",
	 .address = "198.18.0.1:443",
	 .wanted = "tunnel stood.test:443 via stood.test:3128"},
	{"a proxy beside one that cannot be used",
	 .asker.gatepass_proxy = "http://p.test:70000",
	 .asker.http_proxy = "192.0.2.9:8080", .address = "192.0.2.9:8080",
	 .wanted = "observe 192.0.2.9:8080"},
	{"the URL's password", LOCAL, .asker.https_proxy = "http://u:w@127.0.0.1:3128",
	 .address = "127.0.0.1:3128", .wanted = "observe u:w@127.0.0.1:3128"},
	{"the first of two", .asker.gatepass_proxy = "http://a:1@127.0.0.1:3128",
	 .config = "http://b:2@127.0.0.1:3128", .address = "127.0.0.1:3128",
	 .wanted = "observe a:1@127.0.0.1:3128"},
	{"the file before the variables", .asker.http_proxy = "http://a:1@127.0.0.1:3128",
	 .config = "http://b:2@127.0.0.1:3128", .address = "127.0.0.1:3128",
	 .wanted = "observe b:2@127.0.0.1:3128"},
	{"no other proxy's password", LOCAL,
	 .asker.http_proxy = "http://u:w@127.0.0.1:3129", .address = "127.0.0.1:3128",
	 .wanted = "observe 127.0.0.1:3128"},
	{"the file's user", LOCAL, .user = "carol", .address = "127.0.0.1:3128",
	 .wanted = "observe carol@127.0.0.1:3128"},
	{"of a proxy learnt before", .user = "carol", .address = "192.0.2.77:3128",
	 .wanted = "observe carol@192.0.2.77:3128"},
	{"but for the file's own proxy", .config = "http://f.test:1", .user = "carol",
	 .address = "192.0.2.77:3128", .wanted = "observe 192.0.2.77:3128"},
	{"port 80", PROXY, .address = "192.0.2.1:80",
	 .wanted = "forward 192.0.2.1:80 via p.test:3128"},
	{"port 80 of a stand-in", PROXY, .address = "[100::198.18.0.1]:80",
	 .wanted = "forward stood.test:80 via p.test:3128"},
	{"port 80, exempt", PROXY, .asker.no_proxy = "192.0.2.1",
	 .address = "192.0.2.1:80", .wanted = "direct"},
	{"port 80, but not HTTP", PROXY, .wants_tunnel = true, .address = "192.0.2.1:80",
	 .wanted = "tunnel 192.0.2.1:80 via p.test:3128"},
	{"port 80, not to be forwarded", PROXY, .forward_ports = "8000",
	 .address = "192.0.2.1:80", .wanted = "tunnel 192.0.2.1:80 via p.test:3128"},
	{"a port to be forwarded", PROXY, .forward_ports = "80, 8000",
	 .address = "192.0.2.1:8000", .wanted = "forward 192.0.2.1:8000 via p.test:3128"},
	{"no port to be forwarded", PROXY, .forward_ports = "", .address = "192.0.2.1:80",
	 .wanted = "tunnel 192.0.2.1:80 via p.test:3128"},
	{"a proxy on port 80", .asker.http_proxy = "http://192.0.2.8",
	 .address = "192.0.2.8:80", .wanted = "observe 192.0.2.8:80"},
};

static char *describe_proxy(const struct proxy_list *proxy)
{
	const struct credential *credential = proxy->credential;
	char endpoint[GP_AUTHORITY_MAX + 1];

	endpoint_text(&proxy->hops[0], endpoint);
	if (!proxy->user)
		return g_strdup_printf("observe %s", endpoint);
	return g_strdup_printf("observe %s%s%s@%s", proxy->user, credential ? ":" : "",
			       credential ? credential->password->bytes : "", endpoint);
}

static char *describe(const struct route *route)
{
	char proxy[GP_AUTHORITY_MAX + 1];

	if (route->way == ROUTE_DIRECT)
		return g_strdup("direct");
	if (route->way == ROUTE_UNREACHABLE)
		return g_strdup_printf("errno %d", route->error);
	if (route->way == ROUTE_OBSERVE)
		return describe_proxy(&route->proxy);
	endpoint_text(&route->proxy.hops[0], proxy);
	return g_strdup_printf("%s %s via %s",
			       route->way == ROUTE_FORWARD ? "forward" : "tunnel",
			       route->authority, proxy);
}

static void ignore(void *data, const struct addresses *found)
{
	(void)data;
	assert_int_equal(found->count, 1);
}

static void decide(const struct way *way, struct config *config, struct route *out)
{
	struct route_question question = {.host = way->host,
					  .wants_tunnel = way->wants_tunnel};

	*config = config_of(way->config, way->config_no_proxy);
	config->user = (char *)way->user;
	if (way->forward_ports)
		assert_true(ports_parse(way->forward_ports, &config->forward_ports));
	assert_true(gp_address_parse(way->address, &question.destination));
	routes_decide(&way->asker, config, &question, out);
}

/* The agent has found this address for a proxy of that name. */
static void learn(const char *name, const char *address)
{
	struct endpoint learnt = {.port = 3128};

	g_strlcpy(learnt.host, name, sizeof(learnt.host));
	resolver_set(name, address);
	addresses_find(&learnt, 1, ignore, NULL);
	resolver_answer();
}

static void assert_text(const char *what, char *text, const char *wanted)
{
	if (strcmp(text, wanted))
		fail_msg("%s: \"%s\", not \"%s\"", what, text, wanted);
	g_free(text);
}

static void test_ways(void **state)
{
	(void)state;
	assert_int_equal(names_number("stood.test"), 1);
	learn("192.0.2.77", NULL);
	learn("learnt.test", "192.0.2.78");
	for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
		struct config config;
		struct route route;

		decide(&ways[i], &config, &route);
		assert_text(ways[i].what, describe(&route), ways[i].wanted);
		assert_true((route.way == ROUTE_UNREACHABLE) ==
			    (route.reason[0] != '\0'));
		route_release(&route);
		proxy_list_release(&config.proxy);
	}
	names_close();
	addresses_clear();
}

struct peers_of {
	struct way way;
	const char *peers; /* in the order of their look-up */
};

static const struct peers_of peers[] = {
	{{"another port", PROXY, .address = "127.0.0.1:5432", .wanted = "direct"}, ""},
	{{"loopback", PROXY, .address = "127.0.0.1:3128", .wanted = "direct"},
	 "observe p.test:3128"},
	{{"exempt", PROXY, .asker.no_proxy = "*", .address = "192.0.2.1:3128",
	  .wanted = "direct"},
	 "observe p.test:3128"},
	{{"a stand-in", PROXY, .address = "198.18.0.1:3128",
	  .wanted = "tunnel stood.test:3128 via p.test:3128"},
	 ""},
	{{"several", PROXY, .asker.all_proxy = "a.test:80, b.test:3128",
	  .asker.http_proxy = "u@h.test:3128", .config = "http://192.0.2.9:3128",
	  .address = "192.0.2.1:3128", .wanted = "tunnel 192.0.2.1:3128 via p.test:3128"},
	 "observe p.test:3128, observe u@h.test:3128, observe a.test:80"},
	{{"the same one", PROXY, .asker.http_proxy = "u@p.test:3128",
	  .asker.all_proxy = "v:w@p.test:3128", .address = "192.0.2.1:3128",
	  .wanted = "tunnel 192.0.2.1:3128 via p.test:3128"},
	 "observe v:w@p.test:3128"},
	{{"a number as only the resolver reads it", .asker.http_proxy = "127.1:3128",
	  .address = "127.0.0.1:3128", .wanted = "direct"},
	 "observe 127.1:3128"},
	{{"a name beside a proxy learnt before", PROXY, .address = "192.0.2.77:3128",
	  .wanted = "observe 192.0.2.77:3128"},
	 "observe p.test:3128"},
	{{"none beside a certain one", PROXY, .asker.http_proxy = "127.0.0.1:3128",
	  .address = "127.0.0.1:3128", .wanted = "observe 127.0.0.1:3128"},
	 ""},
};

static char *describe_peers(const struct route *route)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < route->peers->len; i++) {
		struct peer *peer = route->peers->pdata[i];
		char *proxy = describe_proxy(&peer->proxy);

		g_string_append_printf(text, "%s%s", i ? ", " : "", proxy);
		g_free(proxy);
	}
	return g_string_free(text, FALSE);
}

/* A proxy known by name on the destination's port is to be looked up and compared. */
static void test_peers(void **state)
{
	(void)state;
	assert_int_equal(names_number("stood.test"), 1);
	learn("192.0.2.77", NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(peers); i++) {
		const struct way *way = &peers[i].way;
		struct config config;
		struct route route;

		decide(way, &config, &route);
		assert_text(way->what, describe(&route), way->wanted);
		assert_text(way->what, describe_peers(&route), peers[i].peers);
		route_release(&route);
		proxy_list_release(&config.proxy);
	}
	names_close();
	addresses_clear();
}

static void test_observe(void **state)
{
	const struct way way = {.asker.gatepass_proxy = "http://p.test:8080",
				.asker.http_proxy = "http://u:w@h.test:8080",
				.address = "192.0.2.1:8080"};
	struct config config;
	struct route route;

	(void)state;
	decide(&way, &config, &route);
	assert_true(route.forward_if_refused);
	route_observe(&route, 1);
	assert_text("the second", describe(&route), "observe u:w@h.test:8080");
	assert_int_equal(route.peers->len, 0);
	assert_false(route.forward_if_refused);
	route_release(&route);
}

static const struct {
	struct way way;
	bool forward;
} refused[] = {
	{{"HTTP", PROXY, .address = "192.0.2.1:8080"}, true},
	{{"TLS", PROXY, .address = "192.0.2.1:443"}, false},
	{{"known not to be HTTP", PROXY, .wants_tunnel = true,
	  .address = "192.0.2.1:8080"},
	 false},
	{{"port 80 that is not forwarded", PROXY, .forward_ports = "",
	  .address = "192.0.2.1:80"},
	 true},
	{{"forwarded anyway", PROXY, .address = "192.0.2.1:80"}, false},
	{{"direct", .address = "192.0.2.1:8080"}, false},
	{{"unreachable", .asker.gatepass_proxy = "ftp://p.test",
	  .address = "192.0.2.1:8080"},
	 false},
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
		struct config config;
		struct route route;

		decide(&refused[i].way, &config, &route);
		if (route.forward_if_refused != refused[i].forward)
			fail_msg("%s", refused[i].way.what);
		route_release(&route);
	}
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
		cmocka_unit_test(test_observe),    cmocka_unit_test(test_refused),
		cmocka_unit_test(test_names),      cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_proxy_list),
	};

	resolver_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
