/* SPDX-License-Identifier: MIT */
/* poll(2) for programs with sockets in handshake: these are waited for in their own way,
 * and go on meanwhile. */
#ifndef GATEPASS_POLLSET_H
#define GATEPASS_POLLSET_H

#include <poll.h>
#include <signal.h>
#include <stdint.h>

/* As ppoll(2), until `until` of clock_now(). Does not return before that because of
 * anything but the program's events. A cancellation point. */
int pollset_wait(struct pollfd *fds, nfds_t n, int64_t until, const sigset_t *mask);

#endif
