/* SPDX-License-Identifier: MIT */
/* Deadlines and interruptions. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include <gatepass/limits.h>

#include "clock.h"

int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct patience clock_patience(void)
{
	return (struct patience){
		.deadline = clock_now() + GP_DEADLINE * 1000,
		.restarts = true,
	};
}

/* No fault happens inside a wait, and runtimes have handlers for these without
 * SA_RESTART. */
static bool is_fault(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL ||
	       sig == SIGTRAP || sig == SIGSYS;
}

/*
 * poll(2) reports every handler as EINTR, while a blocking connect() goes on after one
 * with SA_RESTART. Which handler it was, nobody tells. If none of those that are
 * installed interrupts, it was none of them; if one does, the program expects EINTR
 * anyway.
 */
bool clock_interrupts(const struct patience *patience)
{
	struct sigaction action;

	if (!patience->restarts)
		return true;
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		if (is_fault(sig) || sigaction(sig, NULL, &action) ||
		    action.sa_flags & SA_RESTART)
			continue;
		if (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN)
			return true;
	}
	return false;
}

enum gp_err clock_wait(const struct patience *patience, int fd, short events)
{
	for (;;) {
		struct pollfd pollfd = {.fd = fd, .events = events};
		int64_t left = patience->deadline - clock_now();
		int ready;

		if (left <= 0)
			return GP_ERR_TIMEOUT;
		ready = poll(&pollfd, 1, left < INT_MAX ? (int)left : INT_MAX);
		if (ready > 0)
			return GP_OK;
		if (ready < 0 && (errno != EINTR || clock_interrupts(patience)))
			return GP_ERR_SYSTEM;
	}
}
