/* SPDX-License-Identifier: MIT */
/*
 * GOptionContext with one-line errors, and the --proxy option.
 */
#include "options.h"

#include "report.h"

bool options_parse(const GOptionEntry *entries, const char *parameters,
		   const char *summary, int words, int *argc, char ***argv)
{
	const char *command = (*argv)[0];
	char *name = g_strdup_printf("gatepassctl %s", command);
	GOptionContext *context = g_option_context_new(parameters);
	GError *error = NULL;
	bool ok = true;

	/* The help's first line is made from it. */
	g_set_prgname(name);
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(context, summary);
	if (!g_option_context_parse(context, argc, argv, &error)) {
		report_usage(command, "%s: %s", command, error->message);
		ok = false;
	} else if (*argc > 1 && !strcmp((*argv)[1], "--")) {
		memmove(*argv + 1, *argv + 2, sizeof(**argv) * (size_t)(*argc - 1));
		(*argc)--;
	}
	if (ok && *argc - 1 < words) {
		report_usage(command, "%s: %s is missing", command, parameters);
		ok = false;
	} else if (ok && *argc - 1 > words) {
		report_usage(command, "%s: unexpected argument '%s'", command,
			     (*argv)[words + 1]);
		ok = false;
	}
	g_clear_error(&error);
	g_option_context_free(context);
	g_free(name);
	return ok;
}

bool options_proxy(const char *text, char shown[static GP_URL_SHOW_MAX], char **user)
{
	struct gp_url url;
	enum gp_err err = gp_url_parse(text, &url);
	bool secret = !err && url.has_password;

	if (err) {
		report_error("--proxy: %s; it looks like http://proxy.example:3128",
			     gp_strerror(err));
	} else if (secret) {
		report_error(
			"--proxy: leave the password out of the URL, everybody can see "
			"it there; it is asked for");
	} else {
		gp_url_show(&url, shown);
		if (!*user && url.has_user)
			*user = g_strdup(url.user);
	}
	gp_url_clear(&url);
	return !err && !secret;
}
