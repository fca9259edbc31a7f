/* SPDX-License-Identifier: MIT */
/*
 * Messages to the person at the terminal.
 */
#include "report.h"

#include <stdarg.h>
#include <stdlib.h>

#include <glib.h>

void report_text(FILE *stream, const char *text)
{
	while (*text) {
		gunichar c = g_utf8_get_char_validated(text, -1);

		if (c == (gunichar)-1 || c == (gunichar)-2) {
			putc('?', stream);
			text++;
			continue;
		}
		const char *next = g_utf8_next_char(text);
		if (g_unichar_iscntrl(c))
			putc('?', stream);
		else
			fwrite(text, 1, (size_t)(next - text), stream);
		text = next;
	}
}

static void __attribute__((format(printf, 1, 0))) say(const char *format, va_list args)
{
	char *text = g_strdup_vprintf(format, args);

	fputs("gatepassctl: ", stderr);
	report_text(stderr, text);
	g_free(text);
}

int report_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	putc('\n', stderr);
	return EXIT_FAILURE;
}

int report_usage(const char *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	fprintf(stderr, "; see 'gatepassctl %s%s--help'\n", command, *command ? " " : "");
	return REPORT_EXIT_USAGE;
}
