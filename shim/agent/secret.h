/* SPDX-License-Identifier: MIT */
/*
 * Memory for passwords and for the messages that carry them: in pages of its own, locked
 * where the limit allows it, left out of core files, wiped before it is given back. One
 * thread.
 */
#ifndef GATEPASS_SECRET_H
#define GATEPASS_SECRET_H

#include <stddef.h>

/* Zero-filled; never NULL: like g_malloc(), it ends the program when there is none. */
char *secret_alloc(size_t size);
void secret_dealloc(char *p, size_t size); /* NULL is fine; wipes */

/* A password. `bytes` is NUL-terminated; it may be empty. Never print one. */
struct secret {
	size_t len;
	char bytes[];
};

struct secret *secret_new(const char *bytes,
			  size_t len);   /* copies; free with secret_free */
void secret_free(struct secret *secret); /* NULL is fine; wipes */

#endif
