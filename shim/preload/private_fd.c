/* SPDX-License-Identifier: MIT */
/* Descriptors of ours. */
#include <errno.h>
#include <fcntl.h>

#include "libc.h"
#include "private_fd.h"

/*
 * Programs hand out the low numbers to themselves, and some rely on the order. But a
 * process begins with a table of 64, and in one with threads the kernel waits for all
 * processors (an RCU grace period, some 10 ms) before it gives it a larger one.
 */
#define HIGH_FD 44

int private_fd(int fd)
{
	int saved_errno = errno;
	int high = fd < 0 ? -1 : real_fcntl(fd, F_DUPFD_CLOEXEC, (void *)HIGH_FD);

	if (high >= 0)
		real_close(fd);
	errno = saved_errno;
	return high >= 0 ? high : fd; /* not so many are allowed here */
}
