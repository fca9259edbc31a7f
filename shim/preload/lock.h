/* SPDX-License-Identifier: MIT */
/*
 * A lock for short work. All signals are blocked and cancellation is off while a thread
 * holds one, so that no handler can come between and want it too, and no thread dies with
 * it; it is never held across a system call that could wait. A forked child
 * re-initialises it (another thread may have held it). Zero-initialised is free.
 */
#ifndef GATEPASS_LOCK_H
#define GATEPASS_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>

struct lock {
	atomic_bool taken;
};

void lock_take(struct lock *lock);
void lock_release(struct lock *lock);
void lock_init(struct lock *lock);

#endif
