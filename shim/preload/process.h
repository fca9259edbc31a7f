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

/* Around a call into libc that may come back to us through a module of its own. */
void process_enter(void);
void process_leave(void);

#endif
