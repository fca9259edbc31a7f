/* SPDX-License-Identifier: MIT */
/* Asking the kernel what can be read. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory.h"

/* A kernel's signal mask, which is read by the call below. */
#define PROBE 8
/* What is so little above our own frame belongs to the stack. */
#define NEAR (16 * 1024)
/* The smallest page there is: of one, one probe tells all. */
#define PAGE 4096

static bool is_on_stack(const void *p)
{
	return (uintptr_t)p - (uintptr_t)__builtin_frame_address(0) < NEAR;
}

/* The kernel reads the mask before it finds that nobody knows what to do with it. It is a
 * call that no sandbox forbids: abort(3) needs it. */
static bool probe(const char *p)
{
	return p &&
	       (syscall(SYS_rt_sigprocmask, -1, p, NULL, PROBE) == 0 || errno != EFAULT);
}

static bool is_same_page(const char *first, const char *last)
{
	return (uintptr_t)first / PAGE == (uintptr_t)last / PAGE;
}

bool memory_is_readable(const void *p, size_t n)
{
	const char *first = p, *last = first + n - 1;
	int saved_errno = errno;
	bool readable;

	if (!n || is_on_stack(p))
		return true;
	/* Aligned, so that no probe reaches into another page. */
	first -= (uintptr_t)first % PROBE;
	last -= (uintptr_t)last % PROBE;
	readable = last >= first && probe(first) &&
		   (is_same_page(first, last) || probe(last));
	errno = saved_errno;
	return readable;
}
