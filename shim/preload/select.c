/* SPDX-License-Identifier: MIT */
/* select(), pselect() and their 64-bit-time siblings, by way of poll(2) while a socket is
 * in handshake. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "export.h"
#include "libc.h"
#include "memory.h"
#include "nest.h"
#include "pending.h"
#include "pollset.h"
#include "record.h"

/* What the kernel makes of poll(2)'s events for select(2). */
#define READABLE   (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR)
#define WRITABLE   (POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR)
#define EXCEPTIONS POLLPRI

/* Sets of select(2), which may be longer than fd_set for those who know. */
struct sets {
	int n;
	unsigned long *in, *out, *except;
};

#define WORD_BITS (8 * (int)sizeof(unsigned long))

static bool has(const unsigned long *set, int fd)
{
	return set && set[fd / WORD_BITS] >> fd % WORD_BITS & 1;
}

static void keep(unsigned long *set, int fd, bool ready, int *count)
{
	if (!has(set, fd))
		return;
	if (ready)
		++*count;
	else
		set[fd / WORD_BITS] &= ~(1ul << fd % WORD_BITS);
}

static bool any_pending(const struct sets *sets)
{
	for (int fd = 0; fd < sets->n; fd++)
		if ((has(sets->in, fd) || has(sets->out, fd) || has(sets->except, fd)) &&
		    (record_at(fd) || nest_has(fd)))
			return true;
	return false;
}

static nfds_t to_list(const struct sets *sets, struct pollfd *list)
{
	nfds_t count = 0;

	for (int fd = 0; fd < sets->n; fd++) {
		short events = (has(sets->in, fd) ? READABLE & ~POLLHUP : 0) |
			       (has(sets->out, fd) ? WRITABLE : 0) |
			       (has(sets->except, fd) ? EXCEPTIONS : 0);

		if (events)
			list[count++] = (struct pollfd){.fd = fd, .events = events};
	}
	return count;
}

/* The number of bits that stay; -1 and EBADF for a descriptor that is none. */
static int to_sets(struct sets *sets, const struct pollfd *list, nfds_t n)
{
	int count = 0;

	for (nfds_t i = 0; i < n; i++)
		if (list[i].revents & POLLNVAL) {
			errno = EBADF;
			return -1;
		}
	for (nfds_t i = 0; i < n; i++) {
		keep(sets->in, list[i].fd, list[i].revents & READABLE, &count);
		keep(sets->out, list[i].fd, list[i].revents & WRITABLE, &count);
		keep(sets->except, list[i].fd, list[i].revents & EXCEPTIONS, &count);
	}
	return count;
}

