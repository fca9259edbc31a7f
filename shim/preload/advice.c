/* SPDX-License-Identifier: MIT */
/* A challenge and its answer. */
#include <errno.h>
#include <string.h>

#include <gatepass/http.h>

#include "advice.h"
#include "log.h"
#include "route.h"

static void write_challenge(struct link *link, const struct challenge *challenge)
{
	struct gp_text rest = challenge->fields;
	struct gp_buf *out = &link->out;
	struct gp_http_field field;

	link_begin(link, "challenge");
	gp_wire_add_uint(out, "status", (unsigned)challenge->status);
	gp_wire_add_uint(out, "kept", challenge->kept);
	gp_wire_add_uint(out, "authorized", challenge->offered.p != NULL);
	if (challenge->offered.p)
		gp_wire_add_text(out, "offered", challenge->offered);
	gp_wire_add_text(out, "method", challenge->method);
	gp_wire_add_text(out, "uri", challenge->uri);
	while (gp_http_field_next(&rest, &field))
		if (gp_text_is(field.name, "proxy-authenticate"))
			gp_wire_add_text(out, "challenge", field.value);
}

void advice_begin(struct advice *advice, struct link *link,
		  const struct challenge *challenge)
{
	const struct route_question question = {
		.destination = challenge->destination,
		.tunnel = challenge->tunnel,
	};

	advice->asks_way = link->state != LINK_OPEN;
	if (advice->asks_way)
		route_ask(link, &question);
	else
		write_challenge(link, challenge);
}

/* The new conversation's agent knows nothing of what was sent before. What it would send
 * now has no bearing: `offered` tells it what was rejected. */
static enum progress ask_way(struct advice *advice, struct link *link,
			     const struct challenge *challenge,
			     const char **authorization)
{
	struct gp_wire answer;
	struct route route;
	enum progress progress = link_step(link, &answer);

	if (progress != PROGRESS_DONE)
		return progress;
	if (route_answer(&route, &answer) || !route.count)
		return PROGRESS_DONE; /* no proxy of ours any more */
	write_challenge(link, challenge);
	advice->asks_way = false;
	return advice_step(advice, link, challenge, authorization);
}

static enum progress ask_answer(struct advice *advice, struct link *link,
				const struct challenge *challenge,
				const char **authorization)
{
	const char *key, *value, *found = NULL;
	struct gp_wire answer;
	enum progress progress = link_step(link, &answer);

	if (progress == PROGRESS_FAILED && link->error == ECONNRESET &&
	    !advice->reopened) {
		advice->reopened = true;
		advice_begin(advice, link, challenge);
		return advice_step(advice, link, challenge, authorization);
	}
	if (progress != PROGRESS_DONE)
		return progress;
	advice->reopened = advice->per_request = false;
	while (gp_wire_next(&answer, &key, &value)) {
		if (!strcmp(key, "authorization"))
			found = value;
		else if (!strcmp(key, "scope"))
			advice->per_request = !strcmp(value, "request");
		else if (!strcmp(key, "text"))
			log_line(LOG_WARN, "agent: %s", value);
	}
	if (!strcmp(answer.verb, "answer"))
		*authorization = found;
	return PROGRESS_DONE;
}

enum progress advice_step(struct advice *advice, struct link *link,
			  const struct challenge *challenge, const char **authorization)
{
	*authorization = NULL;
	return advice->asks_way ? ask_way(advice, link, challenge, authorization)
				: ask_answer(advice, link, challenge, authorization);
}
