/* SPDX-License-Identifier: MIT */
/*
 * The calls that send. They matter to a socket that carries HTTP requests (carry.h); to
 * one in handshake, which answers as one that connects (touch.h); to datagrams for a
 * stand-in address; and where they connect by themselves (MSG_FASTOPEN).
 */
#include <errno.h>
#include <unistd.h>

#include "carry.h"
#include "connect.h"
#include "export.h"
#include "libc.h"
#include "memory.h"
#include "pending.h"
#include "process.h"
#include "stand_in.h"
#include "touch.h"
#include "transfer.h"

/* --- addresses -----------------------------------------------------------------------
 */

/* Nearly every call goes to a real address, or to that of connect(). */
static bool is_blocked(int fd, const void *sa, socklen_t len)
{
	union gp_address address;

	return sa && len <= sizeof(struct sockaddr_storage) &&
	       memory_is_readable(sa, len) && gp_address_set(&address, sa, len) &&
	       gp_fake_number(&address) && stand_in_blocks(fd, &address);
}

static int refuse(void)
{
	errno = ENETUNREACH;
	return -1;
}

/* MSG_FASTOPEN connects, and sends with the first packet. No proxy takes data before it
 * has let us through, so that becomes two steps. */
static enum connecting open_fast(int fd, const void *sa, socklen_t len)
{
	int saved_errno = errno;
	enum connecting connecting = connect_socket(fd, sa, len);

	if (connecting != CONNECTING_FAILED)
		errno = saved_errno;
	return connecting;
}

/* --- the calls -----------------------------------------------------------------------
 */

/* False: make the call. A handshake that ends during the touch may have led to a
 * connection for requests. */
static bool intercept(int fd, const struct iovec *parts, size_t count, int flags,
		      ssize_t *result)
{
	return carry_send(fd, parts, count, flags, result) ||
	       touch_send(fd, flags, result) ||
	       carry_send(fd, parts, count, flags, result);
}

static bool intercept_one(int fd, const void *data, size_t n, int flags, ssize_t *result)
{
	struct iovec part = {.iov_base = (void *)data, .iov_len = n};

	return intercept(fd, &part, 1, flags, result);
}

static SHIM_SLOW ssize_t shim_send(int fd, const void *data, size_t n, int flags)
{
	ssize_t result;

	return intercept_one(fd, data, n, flags, &result) ? result
							  : real_send(fd, data, n, flags);
}

static SHIM_SLOW ssize_t shim_sendto(int fd, const void *data, size_t n, int flags,
				     const void *sa, socklen_t len)
{
	ssize_t result;

	if (is_blocked(fd, sa, len))
		return refuse();
	if (sa && flags & MSG_FASTOPEN) {
		switch (open_fast(fd, sa, len)) {
		case CONNECTING_FAILED:
			return -1;
		case CONNECTING_DONE:
			return shim_send(fd, data, n, flags & ~MSG_FASTOPEN);
		case CONNECTING_DIRECT:
			break;
		}
	} else if (pending_any() && intercept_one(fd, data, n, flags, &result)) {
		return result;
	}
	return real_sendto(fd, data, n, flags, sa, len);
}

static SHIM_SLOW ssize_t shim_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct msghdr unaddressed;
	ssize_t result;

	if (!msg || !memory_is_readable(msg, sizeof(*msg)))
		return real_sendmsg(fd, msg, flags);
	if (is_blocked(fd, msg->msg_name, msg->msg_namelen))
		return refuse();
	if (msg->msg_name && flags & MSG_FASTOPEN) {
		switch (open_fast(fd, msg->msg_name, msg->msg_namelen)) {
		case CONNECTING_FAILED:
			return -1;
		case CONNECTING_DONE:
			unaddressed = *msg;
			unaddressed.msg_name = NULL;
			unaddressed.msg_namelen = 0;
			return shim_sendmsg(fd, &unaddressed, flags & ~MSG_FASTOPEN);
		case CONNECTING_DIRECT:
			break;
		}
	} else if (pending_any() &&
		   intercept(fd, msg->msg_iov, msg->msg_iovlen, flags, &result)) {
		return result;
	}
	return real_sendmsg(fd, msg, flags);
}

