/* SPDX-License-Identifier: MIT */
/*
 * Finds a proxy's entries in the keyring.
 *
 * Theory of operation. A search gets the service, then asks in stages from the particular
 * to the general: server and port; server; server "default". The first stage that has
 * entries decides. When all of them are locked and the caller allows it, the keyring is
 * unlocked and the stage asked again. One prompt is open at a time: further searches that
 * need one queue up behind it and ask their stage again when it has ended. What libsecret
 * never answers (a prompt whose window nobody sees) is answered by our own time limit;
 * the search itself is freed when libsecret's callback comes.
 */
#include "keyring.h"

#include "log.h"

enum stage { STAGE_PORT, STAGE_SERVER, STAGE_DEFAULT, STAGE_END };

struct search {
	struct keyring_call call; /* the first member */
	struct keyring_search request;
	SecretService *service;
	enum stage stage;
	bool unlocked; /* once is enough */
};

static struct search *unlocker; /* whose prompt is open */
static GQueue unlock_queue;     /* of struct search, which wait for it */
static GQueue silence_queue;    /* which wait for a daemon that owes an answer */

static void begin(struct search *search);
static void ask_stage(struct search *search);

static void free_search(struct search *search)
{
	keyring_call_release(&search->call);
	g_clear_object(&search->service);
	g_free(search->request.user);
	g_free(search);
}

static void answer(struct search *search, enum store_state state, GList *items)
{
	search->request.done(search->request.data, state, items);
}

static void finish(struct search *search, enum store_state state, GList *items)
{
	answer(search, state, items);
	free_search(search);
}

static void fail(struct search *search, GError *error)
{
	log_warn("keyring: %s", error->message);
	finish(search, keyring_state_of(error), NULL);
	g_error_free(error);
}

static void step_expired(struct keyring_call *call)
{
	log_warn("keyring: no answer for %d seconds", KEYRING_CALL_SECONDS);
	keyring_note_overdue(true);
	answer((struct search *)call, STORE_ERROR, NULL);
}

/* The answer of an expired step: its caller was told long ago, others may be waiting. */
static void came_late(struct search *search)
{
	log_info("keyring: it answers again");
	keyring_note_overdue(false);
	free_search(search);
	while (!keyring_is_silent() && (search = g_queue_pop_head(&silence_queue))) {
		(void)keyring_call_returned(&search->call);
		begin(search);
	}
}

/* Of a step: true if it came in time and without error, else the search has ended. */
static bool is_on_course(struct search *search, GError *error)
{
	if (!keyring_call_returned(&search->call)) {
		g_clear_error(&error);
		came_late(search);
		return false;
	}
	if (error)
		fail(search, error);
	return !error;
}

static void still_silent(struct keyring_call *call)
{
	struct search *search = (struct search *)call;

	g_queue_remove(&silence_queue, search);
	finish(search, STORE_ERROR, NULL);
}

static void end_unlock(void)
{
	GQueue waiting = unlock_queue;
	struct search *search;

	unlocker = NULL;
	g_queue_init(&unlock_queue);
	while ((search = g_queue_pop_head(&waiting)))
		ask_stage(search);
}

/* Nobody is asked again until something changes: ten programs would be ten prompts. */
static void refuse(struct search *search)
{
	enum store_state state = keyring_has_display() ? STORE_DISMISSED : STORE_LOCKED;

	keyring_set_refusal(state);
	answer(search, state, NULL);
	end_unlock();
}

static void unlock_expired(struct keyring_call *call)
{
	keyring_call_cancel(call);
	refuse((struct search *)call);
}

static void unlock_returned(GObject *source, GAsyncResult *result, gpointer data)
{
	struct search *search = data;
	GError *error = NULL;
	gint count = secret_service_unlock_finish(SECRET_SERVICE(source), result, NULL,
						  &error);

	if (error)
		log_warn("keyring: unlocking: %s", error->message);
	g_clear_error(&error);
	if (!keyring_call_returned(&search->call)) {
		free_search(search);
		return;
	}
	if (count <= 0) {
		refuse(search);
		free_search(search);
		return;
	}
	search->unlocked = true;
	ask_stage(search);
	end_unlock();
}

static void tell_prompting(struct search *search)
{
	if (keyring_has_display() && search->request.prompting)
		search->request.prompting(search->request.data, KEYRING_PROMPT_SECONDS);
}

