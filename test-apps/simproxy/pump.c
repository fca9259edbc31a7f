/* SPDX-License-Identifier: MIT */
/* Relaying between two non-blocking sockets. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "pump.h"

void pump_init(struct pump *pump, int from, int to, const char *first, size_t len)
{
	pump->from = from;
	pump->to = to;
	pump->eof = pump->done = false;
	pump->sent = pump->total = 0;
	pump->len = len;
	memcpy(pump->bytes, first, len);
}

static bool refill(struct pump *pump, bool *progress)
{
	ssize_t got = recv(pump->from, pump->bytes, sizeof(pump->bytes), 0);

	if (got < 0)
		return errno == EAGAIN;
	*progress = true;
	if (got == 0)
		pump->eof = true;
	pump->len = (size_t)got;
	pump->sent = 0;
	return true;
}

static bool drain(struct pump *pump, bool *progress)
{
	ssize_t put = send(pump->to, pump->bytes + pump->sent, pump->len - pump->sent,
			   MSG_NOSIGNAL);

	if (put < 0)
		return errno == EAGAIN;
	*progress = true;
	pump->sent += (size_t)put;
	pump->total += (size_t)put;
	return true;
}

bool pump_run(struct pump *pump)
{
	bool progress = true;

	while (progress && !pump->done) {
		progress = false;
		if (pump->sent < pump->len) {
			if (!drain(pump, &progress))
				return false;
		} else if (!pump->eof) {
			if (!refill(pump, &progress))
				return false;
		} else {
			pump->done = true;
			shutdown(pump->to, SHUT_WR);
		}
	}
	return true;
}

bool pump_wants_input(const struct pump *pump)
{
	return !pump->eof && pump->sent == pump->len;
}

bool pump_wants_output(const struct pump *pump)
{
	return pump->sent < pump->len;
}
