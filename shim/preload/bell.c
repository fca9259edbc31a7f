/* SPDX-License-Identifier: MIT */
/* Timers that go off at once. */
#include <errno.h>
#include <sys/timerfd.h>

#include "bell.h"
#include "libc.h"
#include "private_fd.h"

static void set(int bell, long nanoseconds)
{
	struct itimerspec when = {.it_value.tv_nsec = nanoseconds};
	int saved_errno = errno;

	timerfd_settime(bell, 0, &when, NULL);
	errno = saved_errno;
}

int bell_new(void)
{
	int saved_errno = errno;
	int bell = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	bell = private_fd(bell);
	errno = saved_errno;
	return bell;
}

void bell_ring(int bell)
{
	set(bell, 1);
}

void bell_silence(int bell)
{
	set(bell, 0);
}

void bell_free(int bell)
{
	int saved_errno = errno;

	if (bell >= 0)
		real_close(bell);
	errno = saved_errno;
}
