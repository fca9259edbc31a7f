/* SPDX-License-Identifier: MIT */
/* getsockopt(), setsockopt(), shutdown(), ioctl(): what a socket with a record says of
 * itself, and takes. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include "carrier.h"
#include "carry.h"
#include "export.h"
#include "handshake.h"
#include "libc.h"
#include "memory.h"
#include "pending.h"
#include "record.h"
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

/* The program's SO_RCVLOWAT while we may have set another one; 0: ask the kernel. */
static int low_water_of(const struct pending *pending)
{
	switch (pending->state) {
	case PENDING_UNDER_WAY:
		return handshake_low_water(pending->handshake);
	case PENDING_CARRYING:
		return carrier_low_water(pending->carrier);
	default:
		return 0;
	}
}

static void tell_low_water(int fd, void *value, const socklen_t *len)
{
	struct pending *pending = pending_take(fd);
	int bytes;

	if (!pending)
		return;
	bytes = low_water_of(pending);
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

static bool set_low_water(struct pending *pending, int bytes)
{
	switch (pending->state) {
	case PENDING_UNDER_WAY:
		if (bytes > 0)
			handshake_set_low_water(pending->handshake, bytes);
		return bytes > 0;
	case PENDING_CARRYING:
		return carrier_set_low_water(pending->carrier, bytes);
	default:
		return false;
	}
}

/* Kept for as long as we need to see short replies. */
static bool keep_low_water(int fd, const void *value, socklen_t len)
{
	struct pending *pending;
	bool kept;
	int bytes;

	if (!value || len < sizeof(bytes) || !memory_is_readable(value, sizeof(bytes)))
		return false;
	memcpy(&bytes, value, sizeof(bytes));
	pending = pending_take(fd);
	if (!pending)
		return false;
	kept = set_low_water(pending, bytes);
	pending_leave(pending);
	return kept;
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
	if (pending_any() && how == SHUT_WR && carry_shutdown(fd))
		return 0;
	return real_shutdown(fd, how);
}

/* How much of what waits in the socket is the program's. */
static int count_of(int fd, int count)
{
	struct pending *pending = take_under_way(fd);

	if (!pending)
		return carry_count(fd, count);
	pending_leave(pending);
	return 0;
}

static int shim_ioctl(int fd, unsigned long request, void *argument)
{
	int err = real_ioctl(fd, request, argument);

	if (!err && request == FIONREAD && record_at(fd))
		*(int *)argument = count_of(fd, *(int *)argument);
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
