/* SPDX-License-Identifier: MIT */
/*
 * A conversation with the agent (shim/agent/PROTOCOL.md). Opened for one question or one
 * handshake and closed after it; its descriptor is close-on-exec and out of the way of
 * the low numbers. Allocates nothing.
 */
#ifndef GATEPASS_LINK_H
#define GATEPASS_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include <gatepass/wire.h>

#include "clock.h"

struct link {
	int fd;      /* -1: closed */
	bool talked; /* the agent has said something on this connection */
	size_t used; /* bytes of the packet that ever held something */
	char packet[GP_WIRE_MAX + 1]; /* of the message last sent or received */
	struct gp_buf out;
};

/* Connects to the agent, and starts it if there is none. Blocks for as long as the agent
 * takes to start, a few seconds at the most. GP_ERR_SYSTEM: there is no agent to be had;
 * noted in the log. The link is closed then. */
enum gp_err link_open(struct link *link) GP_MUST_CHECK;

/* Begins a message; add to link->out with gp_wire_add() and send it by link_tell() or
 * link_ask(). */
void link_begin(struct link *link, const char *verb);

/* Sends a message that has no answer. Never blocks. */
void link_tell(struct link *link);

/* Sends the message and waits for its answer, whose values point into link->packet until
 * the next message. A "wait" of the agent's moves the deadline. If the agent ended just
 * before, a new one is started and asked. GP_ERR_TIMEOUT; GP_ERR_SYSTEM: errno EINTR when
 * a signal interrupted the wait, else there is no agent; GP_ERR_WIRE_*: nonsense. */
enum gp_err link_ask(struct link *link, struct patience *patience,
		     struct gp_wire *answer) GP_MUST_CHECK;

void link_close(struct link *link);

/* Closes, and wipes what was sent and received. */
void link_clear(struct link *link);

#endif
