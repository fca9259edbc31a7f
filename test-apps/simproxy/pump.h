/* SPDX-License-Identifier: MIT */
/*
 * One direction of a byte stream, from a socket to a socket (the same one, for an echo).
 * An end of file on the one side becomes a shutdown() on the other after the last byte.
 */
#ifndef SIMPROXY_PUMP_H
#define SIMPROXY_PUMP_H

#include <stdbool.h>
#include <stddef.h>

struct pump {
	int from, to;
	bool eof;  /* `from` has ended */
	bool done; /* and `to` has got everything, and knows */
	size_t len, sent;
	size_t total; /* octets delivered */
	char bytes[64 * 1024];
};

/* `first`, at most sizeof(bytes): what was read from `from` before. */
void pump_init(struct pump *pump, int from, int to, const char *first, size_t len);

/* Moves what can be moved without waiting. False: one of the sockets failed, see errno.
 */
bool pump_run(struct pump *pump);

/* What to wait for before the next run: POLLIN of `from`, POLLOUT of `to`. */
bool pump_wants_input(const struct pump *pump);
bool pump_wants_output(const struct pump *pump);

#endif