/* Mapped, as the stack may be small. A siglongjmp() out of it leaves it behind. */
static int wait_for_sets(struct sets *sets, int64_t until, const sigset_t *mask)
{
	size_t size = (size_t)sets->n * sizeof(struct pollfd);
	struct pollfd *list = mmap(NULL, size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int result, saved_errno;
	nfds_t n;

	if (list == MAP_FAILED) {
		errno = ENOMEM;
		return -1;
	}
	n = to_list(sets, list);
	result = pollset_wait(list, n, until, mask);
	if (result >= 0)
		result = to_sets(sets, list, n);
	saved_errno = errno;
	munmap(list, size);
	errno = saved_errno;
	return result;
}

static struct sets sets_of(int n, fd_set *in, fd_set *out, fd_set *except)
{
	return (struct sets){
		.n = n,
		.in = (unsigned long *)in,
		.out = (unsigned long *)out,
		.except = (unsigned long *)except,
	};
}

static bool is_sound(const unsigned long *set, int n)
{
	return !set || memory_is_readable(set, (size_t)(n + WORD_BITS - 1) / WORD_BITS *
						       sizeof(*set));
}

/* Is the wait ours? A bad one is the kernel's to refuse. */
static bool is_ours(const struct sets *sets, int64_t until)
{
	return sets->n > 0 && sets->n <= 1 << 20 && until != CLOCK_BAD &&
	       is_sound(sets->in, sets->n) && is_sound(sets->out, sets->n) &&
	       is_sound(sets->except, sets->n) && any_pending(sets);
}

/* select(2), unlike pselect(2), takes microseconds that make more than a second. */
static int64_t end_of(int64_t seconds, int64_t microseconds)
{
	int64_t end = clock_end(seconds, microseconds % 1000000 * 1000);

	if (microseconds < 0 || end == CLOCK_BAD)
		return CLOCK_BAD;
	return end + microseconds / 1000000 * 1000;
}

/* Linux tells what is left of the time: here in milliseconds. */
static int64_t left_until(int64_t until)
{
	int64_t left = until - clock_now();

	return left > 0 ? left : 0;
}

static int shim_select(int n, fd_set *in, fd_set *out, fd_set *except,
		       struct timeval *timeout)
{
	struct sets sets = sets_of(n, in, out, except);
	int64_t until = timeout ? end_of(timeout->tv_sec, timeout->tv_usec) : CLOCK_NEVER;
	int64_t left;
	int result;

	if (!is_ours(&sets, until))
		return real_select(n, in, out, except, timeout);
	result = wait_for_sets(&sets, until, NULL);
	left = left_until(until);
	if (timeout)
		*timeout = (struct timeval){left / 1000, left % 1000 * 1000};
	return result;
}

static int shim_pselect(int n, fd_set *in, fd_set *out, fd_set *except,
			const struct timespec *timeout, const sigset_t *mask)
{
	struct sets sets = sets_of(n, in, out, except);
	int64_t until = clock_end_of(timeout);

	return is_ours(&sets, until) ? wait_for_sets(&sets, until, mask)
				     : real_pselect(n, in, out, except, timeout, mask);
}

SHIM_EXPORT int select(int n, fd_set *restrict in, fd_set *restrict out,
		       fd_set *restrict except, struct timeval *restrict timeout)
{
	return pending_waits() ? shim_select(n, in, out, except, timeout)
			       : real_select(n, in, out, except, timeout);
}

SHIM_ALIAS(__select, select);

SHIM_EXPORT int pselect(int n, fd_set *restrict in, fd_set *restrict out,
			fd_set *restrict except, const struct timespec *restrict timeout,
			const sigset_t *restrict mask)
{
	return pending_waits() ? shim_pselect(n, in, out, except, timeout, mask)
			       : real_pselect(n, in, out, except, timeout, mask);
}

#ifdef TIME64_SIBLINGS
static int shim_select64(int n, fd_set *in, fd_set *out, fd_set *except,
			 struct timeval64 *timeout)
{
	struct sets sets = sets_of(n, in, out, except);
	int64_t until = timeout ? end_of(timeout->tv_sec, timeout->tv_usec) : CLOCK_NEVER;
	int64_t left;
	int result;

	if (!is_ours(&sets, until))
		return real___select64(n, in, out, except, timeout);
	result = wait_for_sets(&sets, until, NULL);
	left = left_until(until);
	if (timeout)
		*timeout = (struct timeval64){left / 1000, left % 1000 * 1000};
	return result;
}

static int shim_pselect64(int n, fd_set *in, fd_set *out, fd_set *except,
			  const struct timespec64 *timeout, const sigset_t *mask)
{
	struct sets sets = sets_of(n, in, out, except);
	int64_t until = clock_end_of64(timeout);

	return is_ours(&sets, until)
		       ? wait_for_sets(&sets, until, mask)
		       : real___pselect64(n, in, out, except, timeout, mask);
}

SHIM_EXPORT int __select64(int n, fd_set *in, fd_set *out, fd_set *except,
			   struct timeval64 *timeout);
SHIM_EXPORT int __select64(int n, fd_set *in, fd_set *out, fd_set *except,
			   struct timeval64 *timeout)
{
	return pending_waits() ? shim_select64(n, in, out, except, timeout)
			       : real___select64(n, in, out, except, timeout);
}

SHIM_EXPORT int __pselect64(int n, fd_set *in, fd_set *out, fd_set *except,
			    const struct timespec64 *timeout, const sigset_t *mask);
SHIM_EXPORT int __pselect64(int n, fd_set *in, fd_set *out, fd_set *except,
			    const struct timespec64 *timeout, const sigset_t *mask)
{
	return pending_waits() ? shim_pselect64(n, in, out, except, timeout, mask)
			       : real___pselect64(n, in, out, except, timeout, mask);
}
#endif
