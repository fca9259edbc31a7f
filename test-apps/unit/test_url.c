/* SPDX-License-Identifier: MIT */
/* Proxy URLs of gatepass/url.h: what is accepted, and that nothing leaks when it is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gatepass/url.h>

#include "guard.h"

static struct guard guard;

static bool holds(const struct gp_url *url, const char *secret)
{
	return memmem(url, sizeof(*url), secret, strlen(secret)) != NULL;
}

static void accepts(void **state)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
		const char *user, *password; /* NULL: none */
	} cases[] = {
		{"http://proxy:3128", "proxy", 3128, NULL, NULL},
		{"http://proxy:3128/", "proxy", 3128, NULL, NULL},
		{"proxy:3128", "proxy", 3128, NULL, NULL},
		{"proxy", "proxy", 80, NULL, NULL},
		{"proxy/", "proxy", 80, NULL, NULL},
		{"http://proxy", "proxy", 80, NULL, NULL},
		{"http://proxy/", "proxy", 80, NULL, NULL},
		{"HTTP://PROXY.Example.ORG:1", "proxy.example.org", 1, NULL, NULL},
		{"http://proxy.:65535", "proxy", 65535, NULL, NULL},
		{"192.0.2.1:8080", "192.0.2.1", 8080, NULL, NULL},
		{"http://[2001:DB8::1]:3128/", "2001:db8::1", 3128, NULL, NULL},
		{"[::1]", "::1", 80, NULL, NULL},
		{"http://alice@proxy", "proxy", 80, "alice", NULL},
		{"http://alice:@proxy", "proxy", 80, "alice", ""},
		{"http://alice:sekret@proxy:3128", "proxy", 3128, "alice", "sekret"},
		{"alice:sekret@proxy:3128", "proxy", 3128, "alice", "sekret"},
		{"alice:sekret@[::1]:3128", "::1", 3128, "alice", "sekret"},
		{"http://f%61ke:p%40ss%3a%2F%25@proxy", "proxy", 80, "fake", "p@ss:/%"},
		{"http://a%3Ab:c@proxy", "proxy", 80, "a:b", "c"},
		{"http://u:p@w@proxy", "proxy", 80, "u", "p@w"},
		{"http://u:a:b@proxy:80", "proxy", 80, "u", "a:b"},
		{"http://DOMAIN%5Cuser:x@proxy", "proxy", 80, "DOMAIN\\user", "x"},
		{"http://u:p%C3%A9@proxy", "proxy", 80, "u", "p\xC3\xA9"},
		{"http://u:a%20b@proxy", "proxy", 80, "u", "a b"},
		{"http://u:a+b@proxy", "proxy", 80, "u", "a+b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			struct gp_url url;
			char *text = guard_string(&guard, place, cases[i].text);
			enum gp_err err = gp_url_parse(text, &url);

			expect(err == GP_OK, "%s: %s", text, gp_strerror(err));
			expect(strcmp(url.host, cases[i].host) == 0, "%s: %s", text,
			       url.host);
			expect(url.port == cases[i].port, "%s: %u", text, url.port);
			expect(url.has_user == !!cases[i].user, "%s: user?", text);
			expect(url.has_password == !!cases[i].password, "%s: password?",
			       text);
			expect(!cases[i].user || strcmp(url.user, cases[i].user) == 0,
			       "%s: %s", text, url.user);
			expect(!cases[i].password ||
				       strcmp(url.password, cases[i].password) == 0,
			       "%s: %s", text, url.password);
		}
}

