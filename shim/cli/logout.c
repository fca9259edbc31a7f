/* SPDX-License-Identifier: MIT */
/*
 * gatepassctl logout: let the agent remove what is stored for a proxy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "link.h"
#include "options.h"
#include "report.h"
#include "variables.h"

static void tell_result(struct gp_wire *answer, const char *proxy)
{
	const char *key, *value;
	uint64_t count = 0;

	while (gp_wire_next(answer, &key, &value)) {
		if (!strcmp(key, "proxy"))
			proxy = value;
		else if (!strcmp(key, "count") &&
			 !gp_text_to_uint(gp_text(value), UINT32_MAX, &count))
			count = 0;
	}
	if (count == 0)
		fputs("Nothing was stored", stdout);
	else
		printf("Removed %u %s", (unsigned)count,
		       count == 1 ? "entry" : "entries");
	fputs(" for ", stdout);
	report_text(stdout, *proxy ? proxy : "the proxy");
	puts(".");
}

static bool forget(const char *proxy, const char *user)
{
	struct link link;
	bool ok = link_open(&link, true) == LINK_OPEN;

	if (ok) {
		link_ask(&link, "logout");
		variables_add(&link.question);
		gp_wire_add(&link.question, "proxy", *proxy ? proxy : NULL);
		gp_wire_add(&link.question, "user", user);
		ok = link_answer(&link, "removed");
	}
	if (ok)
		tell_result(&link.answer, proxy);
	link_close(&link);
	return ok;
}

int logout_command(int argc, char **argv)
{
	char *proxy = NULL, *user = NULL;
	char shown[GP_URL_SHOW_MAX] = "";
	const GOptionEntry entries[] = {{"proxy", 0, 0, G_OPTION_ARG_FILENAME, &proxy,
					 "The proxy, instead of the configured one",
					 "URL"},
					{"user", 0, 0, G_OPTION_ARG_FILENAME, &user,
					 "Only this user's password", "USER"},
					{0}};
	int status = REPORT_EXIT_USAGE;

	if (!options_parse(
		    entries, NULL,
		    "Removes the passwords for the proxy from the agent's memory and "
		    "the keyring.",
		    0, &argc, &argv))
		goto out;
	status = EXIT_FAILURE;
	if ((!proxy || options_proxy(proxy, shown, &user)) && forget(shown, user))
		status = EXIT_SUCCESS;
out:
	g_free(proxy);
	g_free(user);
	return status;
}
