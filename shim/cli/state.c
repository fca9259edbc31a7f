/* SPDX-License-Identifier: MIT */
/*
 * Reading the agent's `state` message.
 */
#include "state.h"

#include <stddef.h>
#include <string.h>

#include "link.h"
#include "variables.h"

static const struct {
	const char *key;
	size_t offset;
} values[] = {
	{"pid", offsetof(struct state, pid)},
	{"socket", offsetof(struct state, socket)},
	{"proxy", offsetof(struct state, proxy)},
	{"origin", offsetof(struct state, origin)},
	{"host", offsetof(struct state, host)},
	{"port", offsetof(struct state, port)},
	{"credential", offsetof(struct state, credential)},
	{"user", offsetof(struct state, user)},
	{"keyring", offsetof(struct state, keyring)},
	{"verdict", offsetof(struct state, verdict)},
	{"outcome", offsetof(struct state, outcome)},
	{"outcome-error", offsetof(struct state, outcome_error)},
	{"outcome-time", offsetof(struct state, outcome_time)},
};

static const struct {
	const char *key;
	size_t offset;
} lists[] = {
	{"scheme", offsetof(struct state, schemes)},
	{"accepted", offsetof(struct state, accepted)},
	{"challenge", offsetof(struct state, challenges)},
	{"problem", offsetof(struct state, problems)},
};

static void *member(struct state *state, size_t offset)
{
	return (char *)state + offset;
}

static void keep(struct state *state, const char *key, const char *value)
{
	for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
		if (!strcmp(key, values[i].key)) {
			char **kept = member(state, values[i].offset);
			g_free(*kept);
			*kept = g_strdup(value);
		}
	}
	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		if (!strcmp(key, lists[i].key)) {
			GPtrArray **list = member(state, lists[i].offset);
			g_ptr_array_add(*list, g_strdup(value));
		}
	}
}

bool state_ask(struct state *state, struct link *link, const char *proxy)
{
	const char *key, *value;

	*state = (struct state){0};
	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		GPtrArray **list = member(state, lists[i].offset);
		*list = g_ptr_array_new_with_free_func(g_free);
	}
	link_ask(link, "status");
	variables_add(&link->question);
	gp_wire_add(&link->question, "proxy", proxy);
	if (!link_answer(link, "state"))
		return false;
	while (gp_wire_next(&link->answer, &key, &value))
		keep(state, key, value);
	return true;
}

void state_clear(struct state *state)
{
	for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
		g_free(*(char **)member(state, values[i].offset));
	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		GPtrArray **list = member(state, lists[i].offset);
		if (*list)
			g_ptr_array_unref(*list);
	}
	*state = (struct state){0};
}
