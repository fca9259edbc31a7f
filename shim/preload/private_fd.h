/* SPDX-License-Identifier: MIT */
/* Descriptors of ours in a program that counts its own. */
#ifndef GATEPASS_PRIVATE_FD_H
#define GATEPASS_PRIVATE_FD_H

/* Moves a fresh close-on-exec descriptor (or -1) out of the way of the low numbers, and
 * returns its new number. Keeps errno. */
int private_fd(int fd);

#endif
