/* SPDX-License-Identifier: MIT */
/*
 * One question to the agent and its answer, as PROTOCOL.md says. Everything here may
 * block, for a bounded time, and reports its errors to the person.
 */
#ifndef GATEPASS_LINK_H
#define GATEPASS_LINK_H

#include <stdbool.h>

#include <gatepass/wire.h>

struct link {
	int fd;
	char path[GP_SOCKET_PATH_MAX];
	struct gp_buf question; /* in memory for secrets */
	struct gp_wire answer;
	char *packet; /* the answer's bytes */
};

enum link_open {
	LINK_OPEN,
	LINK_NO_AGENT, /* only when none was to be started; nothing was reported */
	LINK_FAILED    /* and reported */
};

/* Connects to the agent, which is started first if `start` says so and none answers.
 * link_close() whatever came of it. */
enum link_open link_open(struct link *link, bool start);
void link_close(struct link *link); /* wipes both messages */

/* Begins the question: add keys with gp_wire_add(&link->question, ...). */
void link_ask(struct link *link, const char *verb);

/* Sends the question and receives the answer. False, after reporting it, when the agent
 * answers with an error or with anything but `verb`. Read it with gp_wire_next(). */
bool link_answer(struct link *link, const char *verb);

/* Waits until the agent has closed the connection, a few seconds at most. */
bool link_ended(struct link *link);

#endif
