/* SPDX-License-Identifier: MIT */
/*
 * route: which way does this connection go?
 *
 * Theory of operation. routes_decide() knows the way, unless the destination is a proxy
 * that is known by its name: the names in question are looked up and compared, one by
 * one. Then the addresses of the way's proxy are found, and an authorization that can be
 * sent at once. Each step may have to wait; one that finds the client gone ends the
 * question.
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

/* A program that opens a connection to its database for each query asks us six times a
 * minute, which nobody can measure; and a proxy that is configured while a program runs
 * is known to it before a person has looked at the error for long. */
#define REMEMBER_SECONDS 10

static void add_addresses(struct gp_buf *reply, const struct addresses *addresses)
{
	char text[GP_ADDRESS_MAX];

	for (unsigned i = 0; i < addresses->count; i++) {
		gp_address_format(&addresses->list[i], text);
		gp_wire_add(reply, "proxy", text);
	}
}

static const char *way_name(enum route_way way)
{
	static const char *const names[] = {
		[ROUTE_DIRECT] = "direct",           [ROUTE_TUNNEL] = "tunnel",
		[ROUTE_FORWARD] = "forward",         [ROUTE_OBSERVE] = "observe",
		[ROUTE_UNREACHABLE] = "unreachable",
	};

	return names[way];
}

static struct gp_buf *begin_way(struct session *session, enum route_way way)
{
	struct gp_buf *reply = session_reply(session, "way");

	gp_wire_add(reply, "way", way_name(way));
	return reply;
}

static void send_direct(struct handshake *h)
{
	bool remember = gp_address_is_local(&h->destination) && !h->unsure;
	struct session *session = h->session;
	struct gp_buf *reply;

	handshake_forget(session);
	reply = begin_way(session, ROUTE_DIRECT);
	if (remember)
		gp_wire_add_uint(reply, "remember", REMEMBER_SECONDS);
	session_send(session);
}

static void send_unreachable(struct handshake *h, int error, const char *reason)
{
	struct session *session = h->session;
	struct gp_buf *reply = begin_way(session, ROUTE_UNREACHABLE);

	log_warn("unreachable: %s", reason);
	gp_wire_add(reply, "reason", reason);
	gp_wire_add_uint(reply, "errno", (unsigned)error);
	handshake_forget(session); /* not before: the reason may be part of it */
	session_send(session);
}

/* Nothing is being tried that somebody waits for, and nothing will follow. With Digest, a
 * next nonce may: it is worth a conversation, unless there are very many. */
static bool is_settled(const struct handshake *h, const struct offer_answer *answer)
{
	bool may_tell = answer->authorization.len &&
			answer->scope == SCHEME_FOR_REQUEST &&
			session_count() < SESSIONS_MAX / 2;

	return !h->offer.trying && !answer->more && !may_tell;
}

/* Without an authorization the proxy's challenge will tell more. */
static void send_proxied(void *data, const struct offer_answer *answer)
{
	struct handshake *h = data;
	const struct route *route = &h->route;
	struct gp_buf *reply;

	if (handshake_is_abandoned(h))
		return;
	reply = begin_way(h->session, route->way);
	add_addresses(reply, &h->addresses);
	if (route->way != ROUTE_OBSERVE)
		gp_wire_add(reply, "authority", route->authority);
	if (route->forward_if_refused)
		gp_wire_add(reply, "refused", "forward");
	if (is_settled(h, answer))
		gp_wire_add_uint(reply, "settled", 1);
	handshake_add_answer(reply, answer);
	session_send(h->session);
}

static void ask(struct handshake *h)
{
	const struct proxy_list *proxy = &h->route.proxy;
	struct offer_terms terms = {
		.proxy = proxy,
		.policy = &h->route.policy,
		.seconds = WAIT_SECONDS,
		/* A tunnel's request goes out at once. Who knows when a program sends
		 * its own: others would wait for the verdict on it. */
		.accepted_only = h->route.way != ROUTE_TUNNEL,
		/* Not .may_prompt: a program in the background may be asking. */
	};

	if (h->route.way == ROUTE_TUNNEL)
		handshake_set_request(h, "CONNECT", h->route.authority, true);
	handshake_recall(h);
	terms.offers = h->offers;
	terms.request = handshake_request(h);
	terms.request.challenges = h->offers;
	handshake_ask(h, &terms, send_proxied);
}

