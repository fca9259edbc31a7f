/* SPDX-License-Identifier: MIT */
/*
 * fdopen(), fileno(), dprintf(): stdio reads and writes by calls inside libc that nobody
 * can interpose. A stream on a socket that carries HTTP requests, or may do so once it is
 * connected, reads and writes by ours instead (fopencookie(3)), to its end; fileno() does
 * not know such a stream, so each is noted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "export.h"
#include "libc.h"
#include "pending.h"
#include "process.h"
#include "tcp.h"
#include "transfer.h"

struct stream {
	struct stream *next;
	_Atomic(FILE *) file; /* NULL: free */
	atomic_int fd;
};

#define STREAMS 128 /* in one mapping */

/* Entries are never given back, so looking needs no lock. */
static _Atomic(struct stream *) streams;

static struct stream *grow(void)
{
	struct stream *chunk =
		mmap(NULL, STREAMS * sizeof(*chunk), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct stream *last;

	if (chunk == MAP_FAILED)
		return NULL;
	for (size_t i = 0; i + 1 < STREAMS; i++)
		chunk[i].next = &chunk[i + 1];
	last = &chunk[STREAMS - 1];
	last->next = atomic_load(&streams);
	while (!atomic_compare_exchange_weak(&streams, &last->next, chunk))
		;
	return chunk;
}

/* A free one, taken by its number: -1 is nobody's. */
static struct stream *reserve(int fd)
{
	struct stream *stream;

	do {
		for (stream = atomic_load(&streams); stream; stream = stream->next) {
			int nobodys = 0;

			if (atomic_compare_exchange_strong(&stream->fd, &nobodys, fd + 1))
				return stream;
		}
	} while (grow());
	return NULL;
}

static void release(struct stream *stream)
{
	atomic_store(&stream->file, NULL);
	atomic_store(&stream->fd, 0);
}

static int fd_of(const struct stream *stream)
{
	return atomic_load(&stream->fd) - 1;
}

static ssize_t read_stream(void *cookie, char *data, size_t n)
{
	return transfer_read(fd_of(cookie), data, n);
}

/* fopencookie(3): an error is 0 written. */
static ssize_t write_stream(void *cookie, const char *data, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t sent = transfer_write(fd_of(cookie), data + done, n - done);

		if (sent < 0)
			break;
		done += (size_t)sent;
	}
	return (ssize_t)done;
}

static int close_stream(void *cookie)
{
	int fd = fd_of(cookie);

	release(cookie);
	return transfer_close(fd);
}

static FILE *open_stream(int fd, const char *mode)
{
	static const cookie_io_functions_t functions = {
		.read = read_stream,
		.write = write_stream,
		.close = close_stream,
	};
	struct stream *stream = reserve(fd);
	FILE *file = stream ? fopencookie(stream, mode, functions) : NULL;

	if (file)
		atomic_store(&stream->file, file);
	else if (stream)
		release(stream);
	return file;
}

static bool concerns_us(int fd)
{
	struct pending *pending = pending_any() ? pending_take(fd) : NULL;
	bool ours = pending && (pending->state == PENDING_CARRYING ||
				pending->state == PENDING_UNDER_WAY);

	if (pending)
		pending_leave(pending);
	return ours;
}

static bool may_concern_us(int fd)
{
	int saved_errno = errno;
	bool may = process_may_connect() && (concerns_us(fd) || tcp_is_idle(fd));

	errno = saved_errno;
	return may;
}

static int shim_fileno(FILE *file)
{
	for (struct stream *stream = atomic_load(&streams); stream; stream = stream->next)
		if (atomic_load(&stream->file) == file)
			return fd_of(stream);
	return real_fileno(file);
}

SHIM_EXPORT FILE *fdopen(int fd, const char *mode)
{
	return may_concern_us(fd) ? open_stream(fd, mode) : real_fdopen(fd, mode);
}

SHIM_EXPORT int fileno(FILE *file)
{
	return shim_fileno(file);
}

SHIM_EXPORT int fileno_unlocked(FILE *file)
{
	return shim_fileno(file);
}

static bool write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t sent = transfer_write(fd, text, len);

		if (sent < 0)
			return false;
		text += sent;
		len -= (size_t)sent;
	}
	return true;
}

/* As libc's: -1 if not all could be written. */
__attribute__((format(printf, 2, 0))) static int print(int fd, const char *format,
						       va_list args)
{
	char *text;
	int len = vasprintf(&text, format, args);
	int saved_errno;

	if (len < 0)
		return -1;
	if (!write_all(fd, text, (size_t)len))
		len = -1;
	saved_errno = errno;
	free(text);
	errno = saved_errno;
	return len;
}

SHIM_EXPORT int vdprintf(int fd, const char *restrict format, va_list args)
{
	return concerns_us(fd) ? print(fd, format, args)
			       : real_vdprintf(fd, format, args);
}

/* Fortified, libc's header makes a macro of it for some compilers. */
#undef dprintf
SHIM_EXPORT int dprintf(int fd, const char *restrict format, ...)
{
	va_list args;
	int printed;

	va_start(args, format);
	printed = concerns_us(fd) ? print(fd, format, args)
				  : real_vdprintf(fd, format, args);
	va_end(args);
	return printed;
}

/* `flag` is for libc's check that %n stands in memory that cannot be written to. The
 * library is fortified itself, so that its own vasprintf() makes the same check. */
SHIM_EXPORT int __vdprintf_chk(int fd, int flag, const char *format, va_list args);
SHIM_EXPORT int __vdprintf_chk(int fd, int flag, const char *format, va_list args)
{
	return concerns_us(fd) ? print(fd, format, args)
			       : real___vdprintf_chk(fd, flag, format, args);
}

SHIM_EXPORT int __dprintf_chk(int fd, int flag, const char *format, ...);
SHIM_EXPORT int __dprintf_chk(int fd, int flag, const char *format, ...)
{
	va_list args;
	int printed;

	va_start(args, format);
	printed = concerns_us(fd) ? print(fd, format, args)
				  : real___vdprintf_chk(fd, flag, format, args);
	va_end(args);
	return printed;
}
