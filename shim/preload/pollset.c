/* SPDX-License-Identifier: MIT */
/*
 * Waiting for descriptors of which some are in handshake.
 *
 * Theory of operation: the kernel polls a copy of the program's list, in which a socket
 * in handshake is replaced by what the handshake waits for. When that is ready the
 * handshake goes on and the list is made anew, with what is left of the time; the program
 * sees only its own events, and of a socket nothing until its record is over. The same
 * for one that carries HTTP requests, as long as something is hidden of it; what is not
 * hidden is waited for too. In a process with threads another one can let a record go on
 * meanwhile: the list then has a bell at its end.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "bell.h"
#include "carrier.h"
#include "clock.h"
#include "libc.h"
#include "nest.h"
#include "pending.h"
#include "pollset.h"
#include "process.h"

#define ON_STACK 32

/* How long without a bell, if there is none (milliseconds). */
#define NO_BELL_MS 20

#define READING                                                                          \
	(POLLIN | POLLRDNORM | POLLRDBAND | POLLRDHUP | POLLPRI | POLLHUP | POLLERR)
#define ALWAYS  (POLLERR | POLLHUP | POLLNVAL)
#define WRITING (POLLOUT | POLLWRNORM | POLLWRBAND)

/* How an entry of the kernel's list differs from the program's. */
struct slot {
	bool driven; /* it is there for a record, too */
	short shown; /* what of its events the program may see */
};

struct pollset {
	struct pollfd *fds; /* the program's */
	nfds_t n;
	struct pollfd *inner; /* n + 1 */
	struct slot *slots;
	bool taken;    /* a record has been */
	int64_t until; /* when the next handshake has to go on */
	int bell;
	void *memory; /* of a long list, or NULL */
	size_t size;
	struct pollfd few[ON_STACK + 1];
	struct slot few_slots[ON_STACK + 1];
};

