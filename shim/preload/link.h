/* SPDX-License-Identifier: MIT */
/*
 * A conversation with the agent (shim/agent/PROTOCOL.md), in steps that never wait. The
 * connection is opened when a question is asked; its descriptor is close-on-exec, out of
 * the way of the low numbers, and not believed once a stranger has its number (a program
 * may close whatever it finds). Allocates nothing. Keeps errno unless said otherwise.
 *
 *	link_begin(&link, "route");
 *	gp_wire_add(&link.out, ...);
 *	while (link_step(&link, &answer) == PROGRESS_WAIT)
 *		(wait for link_wait(&link))
 */
#ifndef GATEPASS_LINK_H
#define GATEPASS_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include <gatepass/wire.h>

#include "clock.h"

enum link_state {
	LINK_CLOSED,
	LINK_POSTPONED, /* there is no room for us right now: tries again soon */
	LINK_LAUNCHING, /* an agent is being started */
	LINK_OPEN
};

struct link {
	enum link_state state;
	int fd;           /* to the agent, or to one that starts; -1: none */
	uint64_t cookie;  /* of fd */
	int64_t until;    /* when to go on though nothing has come */
	int64_t give_up;  /* when to try no more to open it */
	int64_t extended; /* a deadline for one who waits while a person is asked; or 0 */
	bool asked;       /* the question was sent on this connection */
	bool talked;      /* the agent has said something on this connection */
	bool launched;    /* this question has started an agent */
	bool renewed;     /* a second connection carries this question */
	enum gp_err err;  /* of PROGRESS_FAILED */
	int error;        /* its errno, if err is GP_ERR_SYSTEM */
	size_t used;      /* bytes of the packet that ever held something */
	char packet[GP_WIRE_MAX + 1]; /* of the message last sent or received */
	struct gp_buf out;
};

/* Makes zeroed memory a closed link. */
void link_init(struct link *link);

/* Begins a message; add to link->out with gp_wire_add() and send it by link_tell() or
 * link_step(). */
void link_begin(struct link *link, const char *verb);

/* Sends a message that has no answer, if the link is open. */
void link_tell(struct link *link);

/* Goes on with the question: connects to the agent, starts it if there is none (which
 * costs about a millisecond), asks. PROGRESS_DONE: the answer's values point into
 * link->packet until the next message. An agent that ended just before is asked once
 * more. PROGRESS_FAILED: link->err says why (GP_ERR_SYSTEM with ECONNRESET: it ended
 * instead of answering; GP_ERR_WIRE_*: nonsense), noted in the log; the link is closed.
 */
enum progress link_step(struct link *link, struct gp_wire *answer) GP_MUST_CHECK;

/* What link_step() waits for. */
struct wait link_wait(const struct link *link);

/* Asks and waits for the answer, GP_DEADLINE at the most, longer while a person is asked.
 * As link_step(); EINTR as clock_wait(). */
enum gp_err link_ask(struct link *link, struct gp_wire *answer) GP_MUST_CHECK;

void link_close(struct link *link);

/* In a forked child: closes its copy of the descriptor, and changes nothing. */
void link_after_fork(const struct link *link);

/* Closes, and wipes what was sent and received. */
void link_clear(struct link *link);

#endif
