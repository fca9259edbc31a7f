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
#include "carrier.h"
#include "clone_socket.h"
#include "cookie.h"
#include "direct.h"
#include "handshake.h"
#include "libc.h"
#include "peers.h"
#include "pending.h"
#include "process.h"
#include "record.h"
#include "registration.h"
#include "route.h"
#include "tag.h"
#include "tcp.h"

/* How often one process looks how far another one is (milliseconds). */
#define LOOK_MS 10

#define EVERYTHING (POLLIN | POLLOUT)

atomic_uint pending_count, pending_waiting;
static atomic_bool ever;
static _Atomic int64_t due = CLOCK_NEVER;

bool pending_ever(void)
{
	return atomic_load_explicit(&ever, memory_order_acquire);
}

static bool check_fds(struct pending *pending);

/* --- taking and leaving --------------------------------------------------------------
 */

bool pending_has_fd(const struct pending *pending, int fd)
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

struct pending *pending_retake(int fd)
{
	struct pending *pending = record_at(fd);

	if (!pending)
		return NULL;
	lock_take(&pending->lock);
	/* Descriptors can have been closed out of our sight. */
	if (pending->state != PENDING_OVER && pending_has_fd(pending, fd) &&
	    check_fds(pending) && pending_has_fd(pending, fd))
		return pending;
	lock_release(&pending->lock);
	return NULL;
}

struct pending *pending_take(int fd)
{
	return record_at(fd) && process_owns_memory() ? pending_retake(fd) : NULL;
}

/* Another process takes the steps. */
bool pending_is_asleep(struct pending *pending)
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

bool pending_hides(const struct pending *pending)
{
	return pending->state == PENDING_UNDER_WAY ||
	       (pending->state == PENDING_CARRYING && pending->hidden);
}

