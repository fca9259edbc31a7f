/* SPDX-License-Identifier: MIT */
/* Stores and removes a proxy's entries in the keyring. */
#include "keyring.h"

#include "credentials.h"
#include "log.h"
#include "secret.h"

/* Seahorse shows entries of this schema with server and user. */
static const SecretSchema schema = {
	"org.gnome.keyring.NetworkPassword",
	SECRET_SCHEMA_NONE,
	{
		{"protocol", SECRET_SCHEMA_ATTRIBUTE_STRING},
		{"server", SECRET_SCHEMA_ATTRIBUTE_STRING},
		{"port", SECRET_SCHEMA_ATTRIBUTE_STRING},
		{"user", SECRET_SCHEMA_ATTRIBUTE_STRING},
		{NULL, 0},
	},
	0,
	NULL,
	NULL,
	NULL,
	NULL,
	NULL,
	NULL,
	NULL,
};

struct write {
	struct keyring_call call; /* the first member */
	struct store_writer writer;
	struct endpoint proxy;
	char *user;
	struct secret *password; /* of put */
	SecretService *service;
	GList *items; /* of remove: left to delete */
	unsigned count;
};

static void free_write(struct write *write)
{
	keyring_call_release(&write->call);
	g_clear_object(&write->service);
	g_list_free_full(write->items, g_object_unref);
	secret_free(write->password);
	g_free(write->user);
	g_free(write);
}

static void answer(struct write *write, enum store_state state, const char *text)
{
	credentials_refresh();
	write->writer.done(write->writer.data, state, write->count, text);
}

static void finish(struct write *write, enum store_state state, const char *text)
{
	answer(write, state, text);
	free_write(write);
}

static bool is_no_collection(const GError *error)
{
	return g_error_matches(error, SECRET_ERROR, SECRET_ERROR_NO_SUCH_OBJECT) ||
	       g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD) ||
	       g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT);
}

static void fail(struct write *write, GError *error)
{
	enum store_state state = keyring_state_of(error);
	const char *text = error->message;

	/* libsecret says "locked" of a question that was put and not answered, too. */
	if (state == STORE_LOCKED && keyring_has_display())
		state = STORE_DISMISSED;
	log_warn("keyring: %s", error->message);
	if (is_no_collection(error)) {
		state = STORE_ERROR;
		text = "there is no default keyring: log in to the desktop once, make "
		       "one "
		       "with Seahorse, or use --session";
	}
	finish(write, state, text);
	g_error_free(error);
}

/* Of a step: true if it came in time and without error, else the write has ended. */
static bool is_on_course(struct write *write, GError *error)
{
	if (!keyring_call_returned(&write->call)) {
		g_clear_error(&error);
		free_write(write);
		return false;
	}
	if (error)
		fail(write, error);
	return !error;
}

static void call_expired(struct keyring_call *call)
{
	log_warn("keyring: no answer for %d seconds", KEYRING_CALL_SECONDS);
	keyring_call_cancel(call);
	answer((struct write *)call, STORE_ERROR, "the keyring does not answer");
}

/* Storing waits for nothing but a prompt. */
static void store_expired(struct keyring_call *call)
{
	keyring_call_cancel(call);
	answer((struct write *)call,
	       keyring_has_display() ? STORE_DISMISSED : STORE_LOCKED, NULL);
}

static void stored(GObject *source, GAsyncResult *result, gpointer data)
{
	struct write *write = data;
	GError *error = NULL;
	gboolean ok = secret_service_store_finish(SECRET_SERVICE(source), result, &error);

	if (is_on_course(write, error))
		finish(write, ok ? STORE_FOUND : STORE_DISMISSED, NULL);
}

static void store(struct write *write)
{
	const bool display = keyring_has_display();
	GHashTable *attributes =
		keyring_attributes(write->proxy.host, &write->proxy.port, write->user);
	char proxy[GP_AUTHORITY_MAX + 1];
	SecretValue *value;
	char *label;

	endpoint_text(&write->proxy, proxy);
	label = g_strconcat("Proxy ", proxy, NULL);
	value = secret_value_new(write->password->bytes, (gssize)write->password->len,
				 "text/plain");
	if (display)
		write->writer.prompting(write->writer.data, KEYRING_PROMPT_SECONDS);
	keyring_call_arm(&write->call,
			 display ? KEYRING_PROMPT_SECONDS : KEYRING_CALL_SECONDS,
			 store_expired);
	secret_service_store(write->service, &schema, attributes,
			     SECRET_COLLECTION_DEFAULT, label, value,
			     write->call.cancellable, stored, write);
	secret_value_unref(value);
	g_free(label);
	g_hash_table_unref(attributes);
}

static void service_returned(GObject *source, GAsyncResult *result, gpointer data)
{
	struct write *write = data;
	GError *error = NULL;

	(void)source;
	write->service = secret_service_get_finish(result, &error);
	if (!is_on_course(write, error))
		return;
	keyring_watch(write->service);
	store(write);
}

static struct write *new_write(const struct endpoint *proxy, const char *user,
			       const struct store_writer *writer)
{
	struct write *write = g_new0(struct write, 1);

	write->proxy = *proxy;
	write->user = g_strdup(user);
	write->writer = *writer;
	return write;
}

void store_secret_put(const struct endpoint *proxy, const char *user,
		      struct secret *password, const struct store_writer *writer)
{
	struct write *write = new_write(proxy, user, writer);

	write->password = password;
	if (!keyring_has_bus()) {
		finish(write, STORE_NO_BUS, NULL);
		return;
	}
	if (!g_utf8_validate(user, -1, NULL)) {
		finish(write, STORE_ERROR,
		       "it takes user names in UTF-8 only: use --session");
		return;
	}
	keyring_call_arm(&write->call, KEYRING_CALL_SECONDS, call_expired);
	secret_service_get(SECRET_SERVICE_OPEN_SESSION, write->call.cancellable,
			   service_returned, write);
}

static void delete_next(struct write *write);

static void deleted(GObject *source, GAsyncResult *result, gpointer data)
{
	struct write *write = data;
	GError *error = NULL;
	gboolean ok = secret_item_delete_finish(SECRET_ITEM(source), result, &error);

	write->count += ok ? 1 : 0;
	if (is_on_course(write, error))
		delete_next(write);
}

static void delete_next(struct write *write)
{
	SecretItem *item = write->items ? write->items->data : NULL;

	if (!item) {
		finish(write, STORE_FOUND, NULL);
		return;
	}
	write->items = g_list_delete_link(write->items, write->items);
	keyring_call_arm(&write->call, KEYRING_CALL_SECONDS, call_expired);
	secret_item_delete(item, write->call.cancellable, deleted, write);
	g_object_unref(item);
}

static void searched(void *data, enum store_state state, GList *items)
{
	struct write *write = data;

	if (state != STORE_FOUND) {
		finish(write, state == STORE_ABSENT ? STORE_FOUND : state, NULL);
		return;
	}
	for (; items; items = items->next)
		write->items = g_list_prepend(write->items, g_object_ref(items->data));
	delete_next(write);
}

static void prompting(void *data, unsigned seconds)
{
	struct write *write = data;

	write->writer.prompting(write->writer.data, seconds);
}

void store_secret_remove(const struct endpoint *proxy, const char *user,
			 const struct store_writer *writer)
{
	struct write *write = new_write(proxy, user, writer);
	const struct keyring_search search = {
		.proxy = *proxy,
		.user = g_strdup(user),
		.may_prompt = true,
		.exact = true,
		.prompting = prompting,
		.done = searched,
		.data = write,
	};

	keyring_search(&search);
}
