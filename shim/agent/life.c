/* SPDX-License-Identifier: MIT */
/* How long the agent lives. */
#include "life.h"

#include <signal.h>

#include <glib-unix.h>

#include "listener.h"
#include "log.h"
#include "session.h"
#include "store.h"
#include "verdicts.h"

/* Less than a starting agent waits for the lock, see place_take(). */
#define GRACE_MS 2000

static GMainLoop *loop;
static guint idle_timer;
static unsigned idle_seconds;
static bool stopping;

static gboolean idle(gpointer data)
{
	(void)data;
	/* The new agent would offer a rejected password once more, every ten minutes:
	 * that is what locks accounts. */
	if (!store_session_is_empty() || verdicts_any_rejected())
		if (listener_is_reachable())
			return G_SOURCE_CONTINUE;
	idle_timer = 0;
	log_info("nobody has asked for %u seconds", idle_seconds);
	life_stop();
	return G_SOURCE_REMOVE;
}

static void restart_idle_timer(void)
{
	if (idle_timer)
		g_source_remove(idle_timer);
	idle_timer = idle_seconds ? g_timeout_add_seconds(idle_seconds, idle, NULL) : 0;
}

static void session_ended(void)
{
	if (session_count())
		return;
	if (stopping)
		g_main_loop_quit(loop);
	else
		restart_idle_timer();
}

static void session_began(void)
{
	if (idle_timer)
		g_source_remove(idle_timer);
	idle_timer = 0;
}

static gboolean quit(gpointer data)
{
	(void)data;
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

void life_stop(void)
{
	if (stopping)
		return;
	stopping = true;
	/* Whoever connected before the socket went is served; whoever comes later starts
	 * a new agent, which waits for our lock. */
	listener_close();
	g_timeout_add(session_count() ? GRACE_MS : 0, quit, NULL);
}

static gboolean end_now(gpointer data)
{
	(void)data;
	log_info("ended by a signal");
	listener_close();
	g_main_loop_quit(loop);
	return G_SOURCE_CONTINUE;
}

void life_run(unsigned seconds)
{
	loop = g_main_loop_new(NULL, FALSE);
	idle_seconds = seconds;
	g_unix_signal_add(SIGTERM, end_now, NULL);
	g_unix_signal_add(SIGINT, end_now, NULL);
	sessions_on_end(session_ended);
	listener_on_session(session_began);
	restart_idle_timer();
	g_main_loop_run(loop);
	g_main_loop_unref(loop);
}
