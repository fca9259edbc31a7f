/* SPDX-License-Identifier: MIT */
/*
 * The program's epoll registrations.
 *
 * One entry per descriptor number, in chunks that are mapped when a number in them is
 * first used. A descriptor in several sets is rare; its further entries are in a small
 * list of their own, where a new one takes the oldest's place.
 */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>

#include "interest.h"
#include "libc.h"

#define CHUNK   256
#define CHUNKS  4096 /* 1 048 576 descriptors, the kernel's default fs.nr_open */
#define FURTHER 64

struct entry {
	bool used;
	struct interest interest;
};

struct further {
	int fd;
	struct entry entry;
};

static struct entry *chunks[CHUNKS];
static struct further further[FURTHER];
static unsigned further_count; /* that have ever been used */
static unsigned oldest;
static atomic_bool taken;
static _Thread_local bool holding;

/* Held for a few instructions, so without blocking signals: a handler that comes between
 * finds that its own thread holds it. */
static bool lock_take(void)
{
	if (holding)
		return false;
	holding = true;
	atomic_signal_fence(memory_order_seq_cst);
	while (atomic_exchange_explicit(&taken, true, memory_order_acquire))
		sched_yield();
	return true;
}

static void lock_release(void)
{
	atomic_store_explicit(&taken, false, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
	holding = false;
}

static struct entry *chunk_for(unsigned number)
{
	void *memory;

	if (number >= CHUNKS)
		return NULL;
	if (!chunks[number]) {
		memory = mmap(NULL, CHUNK * sizeof(struct entry), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			return NULL;
		chunks[number] = memory;
	}
	return chunks[number];
}

/* The entry of (set, fd), or NULL. */
static struct entry *find(int set, int fd)
{
	struct entry *chunk = chunk_for((unsigned)fd / CHUNK);

	if (chunk && chunk[fd % CHUNK].used && chunk[fd % CHUNK].interest.set == set)
		return &chunk[fd % CHUNK];
	for (unsigned i = 0; i < further_count; i++)
		if (further[i].entry.used && further[i].fd == fd &&
		    further[i].entry.interest.set == set)
			return &further[i].entry;
	return NULL;
}

static struct entry *make(int set, int fd)
{
	struct entry *entry = find(set, fd);
	struct entry *chunk = chunk_for((unsigned)fd / CHUNK);
	struct further *place = &further[oldest];

	if (entry || !chunk)
		return entry;
	if (!chunk[fd % CHUNK].used)
		return &chunk[fd % CHUNK];
	if (further_count < FURTHER)
		further_count++;
	oldest = (oldest + 1) % FURTHER;
	place->fd = fd;
	return &place->entry;
}

void interest_note(int set, int op, int fd, const struct epoll_event *event)
{
	int saved_errno = errno;
	struct entry *entry;

	if (fd < 0 || !lock_take())
		return;
	if (op == EPOLL_CTL_DEL) {
		entry = find(set, fd);
		if (entry)
			entry->used = false;
	} else {
		entry = make(set, fd);
		if (entry)
			*entry = (struct entry){true, {set, *event}};
	}
	lock_release();
	errno = saved_errno;
}

unsigned interest_of(int fd, struct interest *out, unsigned max)
{
	struct entry *chunk = (unsigned)fd / CHUNK < CHUNKS ? chunks[fd / CHUNK] : NULL;
	unsigned count = 0;

	if (!chunk || !max || !lock_take())
		return 0;
	if (chunk[fd % CHUNK].used)
		out[count++] = chunk[fd % CHUNK].interest;
	for (unsigned i = 0; i < further_count && count < max; i++)
		if (further[i].entry.used && further[i].fd == fd)
			out[count++] = further[i].entry.interest;
	lock_release();
	return count;
}

void interest_withdraw(int fd)
{
	struct interest known[FURTHER + 1];
	unsigned count = interest_of(fd, known, FURTHER + 1);
	int saved_errno = errno;

	for (unsigned i = 0; i < count; i++)
		real_epoll_ctl(known[i].set, EPOLL_CTL_DEL, fd, &known[i].event);
	errno = saved_errno;
}

void interest_after_fork(void)
{
	atomic_store_explicit(&taken, false, memory_order_relaxed);
	holding = false;
}
