/* SPDX-License-Identifier: MIT */
/*
 * NTLM against another's verifier: Samba's ntlm_auth, which Squid asks. With a password
 * in its arguments it needs neither a domain nor a daemon. It speaks in lines: YR with
 * message 1 is answered by TT with message 2; KK with message 3 by AF or NA.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <gio/gio.h>

#include "credential.h"
#include "endpoint.h"
#include "guard.h"
#include "scheme.h"

static const struct endpoint proxy = {"proxy.example", 3128};

struct samba {
	GSubprocess *process;
	GDataInputStream *lines;
	char *directory;
};

static void write_config(const char *directory)
{
	char *path = g_build_filename(directory, "smb.conf", NULL);
	char *text = g_strdup_printf("[global]\n"
				     "workgroup = PLAB\n"
				     "netbios name = PLABSRV\n"
				     "security = user\n"
				     "private dir = %s\n"
				     "state directory = %s\n"
				     "cache directory = %s\n"
				     "lock directory = %s\n"
				     "pid directory = %s\n"
				     "log file = %s/log\n",
				     directory, directory, directory, directory,
				     directory, directory);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	g_free(text);
	g_free(path);
}

static struct samba start_samba(const char *protocol, const char *password)
{
	struct samba samba = {.directory = g_dir_make_tmp("gp-samba-XXXXXX", NULL)};
	GSubprocessLauncher *launcher = g_subprocess_launcher_new(
		G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
		G_SUBPROCESS_FLAGS_STDERR_SILENCE);
	char *config, *helper, *secret;

	assert_non_null(samba.directory);
	write_config(samba.directory);
	config = g_strdup_printf("--configfile=%s/smb.conf", samba.directory);
	helper = g_strdup_printf("--helper-protocol=%s", protocol);
	secret = g_strdup_printf("--password=%s", password);
	g_subprocess_launcher_setenv(launcher, "LC_ALL", "C.UTF-8", TRUE);
	samba.process = g_subprocess_launcher_spawn(launcher, NULL, "ntlm_auth", config,
						    helper, "--username=alice", secret,
						    "--domain=PLAB", NULL);
	assert_non_null(samba.process);
	samba.lines =
		g_data_input_stream_new(g_subprocess_get_stdout_pipe(samba.process));
	g_object_unref(launcher);
	g_free(config);
	g_free(helper);
	g_free(secret);
	return samba;
}

static void remove_directory(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		char *file = g_build_filename(path, name, NULL);

		if (unlink(file))
			remove_directory(file);
		g_free(file);
	}
	g_clear_pointer(&dir, g_dir_close);
	rmdir(path);
}

static void stop_samba(struct samba *samba)
{
	g_output_stream_close(g_subprocess_get_stdin_pipe(samba->process), NULL, NULL);
	g_subprocess_wait(samba->process, NULL, NULL);
	g_object_unref(samba->lines);
	g_object_unref(samba->process);
	remove_directory(samba->directory);
	g_free(samba->directory);
}

/* Its answer to the value, of Proxy-Authorization; free with g_free(). */
static char *ask(struct samba *samba, const char *verb, const char *value)
{
	GOutputStream *out = g_subprocess_get_stdin_pipe(samba->process);
	char *line = g_strdup_printf("%s %s\n", verb, strchr(value, ' ') + 1);
	char *reply;

	assert_true(g_output_stream_write_all(out, line, strlen(line), NULL, NULL, NULL));
	reply = g_data_input_stream_read_line(samba->lines, NULL, NULL, NULL);
	assert_non_null(reply);
	g_free(line);
	return reply;
}

static void authorize(const struct scheme *scheme, const struct credential *credential,
		      const struct scheme_request *request, enum scheme_result wanted,
		      char value[static 2048])
{
	const char *text = NULL;
	struct gp_buf out;

	gp_buf_init(&out, value, 2047);
	assert_int_equal(scheme->authorize(credential, request, &out, &text), wanted);
	assert_false(out.full);
	value[out.len] = '\0';
}

/* An octet of message 3 is another on its way. */
static void spoil(char value[static 2048], size_t place)
{
	char *base64 = strchr(value, ' ') + 1;
	gsize len;
	guchar *bytes = g_base64_decode(base64, &len);
	char *spoilt;

	assert_true(place < len);
	bytes[place] ^= 0x40;
	spoilt = g_base64_encode(bytes, len);
	strcpy(base64, spoilt);
	g_free(spoilt);
	g_free(bytes);
}

/* A whole handshake; returns what Samba says in the end. `spoilt` is the place of an
 * octet of message 3, or 0. */
