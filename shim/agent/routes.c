/* SPDX-License-Identifier: MIT */
/* Which way a connection goes: the decision of PROTOCOL.md "route", in that order. */
#include "routes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include <gatepass/noproxy.h>
#include <gatepass/text.h>

#include "addresses.h"
#include "asker.h"
#include "config.h"
#include "hostname.h"
#include "names.h"
#include "ports.h"

struct destination {
	union gp_address address;
	char address_host[GP_ADDRESS_MAX];
	const char *stood_for;      /* the name of a stand-in, or NULL */
	char host[GP_HOST_MAX + 1]; /* the name, or empty */
	uint16_t port;
};

static bool is_exempt(const struct asker *asker, const struct config *config,
		      const char *host, uint16_t port)
{
	return gp_noproxy_match(asker->gatepass_no_proxy, host, port) ||
	       gp_noproxy_match(config->no_proxy, host, port) ||
	       gp_noproxy_match(asker->no_proxy, host, port);
}

/* --- is it a proxy? ------------------------------------------------------------------
 */

enum likeness { OTHER, SAME, PERHAPS };

static enum likeness compare(const struct endpoint *proxy, const struct destination *to)
{
	union gp_address address;

	if (proxy->port != to->port)
		return OTHER;
	if (!strcmp(proxy->host, to->host))
		return SAME;
	if (to->stood_for)
		return OTHER;
	if (!gp_address_parse_host(proxy->host, &address))
		return PERHAPS;
	gp_address_unmap(&address);
	gp_address_set_port(&address, proxy->port);
	return addresses_equal(&address, &to->address) ? SAME : OTHER;
}

static void free_peer(gpointer data)
{
	struct peer *peer = data;

	proxy_list_release(&peer->proxy);
	g_free(peer);
}

static struct peer *find_peer(GPtrArray *peers, const struct endpoint *endpoint)
{
	struct peer *peer;

	for (guint i = 0; i < peers->len; i++) {
		peer = peers->pdata[i];
		if (endpoint_equal(&peer->endpoint, endpoint))
			return peer;
	}
	peer = g_new0(struct peer, 1);
	peer->endpoint = *endpoint;
	g_ptr_array_add(peers, peer);
	return peer;
}

/* Of the lists that name a proxy counts the first with a password, else the first. */
static void name_better(struct proxy_list *best, const struct proxy_list *list)
{
	if (best->count && (best->credential || !list->credential))
		return;
	proxy_list_release(best);
	proxy_list_copy(best, list);
}

struct proxy_search {
	const struct destination *to;
	struct route *route;
};

static void look_at_proxy(void *data, const struct proxy_list *list)
{
	struct proxy_search *search = data;
	struct route *route = search->route;

	for (unsigned i = 0; i < list->count; i++) {
		switch (compare(&list->hops[i], search->to)) {
		case SAME:
			route->way = ROUTE_OBSERVE;
			name_better(&route->proxy, list);
			if (search->to->stood_for)
				route->stood_for = list->hops[i];
			break;
		case PERHAPS:
			name_better(&find_peer(route->peers, &list->hops[i])->proxy,
				    list);
			break;
		case OTHER:
			break;
		}
	}
}

/* An address that was found for a proxy's name, or for one that others have named. */
static bool is_learnt_proxy(const struct config *config, const struct destination *to,
			    struct route *out)
{
	struct endpoint proxy;

	if (to->stood_for || !addresses_is_proxy(&to->address, &proxy))
		return false;
	for (guint i = 0; i < out->peers->len; i++) {
		if (!endpoint_equal(&((struct peer *)out->peers->pdata[i])->endpoint,
				    &proxy))
			continue;
		route_observe(out, i);
		return true;
	}
	out->way = ROUTE_OBSERVE;
	choice_endpoint(&proxy, config, &out->proxy);
	return true;
}

static bool is_proxy(const struct asker *asker, const struct config *config,
		     const struct destination *to, struct route *out)
{
	struct proxy_search search = {.to = to, .route = out};

	/* It needs its interface, which nobody can tell us. */
	if (to->address.sa.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_LINKLOCAL(&to->address.in6.sin6_addr))
		return false;
	choice_each(asker, config, look_at_proxy, &search);
	if (out->way != ROUTE_OBSERVE)
		return is_learnt_proxy(config, to, out);
	g_ptr_array_set_size(out->peers, 0);
	return true;
}

void route_observe(struct route *route, unsigned i)
{
	struct peer *peer = route->peers->pdata[i];

	route->way = ROUTE_OBSERVE;
	route->forward_if_refused = false;
	proxy_list_release(&route->proxy);
	route->proxy = peer->proxy; /* transferred */
	memset(&peer->proxy, 0, sizeof(peer->proxy));
	g_ptr_array_set_size(route->peers, 0);
}

/* --- the other ways ------------------------------------------------------------------
 */

static bool is_direct(const struct asker *asker, const struct config *config,
		      const struct destination *to)
{
	if (!to->stood_for && (gp_address_is_local(&to->address) ||
			       is_exempt(asker, config, to->address_host, to->port)))
		return true;
	return to->host[0] && is_exempt(asker, config, to->host, to->port);
}

