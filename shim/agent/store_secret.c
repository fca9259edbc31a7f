/* SPDX-License-Identifier: MIT */
/* The desktop's keyring as a store of credentials, through the Secret Service. */
#include "store.h"

#include "credential.h"
#include "keyring.h"

struct find {
	struct store_caller caller;
	struct endpoint proxy;
	char *user;
};

static SecretItem *newest(GList *items)
{
	SecretItem *best = NULL;

	for (GList *link = items; link; link = link->next) {
		SecretItem *item = link->data;

		if (!best ||
		    secret_item_get_modified(item) > secret_item_get_modified(best))
			best = item;
	}
	return best;
}

static const char *attribute(GHashTable *attributes, const char *name)
{
	return attributes ? g_hash_table_lookup(attributes, name) : NULL;
}

static struct credential *make_credential(const struct find *find, SecretItem *item)
{
	GHashTable *attributes = secret_item_get_attributes(item);
	SecretValue *value = secret_item_get_secret(item);
	const char *user = attribute(attributes, "user");
	struct credential *credential = NULL;
	const char *password;
	gsize len;

	if (value) {
		password = secret_value_get(value, &len);
		/* "echo PASSWORD | secret-tool store" stores the newline too. */
		if (len && password[len - 1] == '\n')
			len--;
		if (!user)
			user = find->user ? find->user : "";
		credential = credential_new_in_domain(CREDENTIAL_KEYRING, &find->proxy,
						      attribute(attributes, "domain"),
						      user, password, len);
		secret_value_unref(value);
	}
	if (attributes)
		g_hash_table_unref(attributes);
	return credential;
}

static void searched(void *data, enum store_state state, GList *items)
{
	struct find *find = data;
	struct credential *credential = NULL;

	if (state == STORE_FOUND) {
		credential = make_credential(find, newest(items));
		/* Locked again between the search and the reading. */
		if (!credential)
			state = STORE_LOCKED;
	}
	find->caller.done(find->caller.data, state, credential);
	g_free(find->user);
	g_free(find);
}

static void prompting(void *data, unsigned seconds)
{
	struct find *find = data;

	find->caller.prompting(find->caller.data, seconds);
}

static void start_find(const struct store_query *query, const struct store_caller *caller)
{
	struct find *find = g_new0(struct find, 1);
	const struct keyring_search search = {
		.proxy = query->proxy,
		.user = g_strdup(query->user),
		.may_prompt = query->may_prompt,
		.load_secrets = true,
		.prompting = prompting,
		.done = searched,
		.data = find,
	};

	find->caller = *caller;
	find->proxy = query->proxy;
	find->user = g_strdup(query->user);
	keyring_search(&search);
}

const struct store store_secret = {"keyring", STORE_IS_KEYRING, true, start_find};
