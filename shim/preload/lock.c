/* SPDX-License-Identifier: MIT */
/* The lock. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "lock.h"

/* How many this thread holds; and what it was like before the first one. */
static _Thread_local unsigned held;
static _Thread_local sigset_t signals;
static _Thread_local int cancellation;

/* A handler that comes before the signals are blocked leaves `held` as it found it. */
static void shut_out(void)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	signals = before;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation);
}

static void let_in(void)
{
	sigset_t before = signals;

	pthread_setcancelstate(cancellation, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void lock_take(struct lock *lock)
{
	if (!held)
		shut_out();
	held++;
	while (atomic_exchange_explicit(&lock->taken, true, memory_order_acquire))
		sched_yield();
}

void lock_release(struct lock *lock)
{
	atomic_store_explicit(&lock->taken, false, memory_order_release);
	if (--held == 0)
		let_in();
}

void lock_init(struct lock *lock)
{
	atomic_store_explicit(&lock->taken, false, memory_order_relaxed);
}