static void refuse(struct route *out, int error, const char *what, const char *why)
{
	out->way = ROUTE_UNREACHABLE;
	out->error = error;
	snprintf(out->reason, sizeof(out->reason), "%s%s", what, why);
}

static void go_direct(const struct destination *to, struct route *out)
{
	out->way = ROUTE_DIRECT;
	/* Nobody answers at a stand-in address; failing at once is better than a timeout.
	 */
	if (to->stood_for)
		refuse(out, EHOSTUNREACH, to->stood_for,
		       " does not go through a proxy any more: look the name up again");
}

static void go_proxied(const struct destination *to, const struct ports *forward_ports,
		       struct choice *choice, struct route *out)
{
	const char *host = to->stood_for ? to->stood_for : to->address_host;
	struct gp_buf buf;

	out->way = ROUTE_TUNNEL;
	if (forward_ports && ports_have(forward_ports, to->port))
		out->way = ROUTE_FORWARD;
	else
		out->forward_if_refused = forward_ports && ports_may_be_http(to->port);
	out->proxy = choice->proxy; /* transferred */
	memset(&choice->proxy, 0, sizeof(choice->proxy));
	gp_buf_init(&buf, out->authority, GP_AUTHORITY_MAX);
	gp_host_authority(host, to->port, &buf);
	out->authority[buf.len] = '\0';
}

static void describe(const union gp_address *address, const char *host,
		     struct destination *out)
{
	uint32_t number = gp_fake_number(address);

	memset(out, 0, sizeof(*out));
	out->address = *address;
	gp_address_unmap(&out->address);
	gp_address_host(&out->address, out->address_host);
	out->port = gp_address_port(address);
	out->stood_for = number ? names_name(number) : NULL;
	if (out->stood_for)
		memcpy(out->host, out->stood_for, strlen(out->stood_for) + 1);
	else if (host && !hostname_normalise(host, out->host))
		out->host[0] = '\0';
}

void routes_decide(const struct asker *asker, const struct config *config,
		   const struct route_question *question, struct route *out)
{
	struct destination to;
	struct choice choice;

	memset(out, 0, sizeof(*out));
	out->policy = config->schemes;
	out->peers = g_ptr_array_new_with_free_func(free_peer);
	describe(&question->destination, question->host, &to);
	if (is_proxy(asker, config, &to, out))
		return;
	if (is_direct(asker, config, &to)) {
		go_direct(&to, out);
		return;
	}
	choice_make(asker, config, to.port, &choice);
	if (choice.kind == CHOICE_NONE)
		go_direct(&to, out);
	else if (choice.kind == CHOICE_INVALID)
		refuse(out, EINVAL, "GATEPASS_PROXY: ", gp_strerror(choice.err));
	else
		go_proxied(&to, question->wants_tunnel ? NULL : &config->forward_ports,
			   &choice, out);
	choice_release(&choice);
}

void route_release(struct route *route)
{
	proxy_list_release(&route->proxy);
	g_clear_pointer(&route->peers, g_ptr_array_unref);
}

/* --- names ---------------------------------------------------------------------------
 */

/* A name gets its address before its port is known. One that is exempt for any single
 * port must be found by the system's resolver, or connections to that port could not be
 * direct. */
static bool is_exempt_for_some_port(const char *list, const char *host)
{
	struct gp_text rest = gp_text(list);
	uint64_t port;

	if (gp_noproxy_match(list, host, 0))
		return true;
	while (rest.p) {
		struct gp_text entry = gp_text_cut(&rest, ", \t\r\n");
		const char *colon = entry.len ? memrchr(entry.p, ':', entry.len) : NULL;

		if (!colon)
			continue;
		entry = gp_text_from(entry, (size_t)(colon + 1 - entry.p));
		if (gp_text_to_uint(entry, UINT16_MAX, &port) &&
		    gp_noproxy_match(list, host, (uint16_t)port))
			return true;
	}
	return false;
}

struct name_search {
	const char *name;
	bool found;
};

static void look_at_name(void *data, const struct proxy_list *proxy)
{
	struct name_search *search = data;

	for (unsigned i = 0; i < proxy->count; i++)
		search->found |= !strcmp(proxy->hops[i].host, search->name);
}

bool routes_name_is_proxied(const struct asker *asker, const struct config *config,
			    const char *name)
{
	struct name_search search = {.name = name};
	struct choice choice;
	bool proxied;

	if (gp_host_is_local(name) || gp_host_is_numeric(name) ||
	    is_exempt_for_some_port(asker->gatepass_no_proxy, name) ||
	    is_exempt_for_some_port(config->no_proxy, name) ||
	    is_exempt_for_some_port(asker->no_proxy, name))
		return false;
	/* The proxy's own name cannot be left to the proxy. */
	choice_each(asker, config, look_at_name, &search);
	if (search.found)
		return false;
	choice_make(asker, config, 0, &choice);
	proxied = choice.kind != CHOICE_NONE;
	choice_release(&choice);
	return proxied;
}
