/* SPDX-License-Identifier: MIT */
/*
 * What gatepassctl says to the person: one line of error, and other people's text made
 * fit for a terminal.
 */
#ifndef GATEPASS_REPORT_H
#define GATEPASS_REPORT_H

#include <stdio.h>

/* Exit statuses: 0, EXIT_FAILURE, and this one for wrong usage. */
#define REPORT_EXIT_USAGE 2

/* Writes "gatepassctl: ..." and a newline to stderr; returns EXIT_FAILURE. */
int report_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, with a pointer to the help; returns REPORT_EXIT_USAGE. */
int report_usage(const char *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Writes the text with every control character, C1 ones too, replaced by '?': it may come
 * from a proxy or a file, and a terminal obeys escape sequences. */
void report_text(FILE *stream, const char *text);

#endif
