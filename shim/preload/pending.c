/* SPDX-License-Identifier: MIT */
/*
 * The life of a record.
 *
 * Theory of operation: connect() begins it with a handshake that has not touched the
 * socket yet. The program's epoll registrations of the socket are taken over at once, so
 * that no thread in epoll_wait() sees what the handshake does to it. Then whoever waits
 * for the socket, or touches it, lets it go on by pending_step(). When the tunnel stands
 * the record ends and the registrations come back: what is ready, the kernel says. When
 * it fails they come back as well (the socket is disconnected, which the kernel shows as
 * a hang-up), and the record stays until the error has been told.
 *
 * Order of locks: a record's, then those of record.c, interest.c, alarm.c and peers.c.
 *
 * A forked child inherits descriptors and records, and shares the handshakes. As long as
 * the parent takes the steps, on the same sockets, the child only looks how far they are.
 * When the parent ends, as with programs that become daemons, or closes the socket, the
 * child goes on.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "alarm.h"
#include "bell.h"
#include "cookie.h"
#include "handshake.h"
#include "interest.h"
#include "libc.h"
#include "nest.h"
#include "peers.h"
#include "pending.h"
#include "process.h"
#include "record.h"
#include "tag.h"
#include "tcp.h"

/* How often one process looks how far another one is (milliseconds). */
#define LOOK_MS 10

atomic_uint pending_count;
static atomic_bool ever;
static _Atomic int64_t due = CLOCK_NEVER;

bool pending_ever(void)
{
	return atomic_load_explicit(&ever, memory_order_acquire);
}

static bool check_fds(struct pending *pending);

/* --- taking and leaving --------------------------------------------------------------
 */

static bool has_fd(const struct pending *pending, int fd)
{
	for (unsigned i = 0; i < pending->fd_count; i++)
		if (pending->fds[i] == fd)
			return true;
	return false;
}

void pending_leave(struct pending *pending)
{
	lock_release(&pending->lock);
}

struct pending *pending_take(int fd)
{
	struct pending *pending = record_at(fd);

	if (!pending || !process_owns_memory())
		return NULL;
	lock_take(&pending->lock);
	if (pending->state != PENDING_OVER && has_fd(pending, fd)) {
		if (cookie_of(fd) == pending->cookie)
			return pending;
		check_fds(pending); /* it was closed out of our sight */
	}
	lock_release(&pending->lock);
	return NULL;
}

/* Another process takes the steps. */
static bool is_asleep(struct pending *pending)
{
	return pending->handshake && handshake_is_elsewhere(pending->handshake);
}

/* --- waking those who wait -----------------------------------------------------------
 */

static void lower_due(int64_t until)
{
	int64_t known = atomic_load(&due);

	while (until < known && !atomic_compare_exchange_weak(&due, &known, until))
		;
}

int64_t pending_due(void)
{
	return atomic_load_explicit(&due, memory_order_relaxed);
}

static void drop_watch(struct pending *pending, struct watch *watch)
{
	nest_leave(watch->set);
	*watch = pending->watches[--pending->watch_count];
}

static void point_watches(struct pending *pending)
{
	uint64_t tag = tag_make(TAG_RECORD, pending->id);

	for (unsigned i = 0; i < pending->watch_count;) {
		struct watch *watch = &pending->watches[i];
		struct wait wait = pending->wait;

		if (has_fd(pending, wait.fd) && has_fd(pending, watch->fd))
			wait.fd = watch->fd;
		if (watch_point(watch, &wait, tag))
			i++;
		else
			drop_watch(pending, watch);
	}
	if (pending->watch_count && process_is_threaded())
		alarm_set(pending->wait.until);
}

/* `fd_is_ours`: the descriptors mean the socket, or something else by now. */
static void give_watches_back(struct pending *pending, bool fd_is_ours)
{
	bool asleep = is_asleep(pending);

	while (pending->watch_count) {
		struct watch *watch = &pending->watches[0];

		if (asleep)
			; /* the parent's */
		else if (fd_is_ours)
			watch_restore(watch);
		else if (watch->there != watch->fd)
			watch_remove(watch);
		drop_watch(pending, watch);
	}
}

