/* SPDX-License-Identifier: MIT */
/*
 * The calls that receive, and the _chk siblings that fortified programs call. They matter
 * to a socket that carries HTTP requests (carry.h), and to one in handshake, which
 * answers as one that connects (touch.h).
 */
#include <errno.h>
#include <unistd.h>

#include "carry.h"
#include "export.h"
#include "libc.h"
#include "pending.h"
#include "touch.h"
#include "transfer.h"

/* False: make the call. A handshake that ends during the touch may have led to a
 * connection for requests. */
static bool intercept(int fd, struct msghdr *message, int flags, ssize_t *result)
{
	return carry_receive(fd, message, flags, result) ||
	       touch_receive(fd, flags, result) ||
	       carry_receive(fd, message, flags, result);
}

static bool intercept_parts(int fd, const struct iovec *parts, size_t count, int flags,
			    ssize_t *result)
{
	struct msghdr message = {
		.msg_iov = (struct iovec *)parts,
		.msg_iovlen = count,
	};

	return intercept(fd, &message, flags, result);
}

static bool intercept_one(int fd, void *data, size_t n, int flags, ssize_t *result)
{
	struct iovec part = {.iov_base = data, .iov_len = n};

	return intercept_parts(fd, &part, 1, flags, result);
}

/* The first message alone: of a stream, any number is allowed. */
static bool intercept_first(int fd, struct mmsghdr *messages, unsigned n, int flags,
			    int *result)
{
	ssize_t got;

	if (!n || !intercept(fd, &messages[0].msg_hdr, flags, &got))
		return false;
	if (got >= 0)
		messages[0].msg_len = (unsigned)got;
	*result = got < 0 ? -1 : 1;
	return true;
}

/* A stream's bytes come from nobody in particular. */
static ssize_t from_nobody(ssize_t result, socklen_t *len)
{
	if (result >= 0 && len)
		*len = 0;
	return result;
}

static SHIM_SLOW ssize_t shim_recv(int fd, void *data, size_t n, int flags)
{
	ssize_t result;

	return intercept_one(fd, data, n, flags, &result) ? result
							  : real_recv(fd, data, n, flags);
}

static SHIM_SLOW ssize_t shim_recvfrom(int fd, void *data, size_t n, int flags,
				       struct sockaddr *sa, socklen_t *len)
{
	ssize_t result;

	return intercept_one(fd, data, n, flags, &result)
		       ? from_nobody(result, len)
		       : real_recvfrom(fd, data, n, flags, sa, len);
}

static SHIM_SLOW ssize_t shim_recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t result;

	return msg && intercept(fd, msg, flags, &result) ? result
							 : real_recvmsg(fd, msg, flags);
}

static SHIM_SLOW int shim_recvmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags,
				   struct timespec *timeout)
{
	int result;

	return intercept_first(fd, msgs, n, flags, &result)
		       ? result
		       : real_recvmmsg(fd, msgs, n, flags, timeout);
}

static SHIM_SLOW ssize_t shim_read(int fd, void *data, size_t n)
{
	ssize_t result;

	return intercept_one(fd, data, n, 0, &result) ? result : real_read(fd, data, n);
}

ssize_t transfer_read(int fd, void *data, size_t n)
{
	return pending_any() ? shim_read(fd, data, n) : real_read(fd, data, n);
}

static SHIM_SLOW ssize_t shim_readv(int fd, const struct iovec *parts, int n)
{
	ssize_t result;

	return n > 0 && intercept_parts(fd, parts, (size_t)n, 0, &result)
		       ? result
		       : real_readv(fd, parts, n);
}

SHIM_EXPORT ssize_t recv(int fd, void *data, size_t n, int flags)
{
	return pending_any() ? shim_recv(fd, data, n, flags)
			     : real_recv(fd, data, n, flags);
}

SHIM_ALIAS(__recv, recv);

/* A buffer that is too small is libc's to abort for. */
SHIM_EXPORT ssize_t __recv_chk(int fd, void *data, size_t n, size_t room, int flags);
SHIM_EXPORT ssize_t __recv_chk(int fd, void *data, size_t n, size_t room, int flags)
{
	return pending_any() && n <= room ? shim_recv(fd, data, n, flags)
					  : real___recv_chk(fd, data, n, room, flags);
}

SHIM_EXPORT ssize_t recvfrom(int fd, void *restrict data, size_t n, int flags,
			     __SOCKADDR_ARG sa, socklen_t *restrict len)
{
	return pending_any() ? shim_recvfrom(fd, data, n, flags, sa.__sockaddr__, len)
			     : real_recvfrom(fd, data, n, flags, sa.__sockaddr__, len);
}