static bool reserve(struct pollset *set)
{
	size_t entries = set->n + 1;

	set->inner = set->few;
	set->slots = set->few_slots;
	if (set->n <= ON_STACK)
		return true;
	set->size = entries * (sizeof(*set->inner) + sizeof(*set->slots));
	set->memory = mmap(NULL, set->size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (set->memory == MAP_FAILED)
		return false;
	set->inner = set->memory;
	set->slots = (struct slot *)(set->inner + entries);
	return true;
}

static void hang_bell(struct pollset *set, struct pending *pending)
{
	if (!process_is_threaded())
		return;
	if (set->bell < 0)
		set->bell = bell_new();
	if (set->bell >= 0 && pending_add_bell(pending, set->bell))
		return;
	if (set->until > clock_now() + NO_BELL_MS)
		set->until = clock_now() + NO_BELL_MS;
}

/* The entry waits for what the record waits for, besides what the program may see. */
static void drive(struct pollset *set, nfds_t i, struct pending *pending)
{
	struct wait wait = pending->wait;
	short shown = 0;

	if (pending->state == PENDING_CARRYING && pending_has_fd(pending, wait.fd))
		shown = pending->hidden & POLLOUT ? 0 : WRITING;
	if (pending->state == PENDING_CARRYING && !(pending->hidden & POLLIN))
		shown |= READING;
	set->slots[i] = (struct slot){.driven = true, .shown = shown};
	set->inner[i].fd = wait.fd;
	set->inner[i].events = (short)(wait.events | (set->fds[i].events & shown));
	if (wait.until < set->until)
		set->until = wait.until;
	hang_bell(set, pending);
}

/* Which records go on. */
enum steps { STEP_READY, STEP_ALL };

static bool is_due(const struct pollset *set, nfds_t i, enum steps steps)
{
	return set->slots[i].driven && (steps == STEP_ALL || set->inner[i].revents);
}

static struct pending *take(struct pollset *set, int fd)
{
	struct pending *pending = set->taken ? pending_retake(fd) : pending_take(fd);

	set->taken |= pending != NULL;
	return pending;
}

/* Makes the list. True if a socket in it has a record to drive. */
static bool fill(struct pollset *set)
{
	bool any = false;

	set->until = CLOCK_NEVER;
	for (nfds_t i = 0; i < set->n; i++) {
		struct pending *pending;

		set->inner[i] = set->fds[i];
		set->slots[i] = (struct slot){.shown = -1};
		pending = set->fds[i].fd >= 0 ? take(set, set->fds[i].fd) : NULL;
		if (!pending)
			continue;
		pending->seen = true;
		if (pending_hides(pending)) {
			any = true;
			drive(set, i, pending);
		}
		pending_leave(pending);
	}
	return any;
}

/* Has the kernel said all that the program asks of a socket of which nothing is hidden
 * any more? What it said of bytes is true only if the step has left them there. */
static bool is_answered(const struct pollset *set, nfds_t i,
			const struct pending *pending)
{
	return pending->state == PENDING_CARRYING && !pending_hides(pending) &&
	       carrier_is_readable(pending->carrier) &&
	       pending_has_fd(pending, set->inner[i].fd) &&
	       !(set->fds[i].events & ~set->inner[i].events);
}

/* Lets them go on. */
static void go_on(struct pollset *set, enum steps steps)
{
	for (nfds_t i = 0; i < set->n; i++) {
		struct pending *pending =
			is_due(set, i, steps) ? pending_retake(set->fds[i].fd) : NULL;

		if (!pending)
			continue;
		pending_step(pending);
		if (is_answered(set, i, pending))
			set->slots[i] =
				(struct slot){.shown = ALWAYS | set->fds[i].events};
		pending_leave(pending);
	}
}

static void take_bell_away(struct pollset *set)
{
	if (set->bell < 0)
		return;
	for (nfds_t i = 0; i < set->n; i++) {
		struct pending *pending =
			set->slots[i].driven ? pending_retake(set->fds[i].fd) : NULL;

		if (!pending)
			continue;
		pending_remove_bell(pending, set->bell);
		pending_leave(pending);
	}
	bell_silence(set->bell);
}

static void release(void *context)
{
	struct pollset *set = context;
	int saved_errno = errno;

	take_bell_away(set);
	bell_free(set->bell);
	if (set->memory)
		munmap(set->memory, set->size);
	errno = saved_errno;
}

/* What the program is told. An epoll set can be readable because of us alone. */
static int report(struct pollset *set)
{
	int count = 0;

	for (nfds_t i = 0; i < set->n; i++) {
		short shown = set->slots[i].shown;

		if (set->slots[i].driven)
			shown &= set->fds[i].events;
		set->fds[i].revents = set->inner[i].revents & shown;
		if (set->fds[i].revents & POLLIN && nest_has(set->fds[i].fd) &&
		    !nest_is_ready(set->fds[i].fd))
			set->fds[i].revents = 0;
		count += set->fds[i].revents != 0;
	}
	return count;
}

static int poll_inner(struct pollset *set, int64_t until, const sigset_t *mask)
{
	struct timespec left = {0};
	int ms = clock_left(until < set->until ? until : set->until);

	left.tv_sec = ms / 1000;
	left.tv_nsec = ms % 1000 * 1000000L;
	set->inner[set->n] = (struct pollfd){.fd = set->bell, .events = POLLIN};
	return real_ppoll(set->inner, set->n + (set->bell >= 0), ms < 0 ? NULL : &left,
			  mask);
}

static int wait_for_set(struct pollset *set, int64_t until, const sigset_t *mask)
{
	for (;;) {
		bool any = fill(set);
		int ready = poll_inner(set, until, mask), count;

		if (any)
			take_bell_away(set);
		if (ready < 0)
			return ready;
		if (any)
			go_on(set, clock_now() >= set->until ? STEP_ALL : STEP_READY);
		count = report(set);
		if (count || (!ready && clock_now() >= until))
			return count;
	}
}

int pollset_wait(struct pollfd *fds, nfds_t n, int64_t until, const sigset_t *mask)
{
	struct pollset set = {.fds = fds, .n = n, .bell = -1};
	int result;

	if (!reserve(&set)) {
		errno = ENOMEM;
		return -1;
	}
	pthread_cleanup_push(release, &set);
	result = wait_for_set(&set, until, mask);
	pthread_cleanup_pop(1);
	return result;
}
