/* SPDX-License-Identifier: MIT */
/*
 * A timer for threads that have been in epoll_wait(2) since before a handshake began, and
 * so do not know when it is over: a descriptor in their set, with a tag of ours. Only
 * processes with threads have it, and only while a handshake is under way. Never blocks;
 * any thread; keeps errno.
 */
#ifndef GATEPASS_ALARM_H
#define GATEPASS_ALARM_H

#include <stdint.h>

/* Lets the waiters of the set know when the alarm goes off. */
void alarm_watch(int set);

/* It goes off at `until` of clock_now() at the latest; earlier if it was set so. */
void alarm_set(int64_t until);

/* It has gone off: silences it until it is set again. */
void alarm_rang(void);

/* Nothing to wait for any more: leaves all sets. */
void alarm_close(void);

void alarm_after_fork(void);

#endif
