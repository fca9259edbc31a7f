/* SPDX-License-Identifier: MIT */
/* Taking times, and what to make of many. */
#ifndef BENCH_TIMES_H
#define BENCH_TIMES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline int compare_times(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Sorts them. `count` > 0. */
static inline uint64_t median(uint64_t *times, size_t count)
{
	qsort(times, count, sizeof(*times), compare_times);
	return times[count / 2];
}

/* Room for so many times; ends the program without. */
static inline uint64_t *times_new(size_t count)
{
	uint64_t *times = calloc(count, sizeof(*times));

	if (!times) {
		perror("times");
		exit(2);
	}
	return times;
}

#endif
