/* SPDX-License-Identifier: MIT */
/* The one place that turns our reasons into what a program knows. */
#ifndef GATEPASS_ERRNO_OF_H
#define GATEPASS_ERRNO_OF_H

#include <gatepass/err.h>

/* The errno of connect(2) for a handshake that failed with `err`; `system` is the errno
 * of the system call behind GP_ERR_SYSTEM. */
int errno_of(enum gp_err err, int system);

#endif