static char *shake_hands(struct samba *samba, const struct scheme *scheme,
			 const char *user, const char *password, size_t spoilt)
{
	struct credential *credential = credential_new(CREDENTIAL_SESSION, &proxy, user,
						       password, strlen(password));
	GPtrArray *challenges = g_ptr_array_new();
	struct scheme_request request = {.proxy = &proxy};
	char first[2048], last[2048], *reply, *challenge;

	authorize(scheme, credential, &request, SCHEME_MORE, first);
	reply = ask(samba, "YR", first);
	expect(g_str_has_prefix(reply, "TT "), "%s", reply);
	/* A blank and what is nothing to us may follow. */
	challenge = g_strdup_printf("%s %.*s", scheme->name, (int)strcspn(reply + 3, " "),
				    reply + 3);
	g_ptr_array_add(challenges, challenge);
	request.challenges = challenges;
	request.challenged = true;
	assert_int_equal(scheme->judge(&request, first), SCHEME_GOES_ON);
	request.leg = first;
	authorize(scheme, credential, &request, SCHEME_OK, last);
	if (spoilt)
		spoil(last, spoilt);
	g_free(reply);
	reply = ask(samba, "KK", last);
	g_free(challenge);
	g_ptr_array_unref(challenges);
	credential_unref(credential);
	return reply;
}

static void expect_reply(struct samba *samba, const struct scheme *scheme,
			 const char *user, const char *password, size_t spoilt,
			 const char *wanted)
{
	char *reply = shake_hands(samba, scheme, user, password, spoilt);

	expect(strstr(reply, wanted), "%s, %s: %s", user, password, reply);
	g_free(reply);
}

#define RIGHT  "AF "
#define WRONG  "NT_STATUS_LOGON_FAILURE"
#define SPOILT "NT_STATUS_INVALID_PARAMETER"

static void check_scheme(const struct scheme *scheme, const char *protocol)
{
	char *program = g_find_program_in_path("ntlm_auth");
	struct samba samba;

	if (!program)
		skip();
	g_free(program);
	samba = start_samba(protocol, "wonderland");
	expect_reply(&samba, scheme, "PLAB\\alice", "wonderland", 0, RIGHT);
	expect_reply(&samba, scheme, "alice", "wonderland", 0, RIGHT);
	expect_reply(&samba, scheme, "alice@plab.test", "wonderland", 0, RIGHT);
	expect_reply(&samba, scheme, "PLAB\\alice", "Wonderland", 0, WRONG);
	expect_reply(&samba, scheme, "PLAB\\alice", "", 0, WRONG);
	/* the MIC; the flags, and the domain, which it is of */
	expect_reply(&samba, scheme, "PLAB\\alice", "wonderland", 72, SPOILT);
	expect_reply(&samba, scheme, "PLAB\\alice", "wonderland", 87, SPOILT);
	expect_reply(&samba, scheme, "PLAB\\alice", "wonderland", 63, SPOILT);
	/* It accepts any user who knows the password: made upper case, they are the same
	 * for it. */
	expect_reply(&samba, scheme, "zo\xc3\xab", "wonderland", 0, RIGHT);
	expect_reply(&samba, scheme, "gro\xc3\x9f", "wonderland", 0, RIGHT);
	expect_reply(&samba, scheme, "y\xc4\xb1ld\xc4\xb1z", "wonderland", 0, RIGHT);
	expect_reply(&samba, scheme, "\xd0\xb0\xd0\xbb\xd0\xb8\xd1\x81\xd0\xb0",
		     "wonderland", 0, RIGHT);
	expect_reply(&samba, scheme, "\xc2\xb5\xc5\xbf\xcf\x82\xc3\xbf", "wonderland", 0,
		     RIGHT);
	stop_samba(&samba);
	samba = start_samba(protocol, "p\xc3\xa4ss \xe2\x82\xac \xf0\x9f\x94\x91");
	expect_reply(&samba, scheme, "PLAB\\alice",
		     "p\xc3\xa4ss \xe2\x82\xac \xf0\x9f\x94\x91", 0, RIGHT);
	expect_reply(&samba, scheme, "PLAB\\alice", "p\xc3\xa4ss \xe2\x82\xac ", 0,
		     WRONG);
	stop_samba(&samba);
}

static void test_ntlm(void **state)
{
	(void)state;
	check_scheme(&scheme_ntlm, "squid-2.5-ntlmssp");
}

static void test_negotiate(void **state)
{
	(void)state;
	check_scheme(&scheme_negotiate_ntlm, "gss-spnego");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ntlm),
		cmocka_unit_test(test_negotiate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
