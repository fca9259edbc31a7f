/* SPDX-License-Identifier: MIT */
/*
 * epoll_ctl(), epoll_wait(), epoll_pwait(), epoll_pwait2().
 *
 * While a socket is in handshake the program's registrations of it are ours (watch.h). An
 * event with a tag of ours is never shown: what it stands for goes on, and the wait goes
 * on with what is left of its time. A thread may have been in the wait since before the
 * first handshake, so what comes out is always looked at, once there has ever been one.
 */
#include <errno.h>

#include "alarm.h"
#include "clock.h"
#include "export.h"
#include "interest.h"
#include "libc.h"
#include "memory.h"
#include "nest.h"
#include "pending.h"
#include "process.h"
#include "registration.h"
#include "tag.h"

/* How long to leave a set alone in which only another process can do something. */
#define ASLEEP_MS 10

/* Lets go on what our event stands for. True if the program is to be told of it, as
 * *event says now. */
static bool handle(int set, struct epoll_event *event, bool *asleep)
{
	uint64_t tag = event->data.u64;

	switch (tag_kind(tag)) {
	case TAG_RECORD:
		return pending_event(set, event, asleep);
	case TAG_ALARM:
		alarm_rang();
		pending_expire();
		alarm_set(pending_due());
		return false;
	case TAG_SET:
		return nest_event(set, event);
	}
	return false;
}

/* Takes our own events out. Returns how many are left. */
static int filter(int set, struct epoll_event *events, int n, bool *asleep)
{
	int kept = 0;

	for (int i = 0; i < n; i++)
		if (!tag_is_ours(events[i].data.u64) || handle(set, &events[i], asleep))
			events[kept++] = events[i];
	return kept;
}

static void doze(void)
{
	real_poll(NULL, 0, ASLEEP_MS);
}

static int wait_events(int set, struct epoll_event *events, int max, int64_t until,
		       const sigset_t *mask)
{
	for (;;) {
		int64_t due = pending_due();
		int saved_errno = errno;
		bool asleep = false;
		int n = real_epoll_pwait(set, events, max,
					 clock_left(until < due ? until : due), mask);
		int kept;

		if (n < 0)
			return n;
		kept = filter(set, events, n, &asleep);
		if (pending_waits())
			pending_expire();
		if (kept || (!n && clock_now() >= until))
			return kept;
		if (asleep)
			doze();
		errno = saved_errno;
	}
}

/* When a wait of so long ends. Only where it matters: in a process without threads no
 * handshake begins during it. */
static int64_t end_of(int timeout)
{
	if (timeout <= 0 || (!pending_waits() && !process_is_threaded()))
		return timeout < 0 ? CLOCK_NEVER : 0;
	return clock_now() + timeout;
}

/* The kernel's own wait has brought n events. */
static int look_at(int n, int set, struct epoll_event *events, int max, int64_t until,
		   const sigset_t *mask)
{
	bool asleep = false;
	int kept;

	if (n <= 0 || !pending_ever())
		return n;
	kept = filter(set, events, n, &asleep);
	return kept ? kept : wait_events(set, events, max, until, mask);
}

static int shim_epoll_pwait(int set, struct epoll_event *events, int max, int timeout,
			    const sigset_t *mask)
{
	int64_t until = end_of(timeout);
	int n;

	if (pending_waits())
		return wait_events(set, events, max, until, mask);
	n = mask ? real_epoll_pwait(set, events, max, timeout, mask)
		 : real_epoll_wait(set, events, max, timeout);
	return look_at(n, set, events, max, until, mask);
}

SHIM_EXPORT int epoll_wait(int set, struct epoll_event *events, int max, int timeout)
{
	return shim_epoll_pwait(set, events, max, timeout, NULL);
}

SHIM_EXPORT int epoll_pwait(int set, struct epoll_event *events, int max, int timeout,
			    const sigset_t *mask)
{
	return shim_epoll_pwait(set, events, max, timeout, mask);
}

SHIM_EXPORT int epoll_pwait2(int set, struct epoll_event *events, int max,
			     const struct timespec *timeout, const sigset_t *mask)
{
	int64_t until = clock_end_of(timeout);

	if (pending_waits() && until != CLOCK_BAD)
		return wait_events(set, events, max, until, mask);
	return look_at(real_epoll_pwait2(set, events, max, timeout, mask), set, events,
		       max, until, mask);
}

#ifdef TIME64_SIBLINGS
SHIM_EXPORT int __epoll_pwait2_time64(int set, struct epoll_event *events, int max,
				      const struct timespec64 *timeout,
				      const sigset_t *mask);
SHIM_EXPORT int __epoll_pwait2_time64(int set, struct epoll_event *events, int max,
				      const struct timespec64 *timeout,
				      const sigset_t *mask)
{
	int64_t until = clock_end_of64(timeout);

	if (pending_waits() && until != CLOCK_BAD)
		return wait_events(set, events, max, until, mask);
	return look_at(real___epoll_pwait2_time64(set, events, max, timeout, mask), set,
		       events, max, until, mask);
}
#endif

/* A connect() in another thread may have come between: it has looked for registrations
 * before this one was noted. */
static void take_over(int set, int op, int fd, struct epoll_event *event)
{
	struct pending *pending;

	atomic_thread_fence(memory_order_seq_cst);
	pending = pending_any() && op != EPOLL_CTL_DEL ? pending_take(fd) : NULL;
	if (!pending)
		return;
	registration_take_over(pending, set, fd, event);
	pending_leave(pending);
}

static int control(int set, int op, int fd, struct epoll_event *event)
{
	struct pending *pending = pending_any() ? pending_take(fd) : NULL;
	struct epoll_event programs;
	int err;

	if (pending && pending_hides(pending)) {
		err = registration_control(pending, set, op, fd, event);
		pending_leave(pending);
		return err;
	}
	if (pending)
		pending_leave(pending);
	if (pending_any() && event && nest_has(fd)) {
		programs = *event;
		programs.data.u64 = tag_make(TAG_SET, (uint32_t)fd);
		return real_epoll_ctl(set, op, fd, &programs);
	}
	return real_epoll_ctl(set, op, fd, event);
}

SHIM_EXPORT int epoll_ctl(int set, int op, int fd, struct epoll_event *event)
{
	int err;

	if (!process_may_connect() ||
	    (event && op != EPOLL_CTL_DEL && !memory_is_readable(event, sizeof(*event))))
		return real_epoll_ctl(set, op, fd, event);
	err = control(set, op, fd, event);
	if (!err && (event || op == EPOLL_CTL_DEL)) {
		interest_note(set, op, fd, event);
		take_over(set, op, fd, event);
	}
	return err;
}
