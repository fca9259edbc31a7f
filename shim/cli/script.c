/* SPDX-License-Identifier: MIT */
/*
 * "#!" lines as the kernel reads them (execve(2)), and the words of env(1) behind them.
 */
#include "script.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

/* The kernel looks at so many bytes of a script (BINPRM_BUF_SIZE of Linux 5.1). */
enum { LINE_MAX_BYTES = 256 };

static bool is_text(const char *bytes, size_t len)
{
	const char *end = memchr(bytes, '\n', len);

	/* As bash decides it: no NUL in the first line. */
	return !memchr(bytes, '\0', end ? (size_t)(end - bytes) : len);
}

static bool takes_argument(const char *option)
{
	return !strcmp(option, "-u") || !strcmp(option, "-C") ||
	       !strcmp(option, "--unset") || !strcmp(option, "--chdir");
}

/* The command among env's words: behind its options and NAME=VALUE. */
static char *env_command(const char *words)
{
	/* Without -S all the words are a single one. */
	if (g_str_has_prefix(words, "-S"))
		words += 2;
	else if (g_str_has_prefix(words, "--split-string="))
		words += strlen("--split-string=");
	else
		return *words && *words != '-' ? g_strdup(words) : NULL;

	char **list = NULL, *command = NULL;
	int count = 0;
	if (!g_shell_parse_argv(words, &count, &list, NULL))
		return NULL;
	for (int i = 0; i < count && !command; i++) {
		if (takes_argument(list[i]))
			i++;
		else if (list[i][0] != '-' && !strchr(list[i], '='))
			command = g_strdup(list[i]);
	}
	g_strfreev(list);
	return command;
}

char *script_interpreter(const char *bytes, size_t len)
{
	if (len < 2 || memcmp(bytes, "#!", 2))
		return is_text(bytes, len) ? g_strdup("/bin/sh") : NULL;

	size_t limit = len < LINE_MAX_BYTES ? len : LINE_MAX_BYTES;
	const char *end = memchr(bytes, '\n', limit);
	char *line = g_strndup(bytes + 2, (end ? (size_t)(end - bytes) : limit) - 2);
	g_strstrip(line);
	size_t path = strcspn(line, " \t");
	char *words = g_strstrip(g_strdup(line + path));
	line[path] = '\0';
	if (!strcmp(line, "/usr/bin/env") || !strcmp(line, "/bin/env")) {
		char *command = env_command(words);
		g_free(line);
		line = command;
	} else if (!*line) {
		g_free(line);
		line = NULL;
	}
	g_free(words);
	return line;
}
