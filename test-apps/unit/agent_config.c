/* SPDX-License-Identifier: MIT */
/* The configuration file: what is read, what is a problem and on which line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "config.h"
#include "credential.h"
#include "secret.h"

static char *file;

static int make_file(void **state)
{
	int fd = g_file_open_tmp("gatepass-config-XXXXXX", &file, NULL);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	config_clear();
	g_unlink(file);
	g_free(file);
	return 0;
}

static const struct config *read_text(const char *text, mode_t mode)
{
	config_clear();
	assert_true(g_file_set_contents(file, text, -1, NULL));
	assert_int_equal(chmod(file, mode), 0);
	return config_get(file);
}

/* `problem` stands behind the file's name; NULL: there is none. */
static void assert_problem(const struct config *config, unsigned i, const char *problem)
{
	char *wanted = problem ? g_strconcat(file, problem, NULL) : NULL;

	if (!wanted) {
		assert_null(config->problems[i]);
		return;
	}
	assert_non_null(config->problems[i]);
	if (!g_str_has_prefix(config->problems[i], wanted))
		fail_msg("%s, not %s", config->problems[i], wanted);
	g_free(wanted);
}

static void test_whole(void **state)
{
	const struct config *config =
		read_text("# a comment\n\n[proxy]\n  url = http://p:1 q:2\r\n"
			  "user=CORP\\alice\nno_proxy= .corp, 10.0.0.0/8 \n"
			  "forward_ports = 80, 8000\n"
			  "[agent]\nidle_timeout=7",
			  0644);

	(void)state;
	assert_problem(config, 0, NULL);
	assert_int_equal(config->proxy.count, 2);
	assert_string_equal(config->proxy.hops[0].host, "p");
	assert_string_equal(config->user, "CORP\\alice");
	assert_string_equal(config->no_proxy, ".corp, 10.0.0.0/8");
	assert_int_equal(config->idle_timeout, 7);
	assert_int_equal(config->forward_ports.count, 2);
	assert_true(ports_have(&config->forward_ports, 8000));
}

static void test_forward_ports(void **state)
{
	const struct config *config = read_text("[proxy]\n", 0644);

	(void)state;
	assert_int_equal(config->forward_ports.count, 1);
	assert_true(ports_have(&config->forward_ports, 80));
	config = read_text("[proxy]\nforward_ports=\n", 0644);
	assert_problem(config, 0, NULL);
	assert_int_equal(config->forward_ports.count, 0);
	config = read_text("[proxy]\nforward_ports=80, x\n", 0644);
	assert_problem(config, 0, ":2: bad value of \"forward_ports\"");
	assert_int_equal(config->forward_ports.count, 1);
	config = read_text("[proxy]\nforward_ports=\nbroken\n", 0644);
	assert_true(ports_have(&config->forward_ports, 80));
	assert_int_equal(g_unlink(file), 0);
	assert_true(ports_have(&config_get(file)->forward_ports, 80));
}

static void test_schemes(void **state)
{
	const struct config *config = read_text("[proxy]\nschemes=basic  DIGEST\n", 0644);

	(void)state;
	assert_problem(config, 0, NULL);
	assert_ptr_equal(config->schemes.order[0], &scheme_basic);
	assert_ptr_equal(config->schemes.order[1], &scheme_digest);
	assert_null(config->schemes.order[2]);
	config = read_text("[proxy]\nschemes=digest, oauth\n", 0644);
	assert_problem(config, 0, ":2: bad value of \"schemes\"");
	assert_non_null(config->schemes.order[1]);
	config = read_text("[proxy]\nschemes=\n", 0644);
	assert_problem(config, 0, ":2: bad value of \"schemes\"");
	config = read_text("[proxy]\nschemes=digest\nbroken\n", 0644);
	assert_non_null(config->schemes.order[1]);
}

static void test_bad_keys(void **state)
{
	const struct config *config = read_text(
		"[proxy]\nurl=http://p:0\nfoo=1\nno_proxy=x\n\n[extra]\na=b\n[agent]\n"
		"idle_timeout=-1\nurl=x\n[proxy]\nuser=a:b\n",
		0644);

	(void)state;
	assert_problem(config, 0, ":2: ");
	assert_problem(config, 1, ":3: unknown key \"foo\" in [proxy]");
	assert_problem(config, 2, ":6: unknown group [extra]");
	assert_problem(config, 3, ":9: bad value of \"idle_timeout\"");
	assert_problem(config, 4, ":10: unknown key \"url\" in [agent]");
	assert_problem(config, 5, ":12: bad value of \"user\"");
	assert_problem(config, 6, NULL);
	assert_int_equal(config->proxy.count, 0);
	assert_string_equal(config->no_proxy, "x");
	assert_int_equal(config->idle_timeout, CONFIG_IDLE_TIMEOUT);
	assert_null(config->user);
}

/* Problems go to terminals. */
static void test_problem_is_line(void **state)
{
	const struct config *config = read_text(
		"[proxy]\na\033[1m\rb=1\n[\033x]\n"
		"[agent]\n"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"\303\244=1\n",
		0644);

	(void)state;
	assert_problem(config, 0, ":2: unknown key \"a?[1m?b\" in [proxy]");
	assert_problem(config, 1, ":3: unknown group [?x]");
	assert_problem(config, 2, ":5: unknown key \"xxx");
	assert_true(g_utf8_validate(config->problems[2], -1, NULL));
	assert_problem(config, 3, NULL);
}

