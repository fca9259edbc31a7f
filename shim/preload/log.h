/* SPDX-License-Identifier: MIT */
/*
 * What GATEPASS_LOG=LEVEL[:FILE] asks to be told; nothing without it. A line goes out by
 * one write() to FILE, which is opened for it and closed, or to stderr. Never a header's
 * value, a password, or a user name. Keeps errno. Does not allocate.
 */
#ifndef GATEPASS_LOG_H
#define GATEPASS_LOG_H

enum log_level { LOG_OFF, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_line(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
