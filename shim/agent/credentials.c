/* SPDX-License-Identifier: MIT */
/*
 * Finds the credential for a proxy. Questions to a slow store are shared: those that come
 * while the same one is under way join it. What was found is remembered for a while; a
 * rejected one is not served from memory, so that a changed password is noticed even
 * where the keyring sends no signals.
 */
#include "credentials.h"

#include <string.h>

#include <glib.h>

#include "credential.h"

/* A bound for keyrings that change without a signal. */
#define KEEP_SECONDS 300

struct find {
	struct store_query query;
	struct credential *url;
	struct credential_caller caller;
	struct credential_answer answer;
	uint8_t scheme;
	unsigned step; /* the next store */
};

/* One question to a slow store, with all who wait for its answer. */
struct flight {
	char *key;
	const struct store *store;
	unsigned generation;
	unsigned prompt_seconds; /* 0: nobody is being asked */
	GQueue finds;
};

struct remembered {
	struct credential *credential;
	gint64 until;
};

static const struct store *const default_stores[] = {&store_session, &store_secret,
						     &store_helper, &store_askpass, NULL};
static const struct store *const *stores = default_stores;
static GHashTable *flights; /* key -> struct flight */
static GHashTable *memory;  /* key -> struct remembered */
static unsigned generation; /* of what the stores contain */

static void proceed(struct find *find);

static void free_remembered(gpointer data)
{
	struct remembered *remembered = data;

	credential_unref(remembered->credential);
	g_free(remembered);
}

static void init(void)
{
	if (flights)
		return;
	flights = g_hash_table_new(g_str_hash, g_str_equal);
	memory = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_remembered);
}

static void finish(struct find *find, struct credential *credential)
{
	find->answer.credential = credential;
	find->caller.found(find->caller.data, &find->answer);
	credential_unref(find->answer.rejected);
	credential_unref(find->url);
	g_free(find->query.user);
	g_free(find);
}

static bool is_rejected(const struct find *find, const struct credential *credential)
{
	struct verdict_id id = credential->id;

	id.scheme = find->scheme;
	return verdicts_get(&id) == VERDICT_REJECTED;
}

/* Takes no reference. True if the search is over. */
static bool consider(struct find *find, struct credential *credential)
{
	if (!credential)
		return false;
	if (!is_rejected(find, credential)) {
		finish(find, credential);
		return true;
	}
	if (!find->answer.rejected)
		find->answer.rejected = credential_ref(credential);
	return false;
}

/* The memory's key has no `may_prompt`: what was found is the same. */
static char *make_key(const struct store *store, const struct store_query *query)
{
	char proxy[GP_AUTHORITY_MAX + 1];

	endpoint_text(&query->proxy, proxy);
	return g_strconcat(store->name, " ", proxy, " ", query->user, NULL);
}

static void remember(const struct flight *flight, struct credential *credential)
{
	const struct find *first = flight->finds.head->data;
	struct remembered *remembered;

	if (!credential || !flight->store->is_remembered ||
	    flight->generation != generation)
		return;
	remembered = g_new0(struct remembered, 1);
	remembered->credential = credential_ref(credential);
	remembered->until = g_get_monotonic_time() + KEEP_SECONDS * G_USEC_PER_SEC;
	g_hash_table_replace(memory, make_key(flight->store, &first->query), remembered);
}

static void note_state(struct find *find, const struct store *store,
		       enum store_state state)
{
	if (store->kind == STORE_IS_PERSON)
		find->answer.person = state;
	if (store->kind != STORE_IS_KEYRING)
		return;
	find->answer.keyring = state;
	/* Whoever has just closed one window does not want the next. */
	if (state == STORE_DISMISSED)
		find->query.may_prompt = false;
}

static void landed(void *data, enum store_state state, struct credential *credential)
{
	struct flight *flight = data;
	struct find *find;

	g_hash_table_remove(flights, flight->key);
	remember(flight, credential);
	while ((find = g_queue_pop_head(&flight->finds))) {
		note_state(find, flight->store, state);
		if (consider(find, credential))
			continue;
		if (state == STORE_FINAL)
			finish(find, NULL);
		else
			proceed(find);
	}
	credential_unref(credential);
	g_free(flight->key);
	g_free(flight);
}

static void tell_prompting(struct find *find, unsigned seconds)
{
	if (find->caller.prompting)
		find->caller.prompting(find->caller.data, seconds);
}

static void prompting(void *data, unsigned seconds)
{
	struct flight *flight = data;

	flight->prompt_seconds = seconds;
	for (GList *link = flight->finds.head; link; link = link->next)
		tell_prompting(link->data, seconds);
}

static void board(struct find *find, const struct store *store)
{
	char *base = make_key(store, &find->query);
	bool prompts = find->query.may_prompt && store->kind != STORE_IS_PLAIN;
	char *key = g_strconcat(prompts ? "+" : "-", base, NULL);
	struct flight *flight = g_hash_table_lookup(flights, key);
	struct store_caller caller = {prompting, landed, NULL};

	g_free(base);
	if (flight) {
		g_queue_push_tail(&flight->finds, find);
		if (flight->prompt_seconds)
			tell_prompting(find, flight->prompt_seconds);
		g_free(key);
		return;
	}
	flight = g_new0(struct flight, 1);
	flight->key = key;
	flight->store = store;
	flight->generation = generation;
	g_queue_push_tail(&flight->finds, find);
	g_hash_table_insert(flights, flight->key, flight);
	caller.data = flight;
	store->find(&find->query, &caller);
}

/* True if the search is over. A rejected credential is no answer from memory: the store
 * may have a new one. */
static bool recall(struct find *find, const struct store *store)
{
	char *key = make_key(store, &find->query);
	struct remembered *remembered = g_hash_table_lookup(memory, key);
	struct credential *credential;

	g_free(key);
	if (!remembered || remembered->until <= g_get_monotonic_time() ||
	    credential_is_expired(remembered->credential) ||
	    is_rejected(find, remembered->credential))
		return false;
	note_state(find, store, STORE_FOUND);
	/* The callback may empty the memory. */
	credential = credential_ref(remembered->credential);
	finish(find, credential);
	credential_unref(credential);
	return true;
}

/* What a later store gave counts as long as the memory lives: the ones before had
 * nothing, and tell when that changes. */
static bool recall_any(struct find *find)
{
	for (unsigned i = find->step; stores[i]; i++)
		if (stores[i]->is_remembered && recall(find, stores[i]))
			return true;
	return false;
}

static void proceed(struct find *find)
{
	const struct store *store = stores[find->step];

	if (!store) {
		finish(find, NULL);
		return;
	}
	if (store->is_remembered && recall_any(find))
		return;
	find->step++;
	board(find, store);
}

void credentials_find(const struct credential_query *query,
		      const struct credential_caller *caller)
{
	struct find *find = g_new0(struct find, 1);

	init();
	find->query.proxy = *query->proxy;
	find->query.user = g_strdup(query->user);
	find->query.may_prompt = query->may_prompt;
	find->scheme = query->scheme;
	find->url = credential_ref(query->url);
	find->caller = *caller;
	if (!consider(find, find->url))
		proceed(find);
}

void credentials_refresh(void)
{
	init();
	generation++;
	g_hash_table_remove_all(memory);
}

void credentials_set_stores(const struct store *const *list)
{
	stores = list ? list : default_stores;
	credentials_refresh();
}
