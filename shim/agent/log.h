/* SPDX-License-Identifier: MIT */
/*
 * The agent's log: $GATEPASS_LOG=LEVEL[:FILE]. Never hand it a header's value, a password
 * or the user part of a URL.
 */
#ifndef GATEPASS_LOG_H
#define GATEPASS_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* `spec` is the variable's value; NULL, empty or unintelligible: errors, to stderr. A
 * FILE is appended to and created with mode 0600. GLib's own messages come here from now
 * on. */
void log_init(const char *spec);

/* One line, without the newline. May block as a write to a file does. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
