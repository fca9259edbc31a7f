/* SPDX-License-Identifier: MIT */
/*
 * What this process is to us: one that may use a proxy, one that must not be touched, or
 * a vfork child that only borrows its parent's memory.
 */
#ifndef GATEPASS_PROCESS_H
#define GATEPASS_PROCESS_H

#include <stdbool.h>

/*
 * May a call be more than passed through? False in set-user-id programs, with
 * GATEPASS_DISABLE, in the programs that the agent itself relies on, in vfork children,
 * when nothing is configured (neither a variable nor a file, see settings.h), and inside
 * a call of ours into the system's resolver, whose modules may connect. Cheap; allocates
 * at the first true answer. Keeps errno.
 */
bool process_active(void);

/* Does this memory belong to the calling process? Not in a vfork child. Cheap. */
bool process_owns_memory(void);

/* The process id that this memory belongs to. */
int process_id(void);

/* May there be other threads? */
bool process_is_threaded(void);

/* May this process ever need what is noted of it now? As process_active(), without
 * looking who calls; costs two loads once that is known. */
bool process_may_connect(void);

/* Around a call into libc that may come back to us through a module of its own. */
void process_enter(void);
void process_leave(void);

#endif
