/* SPDX-License-Identifier: MIT */
/* status: what the agent knows of a proxy and its credential. */
#include "handlers.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "asker.h"
#include "config.h"
#include "choice.h"
#include "credential.h"
#include "credentials.h"
#include "listener.h"
#include "proxies.h"
#include "scheme.h"
#include "session.h"

struct status {
	struct session *session;
	struct choice choice;
	GPtrArray *problems;
};

static void free_status(struct status *status)
{
	choice_release(&status->choice);
	g_ptr_array_unref(status->problems);
	g_free(status);
}

static void add_problem(void *data, const char *text)
{
	struct status *status = data;

	if (text)
		g_ptr_array_add(status->problems, g_strdup(text));
}

static const char *keyring_name(enum store_state state)
{
	static const char *const names[] = {
		[STORE_NOT_ASKED] = NULL,          [STORE_FOUND] = "available",
		[STORE_ABSENT] = "available",      [STORE_LOCKED] = "locked",
		[STORE_DISMISSED] = "dismissed",   [STORE_NO_BUS] = "no-bus",
		[STORE_NO_SERVICE] = "no-service", [STORE_ERROR] = "error",
	};

	return names[state];
}

/* `user`: the configured one, of whom there may be no credential yet. */
static void add_credential(struct gp_buf *reply, const struct credential_answer *answer,
			   const char *user)
{
	const struct credential *credential =
		answer->credential ? answer->credential : answer->rejected;

	if (credential) {
		gp_wire_add(reply, "credential",
			    credential_source_name(credential->source));
		gp_wire_add(reply, "verdict",
			    verdict_name(verdicts_overall(&credential->id)));
		user = credential->user;
	}
	gp_wire_add(reply, "user", user);
	gp_wire_add(reply, "keyring", keyring_name(answer->keyring));
}

static void add_scheme(void *data, const struct gp_challenge *challenge)
{
	gp_wire_add_text(data, "scheme", challenge->scheme);
}

static void add_learnt(struct gp_buf *reply, const struct proxy *proxy)
{
	scheme_each(proxy->challenges, add_scheme, reply);
	for (guint i = 0; proxy->challenges && i < proxy->challenges->len; i++)
		gp_wire_add(reply, "challenge", proxy->challenges->pdata[i]);
	for (uint8_t i = 0; i < VERDICT_SCHEMES; i++)
		if (proxy->accepted & 1u << i && scheme_numbered(i))
			gp_wire_add(reply, "accepted", scheme_numbered(i)->label);
	if (!proxy->time)
		return;
	if (proxy->status)
		gp_wire_add_uint(reply, "outcome", (unsigned)proxy->status);
	gp_wire_add(reply, "outcome-error", proxy->error);
	gp_wire_add_uint(reply, "outcome-time", (uint64_t)proxy->time);
}

static void add_proxy(struct gp_buf *reply, const struct choice *choice,
		      const struct credential_answer *answer)
{
	const struct endpoint *proxy = &choice->proxy.hops[0];
	char url[GP_AUTHORITY_MAX + 8];

	proxy_list_show(&choice->proxy, url);
	gp_wire_add(reply, "proxy", url);
	gp_wire_add(reply, "host", proxy->host);
	gp_wire_add_uint(reply, "port", proxy->port);
	add_credential(reply, answer, choice->proxy.user);
	add_learnt(reply, proxies_get(proxy));
}

static void add_foreign(struct status *status, const struct config *config)
{
	char *path = config->helper || config->askpass ? g_strdup(config->path) : NULL;

	if (path && strcmp(path, config_own()->path))
		add_problem(status,
			    "credential_helper and askpass are not used from a "
			    "GATEPASS_CONFIG that the agent was not started with: "
			    "run \"gatepassctl agent stop\"");
	g_free(path);
}

static void found(void *data, const struct credential_answer *answer)
{
	struct status *status = data;
	struct gp_buf *reply = session_reply(status->session, "state");

	add_problem(status, store_helper_problem());
	add_problem(status, store_askpass_problem());
	gp_wire_add_uint(reply, "pid", (uint64_t)getpid());
	gp_wire_add(reply, "socket", listener_path());
	gp_wire_add(reply, "origin", status->choice.origin);
	if (status->choice.kind == CHOICE_PROXY)
		add_proxy(reply, &status->choice, answer);
	for (guint i = 0; i < status->problems->len; i++)
		gp_wire_add(reply, "problem", status->problems->pdata[i]);
	session_send(status->session);
	free_status(status);
}

/* A helper runs, for us too. */
static void prompting(void *data, unsigned seconds)
{
	struct status *status = data;

	session_wait(status->session, seconds);
}

static void find(struct status *status)
{
	const struct proxy_list *proxy = &status->choice.proxy;
	const struct credential_query query = {
		.proxy = &proxy->hops[0],
		.user = proxy->user,
		.url = proxy->credential,
	};
	const struct credential_caller caller = {prompting, found, status};
	const struct credential_answer none = {0};

	if (status->choice.kind == CHOICE_PROXY)
		credentials_find(&query, &caller);
	else
		found(status, &none);
}

void control_status(struct session *session, struct gp_wire *question)
{
	struct status *status = g_new0(struct status, 1);
	struct asker asker = {0};
	const struct config *config;
	const char *key, *value, *proxy = NULL;
	enum gp_err err = GP_OK;

	status->session = session;
	status->problems = g_ptr_array_new_with_free_func(g_free);
	while (gp_wire_next(question, &key, &value))
		if (!asker_take(&asker, key, value) && !strcmp(key, "proxy"))
			proxy = value;
	config = config_get(asker.gatepass_config);
	err = choice_given(proxy, &asker, config, &status->choice);
	if (proxy && err) {
		session_error(session, "url", gp_strerror(err));
		free_status(status);
		return;
	}
	for (char **problem = config->problems; *problem; problem++)
		add_problem(status, *problem);
	add_foreign(status, config);
	choice_problems(&asker, add_problem, status);
	find(status);
}
