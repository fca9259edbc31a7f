/* SPDX-License-Identifier: MIT */
/* Kerberos without a KDC that answers: what there is to say, how long one waits for it,
 * and who is still there to hear it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <cmocka.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "gss.h"
#include "kerberos.h"
#include "secret.h"

static const char library[] = "libgssapi_krb5.so.2";
static char *directory, *config;

struct heard {
	unsigned count;
	enum kerberos_state state;
	char text[256];
	struct kerberos *frees; /* when it is called */
};

static void hear(void *data, const struct kerberos_answer *answer)
{
	struct heard *heard = data;

	heard->count++;
	heard->state = answer->state;
	kerberos_free(heard->frees);
	g_strlcpy(heard->text, answer->text, sizeof(heard->text));
	assert_null(strchr(heard->text, '\n'));
}

static void wait_for(const struct heard *heard)
{
	while (!heard->count)
		g_main_context_iteration(NULL, TRUE);
	assert_int_equal(heard->count, 1);
}

static void ask(struct kerberos *kerberos, const char *host, const char *user,
		const char *password, struct heard *heard)
{
	struct kerberos_question question = {.host = host, .user = user};
	struct secret *secret = NULL;

	if (password)
		question.password = secret = secret_new(password, strlen(password));
	*heard = (struct heard){0};
	kerberos_ask(kerberos, &question, hear, heard);
	assert_int_equal(heard->count, 0);
	secret_free(secret);
}

static void ask_once(const char *host, const char *user, const char *password,
		     struct heard *heard)
{
	struct kerberos *kerberos = kerberos_new();

	ask(kerberos, host, user, password, heard);
	wait_for(heard);
	kerberos_free(kerberos);
}

