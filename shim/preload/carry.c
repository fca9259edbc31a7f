/* SPDX-License-Identifier: MIT */
/* Sending and receiving through a carrier. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "carrier.h"
#include "carry.h"
#include "clock.h"
#include "libc.h"
#include "memory.h"
#include "pending.h"
#include "process.h"
#include "record.h"
#include "tcp.h"
#include "touch.h"

/* Only one that carries. */
static struct pending *keep(struct pending *pending)
{
	if (pending && pending->state != PENDING_CARRYING) {
		pending_leave(pending);
		return NULL;
	}
	return pending;
}

static struct pending *take(int fd)
{
	return keep(pending_take(fd));
}

static struct pending *retake(int fd)
{
	return keep(pending_retake(fd));
}

/* False with errno. */
static bool may_wait(int fd, int flags)
{
	if (!(flags & MSG_DONTWAIT) && tcp_is_blocking(fd))
		return true;
	errno = EAGAIN;
	return false;
}

/* Waits as a blocking call does. False with errno. */
static bool await(int fd, short events)
{
	int option = events == POLLIN ? SO_RCVTIMEO : SO_SNDTIMEO;
	int64_t until = tcp_deadline(fd, option);

	if (touch_await(fd, events, until, until == CLOCK_NEVER))
		return true;
	if (errno == ETIMEDOUT)
		errno = EAGAIN;
	return false;
}

/* The same for a response, which comes when the record has gone on. Nobody but us lets it
 * go on where there are no threads: that needs no list, no bell and no second look. */
static bool await_turn(int fd, const struct wait *wait)
{
	struct pollfd pollfd = {.fd = wait->fd, .events = wait->events};
	int64_t until;
	int ready;

	if (process_is_threaded())
		return await(fd, POLLIN);
	until = tcp_deadline(fd, SO_RCVTIMEO);
	ready = real_poll(&pollfd, 1,
			  clock_left(until < wait->until ? until : wait->until));
	if (ready < 0)
		return errno == EINTR && !clock_interrupts(until == CLOCK_NEVER);
	errno = EAGAIN;
	return ready || until == CLOCK_NEVER || clock_now() < until;
}

/* A list that is none is the kernel's to refuse. */
static bool is_sound(const struct iovec *parts, size_t count)
{
	return count <= UIO_MAXIOV && memory_is_readable(parts, count * sizeof(*parts));
}

/* --- sending -------------------------------------------------------------------------
 */

/* Where in the program's bytes we are. */
struct cursor {
	const struct iovec *parts;
	size_t count, part, offset;
	size_t done;
};

static void skip(struct cursor *cursor, size_t len)
{
	cursor->offset += len;
	cursor->done += len;
	while (cursor->part < cursor->count &&
	       cursor->offset >= cursor->parts[cursor->part].iov_len) {
		cursor->offset -= cursor->parts[cursor->part].iov_len;
		cursor->part++;
	}
}

/* Sends what can be sent now. Returns what stopped it: 0 for nothing, or an errno. */
static int send_some(struct carrier *carrier, struct cursor *cursor, int flags,
		     bool *over)
{
	*over = false;
	skip(cursor, 0);
	while (cursor->part < cursor->count && !*over) {
		const struct iovec *part = &cursor->parts[cursor->part];
		size_t len = part->iov_len - cursor->offset;
		char *bytes = (char *)part->iov_base + cursor->offset;
		ssize_t sent;

		if (!memory_is_readable(bytes, len))
			return EFAULT;
		sent = carrier_send(carrier, bytes, len, flags, over);
		if (sent < 0)
			return errno;
		skip(cursor, (size_t)sent);
		if ((size_t)sent < len && !*over)
			return EAGAIN;
	}
	return 0;
}

/* One who sends to a lost connection gets SIGPIPE from the kernel, if he does. */
static void raise_if_due(int fd, int flags)
{
	int saved_errno = errno;

	if (errno == EPIPE)
		real_send(fd, "", 0, flags & MSG_NOSIGNAL);
	errno = saved_errno;
}

static bool finish(struct pending *pending, int fd, int flags, ssize_t *result)
{
	bool failed = pending->state == PENDING_FAILED;

	if (failed)
		errno = pending_tell(pending);
	pending_leave(pending);
	if (failed)
		raise_if_due(fd, flags);
	*result = -1;
	return failed;
}

