/* SPDX-License-Identifier: MIT */
/* The lock. */
#include <pthread.h>
#include <sched.h>

#include "lock.h"

void lock_take(struct lock *lock)
{
	sigset_t all, before;
	int cancellation;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation);
	while (atomic_exchange_explicit(&lock->taken, true, memory_order_acquire))
		sched_yield();
	lock->signals = before;
	lock->cancellation = cancellation;
}

void lock_release(struct lock *lock)
{
	sigset_t before = lock->signals;
	int cancellation = lock->cancellation;

	atomic_store_explicit(&lock->taken, false, memory_order_release);
	pthread_setcancelstate(cancellation, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void lock_init(struct lock *lock)
{
	atomic_store_explicit(&lock->taken, false, memory_order_relaxed);
}
