/* SPDX-License-Identifier: MIT */
/*
 * Memory for secrets: not written to swap where the system allows that (RLIMIT_MEMLOCK),
 * nor to a core file, and wiped when it is freed.
 */
#ifndef GATEPASS_SECRET_H
#define GATEPASS_SECRET_H

#include <stddef.h>

/* Zeroed. NULL when there is no memory. */
void *secret_new(size_t size);
void secret_free(void *p, size_t size); /* p may be NULL */

/* No core file, and no debugger of this user may look, from now on. */
void secret_process(void);

#endif
