/* SPDX-License-Identifier: MIT */
/* Proxy-Authenticate values of gatepass/challenge.h: the grammar of RFC 9110 11, and what
 * real proxies send instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gatepass/challenge.h>

#include "guard.h"

static struct guard guard;

static char *put(char *out, struct gp_text text)
{
	if (text.len > 0)
		memcpy(out, text.p, text.len);
	return out + text.len;
}

/* "Scheme token68 [name=value;...] | ..."; gives up on a parser that does not come to an
 * end. `out` has room for it. */
static void show(struct gp_text rest, char *out)
{
	size_t most = rest.len + 2;
	struct gp_challenge challenge;

	for (const char *bar = ""; gp_challenge_next(&rest, &challenge); bar = " | ") {
		struct gp_auth_param param;

		expect(most-- > 0, "the challenges do not end");
		expect(challenge.scheme.len > 0, "a challenge without scheme");
		out = put(stpcpy(out, bar), challenge.scheme);
		if (challenge.token68.len > 0)
			out = put(stpcpy(out, " "), challenge.token68);
		struct gp_text params = challenge.params;
		size_t most_params = params.len + 2;

		const char *begin = " [";

		for (; gp_auth_param_next(&params, &param); begin = ";") {
			expect(most_params-- > 0, "the parameters do not end");
			out = put(stpcpy(out, begin), param.name);
			out = put(stpcpy(out, "="), param.value);
		}
		if (*begin == ';')
			out = stpcpy(out, "]");
	}
	*out = '\0';
}

/* Only the names of the schemes: "Basic Digest". */
static void show_schemes(struct gp_text rest, char *out)
{
	size_t most = rest.len + 2;
	struct gp_challenge challenge;

	for (const char *gap = ""; gp_challenge_next(&rest, &challenge); gap = " ") {
		expect(most-- > 0, "the challenges do not end");
		out = put(stpcpy(out, gap), challenge.scheme);
	}
	*out = '\0';
}

static void check(const char *const (*cases)[2], size_t count,
		  void (*shower)(struct gp_text, char *))
{
	char out[2048];

	for (size_t i = 0; i < count; i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			size_t len = strlen(cases[i][0]);
			char *p = guard_copy(&guard, place, cases[i][0], len);

			shower((struct gp_text){p, len}, out);
			expect(strcmp(out, cases[i][1]) == 0, "%s gave %s", cases[i][0],
			       out);
		}
}

#define CHECK(cases, shower) check(cases, sizeof(cases) / sizeof(*(cases)), shower)

