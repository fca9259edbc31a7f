/* SPDX-License-Identifier: MIT */
/*
 * The program's calls that move bytes, on a socket that carries its HTTP requests to a
 * proxy (carrier.h). To be asked when pending_any(), before touch.h. Each waits where the
 * call would, and is a cancellation point then.
 */
#ifndef GATEPASS_CARRY_H
#define GATEPASS_CARRY_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* False: make the call; else it came to *result, with errno. */
bool carry_send(int fd, const struct iovec *parts, size_t count, int flags,
		ssize_t *result);
bool carry_receive(int fd, struct msghdr *message, int flags, ssize_t *result);

/* For a call that takes what it gets out of our sight (splice(2)): waits until that is
 * the program's, and says how much of it is. False: make the call as it is. *ready false:
 * it fails with errno. */
bool carry_show(int fd, bool may_block, size_t *limit, bool *ready);
void carry_lose(int fd, size_t count);

/* How many of `count` bytes that wait in the socket the program may know of. */
int carry_count(int fd, int count);

/* `fd` is going to be used in ways that cannot be seen: waits until it is a tunnel, if
 * nothing has been sent on it yet. */
void carry_hand_over(int fd);

/* shutdown(SHUT_WR): true if it is done later. close(): what is held goes out. */
bool carry_shutdown(int fd);
void carry_close(int fd);

#endif
