/* SPDX-License-Identifier: MIT */
/*
 * Taking one of the program's TCP sockets to its destination, in steps that never wait:
 * asks the agent for the way, and drives the tunnel's state machine (gatepass/tunnel.h)
 * over the socket. One thread at a time. Functions keep errno.
 */
#ifndef GATEPASS_HANDSHAKE_H
#define GATEPASS_HANDSHAKE_H

#include <stdbool.h>

#include <gatepass/host.h>

#include "clock.h"

enum handshake_state {
	HANDSHAKE_ASKING_WAY,  /* nothing was done to the socket yet */
	HANDSHAKE_UNDER_WAY,   /* goes through a proxy; the socket is ours for now */
	HANDSHAKE_DIRECT,      /* nothing was done: the real connect() is right */
	HANDSHAKE_OBSERVE,     /* as well, and it leads to a proxy */
	HANDSHAKE_FORWARD,     /* connected to the proxy, for HTTP requests */
	HANDSHAKE_ESTABLISHED, /* the tunnel stands */
	HANDSHAKE_FAILED       /* the socket is as if never connected */
};

struct handshake;

/* `fd` is an idle TCP socket; with `tunnel`, one that is connected to a proxy and is to
 * be a tunnel, whatever else the agent would say. NULL without memory. */
struct handshake *handshake_new(int fd, const union gp_address *destination, bool tunnel);

/* Does what can be done without waiting. With `way_only` it stops when the way is known,
 * and returns HANDSHAKE_UNDER_WAY before the socket is touched. */
enum handshake_state handshake_step(struct handshake *hs, bool way_only);

/* What it waits for, in the first two states. */
struct wait handshake_wait(const struct handshake *hs);

/* In HANDSHAKE_ASKING_WAY: is the agent asking a person or a helper first? */
bool handshake_waits_for_person(const struct handshake *hs);

/* In HANDSHAKE_FAILED: the errno of connect(2). */
int handshake_error(const struct handshake *hs);

/* The way, as the agent has told it. Its texts are there until the next step, or in
 * HANDSHAKE_OBSERVE, HANDSHAKE_FORWARD and HANDSHAKE_DIRECT until handshake_free(). */
const struct route *handshake_route(const struct handshake *hs);

/* In HANDSHAKE_FORWARD: because the proxy refuses a tunnel. In HANDSHAKE_FAILED: was it
 * by policy that the proxy refused? */
bool handshake_was_refused(const struct handshake *hs);

/* The socket goes by another number now: that of a duplicate. */
void handshake_use(struct handshake *hs, int fd);

/* The program's SO_RCVLOWAT, which is 1 while we wait for short replies. */
void handshake_set_low_water(struct handshake *hs, int bytes);
int handshake_low_water(const struct handshake *hs);

/* Makes the socket one that was never connected. */
void handshake_disconnect(struct handshake *hs);

/* Is another process, a parent or a child of this one, the one that takes the steps? Then
 * only look, until it is over. Takes it over from one that is gone, or has freed it. */
bool handshake_is_elsewhere(struct handshake *hs);

/* In a forked child: the conversation with the agent is the parent's. */
void handshake_after_fork(struct handshake *hs);

/* Ends the conversation with the agent, wipes what is over, and unmaps. Does nothing to
 * the socket. */
void handshake_free(struct handshake *hs);

#endif
