/* SPDX-License-Identifier: MIT */
/*
 * The program's own TCP socket: what it is, and connecting it without its noticing how.
 * These functions may set errno.
 */
#ifndef GATEPASS_TCP_H
#define GATEPASS_TCP_H

#include <stdbool.h>

#include <gatepass/err.h>
#include <gatepass/host.h>

#include "clock.h"

/* What has to be given back when we are done. */
struct tcp {
	int fd;
	int domain;            /* AF_INET or AF_INET6, of the socket as it is now */
	bool dirty;            /* was connected, or tried: has to be disconnected first */
	bool mapped;           /* to an address of IPv4, on a socket of IPv6 */
	int receive_low_water; /* the program's SO_RCVLOWAT */
	union gp_address bound; /* the source address it was bound to, if any */
};

/* True for a TCP socket that is neither connected, nor connecting, nor listening. */
bool tcp_is_idle(int fd);

/* True for a datagram or raw socket. */
bool tcp_is_datagram(int fd);

/* Looks at an idle socket and prepares it. Undo by tcp_release(). */
enum gp_err tcp_init(struct tcp *tcp, int fd) GP_MUST_CHECK;

/* The same for one that is connected, or connecting, and stays as it is for now. */
void tcp_adopt(struct tcp *tcp, int fd);

/* The same, and prepares it as tcp_init(). */
void tcp_take_over(struct tcp *tcp, int fd);

/* Begins to connect to `address`, after disconnecting in place what was connected before.
 * Where the kernel refuses that, and for an address of the other family, a new socket
 * with the same options takes the descriptor's place. PROGRESS_WAIT: goes on by itself,
 * see tcp_connected(). PROGRESS_FAILED: errno as connect(2). */
enum progress tcp_connect(struct tcp *tcp, const union gp_address *address) GP_MUST_CHECK;

/* connect(2) to what the program asked for, which comes back at once: EINPROGRESS also on
 * a blocking socket. */
int tcp_connect_as_asked(int fd, const union gp_address *address);

/* How that stands: PROGRESS_WAIT until the socket is ready for POLLOUT. */
enum progress tcp_connected(struct tcp *tcp) GP_MUST_CHECK;

/* When a call ends that begins now, by SO_SNDTIMEO or SO_RCVTIMEO. */
int64_t tcp_deadline(int fd, int option);

/* Is the socket's O_NONBLOCK unset? */
bool tcp_is_blocking(int fd);

/* Makes the socket one that was never connected. */
void tcp_disconnect(struct tcp *tcp);

/* Gives the program's settings back. */
void tcp_release(struct tcp *tcp);

#endif
