/* SPDX-License-Identifier: MIT */
/* Which socket a descriptor means now: numbers are used again, cookies are not. */
#ifndef GATEPASS_COOKIE_H
#define GATEPASS_COOKIE_H

#include <stdint.h>

/* The kernel's number of the socket (SO_COOKIE), never used twice; 0 for what is no
 * socket. The same for all duplicates. Keeps errno. */
uint64_t cookie_of(int fd);

#endif
