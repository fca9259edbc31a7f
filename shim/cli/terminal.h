/* SPDX-License-Identifier: MIT */
/*
 * Questions to the person, on the controlling terminal whatever the standard streams are.
 */
#ifndef GATEPASS_TERMINAL_H
#define GATEPASS_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes `prompt` to /dev/tty and reads a line into `out`, NUL-terminated and without its
 * newline; with `echo` false it stays invisible. A signal that ends or stops the process
 * does so with the terminal as it was before; after a stop the question is asked again.
 * Returns 0 or an errno: ENXIO without a terminal, EMSGSIZE for a line that is too long,
 * ENODATA for the end of input. `out` holds nothing then.
 */
int terminal_ask(const char *prompt, bool echo, char *out, size_t cap);

#endif
