/* SPDX-License-Identifier: MIT */
/*
 * The agent's answer to `status`. Members are NULL where the agent said nothing.
 */
#ifndef GATEPASS_STATE_H
#define GATEPASS_STATE_H

#include <stdbool.h>

#include <glib.h>

struct link;

struct state {
	char *pid, *socket;
	char *proxy, *origin, *host, *port;
	char *credential, *user, *keyring;
	char *verdict, *outcome, *outcome_error, *outcome_time;
	GPtrArray *schemes, *challenges, *accepted, *problems; /* of char * */
};

/* Asks on an open link, about `proxy` or, if that is NULL, the one configured. False
 * after reporting the error. state_clear() whatever came of it; a zeroed state may be
 * cleared. */
bool state_ask(struct state *state, struct link *link, const char *proxy);
void state_clear(struct state *state);

#endif
