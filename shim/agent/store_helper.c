/* SPDX-License-Identifier: MIT */
/*
 * The user's credential helper as a store: a program that speaks git's protocol.
 *
 * Theory of operation. What the helper gave last is remembered. When the proxy accepts
 * it the helper is told to store it, but not again and again: one that keeps it in the
 * keyring changes that, and makes us ask anew. When the proxy rejects it, the proxy may
 * still take it by another scheme, and the helper is asked again, because it may have
 * another one by now. If that is the same, and no program gets through with it, or one
 * does with something else, the helper is told to erase it, once. A helper that hangs or
 * babbles is left alone for a while, so that one program waits for it and not each of
 * them.
 */
#include "store.h"

#include <string.h>

#include <glib.h>

#include "child.h"
#include "config.h"
#include "credential.h"
#include "helper.h"
#include "keyring.h"
#include "log.h"
#include "secret.h"

/* It may have to ask a person for what unlocks its own store. */
#define SECONDS          15
#define SECONDS_TO_ASK   60
#define SECONDS_OF_PEACE 60

/* What is kept for a while by git-credential-cache is kept anew as long as it is used. */
#define SECONDS_STORED 300

/* Proxies and users. */
#define GIVEN_MAX 64

/* A question, be it get, store or erase. */
struct call {
	struct endpoint proxy;
	char *user;      /* asked for, or NULL */
	unsigned config; /* the serial of what names the helper */
	struct store_caller caller;
};

struct given {
	struct endpoint proxy;
	struct credential *credential;
	unsigned config;
	gint64 stored;  /* until then it need not be stored again */
	bool rejected;  /* by one scheme at least */
	bool confirmed; /* and it was given again after that */
};

static GQueue given; /* the newest first */
static gint64 peace; /* until then it is not run, if the configuration is the same */
static unsigned peace_config;
static char *problem;

static struct call *new_call(const struct endpoint *proxy, const char *user,
			     const struct config *config)
{
	struct call *call = g_new0(struct call, 1);

	call->proxy = *proxy;
	call->user = g_strdup(user);
	call->config = config->serial;
	return call;
}

static void free_call(struct call *call)
{
	g_free(call->user);
	g_free(call);
}

static void set_problem(const char *what)
{
	g_free(problem);
	problem = what ? g_strconcat("credential_helper: ", what, NULL) : NULL;
}

const char *store_helper_problem(void)
{
	return config_own()->helper ? problem : NULL;
}

static unsigned patience(void)
{
	return keyring_has_display() ? SECONDS_TO_ASK : SECONDS;
}

/* --- what it gave --------------------------------------------------------------------
 */

static void free_given(struct given *item)
{
	credential_unref(item->credential);
	g_free(item);
}

static bool is_of(const struct credential *credential, const struct verdict_id *id)
{
	return !memcmp(credential->id.bytes, id->bytes, sizeof(id->bytes));
}

static struct given *find_user(const struct endpoint *proxy, const char *user)
{
	for (GList *link = given.head; link; link = link->next) {
		struct given *item = link->data;

		if (endpoint_equal(&item->proxy, proxy) &&
		    !strcmp(item->credential->user, user))
			return item;
	}
	return NULL;
}

static void remember(const struct call *call, struct credential *credential)
{
	struct given *item = find_user(&call->proxy, credential->user);

	if (!item) {
		item = g_new0(struct given, 1);
		g_queue_push_head(&given, item);
	} else if (!is_of(item->credential, &credential->id)) {
		item->stored = 0;
		item->rejected = item->confirmed = false;
	} else {
		item->confirmed = item->rejected;
	}
	credential_unref(item->credential);
	item->proxy = call->proxy;
	item->credential = credential_ref(credential);
	item->config = call->config;
	if (given.length > GIVEN_MAX)
		free_given(g_queue_pop_tail(&given));
}

/* Else it is another helper now. */
static bool is_current(const struct config *config, const struct given *item)
{
	return config->helper && config->serial == item->config;
}

/* NULL: the helper did not give it. */
static struct given *find_given(const struct config *config, const struct verdict_id *id)
{
	for (GList *link = given.head; link; link = link->next) {
		struct given *item = link->data;

		if (is_of(item->credential, id))
			return is_current(config, item) ? item : NULL;
	}
	return NULL;
}

/* --- get -----------------------------------------------------------------------------
 */

/* NULL: it gave none that could be used. */
static struct credential *make_credential(const struct call *call,
					  const struct helper_answer *answer)
{
	char user[GP_USER_MAX + 1] = "", password[GP_PASSWORD_MAX + 1];
	struct credential *credential = NULL;
	bool fits = answer->password.p &&
		    gp_text_copy(answer->password, password, sizeof(password)) &&
		    gp_text_copy(answer->user, user, sizeof(user));

	if (!answer->password.p || (!answer->user.p && !call->user))
		return NULL;
	if (!fits || !credential_user_is_valid(user) ||
	    !credential_password_is_valid(password, answer->password.len)) {
		set_problem("its user or password is longer than HTTP can carry, or "
			    "holds a control character");
	} else if (answer->user.p && call->user && strcmp(user, call->user)) {
		set_problem("it gave the password of a user that it was not asked for");
	} else {
		credential = credential_new(CREDENTIAL_HELPER, &call->proxy,
					    answer->user.p ? user : call->user, password,
					    answer->password.len);
		credential->expires = answer->expires;
	}
	explicit_bzero(password, sizeof(password));
	return credential;
}