/* A KDC's port, where nobody answers what comes. */
static int listen_silently(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void configure(const char *realm, uint16_t port)
{
	char *text = g_strdup_printf("[libdefaults]\n"
				     "    dns_lookup_kdc = false\n"
				     "    dns_canonicalize_hostname = false\n"
				     "    udp_preference_limit = 1\n"
				     "    %s%s\n"
				     "[realms]\n"
				     "    R.TEST = {\n"
				     "        kdc = 127.0.0.1:%u\n"
				     "    }\n",
				     realm ? "default_realm = " : "", realm ? realm : "",
				     port);

	assert_true(g_file_set_contents(config, text, -1, NULL));
	g_free(text);
}

static int start(void **state)
{
	(void)state;
	gss_set_library(library);
	kerberos_set_seconds(60);
	configure("R.TEST", 1);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	kerberos_forget();
	return 0;
}

static void assert_heard(const struct heard *heard, enum kerberos_state state,
			 const char *text)
{
	assert_int_equal(heard->state, state);
	if (!strstr(heard->text, text))
		fail_msg("\"%s\" has no \"%s\"", heard->text, text);
}

static void test_no_library(void **state)
{
	struct heard heard;

	(void)state;
	gss_set_library("libnowhere.so.9");
	assert_false(kerberos_is_possible());
	ask_once("p.test", NULL, NULL, &heard);
	assert_heard(&heard, KERBEROS_NONE, "not installed");
	/* A library that is there, and is another one. */
	gss_set_library("libc.so.6");
	assert_false(kerberos_is_possible());
	gss_set_library(library);
	assert_true(kerberos_is_possible());
}

static void test_no_ticket(void **state)
{
	struct heard heard;

	(void)state;
	ask_once("p.test", NULL, NULL, &heard);
	assert_heard(&heard, KERBEROS_NONE, "kinit");
	ask_once("192.0.2.1", NULL, NULL, &heard);
	assert_heard(&heard, KERBEROS_NONE, "address");
	ask_once("::1", "alice", "pw", &heard);
	assert_heard(&heard, KERBEROS_NONE, "address");
}

static void test_no_realm(void **state)
{
	struct heard heard;

	(void)state;
	configure(NULL, 1);
	ask_once("p.test", "alice", "pw", &heard);
	assert_heard(&heard, KERBEROS_NONE, "realm");
	ask_once("p.test", "alice@r.test", "pw", &heard);
	assert_heard(&heard, KERBEROS_FAILED, "alice@R.TEST");
}

static void test_no_kdc(void **state)
{
	struct heard heard;

	(void)state;
	ask_once("p.test", "alice", "pw", &heard);
	assert_heard(&heard, KERBEROS_FAILED, "alice@R.TEST");
	ask_once("p.test", "alice", "", &heard);
	assert_heard(&heard, KERBEROS_NONE, "empty");
}

static void test_cancelled(void **state)
{
	struct kerberos *running = kerberos_new(), *waiting = kerberos_new();
	struct kerberos *known = kerberos_new();
	struct heard first, second, third, last;

	(void)state;
	ask(running, "p.test", NULL, NULL, &first);
	ask(waiting, "p.test", NULL, NULL, &second);
	ask(known, "192.0.2.1", NULL, NULL, &third);
	kerberos_cancel(known);
	kerberos_cancel(waiting);
	kerberos_cancel(running);
	kerberos_cancel(running);
	ask_once("p.test", NULL, NULL, &last);
	assert_int_equal(first.count + second.count + third.count, 0);
	/* They can be asked again, and be freed while they are asked. */
	ask(running, "p.test", NULL, NULL, &first);
	ask(waiting, "p.test", NULL, NULL, &second);
	kerberos_free(waiting);
	wait_for(&first);
	ask(running, "p.test", NULL, NULL, &first);
	kerberos_free(running);
	kerberos_free(known);
	ask_once("p.test", NULL, NULL, &last);
	assert_int_equal(first.count + second.count, 0);
}

static void test_freed_by_its_answer(void **state)
{
	struct kerberos *kerberos = kerberos_new();
	struct heard heard;

	(void)state;
	ask(kerberos, "p.test", NULL, NULL, &heard);
	heard.frees = kerberos;
	wait_for(&heard);
	assert_heard(&heard, KERBEROS_NONE, "kinit");
}

static void test_silent_kdc(void **state)
{
	struct kerberos *first = kerberos_new(), *second = kerberos_new();
	struct heard heard[2], late, other;
	uint16_t port;
	int fd = listen_silently(&port);

	(void)state;
	configure("R.TEST", port);
	kerberos_set_seconds(1);
	ask(first, "p.test", "alice", "pw", &heard[0]);
	ask(second, "p.test", "alice", "pw", &heard[1]);
	heard[0].frees = first;
	wait_for(&heard[0]);
	assert_int_equal(heard[1].count, 1);
	assert_heard(&heard[0], KERBEROS_FAILED, "in time");
	assert_heard(&heard[1], KERBEROS_FAILED, "in time");
	kerberos_set_seconds(600);
	ask_once("p.test", "alice", "pw", &late);
	assert_heard(&late, KERBEROS_FAILED, "does not answer");
	ask_once("p.test", NULL, NULL, &other);
	assert_heard(&other, KERBEROS_NONE, "kinit");
	/* The thread comes back to a lane that is not there any more. */
	kerberos_forget();
	close(fd);
	ask(second, "p.test", "alice", "pw", &late);
	wait_for(&late);
	assert_heard(&late, KERBEROS_FAILED, "alice@R.TEST");
	kerberos_free(second);
	assert_int_equal(heard[0].count + heard[1].count, 2);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_library), TEST(test_no_ticket),
		TEST(test_no_realm),   TEST(test_no_kdc),
		TEST(test_cancelled),  TEST(test_freed_by_its_answer),
		TEST(test_silent_kdc),
	};
	int failed;

	directory = g_dir_make_tmp("gp-kerberos-XXXXXX", NULL);
	assert_non_null(directory);
	config = g_build_filename(directory, "krb5.conf", NULL);
	setenv("KRB5_CONFIG", config, 1);
	setenv("KRB5CCNAME", "FILE:/nonexistent/ccache", 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	g_remove(config);
	g_rmdir(directory);
	g_free(config);
	g_free(directory);
	return failed;
}