/* Does it need the program's waits? */
static void set_waits(struct pending *pending, bool waits)
{
	if (waits == pending->waits)
		return;
	pending->waits = waits;
	if (waits)
		atomic_fetch_add(&pending_waiting, 1);
	else
		atomic_fetch_sub(&pending_waiting, 1);
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

static void drop_engine(struct pending *pending)
{
	if (pending->handshake)
		handshake_free(pending->handshake);
	if (pending->carrier)
		carrier_free(pending->carrier);
	pending->handshake = NULL;
	pending->carrier = NULL;
	set_waits(pending, false);
}

static void forget(struct pending *pending, bool fd_is_ours)
{
	for (unsigned i = 0; i < pending->fd_count; i++)
		if (record_at(pending->fds[i]) == pending)
			record_put(pending->fds[i], NULL);
	pending->fd_count = 0;
	registration_give_back(pending, fd_is_ours);
	drop_engine(pending);
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
	registration_give_back(pending, true);
	drop_engine(pending);
	pending->state = PENDING_FAILED;
	pending->error = error;
	ring(pending);
}

void pending_abort(struct pending *pending, int error)
{
	if (pending->state != PENDING_UNDER_WAY)
		return;
	if (!pending_is_asleep(pending))
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

	if (pending->carrier) {
		carrier_use(pending->carrier, fd);
		pending->wait.fd = carrier_wait(pending->carrier).fd;
	} else if (pending->handshake && !pending_is_asleep(pending)) {
		handshake_use(pending->handshake, fd);
		pending->wait.fd = handshake_wait(pending->handshake).fd;
	}
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
	int saved_errno = errno;

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
	errno = saved_errno;
	return pending->state != PENDING_OVER;
}

/* No proxy, or one that the program speaks to: the kernel connects by itself from here
 * on. */
static bool connect_directly(struct pending *pending)
{
	int fd = pending->fds[0];

	if (!tcp_connect_as_asked(fd, &pending->destination) || errno == EINPROGRESS ||
	    errno == EINTR)
		return true;
	fail(pending, errno);
	return false;
}

/* A step may have put another socket in the place of ours, if there are more clones than
 * before; the kernel's registrations went with the old one. */
static void notice_replacement(struct pending *pending, unsigned clones)
{
	uint64_t cookie;

	if (clones == clone_socket_count())
		return;
	cookie = cookie_of(pending->fds[0]);
	if (cookie == pending->cookie)
		return;
	pending->cookie = cookie;
	for (unsigned i = 0; i < pending->watch_count; i++)
		if (pending->watches[i].there == pending->watches[i].fd)
			pending->watches[i].there = -1;
	while (pending->fd_count > 1) /* duplicates keep the old one */
		unlist(pending, 1);
}

static void wait_for(struct pending *pending, struct wait wait, short hidden)
{
	bool changed = wait.fd != pending->wait.fd ||
		       wait.events != pending->wait.events ||
		       wait.cookie != pending->wait.cookie || hidden != pending->hidden;

	pending->wait = wait;
	pending->hidden = hidden;
	set_waits(pending, hidden || wait.until != CLOCK_NEVER);
	lower_due(wait.until);
	if (!hidden)
		registration_give_back(pending, true);
	else if (!pending->watch_count)
		registration_take_over_all(pending, pending->fds[0]);
	registration_point(pending);
	if (changed)
		ring(pending);
}

/* What the driving process waits for tells nothing when that ends. */
static void look_soon(struct pending *pending)
{
	pending->wait = (struct wait){.fd = -1, .until = clock_now() + LOOK_MS};
	lower_due(pending->wait.until);
}

static void step_carrier(struct pending *pending)
{
	unsigned clones = clone_socket_count();
	enum carrier_state state = carrier_step(pending->carrier);

	notice_replacement(pending, clones);
	switch (state) {
	case CARRIER_OPEN:
		wait_for(pending, carrier_wait(pending->carrier),
			 carrier_hidden(pending->carrier));
		break;
	case CARRIER_OVER:
		pending_forget(pending);
		break;
	case CARRIER_FAILED:
		carrier_disconnect(pending->carrier);
		fail(pending, carrier_error(pending->carrier));
		break;
	}
}

/* The handshake has led to a connection for requests. */
static void begin_carrying(struct pending *pending)
{
	pending->carrier = carrier_new(pending->fds[0], &pending->destination,
				       handshake_route(pending->handshake));
	if (!pending->carrier) {
		handshake_disconnect(pending->handshake);
		fail(pending, ENOBUFS);
		return;
	}
	handshake_free(pending->handshake);
	pending->handshake = NULL;
	pending->state = PENDING_CARRYING;
	step_carrier(pending);
}

static void step_handshake(struct pending *pending)
{
	unsigned clones = clone_socket_count();
	enum handshake_state state;

	if (pending_is_asleep(pending)) {
		look_soon(pending);
		return;
	}
	state = handshake_step(pending->handshake, false);
	notice_replacement(pending, clones);
	switch (state) {
	case HANDSHAKE_ASKING_WAY:
	case HANDSHAKE_UNDER_WAY:
		wait_for(pending, handshake_wait(pending->handshake), EVERYTHING);
		break;
	case HANDSHAKE_DIRECT:
		direct_remember(&pending->destination,
				handshake_route(pending->handshake)->remember);
		if (connect_directly(pending))
			pending_forget(pending);
		break;
	case HANDSHAKE_OBSERVE:
		if (connect_directly(pending))
			begin_carrying(pending);
		break;
	case HANDSHAKE_FORWARD:
		peers_remember(pending->fds[0], &pending->destination);
		begin_carrying(pending);
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
		step_handshake(pending);
	else if (pending->state == PENDING_CARRYING)
		step_carrier(pending);
	errno = saved_errno;
}

/* The same with a record that was not taken by a descriptor. */
static void check_and_step(struct pending *pending)
{
	if (pending_is_asleep(pending) || check_fds(pending))
		pending_step(pending);
}

bool pending_event(int set, struct epoll_event *event, bool *asleep)
{
	uint32_t id = tag_value(event->data.u64);
	struct pending *pending = record_with_id(id);
	bool shown = false, lone;
	struct watch watch;

	if (!pending)
		return false;
	lock_take(&pending->lock);
	if (pending->id == id && pending_hides(pending)) {
		lone = registration_lone(pending, set, &watch);
		*asleep = pending_is_asleep(pending);
		check_and_step(pending);
		if (pending_hides(pending))
			shown = registration_show(pending, set, event);
		else if (lone && pending->state == PENDING_CARRYING &&
			 carrier_is_readable(pending->carrier))
			shown = registration_answered(&watch, event);
	}
	lock_release(&pending->lock);
	return shown;
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
		if (pending->waits) {
			if (clock_now() >= pending->wait.until)
				check_and_step(pending);
			else
				lower_due(pending->wait.until);
		}
		lock_release(&pending->lock);
	}
}

/* --- descriptors ---------------------------------------------------------------------
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
	registration_move(pending, fd, pending->fds[0]);
	if (pending_hides(pending) && !pending_is_asleep(pending))
		registration_point(pending);
}

static bool has_watch_in(const struct pending *pending, int set)
{
	for (unsigned i = 0; i < pending->watch_count; i++)
		if (pending->watches[i].set == set)
			return true;
	return false;
}

bool pending_step_set(int set)
{
	struct pending *pending;
	unsigned index = 0;
	bool any = false;

	while ((pending = record_next(&index))) {
		if (!pending->reserved)
			continue;
		lock_take(&pending->lock);
		if (has_watch_in(pending, set) &&
		    clock_is_ready(pending->wait.fd, pending->wait.events)) {
			any = true;
			check_and_step(pending);
		}
		lock_release(&pending->lock);
	}
	return any;
}

/* --- the beginning -------------------------------------------------------------------
 */

/* Taken. NULL without memory, or if the socket has one. */
static struct pending *make(int fd, const union gp_address *destination)
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
	pending->error = 0;
	pending->seen = false;
	pending->destination = *destination;
	pending->cookie = cookie_of(fd);
	pending->fds[0] = fd;
	pending->fd_count = 1;
	pending->watch_count = pending->bell_count = 0;
	pending->wait = (struct wait){.fd = -1, .until = CLOCK_NEVER};
	return pending;
}

