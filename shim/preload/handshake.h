/* SPDX-License-Identifier: MIT */
/*
 * Taking one of the program's TCP sockets to its destination: asks the agent for the way
 * and drives the tunnel's state machine (gatepass/tunnel.h) over the socket.
 */
#ifndef GATEPASS_HANDSHAKE_H
#define GATEPASS_HANDSHAKE_H

#include <gatepass/host.h>

enum handshake_result {
	HANDSHAKE_DIRECT, /* nothing was done: the real connect() is right */
	HANDSHAKE_DONE,   /* the tunnel stands */
	HANDSHAKE_FAILED  /* errno says why; the socket is as if never connected */
};

/* `fd` is an idle TCP socket. Blocks until the tunnel stands, 30 seconds at the most,
 * less if the program has set SO_SNDTIMEO, more while a person is asked for a password;
 * EINTR as a blocking connect() would. A cancellation point. */
enum handshake_result handshake_run(int fd, const union gp_address *destination);

#endif
