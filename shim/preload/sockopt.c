/* SPDX-License-Identifier: MIT */
/* getsockopt(), setsockopt(), shutdown(), ioctl(): what a socket in handshake says of
 * itself, and takes. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include "export.h"
#include "handshake.h"
#include "libc.h"
#include "pending.h"
#include "touch.h"

/* The record of a socket that is under way, taken; or NULL. */
static struct pending *take_under_way(int fd)
{
	struct pending *pending = pending_take(fd);

	if (!pending || pending->state == PENDING_UNDER_WAY)
		return pending;
	pending_leave(pending);
	return NULL;
}

/* The value that the kernel has told is replaced, as far as it has told it. */
static void replace(void *value, const socklen_t *len, const void *better, size_t size)
{
	memcpy(value, better, *len < size ? *len : size);
}

static void tell_low_water(int fd, void *value, const socklen_t *len)
{
	struct pending *pending = take_under_way(fd);
	int bytes;

	if (!pending)
		return;
	bytes = handshake_low_water(pending->handshake);
	if (bytes > 0)
		replace(value, len, &bytes, sizeof(bytes));
	pending_leave(pending);
}

static void tell_state(int fd, void *value, const socklen_t *len)
{
	struct pending *pending = take_under_way(fd);
	uint8_t state = TCP_SYN_SENT;

	if (!pending)
		return;
	/* The first octet of struct tcp_info. */
	replace(value, len, &state, sizeof(state));
	pending_leave(pending);
}

static int shim_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	bool is_error = level == SOL_SOCKET && name == SO_ERROR;
	int error = 0;
	/* Before the kernel is asked, as both forget what they have told. */
	bool known = is_error && touch_error(fd, &error);
	int err = real_getsockopt(fd, level, name, value, len);

	if (err)
		return err;
	if (known)
		replace(value, len, &error, sizeof(error));
	else if (level == SOL_SOCKET && name == SO_RCVLOWAT)
		tell_low_water(fd, value, len);
	else if (level == IPPROTO_TCP && name == TCP_INFO)
		tell_state(fd, value, len);
	return 0;
}

SHIM_EXPORT int getsockopt(int fd, int level, int name, void *restrict value,
			   socklen_t *restrict len)
{
	return pending_any() ? shim_getsockopt(fd, level, name, value, len)
			     : real_getsockopt(fd, level, name, value, len);
}

/* Kept until the handshake is over, which needs to see short replies. */
static bool keep_low_water(int fd, const void *value, socklen_t len)
{
	struct pending *pending;
	int bytes;

	if (!value || len < sizeof(bytes))
		return false;
	memcpy(&bytes, value, sizeof(bytes));
	pending = take_under_way(fd);
	if (!pending)
		return false;
	if (bytes > 0)
		handshake_set_low_water(pending->handshake, bytes);
	pending_leave(pending);
	return bytes > 0;
}

SHIM_EXPORT int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (pending_any() && level == SOL_SOCKET && name == SO_RCVLOWAT &&
	    keep_low_water(fd, value, len))
		return 0;
	return real_setsockopt(fd, level, name, value, len);
}

SHIM_EXPORT int shutdown(int fd, int how)
{
	if (pending_any() && how >= SHUT_RD && how <= SHUT_RDWR && touch_shutdown(fd))
		return 0;
	return real_shutdown(fd, how);
}

/* What waits in the socket is the proxy's. */
static int shim_ioctl(int fd, unsigned long request, void *argument)
{
	struct pending *pending = request == FIONREAD ? take_under_way(fd) : NULL;
	int err;

	if (!pending)
		return real_ioctl(fd, request, argument);
	err = real_ioctl(fd, request, argument);
	if (!err)
		*(int *)argument = 0;
	pending_leave(pending);
	return err;
}

SHIM_EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *argument;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	return pending_any() ? shim_ioctl(fd, request, argument)
			     : real_ioctl(fd, request, argument);
}

#ifdef TIME64_SIBLINGS
SHIM_ALIAS(__getsockopt64, getsockopt);
SHIM_ALIAS(__setsockopt64, setsockopt);
SHIM_ALIAS(__ioctl_time64, ioctl);
#endif
