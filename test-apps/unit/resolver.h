/* SPDX-License-Identifier: MIT */
/*
 * A resolver that answers when the test wants it to, and a clock that the test moves, in
 * place of GLib's.
 */
#ifndef GATEPASS_TEST_RESOLVER_H
#define GATEPASS_TEST_RESOLVER_H

#include <time.h>

#include <gio/gio.h>

static gint64 resolver_clock_ahead; /* microseconds */

/* The agent's objects are linked with this one, and so do not see GLib's. */
gint64 g_get_monotonic_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + resolver_clock_ahead;
}

static inline void clock_advance(unsigned seconds)
{
	resolver_clock_ahead += seconds * G_USEC_PER_SEC;
}

static GQueue resolver_open = G_QUEUE_INIT; /* of GTask */
static GHashTable *resolver_known;          /* name -> address */
static unsigned resolver_asked;             /* questions so far */

#define TEST_TYPE_RESOLVER (test_resolver_get_type())
G_DECLARE_FINAL_TYPE(TestResolver, test_resolver, TEST, RESOLVER, GResolver)

struct _TestResolver {
	GResolver parent;
};

G_DEFINE_TYPE(TestResolver, test_resolver, G_TYPE_RESOLVER)

static void resolver_ask(GResolver *resolver, const gchar *name,
			 GCancellable *cancellable, GAsyncReadyCallback callback,
			 gpointer data)
{
	GTask *task = g_task_new(resolver, cancellable, callback, data);

	g_task_set_task_data(task, g_strdup(name), g_free);
	g_queue_push_tail(&resolver_open, task);
	resolver_asked++;
}

static GList *resolver_finish(GResolver *resolver, GAsyncResult *result, GError **error)
{
	(void)resolver;
	return g_task_propagate_pointer(G_TASK(result), error);
}

static void test_resolver_class_init(TestResolverClass *class)
{
	G_RESOLVER_CLASS(class)->lookup_by_name_async = resolver_ask;
	G_RESOLVER_CLASS(class)->lookup_by_name_finish = resolver_finish;
}

static void test_resolver_init(TestResolver *resolver)
{
	(void)resolver;
}

/* Before anything is looked up. */
static void resolver_init(void)
{
	GResolver *resolver = g_object_new(TEST_TYPE_RESOLVER, NULL);

	resolver_known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_resolver_set_default(resolver);
	g_object_unref(resolver);
}

/* NULL: there is no such name. */
static void resolver_set(const char *name, const char *address)
{
	g_hash_table_replace(resolver_known, g_strdup(name), g_strdup(address));
}

static void resolver_reply(GTask *task)
{
	const char *address =
		g_hash_table_lookup(resolver_known, g_task_get_task_data(task));

	if (address)
		g_task_return_pointer(
			task,
			g_list_append(NULL, g_inet_address_new_from_string(address)),
			NULL);
	else
		g_task_return_new_error(task, G_RESOLVER_ERROR,
					G_RESOLVER_ERROR_NOT_FOUND, "no such\nname");
	g_object_unref(task);
}

/* Answers what was asked, and lets the answers arrive. */
static void resolver_answer(void)
{
	GTask *task;

	while ((task = g_queue_pop_head(&resolver_open)))
		resolver_reply(task);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

#endif
