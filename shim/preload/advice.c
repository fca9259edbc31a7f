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
	if (!challenge->persistent)
		gp_wire_add_uint(out, "persistent", 0);
	gp_wire_add_uint(out, "authorized", challenge->offered.p != NULL);
	if (challenge->offered.p)
		gp_wire_add_text(out, "offered", challenge->offered);
	gp_wire_add_text(out, "method", challenge->method);
	gp_wire_add_text(out, "uri", challenge->uri);
	gp_wire_add(out, "body", challenge->bodiless ? "none" : NULL);
	while (gp_http_field_next(&rest, &field))
		if (gp_text_is(field.name, "proxy-authenticate"))
			gp_wire_add_text(out, "challenge", field.value);
}

void advice_add_info(struct link *link, struct gp_text fields)
{
	struct gp_http_field field;

	while (gp_http_field_next(&fields, &field)) {
		if (!gp_text_is(field.name, "proxy-authentication-info"))
			continue;
		gp_wire_add_text(&link->out, "info", field.value);
		return;
	}
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
			     struct gp_authorization *answer)
{
	struct gp_wire message;
	struct route route;
	enum progress progress = link_step(link, &message);

	if (progress != PROGRESS_DONE)
		return progress;
	if (route_answer(&route, &message) || !route.count)
		return PROGRESS_DONE; /* no proxy of ours any more */
	write_challenge(link, challenge);
	advice->asks_way = false;
	return advice_step(advice, link, challenge, answer);
}

static enum progress ask_answer(struct advice *advice, struct link *link,
				const struct challenge *challenge,
				struct gp_authorization *answer)
{
	struct gp_authorization found = {0};
	const char *key, *value;
	struct gp_wire message;
	enum progress progress = link_step(link, &message);

	if (progress == PROGRESS_FAILED && link->error == ECONNRESET &&
	    !advice->reopened) {
		advice->reopened = true;
		advice_begin(advice, link, challenge);
		return advice_step(advice, link, challenge, answer);
	}
	if (progress != PROGRESS_DONE)
		return progress;
	advice->reopened = false;
	while (gp_wire_next(&message, &key, &value))
		if (!route_read_authorization(&found, key, value) && !strcmp(key, "text"))
			log_line(LOG_WARN, "agent: %s", value);
	if (!strcmp(message.verb, "answer"))
		*answer = found;
	return PROGRESS_DONE;
}

enum progress advice_step(struct advice *advice, struct link *link,
			  const struct challenge *challenge,
			  struct gp_authorization *answer)
{
	*answer = (struct gp_authorization){0};
	return advice->asks_way ? ask_way(advice, link, challenge, answer)
				: ask_answer(advice, link, challenge, answer);
}
