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

/* How long a look-up may keep a connection waiting that would be direct otherwise. A file
 * answers in a millisecond, and under load in a hundred; a resolver asks a name server
 * again after five seconds, and then everybody waits in vain. */
#define SOON_MS 1000

/* How long an address counts as a proxy's after it was last found for it: names that
 * rotate give another one every minute, a proxy that has moved leaves its address to
 * others. */
#define KNOWN_SECONDS 3600

/* Hosts and addresses remembered; above it we begin anew. */
#define MEMORY_MAX 1024

struct search {
	unsigned count, next; /* hosts, and the first one not done */
	struct addresses found;
	bool soon; /* one that is not to wait for long */
	guint timer;
	void (*done)(void *data, const struct addresses *found);
	void *data;
	struct endpoint hosts[];
};

struct host {
	char *name;
	GList *addresses; /* of GInetAddress */
	gint64 until;     /* monotonic time; valid if `addresses` */
	gint64 asked;     /* of the last look-up; 0: none yet */
	bool under_way;
	GQueue waiting; /* of struct search */
};

/* Whose address it is. */
struct known {
	struct endpoint proxy;
	gint64 until;
};

static GHashTable *hosts;   /* name -> struct host */
static GHashTable *proxies; /* "address:port" -> struct known */

static void advance(struct search *search);

static void note_proxy(const union gp_address *address, const struct endpoint *proxy)
{
	char text[GP_ADDRESS_MAX];
	struct known *known = g_new0(struct known, 1);

	if (!proxies)
		proxies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	gp_address_format(address, text);
	if (g_hash_table_size(proxies) >= MEMORY_MAX)
		g_hash_table_remove_all(proxies);
	known->proxy = *proxy;
	known->until = g_get_monotonic_time() + (gint64)KNOWN_SECONDS * G_USEC_PER_SEC;
	g_hash_table_replace(proxies, g_strdup(text), known);
}

static void add(struct search *search, union gp_address *address)
{
	const struct endpoint *host = &search->hosts[search->next];
	struct addresses *out = &search->found;

	gp_address_unmap(address);
	note_proxy(address, host);
	for (unsigned i = 0; i < out->count; i++)
		if (addresses_equal(&out->list[i], address))
			return;
	if (out->count < G_N_ELEMENTS(out->list))
		out->list[out->count++] = *address;
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
			add(search, &address);
	search->next++;
}

static void free_host(gpointer data)
{
	struct host *host = data;

	g_resolver_free_addresses(host->addresses);
	g_free(host->name);
	g_free(host);
}

static void fail(struct search *search, const char *why)
{
	/* One line: the message may come from a resolver module. */
	snprintf(search->found.error, sizeof(search->found.error),
		 "the proxy's name %s has no address: %s",
		 search->hosts[search->next].host, why);
	g_strdelimit(search->found.error, "\r\n", ' ');
	search->next++;
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
	host->under_way = false;
	g_resolver_free_addresses(host->addresses);
	host->addresses = found;
	host->until = g_get_monotonic_time() + KEEP_SECONDS * G_USEC_PER_SEC;
	/* First all take what they need: going on may free `host`. */
	for (GList *link = waiting.head; link; link = link->next) {
		if (error)
			fail(link->data, error->message);
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
	return !host->under_way && host->until < g_get_monotonic_time();
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

static void look_up(struct host *host)
{
	GResolver *resolver = g_resolver_get_default();

	host->under_way = true;
	host->asked = g_get_monotonic_time();
	g_resolver_lookup_by_name_async(resolver, host->name, NULL, resolved, host);
	g_object_unref(resolver);
}

/* Has somebody who is not to wait for long waited in vain lately? */
static bool is_hopeless(const struct host *host)
{
	gint64 age = g_get_monotonic_time() - host->asked;

	if (host->under_way)
		return age >= SOON_MS * (G_USEC_PER_SEC / 1000);
	return host->asked && !host->addresses && age < KEEP_SECONDS * G_USEC_PER_SEC;
}

static gboolean time_over(gpointer data);

static void wait_for(struct search *search, struct host *host)
{
	g_queue_push_tail(&host->waiting, search);
	if (search->soon)
		search->timer = g_timeout_add(SOON_MS, time_over, search);
	if (!host->under_way)
		look_up(host);
}

/* False when the search now waits. */
static bool find_one(struct search *search)
{
	const struct endpoint *wanted = &search->hosts[search->next];
	union gp_address address;
	struct host *host;

	if (make_literal(wanted, &address)) {
		add(search, &address);
		search->next++;
		return true;
	}
	host = need_host(wanted->host);
	if (host->addresses && host->until > g_get_monotonic_time()) {
		take(search, host->addresses);
		return true;
	}
	if (search->soon && is_hopeless(host)) {
		fail(search, "there was no answer lately");
		return true;
	}
	wait_for(search, host);
	return false;
}

static void finish(struct search *search)
{
	if (search->timer)
		g_source_remove(search->timer);
	search->done(search->data, &search->found);
	g_free(search);
}

static void advance(struct search *search)
{
	while (search->next < search->count)
		if (!find_one(search))
			return;
	finish(search);
}

static gboolean time_over(gpointer data)
{
	struct search *search = data;

	search->timer = 0;
	g_queue_remove(&need_host(search->hosts[search->next].host)->waiting, search);
	fail(search, "no name server answers");
	finish(search);
	return G_SOURCE_REMOVE;
}

static struct search *new_search(const struct endpoint *list, unsigned count,
				 void (*done)(void *data, const struct addresses *found),
				 void *data)
{
	struct search *search =
		g_malloc0(sizeof(*search) + count * sizeof(search->hosts[0]));

	memcpy(search->hosts, list, count * sizeof(search->hosts[0]));
	search->count = count;
	search->done = done;
	search->data = data;
	return search;
}

void addresses_find(const struct endpoint *list, unsigned count,
		    void (*done)(void *data, const struct addresses *found), void *data)
{
	advance(new_search(list, count, done, data));
}

void addresses_find_soon(const struct endpoint *host,
			 void (*done)(void *data, const struct addresses *found),
			 void *data)
{
	struct search *search = new_search(host, 1, done, data);

	search->soon = true;
	advance(search);
}

bool addresses_is_proxy(const union gp_address *address, struct endpoint *out)
{
	char text[GP_ADDRESS_MAX];
	const struct known *known;

	gp_address_format(address, text);
	known = proxies ? g_hash_table_lookup(proxies, text) : NULL;
	if (!known || known->until <= g_get_monotonic_time())
		return false;
	*out = known->proxy;
	return true;
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