static void proxy_found(void *data, const struct addresses *found)
{
	struct handshake *h = data;

	if (handshake_is_abandoned(h))
		return;
	if (!found->count) {
		send_unreachable(h, EHOSTUNREACH, found->error);
		return;
	}
	h->addresses = *found;
	ask(h);
}

static void observe(struct handshake *h)
{
	if (h->route.stood_for.host[0]) {
		addresses_find(&h->route.stood_for, 1, proxy_found, h);
		return;
	}
	h->addresses.list[0] = h->destination;
	h->addresses.count = 1;
	ask(h);
}

static void go_on(struct handshake *h)
{
	const struct route *route = &h->route;

	switch (route->way) {
	case ROUTE_DIRECT:
		send_direct(h);
		return;
	case ROUTE_UNREACHABLE:
		send_unreachable(h, route->error, route->reason);
		return;
	case ROUTE_OBSERVE:
		observe(h);
		return;
	case ROUTE_TUNNEL:
	case ROUTE_FORWARD:
		addresses_find(route->proxy.hops, route->proxy.count, proxy_found, h);
	}
}

static bool has_destination(const struct handshake *h, const struct addresses *addresses)
{
	for (unsigned i = 0; i < addresses->count; i++)
		if (addresses_equal(&addresses->list[i], &h->destination))
			return true;
	return false;
}

static void compare_next(struct handshake *h);

static void peer_found(void *data, const struct addresses *found)
{
	struct handshake *h = data;

	if (handshake_is_abandoned(h))
		return;
	h->unsure |= found->error[0] != '\0';
	if (has_destination(h, found))
		route_observe(&h->route, h->compared);
	else
		h->compared++;
	compare_next(h);
}

/* Is the destination a proxy that is known by its name? */
static void compare_next(struct handshake *h)
{
	const struct route *route = &h->route;
	const struct peer *peer;

	if (h->compared >= route->peers->len) {
		go_on(h);
		return;
	}
	peer = route->peers->pdata[h->compared];
	/* It mostly is the way's own proxy, which has to be found anyway. */
	if (route->way == ROUTE_TUNNEL || route->way == ROUTE_FORWARD)
		addresses_find(&peer->endpoint, 1, peer_found, h);
	else
		addresses_find_soon(&peer->endpoint, peer_found, h);
}

void way_route(struct session *session, struct gp_wire *question)
{
	struct asker asker = {0};
	struct route_question route = {0};
	const char *key, *value, *address = NULL, *method = NULL, *uri = NULL;
	struct handshake *h;
	bool bodiless = false;

	while (gp_wire_next(question, &key, &value)) {
		if (asker_take(&asker, key, value))
			continue;
		if (!strcmp(key, "address"))
			address = value;
		else if (!strcmp(key, "host"))
			route.host = value;
		else if (!strcmp(key, "want"))
			route.wants_tunnel = !strcmp(value, "tunnel");
		else if (!strcmp(key, "method"))
			method = value;
		else if (!strcmp(key, "uri"))
			uri = value;
		else if (!strcmp(key, "body"))
			bodiless = !strcmp(value, "none");
	}
	if (!address || !gp_address_parse(address, &route.destination)) {
		session_error(session, "syntax",
			      "route needs a numeric address with port");
		return;
	}
	gp_address_unmap(&route.destination);
	handshake_forget(session);
	h = handshake_new(session);
	h->destination = route.destination;
	h->ccache = g_strdup(asker.krb5_ccname);
	handshake_set_request(h, method, uri, bodiless);
	routes_decide(&asker, config_get(asker.gatepass_config), &route, &h->route);
	compare_next(h);
}
