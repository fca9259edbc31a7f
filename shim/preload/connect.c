/* SPDX-License-Identifier: MIT */
/* connect(), and what a connected socket says of its peer. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "carrier.h"
#include "clock.h"
#include "connect.h"
#include "direct.h"
#include "export.h"
#include "handshake.h"
#include "libc.h"
#include "log.h"
#include "memory.h"
#include "peers.h"
#include "pending.h"
#include "process.h"
#include "route.h"
#include "stand_in.h"
#include "tcp.h"
#include "touch.h"

/* How long connect() on a non-blocking socket waits for the agent, who usually answers
 * within a tenth of that: then what goes direct needs no record. */
#define BRIEF_NS 500000

/* And when it leads to this machine. The server may be the program itself, and accept()
 * its next call, in which nothing of ours would go on. Long enough for an agent to start,
 * which is all that takes so long; then it goes on as elsewhere. */
#define LOCAL_MS 1000

/* Which connects concern us: TCP, to an address that could be elsewhere. */
static bool concerns_us(int fd, const union gp_address *address)
{
	if (gp_address_is_local(address) && !gp_address_is_loopback(address))
		return false;
	return process_active() && !direct_is_known(address) && tcp_is_idle(fd);
}

/* The kernel's word on a socket whose record is over: the handshake has connected it, or
 * it connects by itself. */
static enum connecting ask_kernel(int fd, const union gp_address *address)
{
	int saved_errno = errno;

	if (!real_connect(fd, &address->sa, gp_address_len(address)) ||
	    errno == EISCONN) {
		errno = saved_errno;
		return CONNECTING_DONE;
	}
	if (errno == EALREADY)
		errno = EINPROGRESS;
	return CONNECTING_FAILED;
}

static enum connecting conclude(int fd, const union gp_address *address)
{
	struct pending *pending = pending_take(fd);

	if (!pending)
		return ask_kernel(fd, address);
	if (pending->state == PENDING_CARRYING) {
		pending_leave(pending);
		return ask_kernel(fd, address);
	}
	if (pending->state == PENDING_UNDER_WAY) {
		errno = EINPROGRESS;
	} else {
		errno = pending->state == PENDING_FAILED ? pending_tell(pending)
							 : ECONNABORTED;
		pending_forget(pending);
	}
	pending_leave(pending);
	return CONNECTING_FAILED;
}

/* A cancelled connect() leaves nothing under way. */
static void give_up(void *context)
{
	struct pending *pending = pending_take(*(int *)context);

	if (!pending)
		return;
	pending_abort(pending, ECONNABORTED);
	pending_forget(pending);
	pending_leave(pending);
}

/* Whether it is interrupted or out of time, the connection goes on being made. */
static enum connecting await(int fd, const union gp_address *address)
{
	/* Its send timeout is a deadline for connect() too (socket(7)). */
	int64_t deadline = tcp_deadline(fd, SO_SNDTIMEO);
	int saved_errno = errno;
	struct pending *pending;
	bool over;

	pthread_cleanup_push(give_up, &fd);
	over = touch_await(fd, POLLOUT, deadline, deadline == CLOCK_NEVER);
	pthread_cleanup_pop(0);
	if (over) {
		errno = saved_errno;
		return conclude(fd, address);
	}
	if (errno == ETIMEDOUT)
		errno = EINPROGRESS;
	saved_errno = errno;
	pending = pending_take(fd);
	if (pending) {
		pending->seen = false; /* that was not the program's wait */
		pending_leave(pending);
	}
	errno = saved_errno;
	return CONNECTING_FAILED;
}

/* connect() on a socket that has a record. */
static enum connecting again(int fd, const struct sockaddr *sa, socklen_t len)
{
	union gp_address address;
	struct pending *pending = pending_take(fd);
	bool carries;

	if (!pending)
		return CONNECTING_DIRECT;
	if (len >= sizeof(sa->sa_family) && sa->sa_family == AF_UNSPEC) {
		pending_abort(pending, ECONNABORTED);
		pending_forget(pending);
		pending_leave(pending);
		return CONNECTING_DIRECT;
	}
	address = pending->destination;
	pending_step(pending);
	carries = pending->state == PENDING_CARRYING;
	pending_leave(pending);
	if (carries)
		return CONNECTING_DIRECT;
	if (tcp_is_blocking(fd))
		return await(fd, &address);
	/* Also for those who have waited unseen. */
	if (touch_is_unconnected(fd)) {
		errno = EALREADY;
		return CONNECTING_FAILED;
	}
	pending = pending_take(fd);
	if (!pending)
		return CONNECTING_DIRECT;
	pending_leave(pending);
	return conclude(fd, &address);
}

/* Another thread's connect() on the same socket was faster; or there is no memory. */
static enum connecting join(int fd, const union gp_address *address)
{
	struct pending *pending = pending_take(fd);

	if (!pending) {
		errno = ENOBUFS;
		return CONNECTING_FAILED;
	}
	pending_leave(pending);
	return again(fd, &address->sa, gp_address_len(address));
}

static void free_handshake(void *handshake)
{
	handshake_free(handshake);
}

static void wait_briefly(const struct wait *wait)
{
	struct pollfd pollfd = {.fd = wait->fd, .events = wait->events};
	struct timespec brief = {.tv_nsec = BRIEF_NS};

	real_ppoll(&pollfd, 1, &brief, NULL);
}

/* Is it worth while to wait again? */
static bool wait_for_local_way(const struct patience *patience, const struct wait *wait)
{
	enum gp_err err = clock_wait(patience, wait);

	return err == GP_OK || (err == GP_ERR_SYSTEM && errno == EINTR);
}