static void refuses(void **state)
{
	static const struct {
		const char *text;
		enum gp_err err;
	} cases[] = {
		{"https://proxy:443", GP_ERR_URL_SCHEME},
		{"socks5://proxy:1080", GP_ERR_URL_SCHEME},
		{"socks5h://alice:sekret@proxy:1080", GP_ERR_URL_SCHEME},
		{"ftp://proxy", GP_ERR_URL_SCHEME},
		{"httpx://proxy", GP_ERR_URL_SCHEME},
		{"http://", GP_ERR_URL_HOST},
		{"http:///", GP_ERR_URL_HOST},
		{"http://:3128", GP_ERR_URL_HOST},
		{"http://alice:sekret@", GP_ERR_URL_HOST},
		{"http://alice:sekret@:3128", GP_ERR_URL_HOST},
		{"http://[::1", GP_ERR_URL_HOST},
		{"http://[example]:80", GP_ERR_URL_HOST},
		{"http://[]:80", GP_ERR_URL_HOST},
		{"http://alice:sekret@pro%78y", GP_ERR_URL_HOST},
		{"http://alice:sekret@pro\"xy", GP_ERR_URL_HOST},
		{"http://proxy:0", GP_ERR_URL_PORT},
		{"http://alice:sekret@proxy:70000", GP_ERR_URL_PORT},
		{"http://proxy:65536", GP_ERR_URL_PORT},
		{"http://proxy:-1", GP_ERR_URL_PORT},
		{"http://proxy:+80", GP_ERR_URL_PORT},
		{"http://proxy:80x", GP_ERR_URL_PORT},
		{"http://proxy:x", GP_ERR_URL_PORT},
		{"http://proxy:99999999999999999999/", GP_ERR_URL_PORT},
		{"http://alice%:sekret@proxy", GP_ERR_URL_USERINFO},
		{"http://alice%4:sekret@proxy", GP_ERR_URL_USERINFO},
		{"http://alice:sekret%@proxy", GP_ERR_URL_USERINFO},
		{"http://alice:sekret%4@proxy", GP_ERR_URL_USERINFO},
		{"http://alice:sekret%zz@proxy", GP_ERR_URL_USERINFO},
		{"http://alice:sekret%00@proxy", GP_ERR_URL_USERINFO},
		{"http://alice%00:sekret@proxy", GP_ERR_URL_USERINFO},
		{"http://alice:sekret%0d%0aX@proxy", GP_ERR_URL_USERINFO},
		{"http://alice%0A:sekret@proxy", GP_ERR_URL_USERINFO},
		{"http://alice:sekret%7F@proxy", GP_ERR_URL_USERINFO},
		{"http://proxy:80/path", GP_ERR_URL_SYNTAX},
		{"http://alice:sekret@proxy/?q", GP_ERR_URL_SYNTAX},
		{"http://alice:sekret@proxy/#f", GP_ERR_URL_SYNTAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			struct gp_url url;
			char *text = guard_string(&guard, place, cases[i].text);

			memset(&url, 'X', sizeof(url));
			enum gp_err err = gp_url_parse(text, &url);

			expect(err == cases[i].err, "\"%s\": %s", text, gp_strerror(err));
			expect(!url.has_user && !url.has_password && !url.host[0] &&
				       !url.user[0] && !url.password[0],
			       "\"%s\" left something", text);
			expect(!holds(&url, "sekret"), "\"%s\" left the password", text);
		}
}

/* Which reason is the best one is a matter of taste; that they are refused is not. */
static void refuses_for_some_reason(void **state)
{
	static const char *const cases[] = {
		"",
		" ",
		"http://pro xy:80",
		"http://proxy?q",
		"http://proxy#f",
		"http://proxy:80//",
		"http:/proxy",
		"http://a:b:c",
		"://proxy",
		"http://::1:80",
		"//proxy",
		"http://proxy:80:80",
		"http://[::1]x",
		"http://pro\r\nxy",
		"http://proxy\n",
		"http://proxy\\x",
		"http://u\tx:p@proxy",
		"http://u:p\n@proxy",
		"http://[::1%eth0]:80",
		"http://proxy,http://other",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			struct gp_url url;

			expect(gp_url_parse(guard_string(&guard, place, cases[i]),
					    &url) != GP_OK,
			       "\"%s\" accepted", cases[i]);
		}
}

struct lengths {
	size_t user, password, host;
	bool encoded; /* each octet of user and password in three */
};

static char *url_of(const struct lengths *lengths, char *out)
{
	char *p = stpcpy(out, "http://");

	for (size_t i = 0; i < lengths->user; i++)
		p = stpcpy(p, lengths->encoded ? "%75" : "u");
	*p++ = ':';
	for (size_t i = 0; i < lengths->password; i++)
		p = stpcpy(p, lengths->encoded ? "%70" : "p");
	*p++ = '@';
	for (size_t i = 0; i < lengths->host; i++)
		*p++ = 'h';
	strcpy(p, ":65535");
	return out;
}

static void knows_its_maxima(void **state)
{
	static char text[4 * GP_URL_MAX];
	static struct gp_url url;
	struct lengths lengths = {GP_USER_MAX, GP_PASSWORD_MAX, GP_HOST_MAX, true};

	(void)state;
	for (int encoded = 0; encoded < 2; encoded++) {
		lengths.encoded = encoded;
		expect(gp_url_parse(url_of(&lengths, text), &url) == GP_OK, "encoded %d",
		       encoded);
		assert_int_equal(strlen(url.user), GP_USER_MAX);
		assert_int_equal(strlen(url.password), GP_PASSWORD_MAX);
		assert_int_equal(strlen(url.host), GP_HOST_MAX);
	}
	lengths = (struct lengths){GP_USER_MAX + 1, 1, 1, false};
	assert_int_equal(gp_url_parse(url_of(&lengths, text), &url), GP_ERR_URL_USERINFO);
	lengths = (struct lengths){1, GP_PASSWORD_MAX + 1, 1, false};
	assert_int_equal(gp_url_parse(url_of(&lengths, text), &url), GP_ERR_URL_USERINFO);
	lengths = (struct lengths){1, 1, GP_HOST_MAX + 1, false};
	enum gp_err err = gp_url_parse(url_of(&lengths, text), &url);

	assert_true(err == GP_ERR_URL_HOST || err == GP_ERR_HOST_LONG);
	lengths = (struct lengths){1, GP_URL_MAX, 1, true};
	assert_int_not_equal(gp_url_parse(url_of(&lengths, text), &url), GP_OK);
	assert_false(holds(&url, "pppppppp"));
}

static void every_prefix_is_safe(void **state)
{
	static const char whole[] = "http://al%69ce:se%6Bret@[2001:db8::1]:3128/";
	struct gp_url url;

	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++) {
		char *text = guard_room(&guard, GUARD_TAIL, len + 1);

		memcpy(text, whole, len);
		text[len] = '\0';
		if (gp_url_parse(text, &url) == GP_OK)
			gp_url_clear(&url);
		expect(!holds(&url, "sekret"), "\"%s\" left the password", text);
	}
}