/* What the kernel has taken of a call is its result, whatever came then. */
static bool tell_sent(const struct cursor *cursor, ssize_t *result)
{
	*result = cursor->done ? (ssize_t)cursor->done : -1;
	return true;
}

bool carry_send(int fd, const struct iovec *parts, size_t count, int flags,
		ssize_t *result)
{
	struct cursor cursor = {.parts = parts, .count = count};
	int saved_errno = errno, error;
	struct pending *pending;
	bool over;

	if (!record_at(fd) || !is_sound(parts, count))
		return false;
	for (pending = take(fd); pending; pending = retake(fd)) {
		error = send_some(pending->carrier, &cursor, flags, &over);
		pending_step(pending);
		if (pending->state == PENDING_FAILED)
			return finish(pending, fd, flags, result);
		pending_leave(pending);
		if (over)
			break;
		if (!error) {
			errno = saved_errno;
			*result = (ssize_t)cursor.done;
			return true;
		}
		errno = error;
		if (error != EAGAIN || !may_wait(fd, flags) || !await(fd, POLLOUT))
			return tell_sent(&cursor, result);
	}
	errno = saved_errno;
	*result = (ssize_t)cursor.done;
	return cursor.done > 0;
}

/* --- receiving -----------------------------------------------------------------------
 */

static size_t length_of(const struct msghdr *message)
{
	size_t len = 0;

	for (size_t i = 0; i < message->msg_iovlen; i++)
		len += message->msg_iov[i].iov_len;
	return len;
}

/* The record, taken, once what waits in the socket is the program's. False: it failed,
 * with errno; the record is NULL if the call is the kernel's. */
static bool await_response(int fd, int flags, struct pending **pending)
{
	bool carries;
	struct wait wait;

	for (*pending = take(fd); *pending; *pending = retake(fd)) {
		pending_step(*pending);
		carries = (*pending)->state == PENDING_CARRYING;
		if (carries && carrier_shows((*pending)->carrier))
			return true;
		wait = (*pending)->wait;
		pending_leave(*pending);
		*pending = NULL;
		if (!carries)
			return true;
		if (!may_wait(fd, flags) || !await_turn(fd, &wait))
			return false;
	}
	return true;
}

/* The program has received so many bytes. */
static void follow(struct pending *pending, const struct msghdr *message, size_t len,
		   int flags)
{
	if (flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE))
		return;
	if (flags & MSG_TRUNC)
		carrier_received(pending->carrier, NULL, len);
	for (size_t i = 0; i < message->msg_iovlen && len && !(flags & MSG_TRUNC); i++) {
		size_t part = message->msg_iov[i].iov_len;

		if (part > len)
			part = len;
		carrier_received(pending->carrier, message->msg_iov[i].iov_base, part);
		len -= part;
	}
	pending_step(pending);
}

/* Into the first part alone, as far as the response goes. */
static ssize_t receive_bounded(int fd, struct msghdr *message, size_t bound, int flags)
{
	struct iovec part = {
		.iov_base = message->msg_iov[0].iov_base,
		.iov_len = bound,
	};
	struct msghdr bounded = *message;
	ssize_t got;

	bounded.msg_iov = &part;
	bounded.msg_iovlen = 1;
	got = real_recvmsg(fd, &bounded, flags);
	message->msg_namelen = bounded.msg_namelen;
	message->msg_controllen = bounded.msg_controllen;
	message->msg_flags = bounded.msg_flags;
	return got;
}

/* What is there, with the record taken. False: nothing is. */
static bool receive_now(struct pending *pending, int fd, struct msghdr *message,
			int flags, ssize_t *got)
{
	const struct iovec *first = message->msg_iov;
	size_t bound = carrier_bound(pending->carrier, first->iov_base, first->iov_len);

	flags |= MSG_DONTWAIT;
	*got = bound < first->iov_len ? receive_bounded(fd, message, bound, flags)
				      : real_recvmsg(fd, message, flags);
	if (*got > 0)
		follow(pending, message, (size_t)*got, flags);
	return *got >= 0 || errno != EAGAIN;
}

