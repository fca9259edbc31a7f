/* SPDX-License-Identifier: MIT */
/* The choice among the schemes that a proxy offers, as the user's policy has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>

#include "scheme.h"

/* What is tried, as labels; `policy` NULL: the default. */
static const char *choose(const char *policy, unsigned unfit, const char *one,
			  const char *two)
{
	const struct scheme *candidates[SCHEMES_MAX + 1];
	GPtrArray *challenges = g_ptr_array_new();
	static char text[256];
	const struct scheme_request request = {.challenges = challenges};
	struct scheme_policy order;

	scheme_policy_init(&order);
	if (policy)
		assert_true(scheme_policy_parse(policy, &order));
	g_ptr_array_add(challenges, (gpointer)one);
	g_ptr_array_add(challenges, (gpointer)two);
	scheme_candidates(&order, challenges, &request, unfit, candidates);
	g_ptr_array_unref(challenges);
	text[0] = '\0';
	for (unsigned i = 0; candidates[i]; i++) {
		g_strlcat(text, i ? " " : "", sizeof(text));
		g_strlcat(text, candidates[i]->label, sizeof(text));
	}
	return text;
}

static void test_strongest_first(void **state)
{
	(void)state;
	assert_string_equal(choose(NULL, 0, "Kerberos", "basic realm=\"x\""), "basic");
	assert_string_equal(choose(NULL, 0, "Basic realm=x", "Digest realm=x, nonce=y"),
			    "digest");
	assert_string_equal(choose(NULL, 0, "Digest realm=x", "Basic"), "basic");
	assert_string_equal(choose(NULL, 0, "Basic, Digest nonce=y, algorithm=SHA-1",
				   "Digest nonce=y"),
			    "digest");
	assert_string_equal(choose(NULL, 0, "Digest nonce=y, algorithm=SHA-1", ""), "");
	assert_string_equal(choose(NULL, 0, "Digest nonce=y, algorithm=MD5-sess", ""),
			    "");
	assert_string_equal(choose(NULL, 0, "Digest realm=\"Basic\"", ""), "");
}

static void test_nothing_is_offered(void **state)
{
	const struct scheme_request request = {.method = "GET"};
	const struct scheme *candidates[SCHEMES_MAX + 1];
	struct scheme_policy policy;

	(void)state;
	scheme_policy_init(&policy);
	scheme_candidates(&policy, NULL, &request, 0, candidates);
	assert_null(candidates[0]);
	assert_string_equal(choose(NULL, 0, "", ""), "");
}

static void test_policy(void **state)
{
	const char *offered = "Basic realm=x, Digest nonce=y";
	struct scheme_policy policy;

	(void)state;
	assert_string_equal(choose("basic", 0, offered, ""), "basic");
	assert_string_equal(choose("digest", 0, offered, ""), "digest");
	assert_string_equal(choose("Basic,digest", 0, offered, ""), "basic digest");
	assert_string_equal(choose(" digest , basic digest", 0, offered, ""), "digest");
	assert_string_equal(choose("digest", 0, "Basic", ""), "");
	assert_false(scheme_policy_parse("", &policy));
	assert_false(scheme_policy_parse(" , ", &policy));
	assert_false(scheme_policy_parse("basic oauth", &policy));
}

/* One that does not work leaves its place to what is a last resort else. */
static void test_unfit(void **state)
{
	const char *offered = "Basic realm=x, Digest nonce=y";

	(void)state;
	assert_string_equal(choose(NULL, 1u << scheme_digest.number, offered, ""),
			    "basic");
	assert_string_equal(choose(NULL, 1u << scheme_basic.number, offered, ""),
			    "digest");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strongest_first),
		cmocka_unit_test(test_nothing_is_offered),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_unfit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
