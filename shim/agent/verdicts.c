/* SPDX-License-Identifier: MIT */
/*
 * The guard against lock-outs.
 *
 * Theory of operation. A trial is the entry of one credential. States: unknown (an entry
 * only lives in this state while waiters are called), trying (has an owner), accepted,
 * rejected (both without waiters). Waiters stand in a queue in the order of their coming.
 * Callbacks may start, end and cancel trials and waits, so that every loop looks at the
 * table anew after each callback.
 */
#include "verdicts.h"

#include <string.h>
#include <sys/random.h>

#include <glib.h>

#include "endpoint.h"

/* Beyond so many, accepted ones are forgotten: that costs a single trial each. */
#define TRIALS_MAX 4096

struct trial {
	struct verdict_id id; /* the key */
	enum verdict verdict;
	const void *owner;
	GQueue waits; /* of struct verdict_wait */
};

struct verdict_wait {
	GList link;
	struct verdict_id id;
	guint timer;
	void (*done)(void *data, enum verdict verdict);
	void *data;
};

static GHashTable *trials; /* struct verdict_id -> struct trial */

static const uint8_t *hmac_key(void)
{
	static uint8_t key[32];
	static bool made;

	if (made)
		return key;
	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		g_error("getrandom: no random numbers");
	made = true;
	return key;
}

void verdict_id_make(const struct endpoint *proxy, const char *user, const char *password,
		     size_t len, struct verdict_id *out)
{
	static const uint8_t filler[64];
	GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, hmac_key(), 32);
	char text[GP_AUTHORITY_MAX + 1];
	gsize size = sizeof(out->bytes);

	out->scheme = 0;
	endpoint_text(proxy, text);
	g_hmac_update(hmac, (const guchar *)text, (gssize)strlen(text) + 1);
	g_hmac_update(hmac, (const guchar *)user, (gssize)strlen(user) + 1);
	g_hmac_update(hmac, (const guchar *)password, (gssize)len);
	/* A whole block of something else pushes the password out of GLib's block buffer,
	 * which is freed without being wiped. */
	g_hmac_update(hmac, filler, sizeof(filler));
	g_hmac_get_digest(hmac, out->bytes, &size);
	g_hmac_unref(hmac);
}

static guint hash_id(gconstpointer key)
{
	guint hash;

	memcpy(&hash, key, sizeof(hash));
	return hash;
}

