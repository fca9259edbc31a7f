/* SPDX-License-Identifier: MIT */
/* The session store: credentials that live as long as the agent, for machines without a
 * keyring. */
#include "store.h"

#include <glib.h>

#include "credential.h"

struct item {
	struct endpoint proxy;
	struct credential *credential;
};

static GQueue items; /* the newest first */

static bool item_matches(const struct item *item, const struct endpoint *proxy,
			 const char *user)
{
	return endpoint_equal(&item->proxy, proxy) &&
	       (!user || !strcmp(user, item->credential->user));
}

static void find(const struct store_query *query, const struct store_caller *caller)
{
	for (GList *link = items.head; link; link = link->next) {
		struct item *item = link->data;

		if (!item_matches(item, &query->proxy, query->user))
			continue;
		caller->done(caller->data, STORE_FOUND, credential_ref(item->credential));
		return;
	}
	caller->done(caller->data, STORE_ABSENT, NULL);
}

void store_session_keep(const struct endpoint *proxy, struct credential *credential)
{
	struct item *item = g_new0(struct item, 1);

	store_session_remove(proxy, credential->user);
	item->proxy = *proxy;
	item->credential = credential_ref(credential);
	g_queue_push_head(&items, item);
}

void store_session_put(const struct endpoint *proxy, const char *user,
		       const char *password, size_t len)
{
	struct credential *credential =
		credential_new(CREDENTIAL_SESSION, proxy, user, password, len);

	store_session_keep(proxy, credential);
	credential_unref(credential);
}

unsigned store_session_remove(const struct endpoint *proxy, const char *user)
{
	unsigned count = 0;

	for (GList *link = items.head, *next; link; link = next) {
		struct item *item = link->data;

		next = link->next;
		if (!item_matches(item, proxy, user))
			continue;
		credential_unref(item->credential);
		g_free(item);
		g_queue_delete_link(&items, link);
		count++;
	}
	return count;
}

bool store_session_is_empty(void)
{
	return !items.head;
}

const struct store store_session = {"session", STORE_IS_PLAIN, false, find};
