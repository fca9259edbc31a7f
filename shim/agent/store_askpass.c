/* SPDX-License-Identifier: MIT */
/*
 * The person at the desktop as a store: asked by a program like ssh-askpass(1).
 *
 * Theory of operation. Questions wait in a queue, so that one window is open at a time.
 * What was typed for a proxy is given to everybody who asks, until the proxy has said
 * what it thinks of it. Accepted, and the session store keeps it. Rejected, and the next
 * who asks makes the window come again, and again, and then no more. A window that was
 * closed, or not seen, does not come again either: for a while, or until the
 * configuration changes or the person logs in or out.
 */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "child.h"
#include "config.h"
#include "credential.h"
#include "keyring.h"
#include "log.h"
#include "secret.h"

#define SECONDS 60
/* Accounts are locked after five, as a rule. */
#define REJECTIONS_MAX 3
#define TIRED_SECONDS  600

/* Proxies. */
#define ENTRIES_MAX 64

/* What is known of a proxy's person. */
struct entry {
	struct endpoint proxy;
	struct credential *typed; /* or NULL */
	bool rejected;            /* what was typed */
	unsigned rejections;      /* in a row */
	gint64 tired;             /* until then nobody is asked; 0: not so */
	unsigned config;          /* if the configuration is still that one */
};

struct question {
	struct endpoint proxy;
	struct store_caller caller;
	char *user;     /* NULL: to be asked too */
	bool user_told; /* by the configuration, not by the person */
};

static GQueue entries;
static GQueue questions;      /* in the order of their coming */
static struct question *open; /* the one that has its window */
static char *problem;

static void ask(struct question *question);
static void open_next(void);

const char *store_askpass_problem(void)
{
	return problem;
}

static void set_problem(const char *what)
{
	g_free(problem);
	problem = what ? g_strconcat("askpass: ", what, NULL) : NULL;
}

/* Empty counts as unset. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

/* NULL: nobody can be asked. */
static const char *program(void)
{
	const char *path = variable("GATEPASS_ASKPASS");

	if (!keyring_has_display())
		return NULL;
	if (!path)
		path = config_own()->askpass;
	if (!path)
		path = variable("SSH_ASKPASS");
	return path && path[0] && config_program_is_valid(path) ? path : NULL;
}

/* --- entries -------------------------------------------------------------------------
 */

static void free_entry(struct entry *entry)
{
	g_queue_remove(&entries, entry);
	credential_unref(entry->typed);
	g_free(entry);
}

static bool is_rested(const struct entry *entry)
{
	return entry->tired && (g_get_monotonic_time() >= entry->tired ||
				config_own()->serial != entry->config);
}

static struct entry *find_entry(const struct endpoint *proxy)
{
	for (GList *link = entries.head; link; link = link->next) {
		struct entry *entry = link->data;

		if (!endpoint_equal(&entry->proxy, proxy))
			continue;
		if (!is_rested(entry))
			return entry;
		free_entry(entry);
		return NULL;
	}
	return NULL;
}

static struct entry *need_entry(const struct endpoint *proxy)
{
	struct entry *entry = find_entry(proxy);

	if (entry)
		return entry;
	if (entries.length >= ENTRIES_MAX)
		free_entry(g_queue_peek_tail(&entries));
	entry = g_new0(struct entry, 1);
	entry->proxy = *proxy;
	g_queue_push_head(&entries, entry);
	return entry;
}

static void tire(struct entry *entry)
{
	entry->tired = g_get_monotonic_time() + TIRED_SECONDS * G_USEC_PER_SEC;
	entry->config = config_own()->serial;
}

static void reject(struct entry *entry)
{
	entry->rejected = true;
	if (++entry->rejections >= REJECTIONS_MAX)
		tire(entry);
}

static bool is_of(const struct entry *entry, const struct verdict_id *id)
{
	return entry->typed &&
	       !memcmp(entry->typed->id.bytes, id->bytes, sizeof(id->bytes));
}

/* --- windows -------------------------------------------------------------------------
 */

static unsigned seconds_for(const struct question *question)
{
	return question->user_told ? SECONDS : 2 * SECONDS;
}

static void free_question(struct question *question)
{
	g_free(question->user);
	g_free(question);
}

/* Takes over the credential. The next one gets its window. */
static void finish(struct question *question, enum store_state state,
		   struct credential *credential)
{
	g_queue_remove(&questions, question);
	open = NULL;
	question->caller.done(question->caller.data, state, credential);
	free_question(question);
	open_next();
}

static void close_window(struct question *question, const struct child_end *end)
{
	log_info("askpass: nothing was entered");
	set_problem(end->outcome == CHILD_BROKEN ? end->problem : NULL);
	tire(need_entry(&question->proxy));
	finish(question, STORE_DISMISSED, NULL);
}

/* The first line, as ssh takes it; false: none, or nothing in it. */
static bool read_line(const struct child_end *end, struct gp_text *out)
{
	struct gp_text rest = {end->output, end->len};

	if (end->outcome != CHILD_SUCCEEDED || !end->len)
		return false;
	*out = gp_text_cut(&rest, "\r\n");
	return out->len > 0;
}