bool verdict_id_equal(const struct verdict_id *a, const struct verdict_id *b)
{
	return a->scheme == b->scheme && !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static gboolean equal_id(gconstpointer a, gconstpointer b)
{
	return verdict_id_equal(a, b);
}

static struct trial *find_trial(const struct verdict_id *id)
{
	return trials ? g_hash_table_lookup(trials, id) : NULL;
}

static gboolean is_forgettable(gpointer key, gpointer value, gpointer data)
{
	(void)key;
	(void)data;
	return ((struct trial *)value)->verdict == VERDICT_ACCEPTED;
}

static struct trial *need_trial(const struct verdict_id *id)
{
	struct trial *trial = find_trial(id);

	if (trial)
		return trial;
	if (!trials)
		trials = g_hash_table_new_full(hash_id, equal_id, NULL, g_free);
	if (g_hash_table_size(trials) >= TRIALS_MAX)
		g_hash_table_foreach_remove(trials, is_forgettable, NULL);
	trial = g_new0(struct trial, 1);
	trial->id = *id;
	g_hash_table_insert(trials, &trial->id, trial);
	return trial;
}

enum verdict verdicts_get(const struct verdict_id *id)
{
	struct trial *trial = find_trial(id);

	return trial ? trial->verdict : VERDICT_UNKNOWN;
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {NULL, "trying", "accepted", "rejected"};

	return names[verdict];
}

bool verdicts_try(const struct verdict_id *id, const void *owner)
{
	struct trial *trial = need_trial(id);

	if (trial->verdict == VERDICT_TRYING)
		return trial->owner == owner;
	if (trial->verdict != VERDICT_UNKNOWN)
		return false;
	trial->verdict = VERDICT_TRYING;
	trial->owner = owner;
	return true;
}

static void finish_wait(struct verdict_wait *wait, enum verdict verdict)
{
	if (wait->timer)
		g_source_remove(wait->timer);
	wait->done(wait->data, verdict);
	g_free(wait);
}

static struct verdict_wait *first_wait(struct trial *trial)
{
	GList *link = g_queue_pop_head_link(&trial->waits);

	return link ? link->data : NULL;
}

static void decide(const struct verdict_id *id, enum verdict verdict)
{
	const struct verdict_id key = *id; /* a callback may free what `id` is part of */
	struct trial *trial = need_trial(&key);
	struct verdict_wait *wait;

	trial->verdict = verdict;
	trial->owner = NULL;
	while ((trial = find_trial(&key)) && trial->verdict == verdict) {
		wait = first_wait(trial);
		if (!wait)
			return;
		finish_wait(wait, verdict);
	}
}

void verdicts_accept(const struct verdict_id *id)
{
	decide(id, VERDICT_ACCEPTED);
}

void verdicts_reject(const struct verdict_id *id)
{
	decide(id, VERDICT_REJECTED);
}

void verdicts_release(const struct verdict_id *id, const void *owner)
{
	const struct verdict_id key = *id;
	struct trial *trial = find_trial(&key);
	struct verdict_wait *wait;

	if (!trial || trial->verdict != VERDICT_TRYING || trial->owner != owner)
		return;
	trial->verdict = VERDICT_UNKNOWN;
	while ((trial = find_trial(&key)) && trial->verdict == VERDICT_UNKNOWN) {
		wait = first_wait(trial);
		if (!wait) {
			g_hash_table_remove(trials, &key);
			return;
		}
		finish_wait(wait, VERDICT_UNKNOWN);
	}
}

void verdicts_forget(const struct verdict_id *id)
{
	struct trial *trial = find_trial(id);

	if (trial && trial->verdict != VERDICT_TRYING && !trial->waits.length)
		g_hash_table_remove(trials, id);
}

enum verdict verdicts_overall(const struct verdict_id *id)
{
	static const enum verdict order[] = {VERDICT_ACCEPTED, VERDICT_TRYING,
					     VERDICT_REJECTED};
	bool seen[VERDICT_REJECTED + 1] = {false};
	struct verdict_id each = *id;

	for (each.scheme = 0; each.scheme < VERDICT_SCHEMES; each.scheme++)
		seen[verdicts_get(&each)] = true;
	for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
		if (seen[order[i]])
			return order[i];
	return VERDICT_UNKNOWN;
}

void verdicts_forget_all(const struct verdict_id *id)
{
	struct verdict_id each = *id;

	for (each.scheme = 0; each.scheme < VERDICT_SCHEMES; each.scheme++)
		verdicts_forget(&each);
}

static gboolean is_rejected(gpointer key, gpointer value, gpointer data)
{
	(void)key;
	(void)data;
	return ((struct trial *)value)->verdict == VERDICT_REJECTED;
}

bool verdicts_any_rejected(void)
{
	return trials && g_hash_table_find(trials, is_rejected, NULL);
}

static gboolean time_over(gpointer data)
{
	struct verdict_wait *wait = data;
	struct trial *trial = find_trial(&wait->id);

	wait->timer = 0;
	if (trial)
		g_queue_unlink(&trial->waits, &wait->link);
	finish_wait(wait, VERDICT_TRYING);
	return G_SOURCE_REMOVE;
}

struct verdict_wait *verdicts_wait(const struct verdict_id *id, unsigned seconds,
				   void (*done)(void *data, enum verdict verdict),
				   void *data)
{
	struct verdict_wait *wait = g_new0(struct verdict_wait, 1);

	wait->link.data = wait;
	wait->id = *id;
	wait->done = done;
	wait->data = data;
	wait->timer = g_timeout_add_seconds(seconds, time_over, wait);
	g_queue_push_tail_link(&need_trial(id)->waits, &wait->link);
	return wait;
}

void verdicts_wait_cancel(struct verdict_wait *wait)
{
	struct trial *trial = find_trial(&wait->id);

	if (trial)
		g_queue_unlink(&trial->waits, &wait->link);
	if (wait->timer)
		g_source_remove(wait->timer);
	g_free(wait);
}

void verdicts_clear(void)
{
	g_clear_pointer(&trials, g_hash_table_unref);
}
