/* SPDX-License-Identifier: MIT */
/* Time that no one can set back, and waiting with a deadline. */
#ifndef GATEPASS_CLOCK_H
#define GATEPASS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <gatepass/err.h>

#include "time64.h"

#define CLOCK_NEVER INT64_MAX
#define CLOCK_BAD   INT64_MIN /* no time at all */

int64_t clock_now(void); /* milliseconds of CLOCK_MONOTONIC */

/* When a timeout that begins now is over: rounded up, and never more than a lifetime from
 * now. CLOCK_BAD for a negative one. */
int64_t clock_end(int64_t seconds, int64_t nanoseconds);

/* The same; CLOCK_NEVER for none, CLOCK_BAD for one that the kernel refuses. */
int64_t clock_end_of(const struct timespec *timeout);
#ifdef TIME64_SIBLINGS
int64_t clock_end_of64(const struct timespec64 *timeout);
#endif

/* What is left until `until`, for a timeout of poll(2): rounded up, 0 if it is over, -1
 * for CLOCK_NEVER. */
int clock_left(int64_t until);

/* What something that goes on in steps waits for: `fd` (-1: none) being ready for
 * `events` of poll(2), or `until`, whichever comes first. */
struct wait {
	int fd;
	short events;
	int64_t until;
	uint64_t cookie; /* of a socket of ours, which can change while `fd` does not */
};

/* What a step came to. */
enum progress { PROGRESS_WAIT, PROGRESS_DONE, PROGRESS_FAILED };

/* A wait of a blocking call, with the signal semantics that the call would have. */
struct patience {
	int64_t deadline; /* of clock_now() */
	bool restarts;    /* SA_RESTART handlers do not interrupt (signal(7)) */
};

/* A handler ran while a system call of ours was interrupted: is the program to see EINTR?
 * `restarts`: not for handlers with SA_RESTART. */
bool clock_interrupts(bool restarts);

/* Waits for `wait`; a cancellation point. GP_ERR_TIMEOUT at patience's deadline;
 * GP_ERR_SYSTEM with errno EINTR when a signal handler ran that was to interrupt the
 * call. */
enum gp_err clock_wait(const struct patience *patience,
		       const struct wait *wait) GP_MUST_CHECK;

/* Is fd ready for `events`, or has an error or a hang-up, right now? */
bool clock_is_ready(int fd, short events);

#endif