static void ring(struct pending *pending)
{
	for (unsigned i = 0; i < pending->bell_count; i++)
		bell_ring(pending->bells[i]);
}

bool pending_add_bell(struct pending *pending, int bell)
{
	if (pending->bell_count == PENDING_BELLS)
		return false;
	pending->bells[pending->bell_count++] = bell;
	return true;
}

void pending_remove_bell(struct pending *pending, int bell)
{
	for (unsigned i = 0; i < pending->bell_count; i++) {
		if (pending->bells[i] != bell)
			continue;
		pending->bells[i] = pending->bells[--pending->bell_count];
		return;
	}
}

/* --- the end -------------------------------------------------------------------------
 */

static void drop_handshake(struct pending *pending)
{
	if (pending->handshake)
		handshake_free(pending->handshake);
	pending->handshake = NULL;
}

static void forget(struct pending *pending, bool fd_is_ours)
{
	for (unsigned i = 0; i < pending->fd_count; i++)
		if (record_at(pending->fds[i]) == pending)
			record_put(pending->fds[i], NULL);
	pending->fd_count = 0;
	give_watches_back(pending, fd_is_ours);
	drop_handshake(pending);
	pending->state = PENDING_OVER;
	ring(pending);
	pending->bell_count = 0;
	record_free(pending);
	if (atomic_fetch_sub(&pending_count, 1) == 1) {
		atomic_store(&due, CLOCK_NEVER);
		alarm_close();
	}
}

void pending_forget(struct pending *pending)
{
	forget(pending, true);
}

static void fail(struct pending *pending, int error)
{
	give_watches_back(pending, true);
	drop_handshake(pending);
	pending->state = PENDING_FAILED;
	pending->error = error;
	ring(pending);
}

void pending_abort(struct pending *pending, int error)
{
	if (pending->state != PENDING_UNDER_WAY)
		return;
	if (!is_asleep(pending))
		handshake_disconnect(pending->handshake);
	fail(pending, error);
}

int pending_tell(struct pending *pending)
{
	int saved_errno = errno, kernels;
	socklen_t len = sizeof(kernels);

	if (pending->fd_count)
		real_getsockopt(pending->fds[0], SOL_SOCKET, SO_ERROR, &kernels, &len);
	pending->state = PENDING_TOLD;
	errno = saved_errno;
	return pending->error;
}

/* --- going on ------------------------------------------------------------------------
 */

/* The socket has fds[0] for its number from here on. */
static void use_first_fd(struct pending *pending)
{
	int fd = pending->fds[0];

	if (!pending->handshake || is_asleep(pending))
		return;
	handshake_use(pending->handshake, fd);
	pending->wait.fd = handshake_wait(pending->handshake).fd;
}

static void unlist(struct pending *pending, unsigned index)
{
	int fd = pending->fds[index];

	if (record_at(fd) == pending)
		record_put(fd, NULL);
	pending->fd_count--;
	memmove(&pending->fds[index], &pending->fds[index + 1],
		(pending->fd_count - index) * sizeof(int));
}

/* Unlists the numbers that mean something else by now. False if none is left, and the
 * record is over. */
static bool check_fds(struct pending *pending)
{
	for (unsigned i = 0; i < pending->fd_count;) {
		if (cookie_of(pending->fds[i]) == pending->cookie)
			i++;
		else
			unlist(pending, i);
	}
	if (!pending->fd_count)
		forget(pending, false);
	else
		use_first_fd(pending);
	return pending->state != PENDING_OVER;
}

/* No proxy after all: the kernel connects by itself from here on. */
static void connect_directly(struct pending *pending)
{
	int fd = pending->fds[0];

	if (!tcp_connect_as_asked(fd, &pending->destination) || errno == EINPROGRESS ||
	    errno == EINTR)
		pending_forget(pending);
	else
		fail(pending, errno);
}

/* Another socket may have taken the descriptor's place; the kernel's registrations went
 * with the old one. */
static void notice_replacement(struct pending *pending)
{
	uint64_t cookie = cookie_of(pending->fds[0]);

	if (cookie == pending->cookie)
		return;
	pending->cookie = cookie;
	for (unsigned i = 0; i < pending->watch_count; i++)
		if (pending->watches[i].there == pending->watches[i].fd)
			pending->watches[i].there = -1;
	while (pending->fd_count > 1) /* duplicates keep the old one */
		unlist(pending, 1);
}