static void clear_wipes(void **state)
{
	struct gp_url url;

	(void)state;
	assert_int_equal(gp_url_parse("http://alice:sekret@proxy", &url), GP_OK);
	assert_true(holds(&url, "sekret"));
	gp_url_clear(&url);
	assert_false(holds(&url, "sekret"));
	assert_false(holds(&url, "alice"));
	assert_false(url.has_user || url.has_password);
}

static void show_keeps_the_secret(void **state)
{
	static const char *const cases[][2] = {
		{"http://alice:sekret@Proxy:3128/", "http://proxy:3128"},
		{"proxy", "http://proxy:80"},
		{"alice@[2001:db8::1]:1", "http://[2001:db8::1]:1"},
	};
	struct gp_url url;
	char *out = guard_room(&guard, GUARD_TAIL, GP_URL_SHOW_MAX);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(gp_url_parse(cases[i][0], &url), GP_OK);
		gp_url_show(&url, out);
		assert_string_equal(out, cases[i][1]);
	}
	memset(url.host, 'h', GP_HOST_MAX);
	url.host[GP_HOST_MAX] = '\0';
	url.port = 65535;
	gp_url_show(&url, out);
	assert_int_equal(strlen(out), strlen("http://:65535") + GP_HOST_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_for_some_reason),
		cmocka_unit_test(knows_its_maxima),
		cmocka_unit_test(every_prefix_is_safe),
		cmocka_unit_test(clear_wipes),
		cmocka_unit_test(show_keeps_the_secret),
	};

	guard_init(&guard, 4096);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	guard_release(&guard);
	return failed;
}
