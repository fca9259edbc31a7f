/* SPDX-License-Identifier: MIT */
/*
 * Memory for parser inputs between two pages that cannot be touched: one byte read before
 * the beginning or after the end is a crash, not luck. And expect(), an assertion that
 * says which case of a table failed.
 */
#ifndef GATEPASS_TEST_GUARD_H
#define GATEPASS_TEST_GUARD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* For cmocka tests: the message names the case. */
#define expect(condition, ...)                                                           \
	do {                                                                             \
		if (!(condition))                                                        \
			fail_msg(__VA_ARGS__);                                           \
	} while (0)

struct guard {
	char *map, *first, *end;
	size_t size;
};

enum guard_place { GUARD_HEAD, GUARD_TAIL, GUARD_PLACES };

/* Aborts when there is no memory: a test can do nothing without. */
static inline void guard_init(struct guard *guard, size_t cap)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t inner = (cap + page - 1) / page * page;

	if (inner == 0)
		inner = page;
	guard->size = inner + 2 * page;
	guard->map =
		mmap(NULL, guard->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (guard->map == MAP_FAILED) {
		perror("guard: mmap");
		abort();
	}
	guard->first = guard->map + page;
	guard->end = guard->first + inner;
	if (mprotect(guard->first, inner, PROT_READ | PROT_WRITE) != 0) {
		perror("guard: mprotect");
		abort();
	}
}

static inline void guard_release(struct guard *guard)
{
	munmap(guard->map, guard->size);
}

/* Room for `len` bytes at one end of the memory; valid until the next call. */
static inline char *guard_room(struct guard *guard, enum guard_place place, size_t len)
{
	if (len > (size_t)(guard->end - guard->first)) {
		fprintf(stderr, "guard: %zu bytes do not fit\n", len);
		abort();
	}
	return place == GUARD_TAIL ? guard->end - len : guard->first;
}

/* The same, with a copy of the bytes in it. */
static inline char *guard_copy(struct guard *guard, enum guard_place place,
			       const void *bytes, size_t len)
{
	char *room = guard_room(guard, place, len);

	if (len > 0)
		memcpy(room, bytes, len);
	return room;
}

/* The same for a string, its NUL included. */
static inline char *guard_string(struct guard *guard, enum guard_place place,
				 const char *string)
{
	return guard_copy(guard, place, string, strlen(string) + 1);
}

#endif