/* As the call does it, without the record. */
static ssize_t receive_plainly(int fd, struct msghdr *message, int flags)
{
	ssize_t got = real_recvmsg(fd, message, flags);
	struct pending *pending = got > 0 ? retake(fd) : NULL;

	if (!pending)
		return got;
	follow(pending, message, (size_t)got, flags);
	pending_leave(pending);
	return got;
}

/* Does the call wait for more than what comes first? */
static bool wants_more(const struct pending *pending, int fd, int flags)
{
	return (flags & MSG_WAITALL || carrier_low_water(pending->carrier) > 1) &&
	       may_wait(fd, flags);
}

/*
 * The kernel waits best, as it knows which signals interrupt; but not for what may have
 * to be cut, nor while another thread can send a request, for nobody has looked yet at
 * what comes then.
 */
static ssize_t receive_once(int fd, struct msghdr *message, int flags, bool *carries)
{
	struct pending *pending;
	bool bounded, wants, done;
	ssize_t got = -1;

	do {
		*carries = true;
		if (!await_response(fd, flags, &pending))
			return -1;
		*carries = pending != NULL;
		if (!pending)
			return -1;
		bounded = carrier_is_bounded(pending->carrier);
		wants = !bounded && wants_more(pending, fd, flags);
		done = !wants && receive_now(pending, fd, message, flags, &got);
		pending_leave(pending);
		if (done || !may_wait(fd, flags))
			return got;
		if (wants || (!bounded && !process_is_threaded()))
			return receive_plainly(fd, message, flags);
	} while (await(fd, POLLIN));
	return -1;
}

bool carry_receive(int fd, struct msghdr *message, int flags, ssize_t *result)
{
	int saved_errno = errno;
	bool carries;

	if (!record_at(fd) || !memory_is_readable(message, sizeof(*message)) ||
	    !is_sound(message->msg_iov, message->msg_iovlen) || length_of(message) == 0)
		return false;
	pthread_testcancel(); /* the kernel's call is made while that is off */
	*result = receive_once(fd, message, flags, &carries);
	if (carries && *result >= 0)
		errno = saved_errno;
	return carries;
}

bool carry_show(int fd, bool may_block, size_t *limit, bool *ready)
{
	struct pending *pending;
	char room[4096];

	size_t bound;

	*ready = await_response(fd, may_block ? 0 : MSG_DONTWAIT, &pending);
	if (!*ready)
		return true;
	if (!pending)
		return false;
	bound = carrier_bound(pending->carrier, room, sizeof(room));
	if (bound < sizeof(room) && bound < *limit)
		*limit = bound;
	pending_leave(pending);
	return true;
}

void carry_lose(int fd, size_t count)
{
	struct pending *pending = take(fd);

	if (!pending)
		return;
	carrier_received(pending->carrier, NULL, count);
	pending_leave(pending);
}

int carry_count(int fd, int count)
{
	struct pending *pending = take(fd);
	char room[4096];

	if (!pending)
		return count;
	pending_step(pending);
	if (pending->state == PENDING_CARRYING) {
		size_t bound = carrier_shows(pending->carrier) ? sizeof(room) : 0;

		if (bound)
			bound = carrier_bound(pending->carrier, room, bound);
		if (bound < sizeof(room) && bound < (size_t)count)
			count = (int)bound;
	}
	pending_leave(pending);
	return count;
}

void carry_hand_over(int fd)
{
	struct pending *pending = take(fd);
	int saved_errno = errno;

	if (!pending)
		return;
	carrier_give_up(pending->carrier);
	pending_step(pending);
	pending_leave(pending);
	touch_await(fd, POLLOUT, CLOCK_NEVER, true);
	errno = saved_errno;
}

/* --- the end -------------------------------------------------------------------------
 */

bool carry_shutdown(int fd)
{
	struct pending *pending = take(fd);
	bool later;

	if (!pending)
		return false;
	later = carrier_shutdown(pending->carrier);
	pending_step(pending);
	pending_leave(pending);
	return later;
}

void carry_close(int fd)
{
	struct pending *pending = take(fd);

	if (!pending)
		return;
	if (pending->fd_count == 1)
		carrier_close(pending->carrier);
	pending_leave(pending);
}