static void keep_waiting(struct pending *pending)
{
	struct wait wait = handshake_wait(pending->handshake);
	bool changed = wait.fd != pending->wait.fd ||
		       wait.events != pending->wait.events ||
		       wait.cookie != pending->wait.cookie;

	pending->wait = wait;
	lower_due(wait.until);
	point_watches(pending);
	if (changed)
		ring(pending);
}

/* What the driving process waits for tells nothing when that ends. */
static void look_soon(struct pending *pending)
{
	pending->wait = (struct wait){.fd = -1, .until = clock_now() + LOOK_MS};
	lower_due(pending->wait.until);
}

static void step(struct pending *pending)
{
	enum handshake_state state;

	if (is_asleep(pending)) {
		look_soon(pending);
		return;
	}
	if (!check_fds(pending))
		return;
	state = handshake_step(pending->handshake, false);
	notice_replacement(pending);
	switch (state) {
	case HANDSHAKE_ASKING_WAY:
	case HANDSHAKE_UNDER_WAY:
		keep_waiting(pending);
		break;
	case HANDSHAKE_DIRECT:
		connect_directly(pending);
		break;
	case HANDSHAKE_ESTABLISHED:
		peers_remember(pending->fds[0], &pending->destination);
		pending_forget(pending);
		break;
	case HANDSHAKE_FAILED:
		fail(pending, handshake_error(pending->handshake));
		break;
	}
}

void pending_step(struct pending *pending)
{
	int saved_errno = errno;

	if (pending->state == PENDING_UNDER_WAY)
		step(pending);
	errno = saved_errno;
}

void pending_event(uint32_t id, bool *asleep)
{
	struct pending *pending = record_with_id(id);

	if (!pending)
		return;
	lock_take(&pending->lock);
	if (pending->id == id && pending->state == PENDING_UNDER_WAY) {
		*asleep = is_asleep(pending);
		pending_step(pending);
	}
	lock_release(&pending->lock);
}

void pending_expire(void)
{
	struct pending *pending;
	unsigned index = 0;

	if (clock_now() < pending_due())
		return;
	atomic_store(&due, CLOCK_NEVER);
	while ((pending = record_next(&index))) {
		if (!pending->reserved)
			continue;
		lock_take(&pending->lock);
		if (pending->state == PENDING_UNDER_WAY) {
			if (clock_now() >= pending->wait.until)
				pending_step(pending);
			else
				lower_due(pending->wait.until);
		}
		lock_release(&pending->lock);
	}
}

/* --- descriptors and registrations ---------------------------------------------------
 */

void pending_add_fd(struct pending *pending, int copy)
{
	struct pending *stale = record_at(copy);

	if (pending->fd_count == PENDING_FDS)
		return;
	if (stale && stale != pending)
		record_put(copy, NULL);
	if (record_put(copy, pending))
		pending->fds[pending->fd_count++] = copy;
}

/* The kernel keeps a registration until the last duplicate is closed, but only the number
 * that it was made with can change it. */
static void move_watches(struct pending *pending, int from, int to)
{
	for (unsigned i = 0; i < pending->watch_count && !is_asleep(pending); i++) {
		struct watch *watch = &pending->watches[i];

		if (watch->fd != from)
			continue;
		watch_remove(watch);
		watch->fd = to;
	}
}

void pending_remove_fd(struct pending *pending, int fd)
{
	if (pending->fd_count < 2) {
		pending_forget(pending);
		return;
	}
	for (unsigned i = 0; i < pending->fd_count; i++)
		if (pending->fds[i] == fd)
			unlist(pending, i);
	use_first_fd(pending);
	move_watches(pending, fd, pending->fds[0]);
	if (pending->state == PENDING_UNDER_WAY && !is_asleep(pending))
		point_watches(pending);
}

static struct watch *find_watch(struct pending *pending, int set, int fd)
{
	for (unsigned i = 0; i < pending->watch_count; i++)
		if (pending->watches[i].set == set && pending->watches[i].fd == fd)
			return &pending->watches[i];
	return NULL;
}

