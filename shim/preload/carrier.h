/* SPDX-License-Identifier: MIT */
/*
 * HTTP requests of the program over one of its sockets, which leads to a proxy: drives
 * the exchange's state machine (gatepass/exchange.h), in steps that never wait. One
 * thread at a time. Functions keep errno unless said otherwise.
 */
#ifndef GATEPASS_CARRIER_H
#define GATEPASS_CARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <gatepass/host.h>

#include "clock.h"

struct route;
struct carrier;

enum carrier_state {
	CARRIER_OPEN,  /* go on asking us */
	CARRIER_OVER,  /* the socket is the program's */
	CARRIER_FAILED /* the connection is lost: carrier_error() */
};

/* `fd` leads, or is about to lead, to the proxy of a WAY_FORWARD or WAY_OBSERVE; a
 * WAY_TUNNEL is one that the proxy has refused. NULL without memory. */
struct carrier *carrier_new(int fd, const union gp_address *destination,
			    const struct route *route);

enum carrier_state carrier_step(struct carrier *carrier);
struct wait carrier_wait(const struct carrier *carrier);

/* The events of poll(2) that the program must not see for now: POLLIN, POLLOUT. */
short carrier_hidden(const struct carrier *carrier);
int carrier_error(const struct carrier *carrier);

/* Takes what can be taken of the program's bytes without waiting; they go out with the
 * next step. Returns how many; -1 with errno, EAGAIN when none could be. *over: the rest
 * is the program's own to send. */
ssize_t carrier_send(struct carrier *carrier, const char *bytes, size_t len, int flags,
		     bool *over);

/* Do bytes that wait in the socket belong to the program? */
bool carrier_shows(const struct carrier *carrier);

/* Has the last step seen such bytes, and left them there? */
bool carrier_is_readable(const struct carrier *carrier);

/* Might they be followed by some that do not? */
bool carrier_is_bounded(const struct carrier *carrier);

/* How many of `len` bytes that the program wants to receive it may take now. `room` is
 * memory of that size, which may be written to. */
size_t carrier_bound(struct carrier *carrier, char *room, size_t len);

/* It has received these; bytes NULL: `len` that we have not seen. */
void carrier_received(struct carrier *carrier, const char *bytes, size_t len);

/* What the program will say cannot be seen: a tunnel, if nothing has been said yet. */
void carrier_give_up(struct carrier *carrier);

/* Makes the socket one that was never connected, which the kernel shows as a hang-up. */
void carrier_disconnect(struct carrier *carrier);

/* The program closes the socket, or says that it will send no more (true: not yet to be
 * told to the kernel). */
void carrier_close(struct carrier *carrier);
bool carrier_shutdown(struct carrier *carrier);

/* The program's SO_RCVLOWAT, if we have set another one for now. */
bool carrier_set_low_water(struct carrier *carrier, int bytes);
int carrier_low_water(const struct carrier *carrier);

void carrier_use(struct carrier *carrier, int fd); /* see handshake_use() */

/* After a fork each process goes on with a copy. What the parent has not sent yet is not
 * the child's to send. */
void carrier_after_fork(struct carrier *carrier, bool in_child);
void carrier_free(struct carrier *carrier); /* wipes, and does nothing to the socket */

#endif