static SHIM_SLOW int shim_sendmmsg(int fd, struct mmsghdr *msgs, unsigned count,
				   int flags)
{
	ssize_t result;

	if (count > UIO_MAXIOV) /* as the kernel */
		count = UIO_MAXIOV;
	if (!memory_is_readable(msgs, count * sizeof(*msgs)))
		return real_sendmmsg(fd, msgs, count, flags);
	for (unsigned i = 0; i < count; i++) {
		const struct msghdr *msg = &msgs[i].msg_hdr;

		if (!is_blocked(fd, msg->msg_name, msg->msg_namelen))
			continue;
		/* As the kernel: what comes before the bad one is sent. */
		return i ? real_sendmmsg(fd, msgs, i, flags) : refuse();
	}
	if (pending_any() && count &&
	    intercept(fd, msgs[0].msg_hdr.msg_iov, msgs[0].msg_hdr.msg_iovlen, flags,
		      &result)) {
		if (result < 0)
			return -1;
		msgs[0].msg_len = (unsigned)result;
		return 1; /* of a stream, any number is allowed */
	}
	return real_sendmmsg(fd, msgs, count, flags);
}

static SHIM_SLOW ssize_t shim_write(int fd, const void *data, size_t n)
{
	ssize_t result;

	return intercept_one(fd, data, n, 0, &result) ? result : real_write(fd, data, n);
}

ssize_t transfer_write(int fd, const void *data, size_t n)
{
	return pending_any() ? shim_write(fd, data, n) : real_write(fd, data, n);
}

static SHIM_SLOW ssize_t shim_writev(int fd, const struct iovec *parts, int n)
{
	ssize_t result;

	return n > 0 && intercept(fd, parts, (size_t)n, 0, &result)
		       ? result
		       : real_writev(fd, parts, n);
}

SHIM_EXPORT ssize_t send(int fd, const void *data, size_t n, int flags)
{
	return pending_any() ? shim_send(fd, data, n, flags)
			     : real_send(fd, data, n, flags);
}

SHIM_ALIAS(__send, send);

SHIM_EXPORT ssize_t sendto(int fd, const void *data, size_t n, int flags,
			   __CONST_SOCKADDR_ARG sa, socklen_t len)
{
	return (sa.__sockaddr__ && process_may_connect()) || pending_any()
		       ? shim_sendto(fd, data, n, flags, sa.__sockaddr__, len)
		       : real_sendto(fd, data, n, flags, sa.__sockaddr__, len);
}

SHIM_EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	return process_may_connect() ? shim_sendmsg(fd, msg, flags)
				     : real_sendmsg(fd, msg, flags);
}

SHIM_EXPORT int sendmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags)
{
	return process_may_connect() ? shim_sendmmsg(fd, msgs, count, flags)
				     : real_sendmmsg(fd, msgs, count, flags);
}

#ifdef TIME64_SIBLINGS
SHIM_ALIAS(__sendmsg64, sendmsg);
SHIM_ALIAS(__sendmmsg64, sendmmsg);
#endif

SHIM_EXPORT ssize_t write(int fd, const void *data, size_t n)
{
	return transfer_write(fd, data, n);
}

SHIM_ALIAS(__write, write);

SHIM_EXPORT ssize_t writev(int fd, const struct iovec *parts, int n)
{
	return pending_any() ? shim_writev(fd, parts, n) : real_writev(fd, parts, n);
}

/* At no offset it is writev(), with flags that say how the kernel may wait. */
static SHIM_SLOW bool shim_pwritev2(int fd, const struct iovec *parts, int n, int flags,
				    ssize_t *result)
{
	return n > 0 && intercept(fd, parts, (size_t)n,
				  flags & RWF_NOWAIT ? MSG_DONTWAIT : 0, result);
}

SHIM_EXPORT ssize_t pwritev2(int fd, const struct iovec *parts, int n, off_t offset,
			     int flags)
{
	ssize_t result;

	return pending_any() && offset == -1 &&
			       shim_pwritev2(fd, parts, n, flags, &result)
		       ? result
		       : real_pwritev2(fd, parts, n, offset, flags);
}

SHIM_EXPORT ssize_t pwritev64v2(int fd, const struct iovec *parts, int n, off64_t offset,
				int flags)
{
	ssize_t result;

	return pending_any() && offset == -1 &&
			       shim_pwritev2(fd, parts, n, flags, &result)
		       ? result
		       : real_pwritev64v2(fd, parts, n, offset, flags);
}