struct pending *pending_begin(int fd, const union gp_address *destination,
			      struct handshake *handshake)
{
	struct pending *pending = make(fd, destination);

	if (!pending)
		return NULL;
	pending->state = PENDING_UNDER_WAY;
	pending->handshake = handshake;
	pending->hidden = EVERYTHING;
	set_waits(pending, true);
	registration_take_over_all(pending, fd);
	pending_step(pending);
	return pending;
}

struct pending *pending_carry(int fd, const union gp_address *destination,
			      struct carrier *carrier)
{
	struct pending *pending = make(fd, destination);

	if (!pending)
		return NULL;
	pending->state = PENDING_CARRYING;
	pending->carrier = carrier;
	pending->hidden = 0;
	pending_step(pending);
	return pending;
}

void pending_shared_by_fork(void)
{
	struct pending *pending;
	unsigned index = 0;

	while ((pending = record_next(&index))) {
		if (!pending->reserved)
			continue;
		lock_take(&pending->lock);
		if (pending->reserved && pending->state == PENDING_CARRYING)
			carrier_after_fork(pending->carrier, false);
		lock_release(&pending->lock);
	}
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
		if (pending->reserved && pending->carrier)
			carrier_after_fork(pending->carrier, true);
		if (!pending->reserved || !was_taken)
			continue;
		/* Another thread was at it: nobody knows what half of it is true. */
		lock_take(&pending->lock);
		if (pending->state != PENDING_OVER)
			pending_forget(pending);
		lock_release(&pending->lock);
	}
}
