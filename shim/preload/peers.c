/* SPDX-License-Identifier: MIT */
/*
 * The addresses that were asked for.
 *
 * One entry per descriptor number, in chunks that are mapped when a number in them is
 * first used: what a closed socket leaves behind is overwritten by its number's next
 * owner, so the table is bounded by the highest descriptor. A duplicate has another
 * number and the same cookie, and is found by looking through all chunks, which only
 * getpeername() on such a duplicate pays for.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#include "cookie.h"
#include "lock.h"
#include "peers.h"

#define CHUNK  256
#define CHUNKS 4096 /* 1 048 576 descriptors, the kernel's default fs.nr_open */

struct entry {
	uint64_t cookie; /* 0: free */
	union gp_address asked;
};

static struct entry *chunks[CHUNKS];
static atomic_bool used;
static struct lock lock;

/* With the lock held. NULL if there is no memory, or no such number. */
static struct entry *entry_for(int fd)
{
	unsigned chunk = (unsigned)fd / CHUNK;

	if (fd < 0 || chunk >= CHUNKS)
		return NULL;
	if (!chunks[chunk]) {
		void *memory =
			mmap(NULL, CHUNK * sizeof(struct entry), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			return NULL;
		chunks[chunk] = memory;
	}
	return &chunks[chunk][fd % CHUNK];
}

void peers_remember(int fd, const union gp_address *asked)
{
	int saved_errno = errno;
	uint64_t cookie = cookie_of(fd);
	struct entry *entry;

	lock_take(&lock);
	entry = entry_for(fd);
	if (entry)
		*entry = (struct entry){.cookie = cookie, .asked = *asked};
	lock_release(&lock);
	atomic_store_explicit(&used, true, memory_order_release);
	errno = saved_errno;
}

static const struct entry *search(int fd, uint64_t cookie)
{
	unsigned own = (unsigned)fd / CHUNK;

	if (own < CHUNKS && chunks[own] && chunks[own][fd % CHUNK].cookie == cookie)
		return &chunks[own][fd % CHUNK];
	for (size_t chunk = 0; chunk < CHUNKS; chunk++)
		for (size_t i = 0; chunks[chunk] && i < CHUNK; i++)
			if (chunks[chunk][i].cookie == cookie)
				return &chunks[chunk][i];
	return NULL;
}

bool peers_find(int fd, union gp_address *asked)
{
	int saved_errno = errno;
	const struct entry *entry;
	uint64_t cookie;

	if (fd < 0 || !atomic_load_explicit(&used, memory_order_acquire))
		return false;
	cookie = cookie_of(fd);
	errno = saved_errno;
	if (!cookie)
		return false;
	lock_take(&lock);
	entry = search(fd, cookie);
	if (entry)
		*asked = entry->asked;
	lock_release(&lock);
	return entry != NULL;
}

void peers_after_fork(void)
{
	lock_init(&lock);
}
