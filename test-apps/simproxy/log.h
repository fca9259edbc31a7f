/* SPDX-License-Identifier: MIT */
/*
 * The events that simproxy reports: one line each on the standard output, written at
 * once, so that a test can wait for one. Octets from the network are escaped: a forged
 * line cannot be taken for an event.
 */
#ifndef SIMPROXY_LOG_H
#define SIMPROXY_LOG_H

#include <stddef.h>

/* "NUMBER WHAT", the latter in the manner of printf(). */
void log_event(size_t number, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "NUMBER WHAT TEXT", with what is not printable ASCII as \xHH. */
void log_octets(size_t number, const char *what, const char *octets, size_t len);

#endif
