/* SPDX-License-Identifier: MIT */
/* Sockets by their number in the kernel. */
#include <errno.h>

#include "cookie.h"
#include "libc.h"

uint64_t cookie_of(int fd)
{
	int saved_errno = errno;
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (real_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len))
		cookie = 0;
	errno = saved_errno;
	return cookie;
}
