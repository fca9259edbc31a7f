/* SPDX-License-Identifier: MIT */
/*
 * The program's own TCP socket: what it is, and connecting it without its noticing how.
 * These functions may set errno.
 */
#ifndef GATEPASS_TCP_H
#define GATEPASS_TCP_H

#include <stdbool.h>
#include <sys/time.h>

#include <gatepass/err.h>
#include <gatepass/host.h>

#include "clock.h"

/* What has to be given back when we are done. */
struct tcp {
	int fd;
	int domain; /* AF_INET or AF_INET6, of the socket as it is now */
	bool blocking;
	bool dirty; /* was connected, or tried: has to be disconnected first */
	struct timeval send_timeout; /* the program's SO_SNDTIMEO */
	int receive_low_water;       /* the program's SO_RCVLOWAT */
	union gp_address bound;      /* the source address it was bound to, if any */
};

/* True for a TCP socket that is neither connected, nor connecting, nor listening. */
bool tcp_is_idle(int fd);

/* True for a datagram or raw socket. */
bool tcp_is_datagram(int fd);

/* Looks at an idle socket and prepares it. Undo by tcp_release(). */
enum gp_err tcp_init(struct tcp *tcp, int fd) GP_MUST_CHECK;

/* Connects to `address`, after disconnecting in place what was connected before. Where
 * the kernel refuses that, and for an address of the other family, a new socket with the
 * same options takes the descriptor's place. Waits until `deadline`, or patience's,
 * whichever comes first. GP_ERR_SYSTEM with errno as connect(2), EINTR as clock_wait().
 */
enum gp_err tcp_connect(struct tcp *tcp, const union gp_address *address,
			const struct patience *patience, int64_t deadline) GP_MUST_CHECK;

/* Makes the socket one that was never connected. */
void tcp_disconnect(struct tcp *tcp);

/* Gives the program's settings back. */
void tcp_release(struct tcp *tcp);

#endif