static void grammar(void **state)
{
	static const char *const cases[][2] = {
		{"Basic realm=\"foobar\"", "Basic [realm=\"foobar\"]"},
		{"NTLM", "NTLM"},
		{"Negotiate YIIZ0123+/~._-==", "Negotiate YIIZ0123+/~._-=="},
		{"NTLM TlRMTVNTUAAC", "NTLM TlRMTVNTUAAC"},
		{"NTLM oRUwE6ADCgEDoQwGCisGAQQBgjcCAgo=",
		 "NTLM oRUwE6ADCgEDoQwGCisGAQQBgjcCAgo="},
		{"Negotiate, NTLM, Basic realm=\"x\"",
		 "Negotiate | NTLM | Basic [realm=\"x\"]"},
		{"Negotiate YII=, Basic realm=\"x\"",
		 "Negotiate YII= | Basic [realm=\"x\"]"},
		{"Basic realm=\"x\", Negotiate YII=",
		 "Basic [realm=\"x\"] | Negotiate YII="},
		/* RFC 9110 11.6.1 */
		{"Basic realm=\"simple\", Newauth realm=\"apps\", type=1, "
		 "title=\"Login to \\\"apps\\\"\"",
		 "Basic [realm=\"simple\"] | "
		 "Newauth [realm=\"apps\";type=1;title=\"Login to \\\"apps\\\"\"]"},
		{"Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", "
		 "Basic realm=\"simple\"",
		 "Newauth [realm=\"apps\";type=1;title=\"Login to \\\"apps\\\"\"] | "
		 "Basic [realm=\"simple\"]"},
		{"Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, "
		 "Digest realm=\"r\", nonce=\"n\", algorithm=MD5, Basic realm=\"r\"",
		 "Digest [realm=\"r\";nonce=\"n\";algorithm=SHA-256] | "
		 "Digest [realm=\"r\";nonce=\"n\";algorithm=MD5] | Basic [realm=\"r\"]"},
		{"Digest realm=\"x\", qop=\"auth, auth-int\", stale=false",
		 "Digest [realm=\"x\";qop=\"auth, auth-int\";stale=false]"},
		/* commas, schemes and quotes in a quoted-string */
		{"Basic realm=\"a, Digest nonce=1\"",
		 "Basic [realm=\"a, Digest nonce=1\"]"},
		{"Basic realm=\"a\\\", Digest b\"", "Basic [realm=\"a\\\", Digest b\"]"},
		{"Basic realm=\"a\\\\\", Digest nonce=b",
		 "Basic [realm=\"a\\\\\"] | Digest [nonce=b]"},
		{"Basic realm=\"\", charset=\"UTF-8\"",
		 "Basic [realm=\"\";charset=\"UTF-8\"]"},
		/* BWS around '=' */
		{"Basic realm = \"x\"", "Basic [realm=\"x\"]"},
		{"Digest realm=\"x\" , nonce\t=\t\"y\",opaque= z",
		 "Digest [realm=\"x\";nonce=\"y\";opaque=z]"},
		/* empty list elements */
		{", ,Basic realm=\"x\",, charset=\"UTF-8\" ,, NTLM , ",
		 "Basic [realm=\"x\";charset=\"UTF-8\"] | NTLM"},
		{"Basic realm=\"x\",NTLM", "Basic [realm=\"x\"] | NTLM"},
		{"NTLM,Negotiate", "NTLM | Negotiate"},
		{"", ""},
		{" ", ""},
		{",", ""},
		{" , ,\t, ", ""},
	};

	(void)state;
	CHECK(cases, show);
	assert_false(
		gp_challenge_next(&(struct gp_text){NULL, 0}, &(struct gp_challenge){0}));
	assert_false(gp_auth_param_next(&(struct gp_text){NULL, 0},
					&(struct gp_auth_param){0}));
}

static void tolerance(void **state)
{
	static const char *const cases[][2] = {
		{"Basic\trealm=\"x\"", "Basic [realm=\"x\"]"},
		{"  Basic   \t realm=\"x\"  ", "Basic [realm=\"x\"]"},
		{"NTLM  SGVsbG8sIFdvcmxkCg===", "NTLM SGVsbG8sIFdvcmxkCg==="},
		{"Basic realm=\"foo bar", "Basic [realm=\"foo bar]"},
		{"Basic realm=\"", "Basic [realm=\"]"},
		{"Basic realm=foobar@baz.com", "Basic [realm=foobar@baz.com]"},
		{"Basic realm=\"foobar@baz.com", "Basic [realm=\"foobar@baz.com]"},
		{"Digest qop=auth-int, algorithm=md5, realm=\"foo",
		 "Digest [qop=auth-int;algorithm=md5;realm=\"foo]"},
		{"Basic realm=\"foo-\xE5\"", "Basic [realm=\"foo-\xE5\"]"},
		{"Basic realm=caf\xC3\xA9, NTLM", "Basic [realm=caf\xC3\xA9] | NTLM"},
		{"Digest nonce=a==, opaque=b", "Digest [nonce=a==;opaque=b]"},
		{"Basic realm=a,realm=b", "Basic [realm=a;realm=b]"},
	};

	(void)state;
	CHECK(cases, show);
}

