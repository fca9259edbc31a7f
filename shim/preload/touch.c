/* SPDX-License-Identifier: MIT */
/* Answers for sockets in handshake. */
#include <errno.h>
#include <poll.h>

#include "clock.h"
#include "libc.h"
#include "pending.h"
#include "pollset.h"
#include "tcp.h"
#include "touch.h"

bool touch_await(int fd, short events, int64_t until, bool restarts)
{
	struct pollfd pollfd = {.fd = fd, .events = events};
	int ready;

	do
		ready = pollset_wait(&pollfd, 1, until, NULL);
	while (ready < 0 && errno == EINTR && !clock_interrupts(restarts));
	if (!ready)
		errno = ETIMEDOUT;
	return ready > 0;
}

/* Does the kernel say what it says of a connected socket, to one who has not asked us? */
static bool was_waited_for_unseen(const struct pending *pending, int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLOUT};

	return !pending->seen && real_poll(&pollfd, 1, 0) > 0 &&
	       pollfd.revents == POLLOUT;
}

static bool is_connected(const struct pending *pending)
{
	return pending->state == PENDING_OVER || pending->state == PENDING_CARRYING;
}

/* The record of a socket that is not connected, or NULL. */
static struct pending *take(int fd)
{
	struct pending *pending = pending_take(fd);

	if (!pending || !is_connected(pending))
		return pending;
	pending_leave(pending);
	return NULL;
}

/* The same after another step. */
static struct pending *take_and_step(int fd)
{
	struct pending *pending = take(fd);

	if (!pending)
		return NULL;
	pending_step(pending);
	if (!is_connected(pending))
		return pending;
	pending_leave(pending);
	return NULL;
}

/* Waits for the tunnel if the program would: in a blocking call, or because it has waited
 * unseen. False if that was interrupted, with errno. */
static bool await_with(int fd, bool may_block)
{
	struct pending *pending = take_and_step(fd);
	bool waits;

	if (!pending)
		return true;
	waits = pending->state == PENDING_UNDER_WAY &&
		((may_block && tcp_is_blocking(fd)) ||
		 was_waited_for_unseen(pending, fd));
	pending_leave(pending);
	return !waits || touch_await(fd, POLLOUT, CLOCK_NEVER, true);
}

static bool transfer(int fd, int flags, bool receives, ssize_t *result)
{
	struct pending *pending;
	bool answered = true;

	*result = -1;
	if (!await_with(fd, !(flags & MSG_DONTWAIT)))
		return true;
	pending = take(fd);
	if (!pending)
		return false;
	if (pending->state == PENDING_UNDER_WAY)
		errno = EAGAIN;
	else if (pending->state == PENDING_FAILED)
		errno = pending_tell(pending);
	else if (receives)
		*result = 0;
	else
		answered = false; /* EPIPE, and SIGPIPE where it is due */
	pending_leave(pending);
	return answered;
}

bool touch_send(int fd, int flags, ssize_t *result)
{
	return transfer(fd, flags, false, result);
}

bool touch_receive(int fd, int flags, ssize_t *result)
{
	return transfer(fd, flags, true, result);
}

bool touch_error(int fd, int *error)
{
	struct pending *pending = take_and_step(fd);
	bool known = true;

	if (!pending)
		return false;
	if (pending->state == PENDING_UNDER_WAY)
		*error = 0;
	else if (pending->state == PENDING_FAILED)
		*error = pending_tell(pending);
	else
		known = false;
	pending_leave(pending);
	return known;
}

bool touch_is_unconnected(int fd)
{
	struct pending *pending = NULL;
	bool under_way;

	if (await_with(fd, false))
		pending = take(fd);
	under_way = pending && pending->state == PENDING_UNDER_WAY;
	if (pending)
		pending_leave(pending);
	return under_way;
}

bool touch_shutdown(int fd)
{
	struct pending *pending = take_and_step(fd);
	bool under_way = pending && pending->state == PENDING_UNDER_WAY;

	if (under_way)
		pending_abort(pending, ECONNRESET); /* as on a socket in SYN-SENT */
	if (pending)
		pending_leave(pending);
	return under_way;
}
