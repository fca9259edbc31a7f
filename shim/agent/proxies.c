/* SPDX-License-Identifier: MIT */
/* What has been learnt of each proxy. */
#include "proxies.h"

#include "endpoint.h"

/* Users have one proxy or a few; above this something makes them up. */
#define PROXIES_MAX 256

/* A scheme that does not work costs a new connection each time it is tried; a proxy is
 * not mended every minute. */
#define UNFIT_SECONDS 600

static GHashTable *proxies; /* "host:port" -> struct proxy */

static void free_proxy(gpointer data)
{
	struct proxy *proxy = data;

	if (proxy->challenges)
		g_ptr_array_unref(proxy->challenges);
	g_free(proxy->error);
	g_free(proxy);
}

struct proxy *proxies_get(const struct endpoint *endpoint)
{
	char key[GP_AUTHORITY_MAX + 1];
	struct proxy *proxy;

	endpoint_text(endpoint, key);
	if (!proxies)
		proxies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						free_proxy);
	proxy = g_hash_table_lookup(proxies, key);
	if (proxy)
		return proxy;
	if (g_hash_table_size(proxies) >= PROXIES_MAX)
		g_hash_table_remove_all(proxies);
	proxy = g_new0(struct proxy, 1);
	g_hash_table_insert(proxies, g_strdup(key), proxy);
	return proxy;
}

void proxies_ask(const struct endpoint *endpoint, GPtrArray *challenges, bool complete)
{
	struct proxy *proxy = proxies_get(endpoint);

	if (proxy->complete && !complete) {
		g_ptr_array_unref(challenges);
		return;
	}
	if (proxy->challenges)
		g_ptr_array_unref(proxy->challenges);
	proxy->challenges = challenges;
	proxy->complete = complete;
}

void proxies_set_unfit(const struct endpoint *endpoint, uint8_t scheme)
{
	struct proxy *proxy = proxies_get(endpoint);

	proxy->unfit |= 1u << scheme;
	proxy->accepted &= ~(1u << scheme);
	proxy->retry = g_get_monotonic_time() + UNFIT_SECONDS * G_USEC_PER_SEC;
}

unsigned proxies_unfit(const struct endpoint *endpoint)
{
	struct proxy *proxy = proxies_get(endpoint);

	if (proxy->retry <= g_get_monotonic_time())
		proxy->unfit = 0;
	return proxy->unfit;
}

void proxies_accepted(const struct endpoint *endpoint, uint8_t scheme)
{
	proxies_get(endpoint)->accepted |= 1u << scheme;
}

void proxies_outcome(const struct endpoint *endpoint, int status, const char *error)
{
	struct proxy *proxy = proxies_get(endpoint);

	proxy->status = status;
	g_free(proxy->error);
	proxy->error = g_strdup(error);
	proxy->time = g_get_real_time() / G_USEC_PER_SEC;
}
