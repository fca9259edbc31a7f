/* SPDX-License-Identifier: MIT */
/*
 * The calls that move bytes, and the _chk siblings that fortified programs call. They
 * matter to a socket in handshake, which answers as one that connects (touch.h); to
 * datagrams for a stand-in address; and where they connect by themselves (MSG_FASTOPEN).
 */
#include <errno.h>

#include "connect.h"
#include "export.h"
#include "libc.h"
#include "pending.h"
#include "stand_in.h"
#include "touch.h"

/* --- addresses -----------------------------------------------------------------------
 */

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

/* --- sending -------------------------------------------------------------------------
 */

static SHIM_SLOW ssize_t shim_send(int fd, const void *data, size_t n, int flags)
{
	ssize_t result;

	return touch_send(fd, flags, &result) ? result : real_send(fd, data, n, flags);
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
			return real_send(fd, data, n, flags & ~MSG_FASTOPEN);
		case CONNECTING_DIRECT:
			break;
		}
	} else if (pending_any() && touch_send(fd, flags, &result)) {
		return result;
	}
	return real_sendto(fd, data, n, flags, sa, len);
}

static SHIM_SLOW ssize_t shim_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct msghdr unaddressed;
	ssize_t result;

	if (msg && is_blocked(fd, msg->msg_name, msg->msg_namelen))
		return refuse();
	if (msg && msg->msg_name && flags & MSG_FASTOPEN) {
		switch (open_fast(fd, msg->msg_name, msg->msg_namelen)) {
		case CONNECTING_FAILED:
			return -1;
		case CONNECTING_DONE:
			unaddressed = *msg;
			unaddressed.msg_name = NULL;
			unaddressed.msg_namelen = 0;
			return real_sendmsg(fd, &unaddressed, flags & ~MSG_FASTOPEN);
		case CONNECTING_DIRECT:
			break;
		}
	} else if (pending_any() && touch_send(fd, flags, &result)) {
		return result;
	}
	return real_sendmsg(fd, msg, flags);
}

static SHIM_SLOW int shim_sendmmsg(int fd, struct mmsghdr *msgs, unsigned count,
				   int flags)
{
	ssize_t result;

	for (unsigned i = 0; i < count; i++) {
		const struct msghdr *msg = &msgs[i].msg_hdr;

		if (!is_blocked(fd, msg->msg_name, msg->msg_namelen))
			continue;
		/* As the kernel: what comes before the bad one is sent. */
		return i ? real_sendmmsg(fd, msgs, i, flags) : refuse();
	}
	if (pending_any() && touch_send(fd, flags, &result))
		return (int)result;
	return real_sendmmsg(fd, msgs, count, flags);
}

static SHIM_SLOW ssize_t shim_write(int fd, const void *data, size_t n)
{
	ssize_t result;

	return touch_send(fd, 0, &result) ? result : real_write(fd, data, n);
}

static SHIM_SLOW ssize_t shim_writev(int fd, const struct iovec *parts, int n)
{
	ssize_t result;

	return touch_send(fd, 0, &result) ? result : real_writev(fd, parts, n);
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
	return sa.__sockaddr__ || pending_any()
		       ? shim_sendto(fd, data, n, flags, sa.__sockaddr__, len)
		       : real_sendto(fd, data, n, flags, NULL, len);
}

SHIM_EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	return (msg && msg->msg_name) || pending_any() ? shim_sendmsg(fd, msg, flags)
						       : real_sendmsg(fd, msg, flags);
}

SHIM_EXPORT int sendmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags)
{
	return shim_sendmmsg(fd, msgs, count, flags);
}

#ifdef TIME64_SIBLINGS
SHIM_ALIAS(__sendmsg64, sendmsg);
SHIM_ALIAS(__sendmmsg64, sendmmsg);
#endif

SHIM_EXPORT ssize_t write(int fd, const void *data, size_t n)
{
	return pending_any() ? shim_write(fd, data, n) : real_write(fd, data, n);
}

SHIM_ALIAS(__write, write);

SHIM_EXPORT ssize_t writev(int fd, const struct iovec *parts, int n)
{
	return pending_any() ? shim_writev(fd, parts, n) : real_writev(fd, parts, n);
}

/* --- receiving -----------------------------------------------------------------------
 */

static SHIM_SLOW ssize_t shim_recv(int fd, void *data, size_t n, int flags)
{
	ssize_t result;

	return touch_receive(fd, flags, &result) ? result : real_recv(fd, data, n, flags);
}

static SHIM_SLOW ssize_t shim_recvfrom(int fd, void *data, size_t n, int flags,
				       struct sockaddr *sa, socklen_t *len)
{
	ssize_t result;

	return touch_receive(fd, flags, &result)
		       ? result
		       : real_recvfrom(fd, data, n, flags, sa, len);
}

static SHIM_SLOW ssize_t shim_recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t result;

	return touch_receive(fd, flags, &result) ? result : real_recvmsg(fd, msg, flags);
}

static SHIM_SLOW int shim_recvmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags,
				   struct timespec *timeout)
{
	ssize_t result;

	return touch_receive(fd, flags, &result)
		       ? (int)result
		       : real_recvmmsg(fd, msgs, n, flags, timeout);
}

static SHIM_SLOW ssize_t shim_read(int fd, void *data, size_t n)
{
	ssize_t result;

	return touch_receive(fd, 0, &result) ? result : real_read(fd, data, n);
}

static SHIM_SLOW ssize_t shim_readv(int fd, const struct iovec *parts, int n)
{
	ssize_t result;

	return touch_receive(fd, 0, &result) ? result : real_readv(fd, parts, n);
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

	return touch_receive(fd, flags, &result) ? result
						 : real___recvmsg64(fd, msg, flags);
}

static SHIM_SLOW int shim_recvmmsg64(int fd, struct mmsghdr *msgs, unsigned n, int flags,
				     struct timespec64 *timeout)
{
	ssize_t result;

	return touch_receive(fd, flags, &result)
		       ? (int)result
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
	return pending_any() ? shim_read(fd, data, n) : real_read(fd, data, n);
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