void pending_take_over(struct pending *pending, int set, int fd,
		       const struct epoll_event *event)
{
	if (pending->state != PENDING_UNDER_WAY || is_asleep(pending) ||
	    pending->watch_count == PENDING_WATCHES || find_watch(pending, set, fd))
		return;
	pending->watches[pending->watch_count++] =
		(struct watch){.set = set, .fd = fd, .wanted = *event, .there = fd};
	pending->seen = true;
	nest_enter(set);
	if (process_is_threaded())
		alarm_watch(set);
	point_watches(pending);
}

static void take_over_all(struct pending *pending, int fd)
{
	struct interest known[PENDING_WATCHES];
	unsigned count = interest_of(fd, known, PENDING_WATCHES);

	for (unsigned i = 0; i < count; i++)
		pending_take_over(pending, known[i].set, fd, &known[i].event);
}

static int add_registration(struct pending *pending, int set, int fd,
			    struct epoll_event *event)
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
	pending_take_over(pending, set, fd, event);
	return 0;
}

static int change_registration(struct pending *pending, struct watch *watch,
			       struct epoll_event *event)
{
	if ((watch->wanted.events | event->events) & EPOLLEXCLUSIVE) {
		errno = EINVAL;
		return -1;
	}
	watch->wanted = *event;
	point_watches(pending);
	return 0;
}

int pending_epoll_ctl(struct pending *pending, int set, int op, int fd,
		      struct epoll_event *event)
{
	struct watch *watch = find_watch(pending, set, fd);

	if (!watch && op == EPOLL_CTL_ADD && event)
		return add_registration(pending, set, fd, event);
	if (!watch || (op != EPOLL_CTL_DEL && !event))
		return real_epoll_ctl(set, op, fd, event);
	switch (op) {
	case EPOLL_CTL_ADD:
		errno = EEXIST;
		return -1;
	case EPOLL_CTL_MOD:
		return change_registration(pending, watch, event);
	case EPOLL_CTL_DEL:
		watch_remove(watch);
		drop_watch(pending, watch);
		return 0;
	default:
		errno = EINVAL;
		return -1;
	}
}

void pending_step_set(int set)
{
	struct pending *pending;
	unsigned index = 0;

	while ((pending = record_next(&index))) {
		if (!pending->reserved)
			continue;
		lock_take(&pending->lock);
		for (unsigned i = 0; i < pending->watch_count; i++) {
			if (pending->watches[i].set != set)
				continue;
			pending_step(pending);
			break;
		}
		lock_release(&pending->lock);
	}
}

/* --- the beginning -------------------------------------------------------------------
 */

struct pending *pending_begin(int fd, const union gp_address *destination,
			      struct handshake *handshake)
{
	struct pending *pending = record_new();

	if (!pending)
		return NULL;
	lock_take(&pending->lock);
	if (!record_put(fd, pending)) {
		record_free(pending);
		lock_release(&pending->lock);
		return NULL;
	}
	atomic_fetch_add(&pending_count, 1);
	atomic_store(&ever, true);
	pending->state = PENDING_UNDER_WAY;
	pending->error = 0;
	pending->seen = false;
	pending->destination = *destination;
	pending->handshake = handshake;
	pending->cookie = cookie_of(fd);
	pending->fds[0] = fd;
	pending->fd_count = 1;
	pending->watch_count = pending->bell_count = 0;
	pending->wait = (struct wait){.fd = -1, .until = CLOCK_NEVER};
	take_over_all(pending, fd);
	pending_step(pending);
	return pending;
}

void pending_after_fork(void)
{
	struct pending *pending;
	unsigned index = 0;

	record_after_fork();
	while ((pending = record_next(&index))) {
		bool was_taken = atomic_load(&pending->lock.taken);

		lock_init(&pending->lock);
		if (pending->reserved && pending->handshake) {
			handshake_after_fork(pending->handshake);
			look_soon(pending);
		}
		if (!pending->reserved || !was_taken)
			continue;
		/* Another thread was at it: nobody knows what half of it is true. */
		lock_take(&pending->lock);
		if (pending->state != PENDING_OVER)
			pending_forget(pending);
		lock_release(&pending->lock);
	}
}
