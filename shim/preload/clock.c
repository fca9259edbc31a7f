/* SPDX-License-Identifier: MIT */
/* Deadlines and interruptions. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <time.h>

#include "clock.h"
#include "libc.h"
#include "memory.h"

int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_end(int64_t seconds, int64_t nanoseconds)
{
	if (seconds < 0 || nanoseconds < 0)
		return CLOCK_BAD;
	/* Programs that mean "for ever" say LONG_MAX. */
	if (seconds > INT32_MAX)
		seconds = INT32_MAX;
	return clock_now() + seconds * 1000 + (nanoseconds + 999999) / 1000000;
}

static int64_t strict_end(int64_t seconds, int64_t nanoseconds)
{
	return nanoseconds < 1000000000 ? clock_end(seconds, nanoseconds) : CLOCK_BAD;
}

int64_t clock_end_of(const struct timespec *timeout)
{
	if (!timeout)
		return CLOCK_NEVER;
	return memory_is_readable(timeout, sizeof(*timeout))
		       ? strict_end(timeout->tv_sec, timeout->tv_nsec)
		       : CLOCK_BAD;
}

#ifdef TIME64_SIBLINGS
int64_t clock_end_of64(const struct timespec64 *timeout)
{
	if (!timeout)
		return CLOCK_NEVER;
	return memory_is_readable(timeout, sizeof(*timeout))
		       ? strict_end(timeout->tv_sec, timeout->tv_nsec)
		       : CLOCK_BAD;
}
#endif

int clock_left(int64_t until)
{
	int64_t left = until - clock_now();

	if (until == CLOCK_NEVER)
		return -1;
	return left <= 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
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
bool clock_interrupts(bool restarts)
{
	struct sigaction action;

	if (!restarts)
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

enum gp_err clock_wait(const struct patience *patience, const struct wait *wait)
{
	int64_t until =
		wait->until < patience->deadline ? wait->until : patience->deadline;
	struct pollfd pollfd = {.fd = wait->fd, .events = wait->events};
	int ready;

	do
		ready = real_poll(&pollfd, 1, clock_left(until));
	while (ready < 0 && errno == EINTR && !clock_interrupts(patience->restarts));
	if (ready < 0)
		return GP_ERR_SYSTEM;
	if (!ready && clock_now() >= patience->deadline)
		return GP_ERR_TIMEOUT;
	return GP_OK;
}

bool clock_is_ready(int fd, short events)
{
	struct pollfd pollfd = {.fd = fd, .events = events};

	return real_poll(&pollfd, 1, 0) > 0;
}
