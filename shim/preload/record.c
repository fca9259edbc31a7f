/* SPDX-License-Identifier: MIT */
/* Records: a pool of them, and the table by descriptor. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>

#include "pending.h"
#include "record.h"

#define POOL_CHUNK   32
#define POOL_CHUNKS  4096
#define TABLE_CHUNK  512
#define TABLE_CHUNKS 2048 /* 1 048 576 descriptors, the kernel's default fs.nr_open */

/* An id is a record's index, and how often it has been used. */
#define INDEX_BITS 17
#define INDEX_MASK ((1u << INDEX_BITS) - 1)

struct table_chunk {
	_Atomic(struct pending *) at[TABLE_CHUNK];
};

static _Atomic(struct pending *) pool[POOL_CHUNKS];
static atomic_uint pool_size; /* records */
static _Atomic(struct table_chunk *) table[TABLE_CHUNKS];
static unsigned first_free; /* no record before it is free */
static struct lock lock;    /* of making and freeing */

static void *map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static struct pending *record_of_index(unsigned index)
{
	struct pending *chunk = atomic_load(&pool[index / POOL_CHUNK]);

	return chunk + index % POOL_CHUNK;
}

struct pending *record_next(unsigned *index)
{
	return *index < atomic_load(&pool_size) ? record_of_index((*index)++) : NULL;
}

/* With the lock held. A record is not touched before it is needed: most programs need a
 * few, and a page each costs more than the rest of it. */
static struct pending *grow(void)
{
	unsigned size = atomic_load(&pool_size);
	struct pending *chunk, *made;

	if (size == POOL_CHUNK * POOL_CHUNKS)
		return NULL;
	if (size % POOL_CHUNK == 0) {
		chunk = map(POOL_CHUNK * sizeof(*chunk));
		if (!chunk)
			return NULL;
		atomic_store(&pool[size / POOL_CHUNK], chunk);
	}
	made = record_of_index(size);
	atomic_init(&made->id, size);
	atomic_store(&pool_size, size + 1);
	first_free = size + 1;
	return made;
}

struct pending *record_new(void)
{
	struct pending *found;

	lock_take(&lock);
	while ((found = record_next(&first_free)) && atomic_load(&found->reserved))
		;
	if (!found)
		found = grow();
	if (found) {
		atomic_store(&found->reserved, true);
		atomic_fetch_add(&found->id, 1u << INDEX_BITS);
	}
	lock_release(&lock);
	return found;
}

void record_free(struct pending *pending)
{
	lock_take(&lock);
	atomic_fetch_add(&pending->id, 1u << INDEX_BITS);
	atomic_store(&pending->reserved, false);
	if ((pending->id & INDEX_MASK) < first_free)
		first_free = pending->id & INDEX_MASK;
	lock_release(&lock);
}

struct pending *record_with_id(uint32_t id)
{
	unsigned index = id & INDEX_MASK;

	return index < atomic_load(&pool_size) ? record_of_index(index) : NULL;
}

static struct table_chunk *chunk_for(int fd)
{
	_Atomic(struct table_chunk *) *place = &table[(unsigned)fd / TABLE_CHUNK];
	struct table_chunk *chunk = atomic_load(place);

	if (chunk)
		return chunk;
	lock_take(&lock);
	chunk = atomic_load(place);
	if (!chunk) {
		chunk = map(sizeof(*chunk));
		atomic_store(place, chunk);
	}
	lock_release(&lock);
	return chunk;
}

struct pending *record_at(int fd)
{
	struct table_chunk *chunk;

	if ((unsigned)fd / TABLE_CHUNK >= TABLE_CHUNKS)
		return NULL;
	chunk = atomic_load_explicit(&table[(unsigned)fd / TABLE_CHUNK],
				     memory_order_acquire);
	return chunk ? atomic_load_explicit(&chunk->at[(unsigned)fd % TABLE_CHUNK],
					    memory_order_acquire)
		     : NULL;
}

bool record_put(int fd, struct pending *pending)
{
	struct pending *nobody = NULL;
	struct table_chunk *chunk;

	if ((unsigned)fd / TABLE_CHUNK >= TABLE_CHUNKS)
		return false;
	chunk = chunk_for(fd);
	if (!chunk)
		return false;
	if (pending)
		return atomic_compare_exchange_strong(
			&chunk->at[(unsigned)fd % TABLE_CHUNK], &nobody, pending);
	atomic_store(&chunk->at[(unsigned)fd % TABLE_CHUNK], NULL);
	return true;
}

void record_after_fork(void)
{
	lock_init(&lock);
}