static void test_no_password_is_shown(void **state)
{
	const struct config *config = read_text("[proxy]\nurl http://u:p=x@host\n", 0600);

	(void)state;
	assert_problem(config, 0, ":2: unknown key in [proxy]: a line is key=value");
	assert_null(strstr(config->problems[0], "u:p"));
}

static void test_broken(void **state)
{
	static const struct {
		const char *text, *problem;
	} broken[] = {
		{"[proxy]\nurl=http://p:1\nno equals sign\n", ":3: broken line"},
		{"[proxy]\nurl=http://p:1\n=x\n", ":3: broken line"},
		{"url=http://p:1\n[proxy]\nurl=http://p:1\n", ":1: broken line"},
		{"[proxy]\nurl=http://p:1\n[agent\n", ":3: broken line"},
		{"[proxy]\nurl=http://p:1\n\xff\n", ": not a text file"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
		const struct config *config = read_text(broken[i].text, 0644);

		assert_problem(config, 0, broken[i].problem);
		assert_int_equal(config->proxy.count, 0);
	}
}

static void test_password(void **state)
{
	const char *text = "[proxy]\nurl=http://alice:s3cret@p:1\n";
	const struct config *config = read_text(text, 0600);

	(void)state;
	assert_problem(config, 0, NULL);
	assert_string_equal(config->proxy.credential->password->bytes, "s3cret");

	config = read_text(text, 0640);
	assert_problem(config, 0, ":2: the password");
	assert_null(strstr(config->problems[0], "s3cret"));
	assert_int_equal(config->proxy.count, 1);
	assert_string_equal(config->proxy.user, "alice");
	assert_null(config->proxy.credential);
}

static void test_programs(void **state)
{
	const char *text = "[proxy]\ncredential_helper = store --file '/a b'\n"
			   "askpass=/usr/bin/ksshaskpass\n[agent]\nnotifications=no\n";
	const struct config *config = read_text("[proxy]\n", 0644);

	(void)state;
	assert_null(config->helper);
	assert_null(config->askpass);
	assert_true(config->notifications);
	config = read_text(text, 0644);
	assert_problem(config, 0, NULL);
	assert_string_equal(config->helper, "store --file '/a b'");
	assert_string_equal(config->askpass, "/usr/bin/ksshaskpass");
	assert_false(config->notifications);
	/* What others can write to makes the agent run nothing. */
	config = read_text(text, 0664);
	assert_problem(config, 0, ":2: \"credential_helper\" is not used, others");
	assert_problem(config, 1, ":3: \"askpass\" is not used, others");
	assert_problem(config, 2, NULL);
	assert_null(config->helper);
	assert_null(config->askpass);
	config = read_text("[proxy]\ncredential_helper=a/b\ncredential_helper='\n"
			   "askpass=./askpass\n[agent]\nnotifications=maybe\n",
			   0644);
	assert_problem(config, 0, ":2: bad value of \"credential_helper\"");
	assert_problem(config, 1, ":3: bad value of \"credential_helper\"");
	assert_problem(config, 2, ":4: bad value of \"askpass\"");
	assert_problem(config, 3, ":6: bad value of \"notifications\"");
	/* Empty: none, and not what SSH_ASKPASS names. */
	config = read_text("[proxy]\ncredential_helper=\naskpass=\n", 0666);
	assert_problem(config, 0, NULL);
	assert_null(config->helper);
	assert_string_equal(config->askpass, "");
}

static void test_read_again(void **state)
{
	const struct config *config = read_text("[proxy]\nurl=http://p:1\n", 0644);
	const unsigned serial = config->serial;

	(void)state;
	assert_int_equal(config->proxy.hops[0].port, 1);
	assert_ptr_equal(config_get(file), config);
	assert_true(g_file_set_contents(file, "[proxy]\nurl=http://p:2\n", -1, NULL));
	assert_int_equal(config_get(file)->proxy.hops[0].port, 2);
	assert_int_not_equal(config_get(file)->serial, serial);
	assert_int_equal(g_unlink(file), 0);
	assert_problem(config_get(file), 0, ": No such file");
	assert_true(g_file_set_contents(file, "[proxy]\nurl=http://p:3\n", -1, NULL));
	assert_int_equal(config_get(file)->proxy.hops[0].port, 3);
}

static void test_not_a_file(void **state)
{
	(void)state;
	assert_non_null(
		strstr(config_get("gatepass.conf")->problems[0], "must begin with /"));
	assert_string_equal(config_get("/")->problems[0], "/: not a regular file");
	assert_int_equal(g_unlink(file), 0);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_problem(config_get(file), 0, ": not a regular file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_forward_ports, make_file,
						remove_file),
		cmocka_unit_test_setup_teardown(test_schemes, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_bad_keys, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_problem_is_line, make_file,
						remove_file),
		cmocka_unit_test_setup_teardown(test_no_password_is_shown, make_file,
						remove_file),
		cmocka_unit_test_setup_teardown(test_broken, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_password, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_programs, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_read_again, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_not_a_file, make_file, remove_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
