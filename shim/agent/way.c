/* SPDX-License-Identifier: MIT */
/*
 * route: which way does this connection go?
 *
 * Theory of operation. routes_decide() knows the way, but for the addresses of proxies:
 * these are looked up, then an authorization is found that can be sent at once. Each step
 * may have to wait; one that finds the client gone ends the question.
 */
#include "handlers.h"

#include <errno.h>
#include <string.h>

#include "addresses.h"
#include "asker.h"
#include "config.h"
#include "handshake.h"
#include "log.h"
#include "proxies.h"
#include "routes.h"
#include "scheme.h"
#include "session.h"

/* PROTOCOL.md's bound; the program's own deadline is GP_DEADLINE. */
#define WAIT_SECONDS 10

static void add_addresses(struct gp_buf *reply, const struct addresses *addresses)
{
	char text[GP_ADDRESS_MAX];

	for (unsigned i = 0; i < addresses->count; i++) {
		gp_address_format(&addresses->list[i], text);
		gp_wire_add(reply, "proxy", text);
	}
}

/* Without an authorization the proxy's challenge will tell more. */
static void send_way(void *data, const struct offer_answer *answer)
{
	struct handshake *h = data;
	struct gp_buf *reply;

	if (handshake_is_abandoned(h))
		return;
	reply = session_reply(h->session, "way");
	gp_wire_add(reply, "way", "tunnel");
	gp_wire_add(reply, "authority", h->route.authority);
	add_addresses(reply, &h->addresses);
	/* Nothing is being tried that somebody waits for. */
	if (!h->offer.trying)
		gp_wire_add_uint(reply, "settled", 1);
	if (answer->authorization.len)
		gp_wire_add_text(reply, "authorization", answer->authorization);
	session_send(h->session);
}

static void send_direct(struct session *session)
{
	gp_wire_add(session_reply(session, "way"), "way", "direct");
	session_send(session);
}

static void send_unreachable(struct session *session, int error, const char *reason)
{
	struct gp_buf *reply = session_reply(session, "way");

	log_warn("unreachable: %s", reason);
	gp_wire_add(reply, "way", "unreachable");
	gp_wire_add(reply, "reason", reason);
	gp_wire_add_uint(reply, "errno", (unsigned)error);
	session_send(session);
}

static bool has_destination(const struct handshake *h, const struct addresses *addresses)
{
	for (unsigned i = 0; i < addresses->count; i++)
		if (addresses_equal(&addresses->list[i], &h->destination))
			return true;
	return false;
}

static void hops_found(void *data, const struct addresses *found)
{
	struct handshake *h = data;
	struct offer_terms terms = {
		.proxy = &h->route.proxy,
		.scheme = scheme_choose(proxies_get(h->route.proxy.hops)->challenges),
		.seconds = WAIT_SECONDS,
		/* A program in the background may have asked: no .may_prompt */
	};

	if (handshake_is_abandoned(h))
		return;
	if (has_destination(h, found)) {
		send_direct(h->session);
		return;
	}
	if (!found->count) {
		send_unreachable(h->session, EHOSTUNREACH, found->error);
		return;
	}
	h->addresses = *found;
	handshake_ask(h, &terms, send_way);
}

static void peers_found(void *data, const struct addresses *found)
{
	struct handshake *h = data;

	if (handshake_is_abandoned(h))
		return;
	if (has_destination(h, found))
		send_direct(h->session);
	else
		addresses_find(h->route.proxy.hops, h->route.proxy.count, hops_found, h);
}

/* Takes over the route. */
static void start(struct session *session, const union gp_address *destination,
		  struct route *route)
{
	struct handshake *h = handshake_new(session);

	h->destination = *destination;
	gp_address_unmap(&h->destination);
	h->route = *route;
	addresses_find(h->route.peers, h->route.peer_count, peers_found, h);
}

void way_route(struct session *session, struct gp_wire *question)
{
	struct asker asker = {0};
	const char *key, *value, *address = NULL, *host = NULL;
	union gp_address destination;
	struct route route;

	while (gp_wire_next(question, &key, &value)) {
		if (asker_take(&asker, key, value))
			continue;
		if (!strcmp(key, "address"))
			address = value;
		else if (!strcmp(key, "host"))
			host = value;
	}
	if (!address || !gp_address_parse(address, &destination)) {
		session_error(session, "syntax",
			      "route needs a numeric address with port");
		return;
	}
	handshake_forget(session);
	routes_decide(&asker, config_get(asker.gatepass_config), &destination, host,
		      &route);
	if (route.way == ROUTE_TUNNEL) {
		start(session, &destination, &route);
		return;
	}
	if (route.way == ROUTE_DIRECT)
		send_direct(session);
	else
		send_unreachable(session, route.error, route.reason);
	route_release(&route);
}
