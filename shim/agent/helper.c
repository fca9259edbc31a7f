/* SPDX-License-Identifier: MIT */
/* The protocol of git's credential helpers. */
#include "helper.h"

#include <string.h>

#include <glib.h>

#include "credential.h"
#include "secret.h"

/* As git does it. */
static char **shell_argv(const char *command, const char *operation)
{
	char *script = g_strconcat(command, " \"$@\"", NULL);
	const char *argv[] = {"/bin/sh", "-c", script, command, operation, NULL};
	char **copy = g_strdupv((char **)argv);

	g_free(script);
	return copy;
}

static void add_words(GPtrArray *list, char **words)
{
	for (; *words; words++)
		g_ptr_array_add(list, g_strdup(*words));
}

static char **program_argv(char **words, const char *operation)
{
	GPtrArray *list = g_ptr_array_new();

	if (words[0][0] != '/') {
		g_ptr_array_add(list, g_strdup("git"));
		g_ptr_array_add(list, g_strconcat("credential-", words[0], NULL));
		words++;
	}
	add_words(list, words);
	g_ptr_array_add(list, g_strdup(operation));
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}

/* git takes such a thing for a name, and then finds nothing. */
static bool is_relative_path(const char *word)
{
	return word[0] != '/' && strchr(word, '/');
}

char **helper_argv(const char *value, const char *operation)
{
	char **words, **argv = NULL;

	if (value[0] == '!')
		return value[1] ? shell_argv(value + 1, operation) : NULL;
	if (!g_shell_parse_argv(value, NULL, &words, NULL))
		return NULL;
	if (words[0][0] && !is_relative_path(words[0]))
		argv = program_argv(words, operation);
	g_strfreev(words);
	return argv;
}

static void add_line(struct gp_buf *buf, const char *key, const char *value)
{
	gp_buf_add_string(buf, key);
	gp_buf_add_string(buf, "=");
	gp_buf_add_string(buf, value);
	gp_buf_add_string(buf, "\n");
}

/* What git asks for when it uses this proxy itself, so that helpers that know git know
 * us, and what they keep serves both. Not the "http-proxy" of our own keyring entries:
 * a helper that keeps its own there must not erase them. */
static void add_proxy(struct gp_buf *buf, const struct endpoint *proxy)
{
	char authority[GP_AUTHORITY_MAX + 1];

	endpoint_text(proxy, authority);
	add_line(buf, "protocol", "http");
	add_line(buf, "host", authority);
}

void helper_ask(struct gp_buf *buf, const struct endpoint *proxy, const char *user)
{
	add_proxy(buf, proxy);
	if (user)
		add_line(buf, "username", user);
	gp_buf_add_string(buf, "\n");
}

void helper_tell(struct gp_buf *buf, const struct endpoint *proxy,
		 const struct credential *credential)
{
	add_proxy(buf, proxy);
	add_line(buf, "username", credential->user);
	add_line(buf, "password", credential->password->bytes);
	if (credential->expires) {
		gp_buf_add_string(buf, "password_expiry_utc=");
		gp_buf_add_uint(buf, (uint64_t)credential->expires);
		gp_buf_add_string(buf, "\n");
	}
	gp_buf_add_string(buf, "\n");
}

static bool key_is(struct gp_text key, const char *name)
{
	return key.len == strlen(name) && !memcmp(key.p, name, key.len);
}

static void read_pair(struct gp_text key, struct gp_text value, struct helper_answer *out)
{
	uint64_t number;

	if (key_is(key, "username"))
		out->user = value;
	else if (key_is(key, "password"))
		out->password = value;
	else if (key_is(key, "quit"))
		out->quit = gp_text_is(value, "1") || gp_text_is(value, "true");
	else if (key_is(key, "password_expiry_utc") &&
		 gp_text_to_uint(value, INT64_MAX, &number))
		out->expires = (int64_t)number;
}

void helper_read(struct gp_text text, struct helper_answer *out)
{
	memset(out, 0, sizeof(*out));
	while (text.p && text.len) {
		struct gp_text line = gp_text_cut(&text, "\n");
		const char *equals;

		if (line.len && line.p[line.len - 1] == '\r')
			line.len--;
		if (!line.len)
			return;
		equals = memchr(line.p, '=', line.len);
		if (equals)
			read_pair((struct gp_text){line.p, (size_t)(equals - line.p)},
				  gp_text_from(line, (size_t)(equals - line.p) + 1), out);
	}
}
