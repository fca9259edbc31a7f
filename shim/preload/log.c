/* SPDX-License-Identifier: MIT */
/* The log. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libc.h"
#include "log.h"

static const char *const levels[] = {"off", "error", "warn", "info", "debug"};

/* LEVEL of the setting; *file is FILE, or NULL for stderr. */
static enum log_level parse(const char *setting, const char **file)
{
	const char *colon = strchr(setting, ':');
	size_t len = colon ? (size_t)(colon - setting) : strlen(setting);

	*file = colon && colon[1] ? colon + 1 : NULL;
	for (int level = LOG_ERROR; level <= LOG_DEBUG; level++)
		if (strlen(levels[level]) == len && !strncmp(levels[level], setting, len))
			return (enum log_level)level;
	return LOG_OFF;
}

static void put(const char *file, const char *line, size_t len)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_LARGEFILE;
	int fd = file ? open(file, flags, 0600) : STDERR_FILENO;
	ssize_t written;

	if (fd < 0)
		return;
	written = real_write(fd, line, len);
	(void)written; /* there is nobody to tell */
	if (file)
		real_close(fd);
}

void log_line(enum log_level level, const char *format, ...)
{
	const char *setting = getenv("GATEPASS_LOG");
	int saved_errno = errno;
	const char *file;
	char line[1024];
	va_list args;
	int head, len;

	if (!setting || !*setting || parse(setting, &file) < level)
		return;
	head = snprintf(line, sizeof(line), "gatepass[%d] %s: ", (int)getpid(),
			levels[level]);
	va_start(args, format);
	len = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, args);
	va_end(args);
	if (len >= 0) {
		size_t end = strlen(line);

		line[end] = '\n';
		put(file, line, end + 1);
	}
	errno = saved_errno;
}