/* What is broken costs parameters, never the scheme, nor the challenges behind it. */
static void schemes_survive(void **state)
{
	static const char *const cases[][2] = {
		{"Basic realm=\"squid \"basic\"\"", "Basic"}, /* Squid 5, verbatim */
		{"Basic realm=\"squid \"basic\"\", Digest realm=\"x\"", "Basic Digest"},
		{"Basic \"oh please\"", "Basic"},
		{"Basic \"oh please\", NTLM", "Basic NTLM"},
		{"Basic realm=a b, Digest nonce=1", "Basic Digest"},
		{"Basic realm='a b'", "Basic"},
		{"Digest qop=", "Digest"},
		{"Digest qop=, realm=\"x\"", "Digest"},
		{"Digest realm, nonce=\"x\", NTLM", "Digest NTLM"},
		{"Blackmagic, Basic realm=\"x\"", "Blackmagic Basic"},
		{"X-MobileMe-AuthToken realm=\"x\", Basic realm=\"y\"",
		 "X-MobileMe-AuthToken Basic"},
		{"Wild-and-crazy a b c, Basic realm=\"y\"", "Wild-and-crazy Basic"},
		{"Kerberos", "Kerberos"},
		{"bAsIc REALM=\"x\"", "bAsIc"},
		{"Digest realm=\"x\" nonce=\"y\", NTLM", "Digest NTLM"},
		{"Digest realm=\"x\"; nonce=\"y\", NTLM", "Digest NTLM"},
		{"Digest realm=\"x\"nonce=\"y\", NTLM", "Digest NTLM"},
		{"Basic realm=\"x\\", "Basic"},
		{"Basic ,NTLM", "Basic NTLM"},
	};

	(void)state;
	CHECK(cases, show_schemes);
}

