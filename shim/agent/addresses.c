/* SPDX-License-Identifier: MIT */
/* The numeric addresses of proxies: GResolver with a memory, so that many programs that
 * start together cost one look-up. */
#include "addresses.h"

#include <stdio.h>
#include <string.h>

#include <gio/gio.h>

#include "endpoint.h"
#include "log.h"

/* Short enough to follow a proxy that moves, long enough for a build's thousand fetches.
 */
#define KEEP_SECONDS 60

/* Hosts and addresses remembered; above it we begin anew. */
#define MEMORY_MAX 1024

struct search {
	unsigned count, next; /* hosts, and the first one not done */
	struct addresses found;
	void (*done)(void *data, const struct addresses *found);
	void *data;
	struct endpoint hosts[];
};

struct host {
	char *name;
	GList *addresses; /* of GInetAddress */
	gint64 until;     /* monotonic time; valid if `addresses` */
	GQueue waiting;   /* of struct search, while a look-up is under way */
};

static GHashTable *hosts;   /* name -> struct host */
static GHashTable *proxies; /* set of "address:port" */

static void advance(struct search *search);

static void note_proxy(const union gp_address *address)
{
	char text[GP_ADDRESS_MAX];

	if (!proxies)
		proxies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	gp_address_format(address, text);
	if (g_hash_table_contains(proxies, text))
		return;
	if (g_hash_table_size(proxies) >= MEMORY_MAX)
		g_hash_table_remove_all(proxies);
	g_hash_table_add(proxies, g_strdup(text));
}

static void add(struct addresses *out, union gp_address *address)
{
	gp_address_unmap(address);
	for (unsigned i = 0; i < out->count; i++)
		if (addresses_equal(&out->list[i], address))
			return;
	if (out->count < G_N_ELEMENTS(out->list))
		out->list[out->count++] = *address;
	note_proxy(address);
}

static bool make_literal(const struct endpoint *host, union gp_address *out)
{
	if (!gp_address_parse_host(host->host, out))
		return false;
	gp_address_set_port(out, host->port);
	return true;
}

static bool convert(GInetAddress *from, uint16_t port, union gp_address *out)
{
	bool ipv4 = g_inet_address_get_family(from) == G_SOCKET_FAMILY_IPV4;

	gp_address_from_octets(ipv4 ? AF_INET : AF_INET6, g_inet_address_to_bytes(from),
			       out);
	gp_address_set_port(out, port);
	/* A link-local IPv6 address needs its interface, for which `way` has no place. */
	return ipv4 || !g_inet_address_get_is_link_local(from);
}

static void take(struct search *search, GList *addresses)
{
	union gp_address address;

	for (GList *link = addresses; link; link = link->next)
		if (convert(link->data, search->hosts[search->next].port, &address))
			add(&search->found, &address);
	search->next++;
}

static void free_host(gpointer data)
{
	struct host *host = data;

	g_resolver_free_addresses(host->addresses);
	g_free(host->name);
	g_free(host);
}

static void fail(struct search *search, const char *name, const GError *error)
{
	search->next++;
	/* One line: the message may come from a resolver module. */
	snprintf(search->found.error, sizeof(search->found.error),
		 "the proxy's name %s has no address: %s", name, error->message);
	g_strdelimit(search->found.error, "\r\n", ' ');
}

static void resolved(GObject *source, GAsyncResult *result, gpointer data)
{
	struct host *host = data;
	GError *error = NULL;
	GQueue waiting = host->waiting;
	struct search *search;
	GList *found =
		g_resolver_lookup_by_name_finish(G_RESOLVER(source), result, &error);

	g_queue_init(&host->waiting);
	g_resolver_free_addresses(host->addresses);
	host->addresses = found;
	host->until = g_get_monotonic_time() + KEEP_SECONDS * G_USEC_PER_SEC;
	/* First all take what they need: going on may free `host`. */
	for (GList *link = waiting.head; link; link = link->next) {
		if (error)
			fail(link->data, host->name, error);
		else
			take(link->data, found);
	}
	if (error)
		log_warn("%s: %s", host->name, error->message);
	g_clear_error(&error);
	while ((search = g_queue_pop_head(&waiting)))
		advance(search);
}

static gboolean is_old(gpointer key, gpointer value, gpointer data)
{
	struct host *host = value;

	(void)key;
	(void)data;
	return !host->waiting.length && host->until < g_get_monotonic_time();
}

static struct host *need_host(const char *name)
{
	struct host *host;

	if (!hosts)
		hosts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_host);
	host = g_hash_table_lookup(hosts, name);
	if (host)
		return host;
	if (g_hash_table_size(hosts) >= MEMORY_MAX)
		g_hash_table_foreach_remove(hosts, is_old, NULL);
	host = g_new0(struct host, 1);
	host->name = g_strdup(name);
	g_hash_table_insert(hosts, host->name, host);
	return host;
}

/* False when the search now waits. */
static bool find_one(struct search *search)
{
	const struct endpoint *wanted = &search->hosts[search->next];
	union gp_address address;
	GResolver *resolver;
	struct host *host;

	if (make_literal(wanted, &address)) {
		add(&search->found, &address);
		search->next++;
		return true;
	}
	host = need_host(wanted->host);
	if (host->addresses && host->until > g_get_monotonic_time()) {
		take(search, host->addresses);
		return true;
	}
	g_queue_push_tail(&host->waiting, search);
	if (host->waiting.length > 1)
		return false;
	resolver = g_resolver_get_default();
	g_resolver_lookup_by_name_async(resolver, host->name, NULL, resolved, host);
	g_object_unref(resolver);
	return false;
}

static void advance(struct search *search)
{
	while (search->next < search->count)
		if (!find_one(search))
			return;
	search->done(search->data, &search->found);
	g_free(search);
}

void addresses_find(const struct endpoint *list, unsigned count,
		    void (*done)(void *data, const struct addresses *found), void *data)
{
	struct search *search =
		g_malloc0(sizeof(*search) + count * sizeof(search->hosts[0]));

	memcpy(search->hosts, list, count * sizeof(search->hosts[0]));
	search->count = count;
	search->done = done;
	search->data = data;
	advance(search);
}

bool addresses_is_proxy(const union gp_address *address)
{
	char text[GP_ADDRESS_MAX];

	if (!proxies)
		return false;
	gp_address_format(address, text);
	return g_hash_table_contains(proxies, text);
}

bool addresses_equal(const union gp_address *a, const union gp_address *b)
{
	if (a->sa.sa_family != b->sa.sa_family ||
	    gp_address_port(a) != gp_address_port(b))
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr);
}

void addresses_clear(void)
{
	g_clear_pointer(&hosts, g_hash_table_unref);
	g_clear_pointer(&proxies, g_hash_table_unref);
}
