/* SPDX-License-Identifier: MIT */
/* Datagrams to a stand-in address: sendto(), sendmsg(), sendmmsg(). */
#include <errno.h>

#include "export.h"
#include "libc.h"
#include "stand_in.h"

/* Nearly every call goes to a real address, or to that of connect(): it costs a few
 * comparisons. */
static bool is_blocked(int fd, const void *sa, socklen_t len)
{
	union gp_address address;

	return sa && gp_address_set(&address, sa, len) && gp_fake_number(&address) &&
	       stand_in_blocks(fd, &address);
}

static int refuse(void)
{
	errno = ENETUNREACH;
	return -1;
}

static int shim_sendmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags)
{
	for (unsigned i = 0; i < count; i++) {
		const struct msghdr *msg = &msgs[i].msg_hdr;

		if (!is_blocked(fd, msg->msg_name, msg->msg_namelen))
			continue;
		/* As the kernel: what comes before the bad one is sent. */
		return i ? real_sendmmsg(fd, msgs, i, flags) : refuse();
	}
	return real_sendmmsg(fd, msgs, count, flags);
}

SHIM_EXPORT ssize_t sendto(int fd, const void *data, size_t n, int flags,
			   __CONST_SOCKADDR_ARG sa, socklen_t len)
{
	if (is_blocked(fd, sa.__sockaddr__, len))
		return refuse();
	return real_sendto(fd, data, n, flags, sa.__sockaddr__, len);
}

SHIM_EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	if (msg && is_blocked(fd, msg->msg_name, msg->msg_namelen))
		return refuse();
	return real_sendmsg(fd, msg, flags);
}

SHIM_EXPORT int sendmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags)
{
	return shim_sendmmsg(fd, msgs, count, flags);
}