static void password_typed(void *data, const struct child_end *end)
{
	struct question *question = data;
	struct entry *entry = need_entry(&question->proxy);
	struct credential *credential;
	struct gp_text line;
	bool is_known;

	if (!read_line(end, &line) || !credential_password_is_valid(line.p, line.len)) {
		close_window(question, end);
		return;
	}
	set_problem(NULL);
	credential = credential_new(CREDENTIAL_ASKPASS, &entry->proxy, question->user,
				    line.p, line.len);
	/* The proxy need not see it once more. */
	is_known = (entry->rejected && is_of(entry, &credential->id)) ||
		   verdicts_overall(&credential->id) == VERDICT_REJECTED;
	credential_unref(entry->typed);
	entry->typed = credential;
	entry->rejected = false;
	if (is_known)
		reject(entry);
	if (entry->rejected && !entry->tired)
		ask(question);
	else
		finish(question, STORE_FOUND, credential_ref(credential));
}

static void user_typed(void *data, const struct child_end *end);

static void open_window(struct question *question, const char *text,
			void (*done)(void *data, const struct child_end *end))
{
	const char *path = program();
	const char *argv[] = {path, text, NULL};
	const struct child_request request = {
		.name = "askpass",
		.argv = (char **)argv,
		.input = "",
		.seconds = SECONDS,
		.done = done,
		.data = question,
	};

	if (path)
		child_run(&request);
	else
		finish(question, STORE_ABSENT, NULL);
}

static const char *why_again(const struct question *question)
{
	const struct entry *entry = find_entry(&question->proxy);

	return entry && entry->rejected ? "Rejected by the proxy. " : "";
}

/* The words of git, by which some programs know that a name may be shown while it is
 * typed. */
static void ask_user(struct question *question)
{
	char proxy[GP_AUTHORITY_MAX + 1], text[GP_AUTHORITY_MAX + 128];

	endpoint_text(&question->proxy, proxy);
	snprintf(text, sizeof(text), "%sUsername for 'http://%s': ", why_again(question),
		 proxy);
	open_window(question, text, user_typed);
}

static void ask_password(struct question *question)
{
	char proxy[GP_AUTHORITY_MAX + 1];
	char text[GP_AUTHORITY_MAX + GP_USER_MAX + 128];

	endpoint_text(&question->proxy, proxy);
	snprintf(text, sizeof(text),
		 "%sPassword for 'http://%s@%s': ", why_again(question), question->user,
		 proxy);
	open_window(question, text, password_typed);
}

static void user_typed(void *data, const struct child_end *end)
{
	struct question *question = data;
	char user[GP_USER_MAX + 1];
	struct gp_text line;

	if (!read_line(end, &line) || !gp_text_copy(line, user, sizeof(user)) ||
	    !credential_user_is_valid(user)) {
		close_window(question, end);
		return;
	}
	g_free(question->user);
	question->user = g_strdup(user);
	ask_password(question);
}

static void ask(struct question *question)
{
	question->caller.prompting(question->caller.data, seconds_for(question));
	if (question->user_told)
		ask_password(question);
	else
		ask_user(question);
}

static bool has_typed(const struct entry *entry, const char *user)
{
	return entry && entry->typed && (!user || !strcmp(user, entry->typed->user));
}

/* Something may have been typed for its proxy since it came. */
static void open_next(void)
{
	struct question *question;

	while (!open && (question = g_queue_peek_head(&questions))) {
		const struct entry *entry = find_entry(&question->proxy);

		open = question;
		if (has_typed(entry, question->user) && !entry->rejected)
			finish(question, STORE_FOUND, credential_ref(entry->typed));
		else if (entry && entry->tired)
			finish(question, STORE_DISMISSED, NULL);
		else
			ask(question);
	}
}

/* With all who are before it. */
static void tell_of_queue(const struct question *question)
{
	unsigned seconds = 0;

	for (GList *link = questions.head; link; link = link->next)
		seconds += seconds_for(link->data);
	question->caller.prompting(question->caller.data, seconds);
}

static void enqueue(const struct store_query *query, const struct store_caller *caller)
{
	struct question *question = g_new0(struct question, 1);

	question->proxy = query->proxy;
	question->caller = *caller;
	question->user = g_strdup(query->user);
	question->user_told = query->user != NULL;
	g_queue_push_tail(&questions, question);
	tell_of_queue(question);
	open_next();
}

/* --- the store -----------------------------------------------------------------------
 */

static void find(const struct store_query *query, const struct store_caller *caller)
{
	struct entry *entry = find_entry(&query->proxy);
	bool tired = entry && entry->tired;
	bool can_ask = query->may_prompt && !tired && program();

	/* A rejected one explains, if nothing else comes. */
	if (has_typed(entry, query->user) && (!entry->rejected || !can_ask))
		caller->done(caller->data, STORE_FOUND, credential_ref(entry->typed));
	else if (can_ask && (!query->user || credential_user_is_valid(query->user)))
		enqueue(query, caller);
	else
		caller->done(caller->data, tired ? STORE_DISMISSED : STORE_ABSENT, NULL);
}

const struct store store_askpass = {"askpass", STORE_IS_PERSON, false, find};

static struct entry *find_typed(const struct verdict_id *id)
{
	for (GList *link = entries.head; link; link = link->next)
		if (is_of(link->data, id))
			return link->data;
	return NULL;
}

void store_askpass_accepted(const struct verdict_id *id)
{
	struct entry *entry = find_typed(id);

	if (!entry)
		return;
	store_session_keep(&entry->proxy, entry->typed);
	free_entry(entry);
}

void store_askpass_rejected(const struct verdict_id *id)
{
	struct entry *entry = find_typed(id);

	if (entry && !entry->rejected)
		reject(entry);
}

void store_askpass_forget(const struct endpoint *proxy)
{
	struct entry *entry = find_entry(proxy);

	if (entry)
		free_entry(entry);
}
