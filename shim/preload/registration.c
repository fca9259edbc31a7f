/* SPDX-License-Identifier: MIT */
/* The program's registrations, in our hands. */
#include <errno.h>
#include <poll.h>

#include "alarm.h"
#include "interest.h"
#include "libc.h"
#include "nest.h"
#include "pending.h"
#include "process.h"
#include "registration.h"
#include "tag.h"

/* As epoll(7) says it. */
#define READING (EPOLLIN | EPOLLRDNORM | EPOLLRDBAND | EPOLLRDHUP | EPOLLPRI)
#define WRITING (EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND)

/* What the program may be told of a registration although something is hidden from it. */
static uint32_t visible(const struct pending *pending, const struct watch *watch)
{
	uint32_t mask = EPOLLET;

	if (pending->state == PENDING_UNDER_WAY ||
	    !pending_has_fd(pending, pending->wait.fd))
		return 0;
	if (!(pending->hidden & POLLIN))
		mask |= READING;
	if (!(pending->hidden & POLLOUT))
		mask |= WRITING;
	return watch->wanted.events & mask;
}

static void drop(struct pending *pending, struct watch *watch)
{
	nest_leave(watch->set);
	*watch = pending->watches[--pending->watch_count];
}

void registration_point(struct pending *pending)
{
	uint64_t tag = tag_make(TAG_RECORD, pending->id);

	for (unsigned i = 0; i < pending->watch_count;) {
		struct watch *watch = &pending->watches[i];
		struct wait wait = pending->wait;

		if (pending_has_fd(pending, wait.fd) &&
		    pending_has_fd(pending, watch->fd))
			wait.fd = watch->fd;
		if (watch_point(watch, &wait, visible(pending, watch), tag))
			i++;
		else
			drop(pending, watch);
	}
	if (pending->watch_count && process_is_threaded())
		alarm_set(pending->wait.until);
}

/* `fd_is_ours`: the descriptors mean the socket, or something else by now. */
void registration_give_back(struct pending *pending, bool fd_is_ours)
{
	bool asleep = pending_is_asleep(pending);

	while (pending->watch_count) {
		struct watch *watch = &pending->watches[0];

		if (asleep)
			; /* the parent's */
		else if (fd_is_ours)
			watch_restore(watch);
		else if (watch->there != watch->fd)
			watch_remove(watch);
		drop(pending, watch);
	}
}

/* The kernel keeps a registration until the last duplicate is closed, but only the number
 * that it was made with can change it. */
void registration_move(struct pending *pending, int from, int to)
{
	for (unsigned i = 0; i < pending->watch_count && !pending_is_asleep(pending);
	     i++) {
		struct watch *watch = &pending->watches[i];

		if (watch->fd != from)
			continue;
		watch_remove(watch);
		watch->fd = to;
	}
}

/* As it was registered, less what is hidden. */
bool registration_show(struct pending *pending, int set, struct epoll_event *event)
{
	for (unsigned i = 0; i < pending->watch_count; i++) {
		struct watch *watch = &pending->watches[i];
		uint32_t events = event->events & visible(pending, watch);

		if (watch->set != set || !events)
			continue;
		*event = (struct epoll_event){.events = events,
					      .data = watch->wanted.data};
		if (watch->wanted.events & EPOLLONESHOT) {
			watch->wanted.events = EPOLLONESHOT;
			registration_point(pending);
		}
		return true;
	}
	return false;
}

bool registration_lone(const struct pending *pending, int set, struct watch *out)
{
	unsigned count = 0;

	for (unsigned i = 0; i < pending->watch_count; i++) {
		if (pending->watches[i].set != set)
			continue;
		*out = pending->watches[i];
		count++;
	}
	return count == 1;
}

/* What an edge has told, or a registration for one event, is the kernel's to tell again.
 */
bool registration_answered(const struct watch *watch, struct epoll_event *event)
{
	uint32_t wanted = watch->wanted.events | EPOLLERR | EPOLLHUP;

	if (watch->there != watch->fd || wanted & (EPOLLET | EPOLLONESHOT) ||
	    wanted & ~(watch->events | EPOLLERR | EPOLLHUP) || !(event->events & wanted))
		return false;
	*event = (struct epoll_event){.events = event->events & wanted,
				      .data = watch->wanted.data};
	return true;
}

static struct watch *find(struct pending *pending, int set, int fd)
{
	for (unsigned i = 0; i < pending->watch_count; i++)
		if (pending->watches[i].set == set && pending->watches[i].fd == fd)
			return &pending->watches[i];
	return NULL;
}

void registration_take_over(struct pending *pending, int set, int fd,
			    const struct epoll_event *event)
{
	if (!pending_hides(pending) || pending_is_asleep(pending) ||
	    pending->watch_count == PENDING_WATCHES || find(pending, set, fd))
		return;
	pending->watches[pending->watch_count++] =
		(struct watch){.set = set, .fd = fd, .wanted = *event, .there = fd};
	pending->seen = true;
	nest_enter(set);
	if (process_is_threaded())
		alarm_watch(set);
	registration_point(pending);
}

void registration_take_over_all(struct pending *pending, int fd)
{
	struct interest known[PENDING_WATCHES];
	unsigned count = interest_of(fd, known, PENDING_WATCHES);

	for (unsigned i = 0; i < count; i++)
		registration_take_over(pending, known[i].set, fd, &known[i].event);
}

static int add(struct pending *pending, int set, int fd, struct epoll_event *event)
{
	struct epoll_event mute = *event;

	if (pending->watch_count == PENDING_WATCHES) {
		errno = ENOSPC;
		return -1;
	}
	/* The kernel judges it, before it is exchanged for ours. Tagged, because another
	 * thread may be waiting. */
	mute.data.u64 = tag_make(TAG_RECORD, pending->id);
	if (real_epoll_ctl(set, EPOLL_CTL_ADD, fd, &mute))
		return -1;
	registration_take_over(pending, set, fd, event);
	return 0;
}

static int change(struct pending *pending, struct watch *watch, struct epoll_event *event)
{
	if ((watch->wanted.events | event->events) & EPOLLEXCLUSIVE) {
		errno = EINVAL;
		return -1;
	}
	watch->wanted = *event;
	registration_point(pending);
	return 0;
}

int registration_control(struct pending *pending, int set, int op, int fd,
			 struct epoll_event *event)
{
	struct watch *watch = find(pending, set, fd);

	if (!watch && op == EPOLL_CTL_ADD && event)
		return add(pending, set, fd, event);
	if (!watch || (op != EPOLL_CTL_DEL && !event))
		return real_epoll_ctl(set, op, fd, event);
	switch (op) {
	case EPOLL_CTL_ADD:
		errno = EEXIST;
		return -1;
	case EPOLL_CTL_MOD:
		return change(pending, watch, event);
	case EPOLL_CTL_DEL:
		watch_remove(watch);
		drop(pending, watch);
		return 0;
	default:
		errno = EINVAL;
		return -1;
	}
}