SHIM_EXPORT ssize_t __recvfrom_chk(int fd, void *restrict data, size_t n, size_t room,
				   int flags, __SOCKADDR_ARG sa, socklen_t *restrict len);
SHIM_EXPORT ssize_t __recvfrom_chk(int fd, void *restrict data, size_t n, size_t room,
				   int flags, __SOCKADDR_ARG sa, socklen_t *restrict len)
{
	return pending_any() && n <= room
		       ? shim_recvfrom(fd, data, n, flags, sa.__sockaddr__, len)
		       : real___recvfrom_chk(fd, data, n, room, flags, sa.__sockaddr__,
					     len);
}

SHIM_EXPORT ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	return pending_any() ? shim_recvmsg(fd, msg, flags)
			     : real_recvmsg(fd, msg, flags);
}

SHIM_EXPORT int recvmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags,
			 struct timespec *timeout)
{
	return pending_any() ? shim_recvmmsg(fd, msgs, n, flags, timeout)
			     : real_recvmmsg(fd, msgs, n, flags, timeout);
}

#ifdef TIME64_SIBLINGS
static SHIM_SLOW ssize_t shim_recvmsg64(int fd, struct msghdr *msg, int flags)
{
	ssize_t result;

	return msg && intercept(fd, msg, flags, &result)
		       ? result
		       : real___recvmsg64(fd, msg, flags);
}

static SHIM_SLOW int shim_recvmmsg64(int fd, struct mmsghdr *msgs, unsigned n, int flags,
				     struct timespec64 *timeout)
{
	int result;

	return intercept_first(fd, msgs, n, flags, &result)
		       ? result
		       : real___recvmmsg64(fd, msgs, n, flags, timeout);
}

SHIM_EXPORT ssize_t __recvmsg64(int fd, struct msghdr *msg, int flags);
SHIM_EXPORT ssize_t __recvmsg64(int fd, struct msghdr *msg, int flags)
{
	return pending_any() ? shim_recvmsg64(fd, msg, flags)
			     : real___recvmsg64(fd, msg, flags);
}

SHIM_EXPORT int __recvmmsg64(int fd, struct mmsghdr *msgs, unsigned n, int flags,
			     struct timespec64 *timeout);
SHIM_EXPORT int __recvmmsg64(int fd, struct mmsghdr *msgs, unsigned n, int flags,
			     struct timespec64 *timeout)
{
	return pending_any() ? shim_recvmmsg64(fd, msgs, n, flags, timeout)
			     : real___recvmmsg64(fd, msgs, n, flags, timeout);
}
#endif

SHIM_EXPORT ssize_t read(int fd, void *data, size_t n)
{
	return transfer_read(fd, data, n);
}

SHIM_ALIAS(__read, read);

SHIM_EXPORT ssize_t __read_chk(int fd, void *data, size_t n, size_t room);
SHIM_EXPORT ssize_t __read_chk(int fd, void *data, size_t n, size_t room)
{
	return pending_any() && n <= room ? shim_read(fd, data, n)
					  : real___read_chk(fd, data, n, room);
}

SHIM_EXPORT ssize_t readv(int fd, const struct iovec *parts, int n)
{
	return pending_any() ? shim_readv(fd, parts, n) : real_readv(fd, parts, n);
}

/* At no offset it is readv(), with flags that say how the kernel may wait. */
static SHIM_SLOW bool shim_preadv2(int fd, const struct iovec *parts, int n, int flags,
				   ssize_t *result)
{
	return n > 0 && intercept_parts(fd, parts, (size_t)n,
					flags & RWF_NOWAIT ? MSG_DONTWAIT : 0, result);
}

SHIM_EXPORT ssize_t preadv2(int fd, const struct iovec *parts, int n, off_t offset,
			    int flags)
{
	ssize_t result;

	return pending_any() && offset == -1 && shim_preadv2(fd, parts, n, flags, &result)
		       ? result
		       : real_preadv2(fd, parts, n, offset, flags);
}

SHIM_EXPORT ssize_t preadv64v2(int fd, const struct iovec *parts, int n, off64_t offset,
			       int flags)
{
	ssize_t result;

	return pending_any() && offset == -1 && shim_preadv2(fd, parts, n, flags, &result)
		       ? result
		       : real_preadv64v2(fd, parts, n, offset, flags);
}
