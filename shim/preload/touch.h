/* SPDX-License-Identifier: MIT */
/*
 * What the kernel would answer to a call on a socket whose connect() is under way, or has
 * failed. To be asked when pending_any(). Each of these lets the handshake go on first.
 *
 * A program may wait in ways that we do not see (raw system calls): the kernel then tells
 * it that the socket is connected, which is true of the proxy. Such a program's next call
 * waits here until the tunnel stands.
 */
#ifndef GATEPASS_TOUCH_H
#define GATEPASS_TOUCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* A call that moves data. False: make it; else it came to *result, with errno. A
 * cancellation point where the call would be one. */
bool touch_send(int fd, int flags, ssize_t *result);
bool touch_receive(int fd, int flags, ssize_t *result);

/* getsockopt(fd, SOL_SOCKET, SO_ERROR). False: the kernel knows. */
bool touch_error(int fd, int *error);

/* True: the program is to see ENOTCONN from getpeername(). */
bool touch_is_unconnected(int fd);

/* shutdown(). False: make it. */
bool touch_shutdown(int fd);

/* Waits as a blocking call does, until `until` of clock_now(), for POLLOUT or POLLIN of
 * fd; that it is not under way any more is both. False with errno EINTR or ETIMEDOUT. A
 * cancellation point. */
bool touch_await(int fd, short events, int64_t until, bool restarts);

#endif
