/* SPDX-License-Identifier: MIT */
/* Time that no one can set back, and waiting with a deadline. */
#ifndef GATEPASS_CLOCK_H
#define GATEPASS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <gatepass/err.h>

int64_t clock_now(void); /* milliseconds of CLOCK_MONOTONIC */

/* A wait of a blocking call, with the signal semantics that the call would have. */
struct patience {
	int64_t deadline; /* of clock_now() */
	bool restarts;    /* SA_RESTART handlers do not interrupt (signal(7)) */
};

/* That of a whole handshake, GP_DEADLINE from now, of a call that restarts. */
struct patience clock_patience(void);

/* Waits until fd is ready for `events` of poll(2), or has an error or a hang-up.
 * GP_ERR_TIMEOUT at the deadline; GP_ERR_SYSTEM with errno EINTR when a signal handler
 * ran that was to interrupt the call. */
enum gp_err clock_wait(const struct patience *patience, int fd,
		       short events) GP_MUST_CHECK;

/* A handler ran while a system call of ours was interrupted: is the program to see EINTR?
 */
bool clock_interrupts(const struct patience *patience);

#endif
