/* SPDX-License-Identifier: MIT */
/* close(), dup(), dup2(), dup3(), fcntl(): which numbers mean a socket in handshake. */
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "carry.h"
#include "export.h"
#include "libc.h"
#include "pending.h"
#include "transfer.h"

/* Before the number means something else. */
static void forget_fd(int fd)
{
	struct pending *pending;

	carry_close(fd);
	pending = pending_take(fd);
	if (!pending)
		return;
	pending_remove_fd(pending, fd);
	pending_leave(pending);
}

/* `copy` is what the duplicating call has returned. */
static int note_copy(int fd, int copy)
{
	struct pending *pending = copy >= 0 && copy != fd ? pending_take(fd) : NULL;

	if (!pending)
		return copy;
	pending_add_fd(pending, copy);
	pending_leave(pending);
	/* stdio has a stream there, which writes by calls inside libc. */
	if (copy <= STDERR_FILENO)
		carry_hand_over(copy);
	return copy;
}

int transfer_close(int fd)
{
	if (pending_any())
		forget_fd(fd);
	return real_close(fd);
}

SHIM_EXPORT int close(int fd)
{
	return transfer_close(fd);
}

SHIM_ALIAS(__close, close);

SHIM_EXPORT int dup(int fd)
{
	int copy = real_dup(fd);

	return pending_any() ? note_copy(fd, copy) : copy;
}

SHIM_EXPORT int dup2(int fd, int to)
{
	if (!pending_any() || fd == to)
		return real_dup2(fd, to);
	if (real_fcntl(fd, F_GETFD, NULL) >= 0)
		forget_fd(to);
	return note_copy(fd, real_dup2(fd, to));
}

SHIM_ALIAS(__dup2, dup2);

SHIM_EXPORT int dup3(int fd, int to, int flags)
{
	if (!pending_any() || fd == to || flags & ~O_CLOEXEC)
		return real_dup3(fd, to, flags);
	if (real_fcntl(fd, F_GETFD, NULL) >= 0)
		forget_fd(to);
	return note_copy(fd, real_dup3(fd, to, flags));
}

static bool duplicates(int command)
{
	return command == F_DUPFD || command == F_DUPFD_CLOEXEC;
}

static int shim_fcntl(int fd, int command, int result)
{
	return pending_any() && duplicates(command) ? note_copy(fd, result) : result;
}

/* Commands without an argument leave garbage in it, which the kernel does not look at. */
#define ARGUMENT_OF(command, argument)                                                   \
	va_list args;                                                                    \
	void *argument;                                                                  \
	va_start(args, command);                                                         \
	argument = va_arg(args, void *);                                                 \
	va_end(args)

SHIM_EXPORT int fcntl(int fd, int command, ...)
{
	ARGUMENT_OF(command, argument);
	return shim_fcntl(fd, command, real_fcntl(fd, command, argument));
}

SHIM_ALIAS(__fcntl, fcntl);

SHIM_EXPORT int fcntl64(int fd, int command, ...);
SHIM_EXPORT int fcntl64(int fd, int command, ...)
{
	ARGUMENT_OF(command, argument);
	return shim_fcntl(fd, command, real_fcntl64(fd, command, argument));
}

#ifdef TIME64_SIBLINGS
SHIM_ALIAS(__fcntl_time64, fcntl64);
#endif
