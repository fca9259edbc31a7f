/* SPDX-License-Identifier: MIT */
/*
 * Handshakes by Kerberos.
 *
 * Theory of operation. A question is put into the lane of the ticket cache, or of the
 * user and password, that it is about. A lane has one thread at a time: the first
 * question gets the ticket, and those behind it find it there, or find why there is none.
 * Each question has its time. When one has waited for so long, its lane is stuck:
 * everybody in it is told so, and so is whoever comes, until the thread has returned. A
 * thread cannot be stopped; what it brings after its time is thrown away, but what it has
 * remembered in the lane is good.
 *
 * The state of GSSAPI goes from the handshake to the question while that is in the
 * thread's hands, so that the handshake may be freed at any time.
 */
#include "kerberos.h"

#include <stdatomic.h>

#include <gio/gio.h>

#include <gatepass/host.h>

#include "endpoint.h"
#include "kerberos_work.h"
#include "secret.h"
#include "verdicts.h"

/* Tickets that are looked after; above it those begin anew that nobody waits for. */
#define LANES_MAX 64

struct lane {
	unsigned references; /* of the table and of questions */
	struct kerberos_memory memory;
	struct inquiry *running; /* or NULL */
	bool stuck;
	GQueue waiting; /* of struct inquiry */
};

/* A question on its way. */
struct inquiry {
	struct kerberos *kerberos; /* NULL: nobody listens any more */
	struct lane *lane;
	struct kerberos_work work;
	/* Counts the times that `work` changed hands. GLib's queues order memory too, but
	 * do it out of a sanitizer's sight. */
	atomic_uint turns;
	guint timer;
	void (*done)(void *data, const struct kerberos_answer *answer);
	void *data;
};

struct kerberos {
	struct inquiry *inquiry; /* or NULL */
	struct kerberos_handshake handshake;
};

static GHashTable *lanes; /* of struct lane, by what they are about */
static unsigned seconds = KERBEROS_SECONDS;

static void unref_lane(gpointer data)
{
	struct lane *lane = data;

	if (--lane->references)
		return;
	kerberos_memory_release(&lane->memory);
	g_free(lane);
}

static gboolean is_idle(gpointer key, gpointer value, gpointer data)
{
	const struct lane *lane = value;

	(void)key;
	(void)data;
	return lane->references == 1;
}

/* The lane's name: never the password. */
static char *name_lane(const struct kerberos_question *question)
{
	static const struct endpoint any; /* it is the same for all proxies */
	struct verdict_id id;
	GString *name;

	if (!question->password)
		return g_strconcat("cache ", question->ccache, NULL);
	verdict_id_make(&any, question->user, question->password->bytes,
			question->password->len, &id);
	name = g_string_new("password ");
	for (size_t i = 0; i < sizeof(id.bytes); i++)
		g_string_append_printf(name, "%02x", id.bytes[i]);
	return g_string_free(name, FALSE);
}

static struct lane *need_lane(const struct kerberos_question *question)
{
	char *name = name_lane(question);
	struct lane *lane;

	if (!lanes)
		lanes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					      unref_lane);
	lane = g_hash_table_lookup(lanes, name);
	if (lane) {
		g_free(name);
	} else {
		if (g_hash_table_size(lanes) >= LANES_MAX)
			g_hash_table_foreach_remove(lanes, is_idle, NULL);
		lane = g_new0(struct lane, 1);
		kerberos_memory_init(&lane->memory);
		lane->references = 1;
		g_hash_table_insert(lanes, name, lane);
	}
	lane->references++;
	return lane;
}

static void free_inquiry(struct inquiry *inquiry)
{
	struct kerberos_work *work = &inquiry->work;

	unref_lane(inquiry->lane);
	kerberos_handshake_clear(&work->handshake);
	g_free(work->host);
	g_free(work->ccache);
	g_free(work->user);
	g_free(work->token);
	secret_free(work->password);
	g_free(work->reply);
	g_free(work->text);
	g_free(inquiry);
}

static void detach(struct inquiry *inquiry)
{
	g_source_remove(inquiry->timer);
	inquiry->kerberos->inquiry = NULL;
	inquiry->kerberos = NULL;
}

/* When no thread has it. The callback may free the handshake, but not what it is told. */
static void deliver(struct inquiry *inquiry)
{
	struct kerberos_work *work = &inquiry->work;
	char *principal = g_strdup(work->handshake.principal);
	char *identity = g_strdup(work->handshake.identity);
	const struct kerberos_answer answer = {
		.state = work->state,
		.token = work->reply,
		.complete = work->complete,
		.principal = principal,
		.identity = identity,
		.text = work->text,
	};

	inquiry->kerberos->handshake = work->handshake;
	work->handshake = (struct kerberos_handshake){0};
	detach(inquiry);
	inquiry->done(inquiry->data, &answer);
	g_free(principal);
	g_free(identity);
}

static void run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	struct inquiry *inquiry = data;

	(void)source;
	(void)cancellable;
	(void)atomic_load(&inquiry->turns);
	kerberos_work_run(&inquiry->work);
	atomic_fetch_add(&inquiry->turns, 1);
	g_task_return_boolean(task, TRUE);
}

