/* SPDX-License-Identifier: MIT */
/* Sets in sets. */
#include <errno.h>
#include <poll.h>

#include "clock.h"
#include "interest.h"
#include "libc.h"
#include "lock.h"
#include "nest.h"
#include "pending.h"
#include "tag.h"

/* Sets with registrations of ours; a program has a few. What does not fit is not looked
 * after: its outer set then wakes the program a few times for nothing. */
#define SETS  32
#define OUTER 4

struct nest {
	int set;
	unsigned count; /* 0: free */
};

static struct nest nests[SETS];
static atomic_uint used; /* of nests */
static struct lock lock;

static struct nest *find(int set)
{
	for (unsigned i = 0; i < SETS; i++)
		if (nests[i].count && nests[i].set == set)
			return &nests[i];
	return NULL;
}

static struct nest *make(int set)
{
	struct nest *nest = find(set);

	for (unsigned i = 0; !nest && i < SETS; i++)
		if (!nests[i].count)
			nest = &nests[i];
	return nest;
}

/* Registers the set anew in what it is in: under our tag, or as the program wants it. */
static void register_anew(int set, bool tagged)
{
	struct interest known[OUTER];
	unsigned count = interest_of(set, known, OUTER);
	int saved_errno = errno;

	for (unsigned i = 0; i < count; i++) {
		if (tagged)
			known[i].event.data.u64 = tag_make(TAG_SET, (uint32_t)set);
		real_epoll_ctl(known[i].set, EPOLL_CTL_MOD, set, &known[i].event);
	}
	errno = saved_errno;
}

void nest_enter(int set)
{
	struct nest *nest;

	lock_take(&lock);
	nest = make(set);
	if (nest && nest->count++ == 0) {
		nest->set = set;
		atomic_fetch_add(&used, 1);
		register_anew(set, true);
	}
	lock_release(&lock);
}

void nest_leave(int set)
{
	struct nest *nest;

	lock_take(&lock);
	nest = find(set);
	if (nest && --nest->count == 0) {
		atomic_fetch_sub(&used, 1);
		register_anew(set, false);
	}
	lock_release(&lock);
}

bool nest_has(int set)
{
	bool has;

	if (!atomic_load_explicit(&used, memory_order_relaxed))
		return false;
	lock_take(&lock);
	has = find(set) != NULL;
	lock_release(&lock);
	return has;
}

/* More steps in a row than a handshake has; what is ready then is asked for again. */
#define STEPS 8

bool nest_is_ready(int set)
{
	for (unsigned i = 0; i < STEPS; i++) {
		if (!clock_is_ready(set, POLLIN))
			return false;
		if (!nest_has(set) || !pending_step_set(set))
			return true; /* it is not ours that is ready */
	}
	return false;
}

bool nest_event(int outer, struct epoll_event *event)
{
	int set = (int)tag_value(event->data.u64);
	struct interest known[OUTER];
	unsigned count;

	if (!nest_is_ready(set))
		return false;
	count = interest_of(set, known, OUTER);
	for (unsigned i = 0; i < count; i++) {
		if (known[i].set != outer)
			continue;
		event->data = known[i].event.data;
		return true;
	}
	return false;
}

void nest_after_fork(void)
{
	lock_init(&lock);
}
