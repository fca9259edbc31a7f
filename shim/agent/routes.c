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

struct peer_search {
	const struct destination *destination;
	struct route *route;
	bool is_proxy; /* the destination is one, for certain */
};

static void look_at_proxy(void *data, const struct endpoint *proxy)
{
	struct peer_search *search = data;
	struct route *route = search->route;

	if (proxy->port != search->destination->port)
		return;
	if (!strcmp(proxy->host, search->destination->address_host) ||
	    !strcmp(proxy->host, search->destination->host)) {
		search->is_proxy = true;
		return;
	}
	if (gp_host_is_numeric(proxy->host) || route->peer_count == ROUTE_PEERS_MAX)
		return;
	for (unsigned i = 0; i < route->peer_count; i++)
		if (endpoint_equal(&route->peers[i], proxy))
			return;
	route->peers[route->peer_count++] = *proxy;
}

static bool is_direct(const struct asker *asker, const struct config *config,
		      const struct destination *to, struct route *out)
{
	struct peer_search search = {.destination = to, .route = out};

	if (!to->stood_for &&
	    (gp_address_is_local(&to->address) || addresses_is_proxy(&to->address) ||
	     is_exempt(asker, config, to->address_host, to->port)))
		return true;
	if (to->host[0] && is_exempt(asker, config, to->host, to->port))
		return true;
	choice_each(asker, config, look_at_proxy, &search);
	return search.is_proxy;
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

static void go_tunnel(const struct destination *to, struct choice *choice,
		      struct route *out)
{
	const char *host = to->stood_for ? to->stood_for : to->address_host;
	struct gp_buf buf;

	out->way = ROUTE_TUNNEL;
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
		   const union gp_address *destination, const char *host,
		   struct route *out)
{
	struct destination to;
	struct choice choice;

	memset(out, 0, sizeof(*out));
	describe(destination, host, &to);
	if (is_direct(asker, config, &to, out)) {
		go_direct(&to, out);
		return;
	}
	choice_make(asker, config, to.port, &choice);
	if (choice.kind == CHOICE_NONE)
		go_direct(&to, out);
	else if (choice.kind == CHOICE_INVALID)
		refuse(out, EINVAL, "GATEPASS_PROXY: ", gp_strerror(choice.err));
	else
		go_tunnel(&to, &choice, out);
	choice_release(&choice);
}

void route_release(struct route *route)
{
	proxy_list_release(&route->proxy);
}

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

static void look_at_name(void *data, const struct endpoint *proxy)
{
	struct name_search *search = data;

	search->found |= !strcmp(proxy->host, search->name);
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
