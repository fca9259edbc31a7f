/* SPDX-License-Identifier: MIT */
/* poll(), ppoll(), and what programs call instead that are fortified, or have 64-bit
 * times. */
#include "clock.h"
#include "export.h"
#include "libc.h"
#include "memory.h"
#include "pending.h"
#include "pollset.h"

/* A bad timeout, or a bad list, is the kernel's to refuse. */
static bool is_sound(const struct pollfd *fds, nfds_t n, int64_t until)
{
	return n <= 1u << 20 && until != CLOCK_BAD &&
	       memory_is_readable(fds, n * sizeof(*fds));
}

static int shim_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	int64_t until = timeout < 0 ? CLOCK_NEVER : clock_now() + timeout;

	return is_sound(fds, n, until) ? pollset_wait(fds, n, until, NULL)
				       : real_poll(fds, n, timeout);
}

static int shim_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
		      const sigset_t *mask)
{
	int64_t until = clock_end_of(timeout);

	return is_sound(fds, n, until) ? pollset_wait(fds, n, until, mask)
				       : real_ppoll(fds, n, timeout, mask);
}

SHIM_EXPORT int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	return pending_waits() ? shim_poll(fds, n, timeout) : real_poll(fds, n, timeout);
}

SHIM_ALIAS(__poll, poll);

SHIM_EXPORT int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
		      const sigset_t *mask)
{
	return pending_waits() ? shim_ppoll(fds, n, timeout, mask)
			       : real_ppoll(fds, n, timeout, mask);
}

/* A list that does not fit its room is libc's to abort for. */
SHIM_EXPORT int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t room);
SHIM_EXPORT int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t room)
{
	if (!pending_waits() || room / sizeof(*fds) < n)
		return real___poll_chk(fds, n, timeout, room);
	return shim_poll(fds, n, timeout);
}

SHIM_EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
			    const sigset_t *mask, size_t room);
SHIM_EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
			    const sigset_t *mask, size_t room)
{
	if (!pending_waits() || room / sizeof(*fds) < n)
		return real___ppoll_chk(fds, n, timeout, mask, room);
	return shim_ppoll(fds, n, timeout, mask);
}

#ifdef TIME64_SIBLINGS
static int shim_ppoll64(struct pollfd *fds, nfds_t n, const struct timespec64 *timeout,
			const sigset_t *mask)
{
	int64_t until = clock_end_of64(timeout);

	return is_sound(fds, n, until) ? pollset_wait(fds, n, until, mask)
				       : real___ppoll64(fds, n, timeout, mask);
}

SHIM_EXPORT int __ppoll64(struct pollfd *fds, nfds_t n, const struct timespec64 *timeout,
			  const sigset_t *mask);
SHIM_EXPORT int __ppoll64(struct pollfd *fds, nfds_t n, const struct timespec64 *timeout,
			  const sigset_t *mask)
{
	return pending_waits() ? shim_ppoll64(fds, n, timeout, mask)
			       : real___ppoll64(fds, n, timeout, mask);
}

#ifdef TIME64_PPOLL_CHK
SHIM_EXPORT int __ppoll64_chk(struct pollfd *fds, nfds_t n,
			      const struct timespec64 *timeout, const sigset_t *mask,
			      size_t room);
SHIM_EXPORT int __ppoll64_chk(struct pollfd *fds, nfds_t n,
			      const struct timespec64 *timeout, const sigset_t *mask,
			      size_t room)
{
	if (!pending_waits() || room / sizeof(*fds) < n)
		return real___ppoll64_chk(fds, n, timeout, mask, room);
	return shim_ppoll64(fds, n, timeout, mask);
}
#endif
#endif
