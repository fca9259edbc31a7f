/* SPDX-License-Identifier: MIT */
/* simproxy's standard output. */
#include <stdarg.h>
#include <stdio.h>

#include "log.h"

void log_event(size_t number, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("%zu ", number);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
	fflush(stdout);
}

void log_octets(size_t number, const char *what, const char *octets, size_t len)
{
	printf("%zu %s ", number, what);
	for (size_t i = 0; i < len; i++) {
		if (octets[i] < ' ' || octets[i] > '~' || octets[i] == '\\')
			printf("\\x%02x", (unsigned char)octets[i]);
		else
			putchar(octets[i]);
	}
	putchar('\n');
	fflush(stdout);
}