static void unquoted(void **state)
{
	static const struct {
		const char *challenge, *name, *value; /* NULL: absent */
	} cases[] = {
		{"Basic realm=\"simple\"", "realm", "simple"},
		{"Basic realm=\"simple\"", "REALM", "simple"},
		{"Basic REALM=\"Simple\"", "realm", "Simple"},
		{"Basic realm=simple", "realm", "simple"},
		{"Basic realm=\"\"", "realm", ""},
		{"Basic realm=\"a\\\"b\\\\c\\d\"", "realm", "a\"b\\cd"},
		{"Basic realm=\"foo bar", "realm", "foo bar"},
		{"Basic realm=\"", "realm", ""},
		{"Basic realm=\"foobar@baz.com", "realm", "foobar@baz.com"},
		{"Basic realm=foobar@baz.com", "realm", "foobar@baz.com"},
		{"Basic realm=\"foo-\xE5\"", "realm", "foo-\xE5"},
		{"Basic realm=\"a, b=c\"", "realm", "a, b=c"},
		{"Basic realm=\"a, b=c\"", "b", NULL},
		{"Basic realm=\"a\\", "realm", "a\\"},
		{"Basic", "realm", NULL},
		{"NTLM TlRMTVNTUAAC", "realm", NULL},
		{"Digest realm=\"x\", nonce=1, nonce=2", "nonce", "2"},
		{"Basic realm=a,realm=b", "realm", "b"},
		{"Digest realm=\"x\", algorithm=\"SHA-256\"", "algorithm", "SHA-256"},
		{"Digest realm=\"x\", qop=\"crazy, auth\"", "qop", "crazy, auth"},
		{"Digest realm=\"x\", xnonce=1", "nonce", NULL},
		{"Digest realm=\"x\", noncex=1", "nonce", NULL},
		{"Digest realm = \"x\" , nonce = y", "nonce", "y"},
		{"Digest realm=\"x\", stale=TRUE, opaque=z", "stale", "TRUE"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len = strlen(cases[i].challenge);
		struct gp_text rest = {
			guard_copy(&guard, GUARD_TAIL, cases[i].challenge, len), len};
		struct gp_challenge challenge;

		assert_true(gp_challenge_next(&rest, &challenge));
		bool found =
			gp_challenge_param(&challenge, cases[i].name, out, sizeof(out));

		expect(found == !!cases[i].value, "%s: %s", cases[i].challenge,
		       cases[i].name);
		expect(!found || strcmp(out, cases[i].value) == 0, "%s: %s",
		       cases[i].challenge, out);
	}
}

static void param_keeps_to_its_room(void **state)
{
	struct gp_text rest = gp_text("Basic realm=\"a\\\"bc\", short=x");
	struct gp_challenge challenge;

	(void)state;
	assert_true(gp_challenge_next(&rest, &challenge));
	for (size_t cap = 1; cap < 8; cap++) {
		char *out = guard_room(&guard, GUARD_TAIL, cap);
		bool fits = cap >= 5;

		expect(gp_challenge_param(&challenge, "realm", out, cap) == fits,
		       "cap %zu", cap);
		if (fits)
			assert_string_equal(out, "a\"bc");
	}
}

/* Kerberos tokens with a PAC reach 48 KiB; other clients were tested with 16 KiB lines.
 */
static void large_values(void **state)
{
	static char bytes[64 * 1024];
	struct gp_challenge challenge;
	size_t len = 50000;

	(void)state;
	memset(bytes, 'A', sizeof(bytes));
	memcpy(bytes, "Negotiate ", 10);
	struct gp_text rest = {guard_copy(&guard, GUARD_TAIL, bytes, len), len};

	assert_true(gp_challenge_next(&rest, &challenge));
	assert_true(gp_text_is(challenge.scheme, "negotiate"));
	assert_int_equal(challenge.token68.len, len - 10);
	assert_false(gp_challenge_next(&rest, &challenge));
}

static void every_prefix_ends(void **state)
{
	static const char *const cases[] = {
		"Digest realm=\"a\\\"b, c\", nonce = x==, qop=\"auth\", NTLM TlRM==, , "
		"Basic "
		"realm=\"squid \"basic\"\", Negotiate",
		"nonce=\"aaaaaaaaaa\"",
		"=,=\"=\\,\"\\\"=@@\x01\x7F\xFF; a=b c=\"d\"e=f,\"g\"=h,i =,j",
		"\"\"\"\"\"\\\\\\\"\"",
		"a b=c d e=f=g,h=\"i\"j\"k\",l m==n",
	};
	static char out[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (size_t len = 0; len <= strlen(cases[i]); len++) {
			char *p = guard_copy(&guard, GUARD_TAIL, cases[i], len);

			show((struct gp_text){p, len}, out);
			expect(i > 0 || len < 6 || strncmp(out, "Digest", 6) == 0,
			       "%zu: %s", len, out);
		}
}

/* Each octet, in each place of a challenge: the parser ends, and
 * the scheme survives what comes behind it. */
static void every_octet_ends(void **state)
{
	/* "Basic =" could be a parameter: the scheme is safe behind the letter after it.
	 */
	static const char whole[] = "Basic realm=\"x\", a=b, NTLM";
	static char out[4096];

	(void)state;
	for (size_t at = 0; at < sizeof(whole) - 1; at++)
		for (int c = 0; c < 256; c++) {
			char *p =
				guard_copy(&guard, GUARD_TAIL, whole, sizeof(whole) - 1);

			p[at] = (char)c;
			show((struct gp_text){p, sizeof(whole) - 1}, out);
			expect(at < 7 || strncmp(out, "Basic", 5) == 0, "octet %d at %zu",
			       c, at);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grammar),
		cmocka_unit_test(tolerance),
		cmocka_unit_test(schemes_survive),
		cmocka_unit_test(unquoted),
		cmocka_unit_test(param_keeps_to_its_room),
		cmocka_unit_test(large_values),
		cmocka_unit_test(every_prefix_ends),
		cmocka_unit_test(every_octet_ends),
	};

	guard_init(&guard, 64 * 1024);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	guard_release(&guard);
	return failed;
}
