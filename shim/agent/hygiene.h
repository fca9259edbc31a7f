/* SPDX-License-Identifier: MIT */
/*
 * What a process that holds passwords does before anything else.
 */
#ifndef GATEPASS_HYGIENE_H
#define GATEPASS_HYGIENE_H

/* No ptrace, no core, umask 0177, no SIGPIPE, the root directory as working directory, an
 * environment without what loads foreign code. Call it first in main(), before threads.
 */
void hygiene_apply(void);

#endif
