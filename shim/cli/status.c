/* SPDX-License-Identifier: MIT */
/*
 * gatepassctl status: what the agent knows, for people and for machines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "json.h"
#include "link.h"
#include "options.h"
#include "report.h"
#include "state.h"

static void __attribute__((format(printf, 2, 3)))
line(const char *label, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = g_strdup_vprintf(format, args);
	va_end(args);

	printf("%-12s", label);
	report_text(stdout, text);
	putchar('\n');
	g_free(text);
}

/* What the person can do when no credential was found. */
static const char *advice(const struct state *state)
{
	static const struct {
		const char *keyring, *advice;
	} cases[] = {
		{"locked", "the keyring is locked; unlock it, or run 'gatepassctl login "
			   "--session'"},
		{"dismissed", "the keyring's question was dismissed; unlock it, or run "
			      "'gatepassctl login --session'"},
		{"no-bus",
		 "there is no session bus, so no keyring; run 'gatepassctl login "
		 "--session'"},
		{"no-service",
		 "no keyring is running; start one, or run 'gatepassctl login "
		 "--session'"},
		{"error", "the keyring failed; run 'gatepassctl login --session'"},
	};

	for (size_t i = 0; state->keyring && i < G_N_ELEMENTS(cases); i++) {
		if (!strcmp(state->keyring, cases[i].keyring))
			return cases[i].advice;
	}
	return "run 'gatepassctl login'";
}

static const char *place(const char *credential)
{
	if (!strcmp(credential, "keyring"))
		return "in the keyring";
	if (!strcmp(credential, "session"))
		return "in the agent's memory";
	if (!strcmp(credential, "url"))
		return "in the proxy's URL";
	if (!strcmp(credential, "helper"))
		return "from the credential helper";
	if (!strcmp(credential, "askpass"))
		return "as typed";
	return credential;
}

static void print_credential(const struct state *state)
{
	const char *verdict = state->verdict ? state->verdict : "not tried yet";

	if (!state->proxy)
		return;
	if (!state->credential && state->accepted->len)
		line("credential", "no password, and none is needed");
	else if (!state->credential)
		line("credential", "none: %s", advice(state));
	else if (!strcmp(verdict, "rejected"))
		line("credential", "%s, %s: rejected by the proxy; %s",
		     state->user ? state->user : "no user", place(state->credential),
		     strcmp(state->credential, "url") ? "run 'gatepassctl login'"
						      : "correct the URL");
	else
		line("credential", "%s, %s (%s)", state->user ? state->user : "no user",
		     place(state->credential), verdict);
}

static void print_last(const struct state *state)
{
	const char *what = state->outcome ? state->outcome : state->outcome_error;
	GDateTime *when = NULL;
	uint64_t seconds;

	if (!what) {
		line("last", "no connection yet");
		return;
	}
	/* "0" stands for no answer at all. */
	if (state->outcome_error && !strcmp(what, "0"))
		what = state->outcome_error;
	if (state->outcome_time &&
	    gp_text_to_uint(gp_text(state->outcome_time), INT64_MAX, &seconds))
		when = g_date_time_new_from_unix_local((gint64)seconds);
	char *text = when ? g_date_time_format(when, "%Y-%m-%d %H:%M:%S") : NULL;
	if (text)
		line("last", "%s, at %s", what, text);
	else
		line("last", "%s", what);
	g_free(text);
	if (when)
		g_date_time_unref(when);
}

static void print_human(const struct state *state)
{
	line("agent", "process %s, socket %s", state->pid ? state->pid : "unknown",
	     state->socket ? state->socket : "unknown");
	if (state->proxy)
		line("proxy", "%s (from %s)", state->proxy,
		     state->origin ? state->origin : "the configuration");
	else
		line("proxy", "none: set GATEPASS_PROXY, or write gatepass.conf");
	print_credential(state);
	for (guint i = 0; i < state->challenges->len; i++)
		line(i ? "" : "asks for", "%s", (char *)state->challenges->pdata[i]);
	if (state->proxy && state->challenges->len == 0)
		line("asks for", "nothing so far");
	for (guint i = 0; i < state->accepted->len; i++)
		line(i ? "" : "accepts", "%s", (char *)state->accepted->pdata[i]);
	if (state->proxy)
		print_last(state);
	for (guint i = 0; i < state->problems->len; i++)
		line(i ? "" : "problem", "%s", (char *)state->problems->pdata[i]);
}

/* {"name": value, ...}: the members are strings, or "null" is written if the first is
 * missing. */
static void add_pair(GString *out, const char *first, const char *one, const char *second,
		     const char *two)
{
	if (!one) {
		g_string_append(out, "null");
		return;
	}
	g_string_append_printf(out, "{\"%s\": ", first);
	json_add_string(out, one);
	g_string_append_printf(out, ", \"%s\": ", second);
	json_add_string(out, two);
	g_string_append_c(out, '}');
}

static void add_outcome(GString *out, const struct state *state)
{
	if (!state->outcome && !state->outcome_error) {
		g_string_append(out, "null");
		return;
	}
	g_string_append_c(out, '{');
	if (state->outcome) {
		g_string_append(out, "\"status\": ");
		json_add_number(out, state->outcome);
		g_string_append(out, ", ");
	}
	if (state->outcome_error) {
		g_string_append(out, "\"error\": ");
		json_add_string(out, state->outcome_error);
		g_string_append(out, ", ");
	}
	g_string_append(out, "\"time\": ");
	json_add_number(out, state->outcome_time);
	g_string_append_c(out, '}');
}

static void print_json(const struct state *state, bool running)
{
	GString *out = g_string_new(NULL);

	g_string_append_printf(out, "{\"agent\": {\"running\": %s, \"pid\": ",
			       running ? "true" : "false");
	json_add_number(out, state->pid);
	g_string_append(out, ", \"socket\": ");
	json_add_string(out, state->socket);
	g_string_append(out, "}, \"proxy\": ");
	add_pair(out, "url", state->proxy, "origin", state->origin);
	g_string_append(out, ", \"credential\": ");
	add_pair(out, "store", state->credential, "user", state->user);
	g_string_append(out, ", \"keyring\": ");
	json_add_string(out, state->keyring);
	g_string_append(out, ", \"asks\": ");
	json_add_strings(out, state->challenges);
	g_string_append(out, ", \"schemes\": ");
	json_add_strings(out, state->schemes);
	g_string_append(out, ", \"accepted\": ");
	json_add_strings(out, state->accepted);
	g_string_append(out, ", \"verdict\": ");
	json_add_string(out, state->verdict);
	g_string_append(out, ", \"outcome\": ");
	add_outcome(out, state);
	g_string_append(out, ", \"problems\": ");
	json_add_strings(out, state->problems);
	g_string_append_c(out, '}');
	puts(out->str);
	g_string_free(out, TRUE);
}

int status_command(int argc, char **argv)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "One JSON object", NULL}, {0}};
	struct link link;
	struct state state = {0};

	if (!options_parse(entries, NULL,
			   "Tells which proxy and which credential are used, and how the "
			   "last connection went.",
			   0, &argc, &argv))
		return REPORT_EXIT_USAGE;
	bool ok = link_open(&link, true) == LINK_OPEN && state_ask(&state, &link, NULL);
	if (ok && !json)
		print_human(&state);
	if (!ok)
		state.socket = g_strdup(*link.path ? link.path : NULL);
	if (json)
		print_json(&state, ok);
	state_clear(&state);
	link_close(&link);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
