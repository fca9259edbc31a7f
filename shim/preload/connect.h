/* SPDX-License-Identifier: MIT */
/* Connecting one of the program's sockets, whichever call asks for it. */
#ifndef GATEPASS_CONNECT_H
#define GATEPASS_CONNECT_H

#include <sys/socket.h>

enum connecting {
	CONNECTING_DIRECT, /* nothing was done: make the call */
	CONNECTING_DONE,   /* it returns success */
	CONNECTING_FAILED  /* it fails with errno, EINPROGRESS on a non-blocking socket */
};

/* What connect(fd, sa, len) comes to. Waits only where connect() would; a cancellation
 * point then. */
enum connecting connect_socket(int fd, const struct sockaddr *sa, socklen_t len);

#endif
