/* SPDX-License-Identifier: MIT */
/* What the agent's uses of the Secret Service have in common. */
#include "keyring.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include <gio/gio.h>

#include "credentials.h"
#include "log.h"

static GDBusConnection *watched;
static enum store_state refusal;
static unsigned overdue; /* searches whose answer is late */

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value && value[0];
}

bool keyring_has_bus(void)
{
	const char *address = getenv("DBUS_SESSION_BUS_ADDRESS");
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char *path, *escaped;

	if (address && address[0])
		return !g_str_has_prefix(address, "autolaunch:");
	if (!runtime || runtime[0] != '/')
		return false;
	path = g_build_filename(runtime, "bus", NULL);
	if (access(path, F_OK)) {
		g_free(path);
		return false;
	}
	escaped = g_dbus_address_escape_value(path);
	g_free(path);
	path = g_strconcat("unix:path=", escaped, NULL);
	setenv("DBUS_SESSION_BUS_ADDRESS", path, 1);
	g_free(escaped);
	g_free(path);
	return true;
}

bool keyring_has_display(void)
{
	return is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
}

static gboolean expire(gpointer data)
{
	struct keyring_call *call = data;

	call->timer = 0;
	call->expired = true;
	call->on_expired(call);
	return G_SOURCE_REMOVE;
}

void keyring_call_arm(struct keyring_call *call, unsigned seconds,
		      void (*on_expired)(struct keyring_call *call))
{
	if (!call->cancellable)
		call->cancellable = g_cancellable_new();
	if (call->timer)
		g_source_remove(call->timer);
	call->on_expired = on_expired;
	call->timer = g_timeout_add_seconds(seconds, expire, call);
}

bool keyring_call_returned(struct keyring_call *call)
{
	if (call->timer)
		g_source_remove(call->timer);
	call->timer = 0;
	return !call->expired;
}

void keyring_call_release(struct keyring_call *call)
{
	if (call->timer)
		g_source_remove(call->timer);
	g_clear_object(&call->cancellable);
}

void keyring_call_cancel(struct keyring_call *call)
{
	g_cancellable_cancel(call->cancellable);
}

enum store_state keyring_state_of(const GError *error)
{
	if (error->domain == SECRET_ERROR && error->code == SECRET_ERROR_IS_LOCKED)
		return STORE_LOCKED;
	if (error->domain == G_DBUS_ERROR &&
	    (error->code == G_DBUS_ERROR_SERVICE_UNKNOWN ||
	     error->code == G_DBUS_ERROR_NAME_HAS_NO_OWNER ||
	     (error->code >= G_DBUS_ERROR_SPAWN_EXEC_FAILED &&
	      error->code <= G_DBUS_ERROR_SPAWN_NO_MEMORY)))
		return STORE_NO_SERVICE;
	/* Before the first connection: a dead or malformed address, a stale socket. */
	if (!watched && (error->domain == G_IO_ERROR || error->domain == G_DBUS_ERROR) &&
	    !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_DBUS_ERROR))
		return STORE_NO_BUS;
	return STORE_ERROR;
}

static void forget_service(void)
{
	secret_service_disconnect();
	credentials_refresh();
}

static void bus_closed(GDBusConnection *connection, gboolean vanished, GError *error,
		       gpointer data)
{
	(void)vanished;
	(void)error;
	(void)data;
	log_info("the session bus has closed the connection");
	forget_service();
	if (connection == watched)
		g_clear_object(&watched);
}

static void changed(GDBusConnection *connection, const char *sender, const char *path,
		    const char *interface, const char *signal, GVariant *parameters,
		    gpointer data)
{
	(void)connection;
	(void)sender;
	(void)parameters;
	(void)data;
	log_debug("keyring: %s of %s, %s", signal, path, interface);
	refusal = STORE_NOT_ASKED;
	if (!g_strcmp0(signal, "NameOwnerChanged"))
		forget_service();
	else
		credentials_refresh();
}

void keyring_watch(SecretService *service)
{
	static const struct {
		const char *sender, *interface, *signal, *arg0;
	} signals[] = {
		{"org.freedesktop.secrets", "org.freedesktop.Secret.Collection", NULL,
		 NULL},
		{"org.freedesktop.secrets", "org.freedesktop.Secret.Service", NULL, NULL},
		{"org.freedesktop.secrets", "org.freedesktop.DBus.Properties",
		 "PropertiesChanged", NULL},
		{"org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged",
		 "org.freedesktop.secrets"},
	};
	GDBusConnection *connection = g_dbus_proxy_get_connection(G_DBUS_PROXY(service));

	if (connection == watched)
		return;
	g_clear_object(&watched);
	watched = g_object_ref(connection);
	/* GLib would end us with the bus; there are other stores than the keyring. */
	g_dbus_connection_set_exit_on_close(connection, FALSE);
	g_signal_connect(connection, "closed", G_CALLBACK(bus_closed), NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
		g_dbus_connection_signal_subscribe(
			connection, signals[i].sender, signals[i].interface,
			signals[i].signal, NULL, signals[i].arg0,
			G_DBUS_SIGNAL_FLAGS_NONE, changed, NULL, NULL);
}

enum store_state keyring_refusal(void)
{
	return refusal;
}

void keyring_set_refusal(enum store_state state)
{
	refusal = state;
}

bool keyring_is_silent(void)
{
	return overdue > 0;
}

void keyring_note_overdue(bool is)
{
	if (is)
		overdue++;
	else
		overdue--;
}

GHashTable *keyring_attributes(const char *server, const uint16_t *port, const char *user)
{
	GHashTable *attributes =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

	/* Not "http": git erases an entry of that protocol when a server says 407. */
	g_hash_table_insert(attributes, (char *)"protocol", g_strdup("http-proxy"));
	g_hash_table_insert(attributes, (char *)"server", g_strdup(server));
	if (port)
		g_hash_table_insert(attributes, (char *)"port",
				    g_strdup_printf("%" PRIu16, *port));
	if (user)
		g_hash_table_insert(attributes, (char *)"user", g_strdup(user));
	return attributes;
}
