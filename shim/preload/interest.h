/* SPDX-License-Identifier: MIT */
/*
 * What the program has registered with epoll: the kernel does not tell, and a socket that
 * begins to connect may have been registered long before. Noted for every descriptor,
 * because nobody knows yet which of them will connect. An entry can be out of date (the
 * descriptor was closed, and that is how registrations end): whoever uses it finds out by
 * EPOLL_CTL_MOD. Any thread; keeps errno; a call from a signal handler that comes between
 * is not noted.
 */
#ifndef GATEPASS_INTEREST_H
#define GATEPASS_INTEREST_H

#include <sys/epoll.h>

struct interest {
	int set; /* the epoll descriptor */
	struct epoll_event event;
};

/* The kernel has accepted epoll_ctl(set, op, fd, event). */
void interest_note(int set, int op, int fd, const struct epoll_event *event);

/* Copies what is known of fd, at most `max`. Returns how many. */
unsigned interest_of(int fd, struct interest *out, unsigned max);

/* Takes fd out of all sets of the kernel's, because another socket gets its number. What
 * is noted stays. */
void interest_withdraw(int fd);

void interest_after_fork(void);

#endif