static enum handshake_state ask_way(struct handshake *handshake, bool is_local)
{
	const struct patience patience = {clock_now() + LOCAL_MS, true};
	enum handshake_state state = handshake_step(handshake, true);
	int saved_errno = errno;
	bool again = true;
	struct wait wait;

	while (again && state == HANDSHAKE_ASKING_WAY) {
		wait = handshake_wait(handshake);
		pthread_cleanup_push(free_handshake, handshake);
		if (is_local)
			again = wait_for_local_way(&patience, &wait);
		else
			wait_briefly(&wait);
		pthread_cleanup_pop(0);
		errno = saved_errno;
		state = handshake_step(handshake, true);
		again = again && is_local && !handshake_waits_for_person(handshake);
	}
	return state;
}

/* The program speaks to the proxy itself: the kernel connects, and we look after what it
 * says. */
static enum connecting observe(int fd, const union gp_address *address,
			       const struct route *route)
{
	int err = real_connect(fd, &address->sa, gp_address_len(address));
	struct carrier *carrier;
	struct pending *pending;
	int saved_errno = errno;

	if (err && errno != EINPROGRESS && errno != EINTR)
		return CONNECTING_FAILED;
	carrier = carrier_new(fd, address, route);
	pending = carrier ? pending_carry(fd, address, carrier) : NULL;
	if (pending)
		pending_leave(pending);
	else if (carrier)
		carrier_free(carrier);
	errno = saved_errno;
	return err ? CONNECTING_FAILED : CONNECTING_DONE;
}

/* What is settled without a record for the handshake. */
static enum connecting settle(int fd, const union gp_address *address,
			      const struct handshake *handshake,
			      enum handshake_state state)
{
	const struct route *route = handshake_route(handshake);

	if (state == HANDSHAKE_OBSERVE)
		return observe(fd, address, route);
	if (state == HANDSHAKE_DIRECT) {
		direct_remember(address, route->remember);
		return CONNECTING_DIRECT;
	}
	errno = handshake_error(handshake);
	return CONNECTING_FAILED;
}

static enum connecting begin(int fd, const union gp_address *address)
{
	struct handshake *handshake = handshake_new(fd, address, false);
	enum connecting connecting;
	enum handshake_state state;
	struct pending *pending;

	if (!handshake) {
		errno = ENOBUFS;
		return CONNECTING_FAILED;
	}
	state = ask_way(handshake,
			gp_address_is_loopback(address) && !tcp_is_blocking(fd));
	if (state != HANDSHAKE_ASKING_WAY && state != HANDSHAKE_UNDER_WAY) {
		pthread_cleanup_push(free_handshake, handshake);
		connecting = settle(fd, address, handshake, state);
		pthread_cleanup_pop(1);
		return connecting;
	}
	pending = pending_begin(fd, address, handshake);
	if (!pending) {
		handshake_free(handshake);
		return join(fd, address);
	}
	pending_leave(pending);
	return tcp_is_blocking(fd) ? await(fd, address) : conclude(fd, address);
}

enum connecting connect_socket(int fd, const struct sockaddr *sa, socklen_t len)
{
	union gp_address address;
	struct pending *pending;

	if (!process_may_connect() || len > sizeof(struct sockaddr_storage) ||
	    !memory_is_readable(sa, len))
		return CONNECTING_DIRECT;
	pending = pending_any() ? pending_take(fd) : NULL;
	if (pending) {
		pending_leave(pending);
		return again(fd, sa, len);
	}
	if (!gp_address_set(&address, sa, len))
		return CONNECTING_DIRECT;
	if (stand_in_blocks(fd, &address)) {
		errno = ENETUNREACH;
		return CONNECTING_FAILED;
	}
	return concerns_us(fd, &address) ? begin(fd, &address) : CONNECTING_DIRECT;
}

static int shim_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	int saved_errno = errno;

	switch (connect_socket(fd, sa, len)) {
	case CONNECTING_FAILED:
		return -1;
	case CONNECTING_DONE:
		errno = saved_errno;
		return 0;
	case CONNECTING_DIRECT:
		break;
	}
	errno = saved_errno;
	return real_connect(fd, sa, len);
}

/* The address in the family of the socket, as the kernel would write it: cut to the room
 * that there is, with the full length told. */
static void tell_peer(const union gp_address *asked, struct sockaddr *sa, socklen_t *len,
		      socklen_t room)
{
	socklen_t full = gp_address_len(asked);

	memcpy(sa, asked, room < full ? room : full);
	*len = full;
}

static int shim_getpeername(int fd, struct sockaddr *sa, socklen_t *len)
{
	union gp_address asked;
	socklen_t room;
	int err;

	if (!process_may_connect() || !len || !memory_is_readable(len, sizeof(*len)))
		return real_getpeername(fd, sa, len);
	room = *len;
	if (pending_any() && touch_is_unconnected(fd)) {
		errno = ENOTCONN;
		return -1;
	}
	err = real_getpeername(fd, sa, len);
	if (!err && peers_find(fd, &asked))
		tell_peer(&asked, sa, len, room);
	return err;
}

SHIM_EXPORT int connect(int fd, __CONST_SOCKADDR_ARG sa, socklen_t len)
{
	return shim_connect(fd, sa.__sockaddr__, len);
}

SHIM_ALIAS(__connect, connect);

SHIM_EXPORT int getpeername(int fd, __SOCKADDR_ARG sa, socklen_t *restrict len)
{
	return shim_getpeername(fd, sa.__sockaddr__, len);
}
