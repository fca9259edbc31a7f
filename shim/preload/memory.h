/* SPDX-License-Identifier: MIT */
/*
 * The program's memory, looked at before the kernel is asked. A pointer that leads
 * nowhere is the kernel's to refuse with EFAULT; the program must not crash by us
 * instead.
 */
#ifndef GATEPASS_MEMORY_H
#define GATEPASS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Can `n` bytes be read there, as far as their ends tell? Costs a comparison for what is
 * on the caller's stack, as nearly everything is that programs pass, and one or two
 * system calls otherwise. Keeps errno. */
bool memory_is_readable(const void *p, size_t n);

#endif
