/* SPDX-License-Identifier: MIT */
/* login, logout and stop. */
#include "handlers.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "asker.h"
#include "choice.h"
#include "config.h"
#include "credential.h"
#include "credentials.h"
#include "feedback.h"
#include "kerberos.h"
#include "keyring.h"
#include "life.h"
#include "secret.h"
#include "session.h"
#include "store.h"

/* A login or logout; the texts are the question's own. */
struct request {
	struct asker asker;
	const char *proxy, *user, *password, *store;
};

/* What of it is needed until a keyring has answered. */
struct change {
	struct session *session;
	struct endpoint proxy;
	char *user;
	struct verdict_id id; /* of login */
	unsigned count;       /* of logout: removed from the session store */
};

static void read_request(struct gp_wire *question, struct request *out)
{
	const struct {
		const char *key;
		const char **place;
	} keys[] = {
		{"proxy", &out->proxy},
		{"user", &out->user},
		{"password", &out->password},
		{"store", &out->store},
	};
	const char *key, *value;

	memset(out, 0, sizeof(*out));
	while (gp_wire_next(question, &key, &value)) {
		if (asker_take(&out->asker, key, value))
			continue;
		for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
			if (!strcmp(key, keys[i].key))
				*keys[i].place = value;
	}
}

/* False: the answer has been sent. */
static bool find_proxy(struct session *session, const struct request *request,
		       struct choice *out)
{
	const struct config *config = config_get(request->asker.gatepass_config);
	enum gp_err err = choice_given(request->proxy, &request->asker, config, out);

	if (err)
		session_error(session, "url", gp_strerror(err));
	else if (out->kind == CHOICE_NONE)
		session_error(session, "no-proxy",
			      "no proxy is configured: give its URL with --proxy, or set "
			      "GATEPASS_PROXY");
	return !err && out->kind == CHOICE_PROXY;
}

static struct change *new_change(struct session *session, const struct choice *choice,
				 const char *user)
{
	struct change *change = g_new0(struct change, 1);

	change->session = session;
	change->proxy = choice->proxy.hops[0];
	change->user = g_strdup(user);
	return change;
}

static void free_change(struct change *change)
{
	g_free(change->user);
	g_free(change);
}

static void add_proxy(struct gp_buf *reply, const struct endpoint *proxy)
{
	char url[GP_AUTHORITY_MAX + 8] = "http://";

	endpoint_text(proxy, url + strlen(url));
	gp_wire_add(reply, "proxy", url);
}

static void send_stored(struct session *session, const char *store,
			const struct endpoint *proxy, const char *user)
{
	struct gp_buf *reply = session_reply(session, "stored");

	gp_wire_add(reply, "store", store);
	add_proxy(reply, proxy);
	gp_wire_add(reply, "user", user);
	session_send(session);
}

static void send_failure(struct session *session, enum store_state state,
			 const char *text)
{
	char sentence[512];

	switch (state) {
	case STORE_LOCKED:
		session_error(session, "locked",
			      "the keyring is locked: unlock it, or use --session");
		break;
	case STORE_DISMISSED:
		session_error(
			session, "dismissed",
			"the keyring was not unlocked: try again, or use --session");
		break;
	case STORE_NO_BUS:
		session_error(session, "no-bus",
			      "there is no D-Bus session, so no keyring: use --session");
		break;
	case STORE_NO_SERVICE:
		session_error(session, "no-service",
			      "no keyring runs here (install gnome-keyring, KWallet or "
			      "KeePassXC): use --session");
		break;
	default:
		snprintf(sentence, sizeof(sentence), "the keyring failed: %s",
			 text ? text : "try again, or use --session");
		session_error(session, "failed", g_strdelimit(sentence, "\r\n", ' '));
	}
}

static void prompting(void *data, unsigned seconds)
{
	struct change *change = data;

	session_wait(change->session, seconds);
}

/* The person is here, and what failed before may go well now. */
static void forget_opinions(const struct endpoint *proxy)
{
	feedback_reset(proxy);
	kerberos_forget();
}

