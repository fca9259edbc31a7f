/* SPDX-License-Identifier: MIT */
/*
 * Where the records of pending.h live: memory that is never given back, so that looking
 * one up needs no lock, and a pointer that has become old leads to a record that says so.
 * Any thread.
 */
#ifndef GATEPASS_RECORD_H
#define GATEPASS_RECORD_H

#include <stdbool.h>
#include <stdint.h>

struct pending;

/* A zeroed record with an `id` of its own, in nobody's hands; NULL without memory. */
struct pending *record_new(void);

/* For another use. Its id means nothing from now on. */
void record_free(struct pending *pending);

/* The one that was last put at the descriptor's number, or NULL. */
struct pending *record_at(int fd);

/* Puts it there if nobody else's is; NULL takes away whatever is there. False without
 * memory, or when another one is there. */
bool record_put(int fd, struct pending *pending);

/* The one with the id, or NULL. It may have been freed just now: see its id again once
 * it is locked. */
struct pending *record_with_id(uint32_t id);

/* All records, also free ones, one after the other: begins with *index 0, ends with
 * NULL. */
struct pending *record_next(unsigned *index);

/* A forked child has one thread, so nobody holds a lock here. */
void record_after_fork(void);

#endif
