/* SPDX-License-Identifier: MIT */
/* Epoll registrations of sockets in handshake. */
#include <errno.h>

#include "libc.h"
#include "watch.h"

/* EPOLL_CTL_MOD refuses these; they have to leave and come again. */
static bool is_exclusive(const struct watch *watch)
{
	return watch->wanted.events & EPOLLEXCLUSIVE;
}

static bool take_out(struct watch *watch)
{
	struct epoll_event none = {0};
	bool was_there = watch->there >= 0 &&
			 !real_epoll_ctl(watch->set, EPOLL_CTL_DEL, watch->there, &none);

	watch->there = -1;
	return was_there;
}

/* Another number for the same socket, or the socket's number while it is a link's. */
static int put_in(struct watch *watch, int fd, struct epoll_event event)
{
	int err = real_epoll_ctl(watch->set, EPOLL_CTL_ADD, fd, &event);

	if (err && errno == EEXIST)
		err = real_epoll_ctl(watch->set, EPOLL_CTL_MOD, fd, &event);
	watch->there = err ? -1 : fd;
	return err;
}

/* A closed descriptor has left the set by itself. */
static void notice_closed(struct watch *watch, const struct wait *wait)
{
	if (watch->there == wait->fd && watch->cookie != wait->cookie)
		watch->there = -1;
	watch->cookie = wait->cookie;
}

static bool point(struct watch *watch, const struct wait *wait, uint32_t events,
		  uint64_t tag)
{
	struct epoll_event event = {.events = events, .data.u64 = tag};
	bool same;

	notice_closed(watch, wait);
	same = watch->there == wait->fd;
	if (same && watch->tagged && watch->events == events)
		return true;
	watch->events = events;
	if (same && (watch->tagged || !is_exclusive(watch))) {
		watch->tagged = true;
		return !real_epoll_ctl(watch->set, EPOLL_CTL_MOD, wait->fd, &event);
	}
	if (watch->there >= 0 && !take_out(watch) && !watch->tagged)
		return false;
	watch->tagged = true;
	if (wait->fd >= 0)
		put_in(watch, wait->fd, event);
	return true;
}

bool watch_point(struct watch *watch, const struct wait *wait, uint32_t events,
		 uint64_t tag)
{
	int saved_errno = errno;
	/* poll(2) and epoll(7) number these events alike. */
	bool there = point(watch, wait, (uint32_t)wait->events | events, tag);

	errno = saved_errno;
	return there;
}

void watch_restore(struct watch *watch)
{
	int saved_errno = errno;

	if (watch->tagged) {
		if (watch->there == watch->fd && !is_exclusive(watch)) {
			real_epoll_ctl(watch->set, EPOLL_CTL_MOD, watch->fd,
				       &watch->wanted);
		} else {
			take_out(watch);
			put_in(watch, watch->fd, watch->wanted);
		}
	}
	watch->there = watch->fd;
	watch->tagged = false;
	errno = saved_errno;
}

void watch_remove(struct watch *watch)
{
	int saved_errno = errno;

	take_out(watch);
	errno = saved_errno;
}