static void login_done(void *data, enum store_state state, unsigned count,
		       const char *text)
{
	struct change *change = data;

	(void)count;
	if (state == STORE_FOUND) {
		/* It was to be replaced; the session store is asked before the keyring.
		 */
		store_session_remove(&change->proxy, NULL);
		verdicts_forget_all(&change->id);
		forget_opinions(&change->proxy);
		send_stored(change->session, "keyring", &change->proxy, change->user);
	} else {
		send_failure(change->session, state, text);
	}
	free_change(change);
}

/* What is wrong with it, or NULL. */
static const char *check_user(const char *user)
{
	if (!user || !user[0])
		return "a user name is needed: use --user";
	if (credential_user_is_valid(user))
		return NULL;
	return strlen(user) > GP_USER_MAX
		       ? "the user name is longer than 512 octets"
		       : "the user name holds a colon or a control character, which HTTP "
			 "authentication cannot carry";
}

static const char *check_password(const char *password)
{
	if (!password)
		return "a password is needed";
	if (credential_password_is_valid(password, strlen(password)))
		return NULL;
	return strlen(password) > GP_PASSWORD_MAX
		       ? "the password is longer than 4096 octets"
		       : "the password holds a control character (a line break, a tab), "
			 "which "
			 "HTTP authentication cannot carry";
}

static void login(struct session *session, const struct request *request,
		  const struct choice *choice, const char *user)
{
	const char *problem = check_password(request->password);
	const size_t len = problem ? 0 : strlen(request->password);
	struct change *change;
	struct store_writer writer = {prompting, login_done, NULL};

	if (problem) {
		session_error(session, "password", problem);
		return;
	}
	change = writer.data = new_change(session, choice, user);
	verdict_id_make(&change->proxy, user, request->password, len, &change->id);
	/* The person is here: a prompt may be shown again. */
	keyring_set_refusal(STORE_NOT_ASKED);
	if (!g_strcmp0(request->store, "session")) {
		store_session_put(&change->proxy, user, request->password, len);
		/* Even the same password is worth another try when the person says so. */
		verdicts_forget_all(&change->id);
		forget_opinions(&change->proxy);
		send_stored(session, "session", &change->proxy, user);
		free_change(change);
		return;
	}
	store_secret_put(&change->proxy, user, secret_new(request->password, len),
			 &writer);
}

void control_login(struct session *session, struct gp_wire *question)
{
	struct request request;
	struct choice choice;
	const char *user, *problem;

	read_request(question, &request);
	if (request.store && strcmp(request.store, "session") &&
	    strcmp(request.store, "keyring")) {
		session_error(session, "syntax", "store is keyring or session");
		return;
	}
	if (!find_proxy(session, &request, &choice)) {
		choice_release(&choice);
		return;
	}
	user = request.user ? request.user : choice.proxy.user;
	problem = check_user(user);
	if (problem)
		session_error(session, "user", problem);
	else
		login(session, &request, &choice, user);
	choice_release(&choice);
}

static void logout_done(void *data, enum store_state state, unsigned count,
			const char *text)
{
	struct change *change = data;
	struct gp_buf *reply;

	/* Where there is no keyring, nothing is left in one. */
	if (state != STORE_FOUND && state != STORE_NO_BUS && state != STORE_NO_SERVICE) {
		send_failure(change->session, state, text);
	} else {
		reply = session_reply(change->session, "removed");
		add_proxy(reply, &change->proxy);
		gp_wire_add_uint(reply, "count", change->count + count);
		session_send(change->session);
	}
	free_change(change);
}

void control_logout(struct session *session, struct gp_wire *question)
{
	struct request request;
	struct choice choice;
	struct change *change;
	struct store_writer writer = {prompting, logout_done, NULL};
	const char *user;

	read_request(question, &request);
	user = request.user && request.user[0] ? request.user : NULL;
	if (find_proxy(session, &request, &choice)) {
		change = new_change(session, &choice, user);
		change->count = store_session_remove(&change->proxy, user);
		forget_opinions(&change->proxy);
		keyring_set_refusal(STORE_NOT_ASKED);
		writer.data = change;
		store_secret_remove(&change->proxy, user, &writer);
	}
	choice_release(&choice);
}

void control_stop(struct session *session, struct gp_wire *question)
{
	(void)question;
	session_discount(session);
	session_reply(session, "stopping");
	session_send(session);
	life_stop();
}
