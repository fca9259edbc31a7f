/* SPDX-License-Identifier: MIT */
/*
 * A program's epoll registration of a socket in handshake. As long as that lasts, the set
 * has in its place whatever the handshake waits for, under a tag of ours; afterwards the
 * program's own registration is put back, and the kernel says what is ready. Not
 * thread-safe; keeps errno.
 */
#ifndef GATEPASS_WATCH_H
#define GATEPASS_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "clock.h"

struct watch {
	int set, fd;               /* as the program registered it */
	struct epoll_event wanted; /* what the program wants to be told */
	int there;                 /* the descriptor that is in the set now; -1: none */
	uint32_t events;           /* with these events, and our tag */
	uint64_t cookie;           /* of it, if it is a socket of ours */
	bool tagged;               /* false: the program's own registration is there */
};

/* Makes the set wait for `wait` of the socket `fd`, and for more `events` of it that the
 * program is to see. False: the program's registration is not there (any more). */
bool watch_point(struct watch *watch, const struct wait *wait, uint32_t events,
		 uint64_t tag);

/* Puts the program's registration back. */
void watch_restore(struct watch *watch);

/* Takes everything out of the set. */
void watch_remove(struct watch *watch);

#endif
