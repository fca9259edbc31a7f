/* SPDX-License-Identifier: MIT */
/* Asking the agent for the way. */
#include <errno.h>
#include <string.h>

#include "locals.h"
#include "log.h"
#include "route.h"
#include "settings.h"

void route_ask(struct link *link, const struct route_question *question)
{
	struct gp_text lines = settings_lines();
	char address[GP_ADDRESS_MAX];
	char name[GP_HOST_MAX + 1];

	gp_address_format(question->destination, address);
	link_begin(link, "route");
	gp_wire_add(&link->out, "address", address);
	if (locals_find(question->destination, name))
		gp_wire_add(&link->out, "host", name);
	if (question->tunnel)
		gp_wire_add(&link->out, "want", "tunnel");
	if (question->method.p) {
		gp_wire_add_text(&link->out, "method", question->method);
		gp_wire_add_text(&link->out, "uri", question->uri);
		gp_wire_add(&link->out, "body", question->bodiless ? "none" : NULL);
	}
	gp_buf_add(&link->out, lines.p, lines.len);
}

static const struct {
	const char *name;
	enum way way;
} ways[] = {
	{"direct", WAY_DIRECT},           {"tunnel", WAY_TUNNEL},
	{"forward", WAY_FORWARD},         {"observe", WAY_OBSERVE},
	{"unreachable", WAY_UNREACHABLE},
};

static void read_way(struct route *route, const char *value)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(value, ways[i].name))
			route->way = ways[i].way;
}

static enum gp_scope scope_of(const char *value)
{
	if (!strcmp(value, "request"))
		return GP_SCOPE_REQUEST;
	return strcmp(value, "connection") ? GP_SCOPE_PROXY : GP_SCOPE_CONNECTION;
}

bool route_read_authorization(struct gp_authorization *authorization, const char *key,
			      const char *value)
{
	if (!strcmp(key, "authorization"))
		authorization->value = value;
	else if (!strcmp(key, "scope"))
		authorization->scope = scope_of(value);
	else if (!strcmp(key, "more"))
		authorization->more = !strcmp(value, "1");
	else
		return false;
	return true;
}

static void read_line(struct route *route, const char *key, const char *value)
{
	uint64_t number;

	if (route_read_authorization(&route->authorization, key, value))
		return;
	if (!strcmp(key, "way")) {
		read_way(route, value);
	} else if (!strcmp(key, "proxy")) {
		if (route->count < GP_PROXY_ADDRESSES_MAX &&
		    gp_address_parse(value, &route->proxies[route->count]))
			route->count++;
	} else if (!strcmp(key, "authority")) {
		route->authority = value;
	} else if (!strcmp(key, "settled")) {
		route->settled = !strcmp(value, "1");
	} else if (!strcmp(key, "refused")) {
		route->forward_if_refused = !strcmp(value, "forward");
	} else if (!strcmp(key, "remember")) {
		if (gp_text_to_uint(gp_text(value), 3600, &number))
			route->remember = (unsigned)number;
	} else if (!strcmp(key, "reason")) {
		log_line(LOG_WARN, "agent: %s", value);
	} else if (!strcmp(key, "errno") &&
		   gp_text_to_uint(gp_text(value), 4095, &number)) {
		route->error = (int)number;
	}
}

enum gp_err route_answer(struct route *route, struct gp_wire *answer)
{
	const char *key, *value;

	*route = (struct route){.way = WAY_DIRECT, .error = EHOSTUNREACH};
	if (strcmp(answer->verb, "way") != 0)
		return GP_ERR_WIRE_SYNTAX;
	while (gp_wire_next(answer, &key, &value))
		read_line(route, key, value);
	switch (route->way) {
	case WAY_TUNNEL:
	case WAY_FORWARD:
		return route->count && route->authority ? GP_OK : GP_ERR_WIRE_SYNTAX;
	case WAY_OBSERVE:
		return route->count ? GP_OK : GP_ERR_WIRE_SYNTAX;
	default:
		return GP_OK;
	}
}

void route_prefer(struct route *route, unsigned index)
{
	const union gp_address best = route->proxies[index];

	memmove(route->proxies + 1, route->proxies, index * sizeof(best));
	route->proxies[0] = best;
}
