/* SPDX-License-Identifier: MIT */
/* The agent's log: each line is written by a single write(), so that processes that share
 * the file do not mix theirs. */
#include "log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static enum log_level threshold = LOG_ERROR;
static int log_fd = STDERR_FILENO;

static size_t stamp(char *out, size_t cap)
{
	time_t now = time(NULL);
	struct tm tm;

	if (log_fd == STDERR_FILENO || !localtime_r(&now, &tm))
		return 0;
	return strftime(out, cap, "%Y-%m-%dT%H:%M:%S ", &tm);
}

__attribute__((format(printf, 2, 0))) static void
write_line(enum log_level level, const char *format, va_list args)
{
	char line[2048];
	size_t len;
	int n;

	if (level > threshold)
		return;
	len = stamp(line, sizeof(line));
	n = snprintf(line + len, sizeof(line) - len,
		     "gatepass-agent[%ld]: %s: ", (long)getpid(), level_names[level]);
	len += n > 0 ? (size_t)n : 0;
	n = vsnprintf(line + len, sizeof(line) - len - 1, format, args);
	len += n > 0 ? MIN((size_t)n, sizeof(line) - len - 2) : 0;
	line[len++] = '\n';
	if (write(log_fd, line, len) < 0)
		return; /* there is nowhere left to complain */
}

static GLogWriterOutput write_glib(GLogLevelFlags flags, const GLogField *fields, gsize n,
				   gpointer data)
{
	(void)data;
	for (gsize i = 0; i < n; i++) {
		if (strcmp(fields[i].key, "MESSAGE") || fields[i].length != -1)
			continue;
		if (flags & G_LOG_LEVEL_ERROR)
			log_error("%s", (const char *)fields[i].value);
		else if (flags & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING))
			log_warn("%s", (const char *)fields[i].value);
		else
			log_debug("%s", (const char *)fields[i].value);
	}
	return G_LOG_WRITER_HANDLED;
}

void log_init(const char *spec)
{
	const char *file = spec ? strchr(spec, ':') : NULL;
	size_t len = spec ? (file ? (size_t)(file - spec) : strlen(spec)) : 0;
	int fd = -1;

	for (size_t i = 0; i < G_N_ELEMENTS(level_names); i++)
		if (len == strlen(level_names[i]) && !strncmp(spec, level_names[i], len))
			threshold = (enum log_level)i;
	if (file && file[1])
		fd = open(file + 1, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY,
			  0600);
	if (fd >= 0)
		log_fd = fd;
	g_log_set_writer_func(write_glib, NULL, NULL);
}

#define LOG_FUNCTION(name, level)                                                        \
	void name(const char *format, ...)                                               \
	{                                                                                \
		va_list args;                                                            \
                                                                                         \
		va_start(args, format);                                                  \
		write_line(level, format, args);                                         \
		va_end(args);                                                            \
	}

LOG_FUNCTION(log_error, LOG_ERROR)
LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_debug, LOG_DEBUG)