static void unlock(struct search *search, GList *items)
{
	if (keyring_refusal() != STORE_NOT_ASKED) {
		finish(search, keyring_refusal(), NULL);
		return;
	}
	if (!search->request.may_prompt || search->unlocked) {
		finish(search, STORE_LOCKED, NULL);
		return;
	}
	tell_prompting(search);
	if (unlocker) {
		g_queue_push_tail(&unlock_queue, search);
		return;
	}
	unlocker = search;
	keyring_call_arm(&search->call,
			 keyring_has_display() ? KEYRING_PROMPT_SECONDS
					       : KEYRING_UNASKED_SECONDS,
			 unlock_expired);
	secret_service_unlock(search->service, items, search->call.cancellable,
			      unlock_returned, search);
}

/* SearchItems finds entries with more attributes than asked for: one for another port of
 * the server is not meant for this proxy. */
static bool is_for_port(SecretItem *item, uint16_t port)
{
	GHashTable *attributes = secret_item_get_attributes(item);
	const char *value = attributes ? g_hash_table_lookup(attributes, "port") : NULL;
	bool is = !value || g_ascii_strtoull(value, NULL, 10) == port;

	if (attributes)
		g_hash_table_unref(attributes);
	return is;
}

static void sort_items(const struct search *search, GList *items, GList **open,
		       GList **locked)
{
	for (GList *link = items; link; link = link->next) {
		SecretItem *item = link->data;

		if (!is_for_port(item, search->request.proxy.port))
			continue;
		if (secret_item_get_locked(item))
			*locked = g_list_prepend(*locked, item);
		else
			*open = g_list_prepend(*open, item);
	}
}

static void stage_returned(GObject *source, GAsyncResult *result, gpointer data)
{
	struct search *search = data;
	GError *error = NULL;
	GList *items =
		secret_service_search_finish(SECRET_SERVICE(source), result, &error);
	GList *open = NULL, *locked = NULL;

	if (!is_on_course(search, error))
		goto out;
	sort_items(search, items, &open, &locked);
	if (open) {
		finish(search, STORE_FOUND, open);
	} else if (locked) {
		unlock(search, locked);
	} else {
		search->stage++;
		ask_stage(search);
	}
out:
	g_list_free(open);
	g_list_free(locked);
	g_list_free_full(items, g_object_unref);
}

static void ask_stage(struct search *search)
{
	const struct keyring_search *request = &search->request;
	const bool is_default = search->stage == STAGE_DEFAULT;
	GHashTable *attributes;

	if (search->stage == STAGE_END ||
	    (search->stage > STAGE_PORT && request->exact)) {
		finish(search, STORE_ABSENT, NULL);
		return;
	}
	attributes = keyring_attributes(
		is_default ? "default" : request->proxy.host,
		search->stage == STAGE_PORT ? &request->proxy.port : NULL, request->user);
	keyring_call_arm(&search->call, KEYRING_CALL_SECONDS, step_expired);
	secret_service_search(
		search->service, NULL, attributes,
		SECRET_SEARCH_ALL |
			(request->load_secrets ? SECRET_SEARCH_LOAD_SECRETS : 0),
		search->call.cancellable, stage_returned, search);
	g_hash_table_unref(attributes);
}

static void service_returned(GObject *source, GAsyncResult *result, gpointer data)
{
	struct search *search = data;
	GError *error = NULL;

	(void)source;
	search->service = secret_service_get_finish(result, &error);
	if (!is_on_course(search, error))
		return;
	keyring_watch(search->service);
	ask_stage(search);
}

static void begin(struct search *search)
{
	keyring_call_arm(&search->call, KEYRING_CALL_SECONDS, step_expired);
	secret_service_get(SECRET_SERVICE_OPEN_SESSION, search->call.cancellable,
			   service_returned, search);
}

void keyring_search(const struct keyring_search *request)
{
	struct search *search = g_new0(struct search, 1);

	search->request = *request;
	if (!keyring_has_bus()) {
		finish(search, STORE_NO_BUS, NULL);
	} else if (search->request.user &&
		   !g_utf8_validate(search->request.user, -1, NULL)) {
		/* D-Bus carries UTF-8 only, so no entry has such a user. */
		finish(search, STORE_ABSENT, NULL);
	} else if (keyring_is_silent()) {
		g_queue_push_tail(&silence_queue, search);
		keyring_call_arm(&search->call, KEYRING_SILENCE_SECONDS, still_silent);
	} else {
		begin(search);
	}
}
