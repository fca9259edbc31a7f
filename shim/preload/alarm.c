/* SPDX-License-Identifier: MIT */
/* The timer in the program's epoll sets. */
#include <errno.h>
#include <sys/timerfd.h>

#include "alarm.h"
#include "clock.h"
#include "libc.h"
#include "lock.h"
#include "private_fd.h"
#include "tag.h"

static struct lock lock;
static int timer = -1;
static int64_t set_to = CLOCK_NEVER;

/* A program may have closed whatever it found, and use the number for something else. */
static bool is_there(void)
{
	struct itimerspec now;

	if (timer >= 0 && timerfd_gettime(timer, &now))
		timer = -1;
	return timer >= 0;
}

static void program(int64_t until)
{
	struct itimerspec when = {0};

	set_to = until;
	if (!is_there() || until == CLOCK_NEVER)
		return;
	when.it_value.tv_sec = until / 1000;
	when.it_value.tv_nsec = until % 1000 * 1000000 + 1; /* 0 would disarm it */
	timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

void alarm_watch(int set)
{
	struct epoll_event event = {
		.events = EPOLLIN,
		.data.u64 = tag_make(TAG_ALARM, 0),
	};
	int saved_errno = errno;

	lock_take(&lock);
	if (!is_there()) {
		timer = private_fd(
			timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
		program(set_to);
	}
	if (timer >= 0)
		real_epoll_ctl(set, EPOLL_CTL_ADD, timer, &event);
	lock_release(&lock);
	errno = saved_errno;
}

void alarm_set(int64_t until)
{
	int saved_errno = errno;

	lock_take(&lock);
	if (until < set_to)
		program(until);
	lock_release(&lock);
	errno = saved_errno;
}

void alarm_rang(void)
{
	static const struct itimerspec never;
	int saved_errno = errno;

	lock_take(&lock);
	if (is_there())
		timerfd_settime(timer, 0, &never, NULL);
	set_to = CLOCK_NEVER;
	lock_release(&lock);
	errno = saved_errno;
}

void alarm_close(void)
{
	int saved_errno = errno;

	lock_take(&lock);
	if (is_there())
		real_close(timer);
	timer = -1;
	set_to = CLOCK_NEVER;
	lock_release(&lock);
	errno = saved_errno;
}

void alarm_after_fork(void)
{
	lock_init(&lock);
	alarm_close(); /* our copy; the parent's goes on */
}