static struct credential *read_credential(const struct call *call,
					  const struct helper_answer *answer)
{
	struct credential *credential = make_credential(call, answer);

	if (!credential || !credential_is_expired(credential))
		return credential;
	log_info("credential_helper: the password has expired");
	credential_unref(credential);
	return NULL;
}

/* A helper that has ended badly has, often enough, just nothing for us. */
static void note_end(const struct call *call, const struct child_end *end)
{
	set_problem(end->problem);
	if (end->outcome != CHILD_BROKEN)
		return;
	peace = g_get_monotonic_time() + SECONDS_OF_PEACE * G_USEC_PER_SEC;
	peace_config = call->config;
}

static enum store_state state_of(const struct child_end *end,
				 const struct helper_answer *answer)
{
	if (end->outcome != CHILD_SUCCEEDED)
		return STORE_ERROR;
	return answer->quit ? STORE_FINAL : STORE_ABSENT;
}

static void got(void *data, const struct child_end *end)
{
	struct call *call = data;
	struct credential *credential = NULL;
	struct helper_answer answer = {0};

	note_end(call, end);
	if (end->outcome == CHILD_SUCCEEDED) {
		helper_read((struct gp_text){end->output, end->len}, &answer);
		credential = read_credential(call, &answer);
	}
	if (credential)
		remember(call, credential);
	call->caller.done(call->caller.data,
			  credential ? STORE_FOUND : state_of(end, &answer), credential);
	free_call(call);
}

/* `credential` is told in the question, if there is one. */
static void run(const struct config *config, struct call *call, const char *operation,
		const struct credential *credential,
		void (*done)(void *data, const struct child_end *end))
{
	char *storage = secret_alloc(HELPER_QUESTION_MAX);
	struct gp_buf buf;
	struct child_request request = {
		.name = "credential_helper",
		.argv = helper_argv(config->helper, operation),
		.input = storage,
		.seconds = patience(),
		.done = done,
		.data = call,
	};

	gp_buf_init(&buf, storage, HELPER_QUESTION_MAX);
	if (credential)
		helper_tell(&buf, &call->proxy, credential);
	else
		helper_ask(&buf, &call->proxy, call->user);
	request.len = buf.len;
	child_run(&request);
	secret_dealloc(storage, HELPER_QUESTION_MAX);
	g_strfreev(request.argv);
}

static void find(const struct store_query *query, const struct store_caller *caller)
{
	const struct config *config = config_own();
	struct call *call;

	/* A line break in a user of a URL would be a line of the protocol. */
	if (!config->helper || (query->user && !credential_user_is_valid(query->user))) {
		caller->done(caller->data, STORE_ABSENT, NULL);
		return;
	}
	if (config->serial == peace_config && g_get_monotonic_time() < peace) {
		caller->done(caller->data, STORE_ERROR, NULL);
		return;
	}
	call = new_call(&query->proxy, query->user, config);
	call->caller = *caller;
	caller->prompting(caller->data, patience());
	run(config, call, "get", NULL, got);
}

const struct store store_helper = {"helper", STORE_IS_PLAIN, true, find};

/* --- store and erase -----------------------------------------------------------------
 */

/* Not all can do either; what they say of it is in the log. */
static void told(void *data, const struct child_end *end)
{
	(void)end;
	free_call(data);
}

static void erase(const struct config *config, struct given *item)
{
	g_queue_remove(&given, item);
	run(config, new_call(&item->proxy, NULL, config), "erase", item->credential,
	    told);
	free_given(item);
}

void store_helper_settled(const struct endpoint *proxy)
{
	const struct config *config = config_own();

	for (GList *link = given.head, *next; link; link = next) {
		struct given *item = link->data;

		next = link->next;
		if (item->confirmed && endpoint_equal(&item->proxy, proxy) &&
		    is_current(config, item))
			erase(config, item);
	}
}

void store_helper_accepted(const struct verdict_id *id)
{
	const struct config *config = config_own();
	struct given *item = find_given(config, id);
	const gint64 now = g_get_monotonic_time();

	if (!item)
		return;
	item->rejected = item->confirmed = false;
	if (now < item->stored)
		return;
	item->stored = now + SECONDS_STORED * G_USEC_PER_SEC;
	run(config, new_call(&item->proxy, NULL, config), "store", item->credential,
	    told);
}

void store_helper_rejected(const struct verdict_id *id)
{
	struct given *item = find_given(config_own(), id);

	if (item)
		item->rejected = true;
}
