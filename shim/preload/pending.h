/* SPDX-License-Identifier: MIT */
/*
 * Sockets whose connect() is under way, or has failed without the program having heard of
 * it, and those that carry the program's HTTP requests to a proxy: a record for each,
 * found by any of its descriptors and believed only for the very socket (SO_COOKIE) that
 * it was made for.
 *
 * Whoever meets such a socket takes its record, lets it go on, looks at its state, and
 * leaves it. Nobody keeps one across a wait: it is taken again afterwards, and may be
 * gone. While it is taken, signals are blocked and cancellation is off; no function here
 * waits. With no record in the process pending_any() is false, and that is all that a
 * call pays. Functions keep errno.
 */
#ifndef GATEPASS_PENDING_H
#define GATEPASS_PENDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include <gatepass/host.h>

#include "clock.h"
#include "lock.h"
#include "watch.h"

#define PENDING_FDS     8
#define PENDING_WATCHES 8
#define PENDING_BELLS   8

enum pending_state {
	PENDING_OVER, /* no record any more: the socket is the program's */
	PENDING_UNDER_WAY,
	PENDING_CARRYING, /* HTTP requests, over a connection to the proxy */
	PENDING_FAILED,   /* `error` waits to be told */
	PENDING_TOLD      /* it was told; the next connect() is the kernel's to refuse */
};

struct carrier;
struct handshake;
struct route;

/* Read it only while it is taken; change it only here and by the functions below. */
struct pending {
	struct lock lock;
	enum pending_state state;
	int error;
	struct wait wait; /* in PENDING_UNDER_WAY, PENDING_CARRYING: what has to happen */
	short hidden;     /* events of poll(2) that the program must not see meanwhile */
	bool waits;       /* it counts in pending_waiting */
	bool seen;        /* the program has waited for it in a way that we know */
	union gp_address destination;

	struct handshake *handshake; /* of PENDING_UNDER_WAY */
	struct carrier *carrier;     /* of PENDING_CARRYING */
	uint64_t cookie;
	atomic_uint id;       /* of the record: names it in a tag */
	atomic_bool reserved; /* it is in use, or about to be (record.c's) */
	int fds[PENDING_FDS];
	unsigned fd_count;
	struct watch watches[PENDING_WATCHES];
	unsigned watch_count;
	int bells[PENDING_BELLS]; /* of threads that wait for it; see bell.h */
	unsigned bell_count;
};

extern atomic_uint pending_count;

static inline bool pending_any(void)
{
	return __builtin_expect(
		atomic_load_explicit(&pending_count, memory_order_relaxed) != 0, 0);
}

/* Is there any that the program's own waits have to drive? */
extern atomic_uint pending_waiting;

static inline bool pending_waits(void)
{
	return __builtin_expect(
		atomic_load_explicit(&pending_waiting, memory_order_relaxed) != 0, 0);
}

/* Has there ever been a record? */
bool pending_ever(void);

/* Makes the record of `fd`, takes the handshake over and lets it go on. Returns it taken;
 * NULL (and the handshake still the caller's) without memory, or if another thread's
 * connect() on the socket was faster. */
struct pending *pending_begin(int fd, const union gp_address *destination,
			      struct handshake *handshake);

/* Makes the record of `fd`, which leads to a proxy that the program speaks to: as
 * pending_begin(). */
struct pending *pending_carry(int fd, const union gp_address *destination,
			      struct carrier *carrier);

/* Does the descriptor mean its socket? */
bool pending_has_fd(const struct pending *pending, int fd);

/* Does another process, a parent or a child of this one, take its steps? */
bool pending_is_asleep(struct pending *pending);

/* The record of `fd`, taken; or NULL. */
struct pending *pending_take(int fd);

/* The same in a call that has taken one before: it need not be asked again whose memory
 * this is. */
struct pending *pending_retake(int fd);

/* Lets it go on, without waiting. */
void pending_step(struct pending *pending);

/* Gives it back. */
void pending_leave(struct pending *pending);

/* The error of a record in PENDING_FAILED goes to the program, once; what the kernel has
 * to say of the proxy does not. Returns it. */
int pending_tell(struct pending *pending);

/* Ends the record; what it has done to the socket stays, epoll registrations come back.
 */
void pending_forget(struct pending *pending);

/* Disconnects the socket, and fails the handshake with `error`. */
void pending_abort(struct pending *pending, int error);

/* `copy` is a new number for the socket; `fd` means the socket no longer (it is about to
 * be closed, or to mean something else: call it before). */
void pending_add_fd(struct pending *pending, int copy);
void pending_remove_fd(struct pending *pending, int fd);

/* Are the program's registrations of the socket ours now? */
bool pending_hides(const struct pending *pending);

/* The record that the tag in an event of epoll_wait(2) on `set` stands for goes on. True:
 * the event has something for the program too, which it says now. *asleep: nothing came
 * of it because the process that drives it is another one. */
bool pending_event(int set, struct epoll_event *event, bool *asleep);

/* The time when some record has to go on though nothing happens (CLOCK_NEVER: none; may
 * be too early), and going on when it has come. */
int64_t pending_due(void);
void pending_expire(void);

/* Those go on that have a registration in the set and what they wait for. False: there
 * are none. */
bool pending_step_set(int set);

/* Threads that wait in poll(2) without holding a record are woken by their bells. False:
 * there is no room for another one. */
bool pending_add_bell(struct pending *pending, int bell);
void pending_remove_bell(struct pending *pending, int bell);

/* In the parent, and in the child. */
void pending_shared_by_fork(void);
void pending_after_fork(void);

#endif
