/* SPDX-License-Identifier: MIT */
/* The calls that move bytes, for those of us who stand between the program and them: what
 * write(), read() and close() do when the program calls them. */
#ifndef GATEPASS_TRANSFER_H
#define GATEPASS_TRANSFER_H

#include <stddef.h>
#include <sys/types.h>

ssize_t transfer_write(int fd, const void *data, size_t n);
ssize_t transfer_read(int fd, void *data, size_t n);
int transfer_close(int fd);

#endif
