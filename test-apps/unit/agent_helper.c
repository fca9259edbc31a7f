/* SPDX-License-Identifier: MIT */
/* git's credential helpers: their command lines, what they are told, what they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <glib.h>

#include "credential.h"
#include "guard.h"
#include "helper.h"
#include "secret.h"

static void assert_argv(const char *value, const char *wanted)
{
	char **argv = helper_argv(value, "get");
	char *joined = argv ? g_strjoinv("|", argv) : NULL;

	if (g_strcmp0(joined, wanted))
		fail_msg("%s: %s, not %s", value, joined, wanted);
	g_free(joined);
	g_strfreev(argv);
}

static void test_commands(void **state)
{
	(void)state;
	assert_argv("store", "git|credential-store|get");
	assert_argv("cache --timeout 60", "git|credential-cache|--timeout|60|get");
	assert_argv("/opt/helper", "/opt/helper|get");
	assert_argv("  /opt/a\\ b 'c d' \"e\" $f", "/opt/a b|c d|e|$f|get");
	assert_argv("!pass \"$X\" | sed 1q; :",
		    "/bin/sh|-c|pass \"$X\" | sed 1q; : \"$@\"|pass \"$X\" | sed 1q; "
		    ":|get");
	assert_argv("!", NULL);
	assert_argv("", NULL);
	assert_argv("   ", NULL);
	assert_argv("''", NULL);
	assert_argv("open 'quote", NULL);
	assert_argv("bin/helper", NULL);
	assert_argv("~/bin/helper", NULL);
}

static void assert_text(const struct gp_buf *buf, const char *wanted)
{
	assert_false(buf->full);
	assert_int_equal(buf->len, strlen(wanted));
	assert_memory_equal(buf->p, wanted, buf->len);
}

static void test_questions(void **state)
{
	const struct endpoint proxy = {"p.test", 3128}, six = {"::1", 80};
	struct credential *credential =
		credential_new(CREDENTIAL_HELPER, &proxy, "alice", "p=w", 3);
	char storage[512];
	struct gp_buf buf;

	(void)state;
	gp_buf_init(&buf, storage, sizeof(storage));
	helper_ask(&buf, &proxy, NULL);
	assert_text(&buf, "protocol=http\nhost=p.test:3128\n\n");
	gp_buf_init(&buf, storage, sizeof(storage));
	helper_ask(&buf, &six, "bob");
	assert_text(&buf, "protocol=http\nhost=[::1]:80\nusername=bob\n\n");
	gp_buf_init(&buf, storage, sizeof(storage));
	helper_tell(&buf, &proxy, credential);
	assert_text(&buf, "protocol=http\nhost=p.test:3128\nusername=alice\n"
			  "password=p=w\n\n");
	credential->expires = 77;
	gp_buf_init(&buf, storage, sizeof(storage));
	helper_tell(&buf, &proxy, credential);
	assert_text(&buf, "protocol=http\nhost=p.test:3128\nusername=alice\n"
			  "password=p=w\npassword_expiry_utc=77\n\n");
	credential_unref(credential);
}

/* What is longest in everything fits. */
static void test_longest_question(void **state)
{
	struct endpoint proxy = {.port = 65535};
	char user[GP_USER_MAX + 1] = "", password[GP_PASSWORD_MAX];
	static char storage[HELPER_QUESTION_MAX];
	struct credential *credential;
	struct gp_buf buf;

	(void)state;
	memset(proxy.host, 'h', GP_HOST_MAX);
	memset(user, 'u', GP_USER_MAX);
	memset(password, 'p', sizeof(password));
	credential = credential_new(CREDENTIAL_HELPER, &proxy, user, password,
				    sizeof(password));
	credential->expires = INT64_MAX;
	gp_buf_init(&buf, storage, sizeof(storage));
	helper_tell(&buf, &proxy, credential);
	assert_false(buf.full);
	credential_unref(credential);
}

static void assert_value(struct gp_text value, const char *wanted)
{
	if (!wanted) {
		assert_null(value.p);
		return;
	}
	assert_non_null(value.p);
	assert_int_equal(value.len, strlen(wanted));
	assert_memory_equal(value.p, wanted, value.len);
}

static void assert_answer(const char *text, const char *user, const char *password,
			  int64_t expires, bool quit)
{
	size_t len = strlen(text);
	struct helper_answer answer;
	struct guard guard;

	guard_init(&guard, len);
	for (enum guard_place place = 0; place < GUARD_PLACES; place++) {
		helper_read((struct gp_text){guard_copy(&guard, place, text, len), len},
			    &answer);
		assert_value(answer.user, user);
		assert_value(answer.password, password);
		assert_int_equal(answer.expires, expires);
		assert_int_equal(answer.quit, quit);
	}
	guard_release(&guard);
}

static void test_answers(void **state)
{
	(void)state;
	assert_answer("", NULL, NULL, 0, false);
	assert_answer("username=a\npassword=b\n", "a", "b", 0, false);
	assert_answer("protocol=http\r\nusername=a\r\npassword=b \r\n", "a", "b ", 0,
		      false);
	assert_answer("password==b=\nnothing\n=\nUsername=c", NULL, "=b=", 0, false);
	assert_answer("username=\npassword=", "", "", 0, false);
	assert_answer("username=a\n\npassword=b\n", "a", NULL, 0, false);
	assert_answer("password=a\npassword=b", NULL, "b", 0, false);
	assert_answer("password_expiry_utc=1700000000\nquit=1", NULL, NULL, 1700000000,
		      true);
	assert_answer("password_expiry_utc=soon\nquit=true\n", NULL, NULL, 0, true);
	assert_answer("password_expiry_utc=99999999999999999999\nquit=0", NULL, NULL, 0,
		      false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_longest_question),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