static void start_next(struct lane *lane);

static void returned(GObject *source, GAsyncResult *result, gpointer data)
{
	struct inquiry *inquiry = data;

	(void)source;
	(void)result;
	(void)atomic_load(&inquiry->turns);
	inquiry->lane->running = NULL;
	inquiry->lane->stuck = false;
	start_next(inquiry->lane);
	if (inquiry->kerberos)
		deliver(inquiry);
	free_inquiry(inquiry);
}

static void start_next(struct lane *lane)
{
	struct inquiry *inquiry = g_queue_pop_head(&lane->waiting);
	GTask *task;

	lane->running = inquiry;
	if (!inquiry)
		return;
	atomic_fetch_add(&inquiry->turns, 1);
	task = g_task_new(NULL, NULL, returned, inquiry);
	g_task_set_task_data(task, inquiry, NULL);
	g_task_run_in_thread(task, run);
	g_object_unref(task);
}

/* The thread may have it still. */
static void give_up(struct inquiry *inquiry)
{
	const struct kerberos_answer answer = {
		.state = KERBEROS_FAILED,
		.text = "Kerberos: the KDC does not answer in time",
	};

	detach(inquiry);
	inquiry->done(inquiry->data, &answer);
}

static gboolean expire(gpointer data)
{
	struct lane *lane = ((struct inquiry *)data)->lane;
	struct inquiry *inquiry;

	lane->references++;
	lane->stuck = true;
	if (lane->running->kerberos)
		give_up(lane->running);
	while ((inquiry = g_queue_pop_head(&lane->waiting))) {
		give_up(inquiry);
		free_inquiry(inquiry);
	}
	unref_lane(lane);
	return G_SOURCE_REMOVE;
}

static gboolean deliver_known(gpointer data)
{
	deliver(data);
	free_inquiry(data);
	return G_SOURCE_REMOVE;
}

static bool is_address(const char *host)
{
	union gp_address address;

	return gp_address_parse_host(host, &address);
}

/* What can be said at once; false: nothing. */
static bool answer_known(struct inquiry *inquiry, const struct lane *lane)
{
	struct kerberos_work *work = &inquiry->work;

	if (!gss_get())
		kerberos_work_fail(work, KERBEROS_NONE,
				   g_strdup("Kerberos is not installed"));
	else if (is_address(work->host))
		kerberos_work_fail(work, KERBEROS_NONE,
				   g_strdup("Kerberos needs the proxy's name in place of "
					    "its address"));
	else if (lane->stuck)
		kerberos_work_fail(work, KERBEROS_FAILED,
				   g_strdup("Kerberos: the KDC does not answer"));
	else
		return false;
	return true;
}

static struct inquiry *new_inquiry(const struct kerberos_question *question)
{
	struct inquiry *inquiry = g_new0(struct inquiry, 1);
	struct kerberos_work *work = &inquiry->work;
	const struct secret *password = question->password;

	work->host = g_strdup(question->host);
	work->ccache = g_strdup(question->ccache);
	work->user = g_strdup(question->user);
	work->token = g_strdup(question->token);
	work->password = password ? secret_new(password->bytes, password->len) : NULL;
	inquiry->lane = need_lane(question);
	work->memory = &inquiry->lane->memory;
	return inquiry;
}

void kerberos_ask(struct kerberos *kerberos, const struct kerberos_question *question,
		  void (*done)(void *data, const struct kerberos_answer *answer),
		  void *data)
{
	struct inquiry *inquiry = new_inquiry(question);
	struct lane *lane = inquiry->lane;

	inquiry->kerberos = kerberos;
	inquiry->done = done;
	inquiry->data = data;
	inquiry->work.handshake = kerberos->handshake;
	kerberos->handshake = (struct kerberos_handshake){0};
	kerberos->inquiry = inquiry;
	if (answer_known(inquiry, lane)) {
		inquiry->timer = g_idle_add(deliver_known, inquiry);
		return;
	}
	inquiry->timer = g_timeout_add_seconds(seconds, expire, inquiry);
	g_queue_push_tail(&lane->waiting, inquiry);
	if (!lane->running)
		start_next(lane);
}

void kerberos_cancel(struct kerberos *kerberos)
{
	struct inquiry *inquiry = kerberos->inquiry;

	if (!inquiry)
		return;
	detach(inquiry);
	if (inquiry == inquiry->lane->running)
		return; /* returned() frees it */
	g_queue_remove(&inquiry->lane->waiting, inquiry);
	free_inquiry(inquiry);
}

struct kerberos *kerberos_new(void)
{
	return g_new0(struct kerberos, 1);
}

void kerberos_free(struct kerberos *kerberos)
{
	if (!kerberos)
		return;
	kerberos_cancel(kerberos);
	kerberos_handshake_clear(&kerberos->handshake);
	g_free(kerberos);
}

bool kerberos_is_possible(void)
{
	return gss_get();
}

void kerberos_forget(void)
{
	g_clear_pointer(&lanes, g_hash_table_unref);
}

void kerberos_set_seconds(unsigned wanted)
{
	seconds = wanted;
}
