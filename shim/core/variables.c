/* SPDX-License-Identifier: MIT */
/* Which environment variables travel. */
#include <stddef.h>
#include <string.h>

#include <gatepass/variables.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The first of the two names that is set, and not to nothing, counts. */
static const struct {
	const char *key;
	const char *lower, *upper;
	bool is_proxy;
} told[] = {
	{"gatepass-proxy", "GATEPASS_PROXY", NULL, true},
	{"gatepass-no-proxy", "GATEPASS_NO_PROXY", NULL, false},
	{"gatepass-config", "GATEPASS_CONFIG", NULL, true},
	{"http-proxy", "http_proxy", "HTTP_PROXY", true},
	{"https-proxy", "https_proxy", "HTTPS_PROXY", true},
	{"all-proxy", "all_proxy", "ALL_PROXY", true},
	{"no-proxy", "no_proxy", "NO_PROXY", false},
	{"krb5-ccname", "KRB5CCNAME", NULL, false},
};

static const char *const inherited[] = {
	"HOME=",       "PATH=",
	"LANG=",       "LC_",
	"XDG_",        "DBUS_SESSION_BUS_ADDRESS=",
	"DISPLAY=",    "WAYLAND_DISPLAY=",
	"XAUTHORITY=", "SSH_ASKPASS=",
	"KRB5",        "GATEPASS_",
};

static const char *value_of(unsigned index, char *(*look_up)(const char *name))
{
	const char *lower = look_up(told[index].lower), *upper;

	if ((lower && *lower) || !told[index].upper)
		return lower;
	/* A CGI program's HTTP_PROXY comes from a client's "Proxy:" header. */
	if (!strcmp(told[index].upper, "HTTP_PROXY") && look_up("REQUEST_METHOD"))
		return lower;
	upper = look_up(told[index].upper);
	return upper ? upper : lower;
}

bool gp_variable_next(unsigned *index, char *(*look_up)(const char *name),
		      struct gp_variable *out)
{
	while (*index < COUNT(told)) {
		unsigned at = (*index)++;
		const char *value = value_of(at, look_up);

		if (!value)
			continue;
		*out = (struct gp_variable){told[at].key, value, told[at].is_proxy};
		return true;
	}
	return false;
}

static bool begins(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

bool gp_variable_is_inherited(const char *assignment)
{
	if (begins(assignment, "GATEPASS_PROXY="))
		return false;
	for (size_t i = 0; i < COUNT(inherited); i++)
		if (begins(assignment, inherited[i]))
			return true;
	return false;
}
