/* SPDX-License-Identifier: MIT */
/* Notifications on the desktop. */
#include "notify.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <gio/gio.h>

#include "config.h"
#include "endpoint.h"
#include "keyring.h"
#include "log.h"

#define CALL_MS 5000

/* As of proxies.c. */
#define NOTICES_MAX 256

/* About which a person can do something. */
static const char *const reasons[] = {"rejected", "no-credential", "locked"};

/* What a person was told of one proxy. */
struct notice {
	unsigned told;  /* a bit for each reason */
	uint32_t shown; /* the server's number; 0: nothing */
};

/* A notification on its way. */
struct message {
	char *proxy;
	char *text;
};

static GHashTable *notices; /* "host:port" -> struct notice */

/* 0: not worth telling. */
static unsigned bit_of(const char *reason)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(reasons); i++)
		if (!strcmp(reason, reasons[i]))
			return 1u << i;
	return 0;
}

static void free_message(struct message *message)
{
	g_free(message->proxy);
	g_free(message->text);
	g_free(message);
}

static void shown(GObject *source, GAsyncResult *result, gpointer data)
{
	struct message *message = data;
	struct notice *notice = g_hash_table_lookup(notices, message->proxy);
	GError *error = NULL;
	GVariant *reply =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

	if (reply) {
		if (notice)
			g_variant_get(reply, "(u)", &notice->shown);
		g_variant_unref(reply);
	} else {
		log_debug("no notification: %s", error->message);
		g_error_free(error);
	}
	free_message(message);
}

static void show(GDBusConnection *connection, struct message *message)
{
	const struct notice *notice = g_hash_table_lookup(notices, message->proxy);
	GVariantBuilder hints;

	g_variant_builder_init(&hints, G_VARIANT_TYPE("a{sv}"));
	g_variant_builder_add(&hints, "{sv}", "category",
			      g_variant_new_string("network.error"));
	/* Without a screen a server would be started in vain. */
	g_dbus_connection_call(
		connection, "org.freedesktop.Notifications",
		"/org/freedesktop/Notifications", "org.freedesktop.Notifications",
		"Notify",
		g_variant_new("(susssasa{sv}i)", "gatepass", notice ? notice->shown : 0,
			      "dialog-password", "The network needs a password",
			      message->text, NULL, &hints, -1),
		G_VARIANT_TYPE("(u)"),
		keyring_has_display() ? G_DBUS_CALL_FLAGS_NONE
				      : G_DBUS_CALL_FLAGS_NO_AUTO_START,
		CALL_MS, NULL, shown, message);
}

static void connected(GObject *source, GAsyncResult *result, gpointer data)
{
	struct message *message = data;
	GError *error = NULL;
	GDBusConnection *connection = g_bus_get_finish(result, &error);

	(void)source;
	if (!connection) {
		log_debug("no notification: %s", error->message);
		g_error_free(error);
		free_message(message);
		return;
	}
	/* GLib would end us with the bus. */
	g_dbus_connection_set_exit_on_close(connection, FALSE);
	show(connection, message);
	/* GLib keeps it as long as the call lasts; it is made anew when it is needed. */
	g_object_unref(connection);
}

static struct notice *need_notice(const char *proxy)
{
	struct notice *notice;

	if (!notices)
		notices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	notice = g_hash_table_lookup(notices, proxy);
	if (notice)
		return notice;
	if (g_hash_table_size(notices) >= NOTICES_MAX)
		g_hash_table_remove_all(notices);
	notice = g_new0(struct notice, 1);
	g_hash_table_insert(notices, g_strdup(proxy), notice);
	return notice;
}

void notify_person(const struct endpoint *proxy, const char *reason, const char *text)
{
	const unsigned bit = bit_of(reason);
	char name[GP_AUTHORITY_MAX + 1];
	struct notice *notice;
	struct message *message;

	if (!bit || !config_own()->notifications || !keyring_has_bus())
		return;
	endpoint_text(proxy, name);
	notice = need_notice(name);
	if (notice->told & bit)
		return;
	notice->told |= bit;
	message = g_new0(struct message, 1);
	message->proxy = g_strdup(name);
	message->text = g_strdup(text);
	g_bus_get(G_BUS_TYPE_SESSION, NULL, connected, message);
}

void notify_forget(const struct endpoint *proxy)
{
	char name[GP_AUTHORITY_MAX + 1];
	struct notice *notice;

	endpoint_text(proxy, name);
	notice = notices ? g_hash_table_lookup(notices, name) : NULL;
	if (notice)
		notice->told = 0;
}
