/* SPDX-License-Identifier: MIT */
/*
 * sendfile() and splice(): bytes that the program never has in its hands. On a socket
 * that carries HTTP requests they have to be seen, as everything else that it sends: they
 * are read here and sent from memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "carry.h"
#include "clock.h"
#include "export.h"
#include "libc.h"
#include "memory.h"
#include "pending.h"
#include "record.h"
#include "touch.h"
#include "transfer.h"

#define CHUNK (64 * 1024)

/* May it be a socket that we look after? */
static bool concerns_us(int fd)
{
	return pending_any() && record_at(fd);
}

static char *map_chunk(void)
{
	void *memory = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void unmap_chunk(char *chunk)
{
	int saved_errno = errno;

	munmap(chunk, CHUNK);
	errno = saved_errno;
}

static bool is_sound(const void *offset, size_t size)
{
	return !offset || memory_is_readable(offset, size);
}

/* --- from a file ---------------------------------------------------------------------
 */

/* Sends from *at on, and moves it. As sendfile(2): what was sent, -1 if nothing was. */
static ssize_t send_from(int to, int from, off64_t *at, size_t n, char *chunk)
{
	size_t done = 0;

	while (done < n) {
		size_t part = n - done < CHUNK ? n - done : CHUNK;
		ssize_t got = pread64(from, chunk, part, *at);
		ssize_t sent = got > 0 ? transfer_write(to, chunk, (size_t)got) : got;

		if (sent <= 0)
			return done ? (ssize_t)done : sent;
		*at += sent;
		done += (size_t)sent;
		if (sent < got)
			break;
	}
	return (ssize_t)done;
}

static ssize_t send_file(int to, int from, off64_t *offset, size_t n)
{
	off64_t at = offset ? *offset : lseek64(from, 0, SEEK_CUR);
	char *chunk;
	ssize_t sent;

	if (at < 0)
		return -1;
	chunk = map_chunk();
	if (!chunk)
		return -1;
	sent = send_from(to, from, &at, n, chunk);
	unmap_chunk(chunk);
	if (sent > 0 && offset)
		*offset = at;
	else if (sent > 0)
		lseek64(from, at, SEEK_SET);
	return sent;
}

SHIM_EXPORT ssize_t sendfile64(int to, int from, off64_t *offset, size_t n);
SHIM_EXPORT ssize_t sendfile64(int to, int from, off64_t *offset, size_t n)
{
	return concerns_us(to) && is_sound(offset, sizeof(*offset))
		       ? send_file(to, from, offset, n)
		       : real_sendfile64(to, from, offset, n);
}

SHIM_EXPORT ssize_t sendfile(int to, int from, off_t *offset, size_t n);
SHIM_EXPORT ssize_t sendfile(int to, int from, off_t *offset, size_t n)
{
	off64_t at;
	ssize_t sent;

	if (!concerns_us(to) || !is_sound(offset, sizeof(*offset)))
		return real_sendfile(to, from, offset, n);
	at = offset ? *offset : 0;
	sent = send_file(to, from, offset ? &at : NULL, n);
	if (sent > 0 && offset)
		*offset = (off_t)at;
	return sent;
}

/* --- through a pipe ------------------------------------------------------------------
 */

/* What has left the pipe must go out, so this waits where the socket's owner would not.
 */
static bool send_all(int to, const char *bytes, size_t n)
{
	while (n) {
		ssize_t sent = transfer_write(to, bytes, n);

		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (sent < 0 && errno == EAGAIN &&
		    !touch_await(to, POLLOUT, CLOCK_NEVER, true) && errno != EINTR)
			return false;
		if (sent > 0) {
			bytes += sent;
			n -= (size_t)sent;
		}
	}
	return true;
}

static ssize_t from_pipe(int from, int to, size_t n, unsigned flags)
{
	struct pollfd pollfd = {.fd = from, .events = POLLIN};
	char *chunk;
	ssize_t got;

	if (flags & SPLICE_F_NONBLOCK && !real_poll(&pollfd, 1, 0)) {
		errno = EAGAIN;
		return -1;
	}
	chunk = map_chunk();
	if (!chunk)
		return -1;
	got = real_read(from, chunk, n < CHUNK ? n : CHUNK);
	if (got > 0 && !send_all(to, chunk, (size_t)got))
		got = -1;
	unmap_chunk(chunk);
	return got;
}

static ssize_t to_pipe(int from, off64_t *from_offset, int to, off64_t *to_offset,
		       size_t n, unsigned flags)
{
	bool ready;
	ssize_t got;

	if (carry_show(from, !(flags & SPLICE_F_NONBLOCK), &n, &ready) && !ready)
		return -1;
	got = real_splice(from, from_offset, to, to_offset, n, flags);
	if (got > 0)
		carry_lose(from, (size_t)got);
	return got;
}

SHIM_EXPORT ssize_t splice(int from, off64_t *from_offset, int to, off64_t *to_offset,
			   size_t n, unsigned flags)
{
	if (concerns_us(from))
		return to_pipe(from, from_offset, to, to_offset, n, flags);
	if (concerns_us(to) && !from_offset && !to_offset)
		return from_pipe(from, to, n, flags);
	return real_splice(from, from_offset, to, to_offset, n, flags);
}
