/* SPDX-License-Identifier: MIT */
/*
 * Environment variables: which of them travel.
 */
#include "variables.h"

#include <stdlib.h>
#include <unistd.h>

#include <glib.h>
#include <gatepass/wire.h>

static const char *either(const char *name, const char *other)
{
	const char *value = getenv(name);

	return value ? value : getenv(other);
}

void variables_add(struct gp_buf *message)
{
	/* The client of a CGI program chooses HTTP_PROXY, by a header named Proxy. */
	const char *http = getenv("REQUEST_METHOD") ? getenv("http_proxy")
						    : either("http_proxy", "HTTP_PROXY");

	gp_wire_add(message, "gatepass-proxy", getenv("GATEPASS_PROXY"));
	gp_wire_add(message, "gatepass-no-proxy", getenv("GATEPASS_NO_PROXY"));
	gp_wire_add(message, "gatepass-config", getenv("GATEPASS_CONFIG"));
	gp_wire_add(message, "http-proxy", http);
	gp_wire_add(message, "https-proxy", either("https_proxy", "HTTPS_PROXY"));
	gp_wire_add(message, "all-proxy", either("all_proxy", "ALL_PROXY"));
	gp_wire_add(message, "no-proxy", either("no_proxy", "NO_PROXY"));
}

static bool is_inherited(const char *variable)
{
	static const char *const names[] = {
		"HOME=",    "PATH=",           "LANG=", "DBUS_SESSION_BUS_ADDRESS=",
		"DISPLAY=", "WAYLAND_DISPLAY="};
	static const char *const families[] = {"LC_", "XDG_", "KRB5", "GATEPASS_"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (g_str_has_prefix(variable, names[i]))
			return true;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
		if (g_str_has_prefix(variable, families[i]))
			return true;
	}
	return false;
}

char **variables_for_agent(void)
{
	GPtrArray *kept = g_ptr_array_new();

	for (char **variable = environ; *variable; variable++) {
		if (is_inherited(*variable))
			g_ptr_array_add(kept, g_strdup(*variable));
	}
	g_ptr_array_add(kept, NULL);
	return (char **)g_ptr_array_free(kept, FALSE);
}
