/* SPDX-License-Identifier: MIT */
/*
 * Runs a program of the user's.
 *
 * Theory of operation. A child is answered once, when it has exited and its pipes have
 * been emptied, or before that when its time is over or its output too long; then its
 * session is killed. It is freed when it has exited. Its pipes are not read up to their
 * end, because a daemon that it has left behind (git-credential-cache) may hold them.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib-unix.h>

#include <gatepass/text.h>
#include <gatepass/variables.h>

#include "log.h"
#include "secret.h"

/* Of its standard error; the rest is read and dropped. */
#define SAID_MAX 4096

struct stream {
	int fd; /* -1: closed */
	guint watch;
	char *bytes; /* of secret_alloc() */
	size_t len, cap;
};

struct child {
	char *name;
	GPid pid;
	struct stream input, output, said;
	size_t written;
	guint timer;
	unsigned seconds;
	void (*done)(void *data, const struct child_end *end); /* NULL: answered */
	void *data;
};

extern char **environ;

static char **make_environment(void)
{
	GPtrArray *list = g_ptr_array_new();

	for (char **variable = environ; variable && *variable; variable++)
		if (gp_variable_is_inherited(*variable))
			g_ptr_array_add(list, g_strdup(*variable));
	/* If it uses the network: it must not wait for us while we wait for it. */
	g_ptr_array_add(list, g_strdup("GATEPASS_DISABLE=1"));
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}

/* In the child, between fork and exec: async-signal-safe calls only. */
static void prepare(gpointer data)
{
	(void)data;
	setsid();
	/* Ours would make directories that nobody can enter. */
	umask(077);
	signal(SIGPIPE, SIG_DFL);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
}

static void close_stream(struct stream *stream)
{
	if (stream->watch)
		g_source_remove(stream->watch);
	stream->watch = 0;
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
}

static void release_stream(struct stream *stream)
{
	close_stream(stream);
	secret_dealloc(stream->bytes, stream->cap);
}

static void free_child(struct child *child)
{
	if (child->timer)
		g_source_remove(child->timer);
	release_stream(&child->input);
	release_stream(&child->output);
	release_stream(&child->said);
	g_free(child->name);
	g_free(child);
}

static void answer(struct child *child, enum child_outcome outcome, const char *problem)
{
	const struct child_end end = {outcome, problem, child->output.bytes,
				      child->output.len};
	void (*done)(void *data, const struct child_end *end) = child->done;

	if (!done)
		return;
	child->done = NULL;
	if (outcome == CHILD_BROKEN)
		log_warn("%s: %s", child->name, problem);
	else if (problem)
		log_info("%s: %s", child->name, problem);
	done(child->data, &end);
}

static void stop(struct child *child, const char *problem)
{
	/* It leads a session, and so a process group. */
	kill(-child->pid, SIGKILL);
	close_stream(&child->input);
	close_stream(&child->output);
	answer(child, CHILD_BROKEN, problem);
}

static gboolean expire(gpointer data)
{
	struct child *child = data;
	char problem[64];

	child->timer = 0;
	snprintf(problem, sizeof(problem), "no answer within %u seconds", child->seconds);
	stop(child, problem);
	return G_SOURCE_REMOVE;
}

/* --- what it says --------------------------------------------------------------------
 */

/* Of a line of its input or output: a password, or empty. */
static struct gp_text secret_of(struct gp_text line)
{
	static const char key[] = "password=";
	const size_t len = sizeof(key) - 1;

	if (line.len >= len && !memcmp(line.p, key, len))
		return gp_text_from(line, len);
	if (memchr(line.p, '=', line.len))
		line.len = 0;
	return line;
}

static bool tells_secret_of(struct gp_text said, const struct stream *stream)
{
	struct gp_text rest = {stream->bytes, stream->len};

	while (rest.p && rest.len) {
		struct gp_text secret = secret_of(gp_text_cut(&rest, "\r\n"));

		if (secret.len && memmem(said.p, said.len, secret.p, secret.len))
			return true;
	}
	return false;
}

static void log_said(const struct child *child, struct gp_text line)
{
	char text[256];
	size_t len = MIN(line.len, sizeof(text) - 1);

	memcpy(text, line.p, len);
	text[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (gp_is_control(text[i]))
			text[i] = ' ';
	/* It may be one of another proxy, or of another time. */
	if (strcasestr(text, "password") || tells_secret_of(line, &child->input) ||
	    tells_secret_of(line, &child->output))
		strcpy(text, "(a line about a password is left out)");
	log_info("%s says: %s", child->name, text);
	explicit_bzero(text, sizeof(text));
}

static void log_all_said(const struct child *child)
{
	struct gp_text rest = {child->said.bytes, child->said.len};

	while (rest.p && rest.len) {
		struct gp_text line = gp_text_trim(gp_text_cut(&rest, "\r\n"));

		if (line.len)
			log_said(child, line);
	}
}

/* --- its pipes -----------------------------------------------------------------------
 */

/* False: there is nothing more for now, or at all. The last octet is for a NUL. */
static bool read_some(struct stream *stream)
{
	size_t room = stream->cap - 1 - stream->len;
	char dropped[512];
	ssize_t n;

	if (stream->fd < 0)
		return false;
	do
		n = room ? read(stream->fd, stream->bytes + stream->len, room)
			 : read(stream->fd, dropped, sizeof(dropped));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return false;
	if (!n)
		close_stream(stream);
	else if (room)
		stream->len += (size_t)n;
	explicit_bzero(dropped, sizeof(dropped));
	return n > 0;
}

static bool is_too_long(const struct child *child)
{
	return child->output.len > CHILD_OUTPUT_MAX;
}

static void stop_talking(struct child *child)
{
	char problem[64];

	snprintf(problem, sizeof(problem), "its answer is longer than %d octets",
		 CHILD_OUTPUT_MAX);
	stop(child, problem);
}

static gboolean can_read(gint fd, GIOCondition condition, gpointer data)
{
	struct child *child = data;
	struct stream *stream = fd == child->said.fd ? &child->said : &child->output;

	(void)condition;
	(void)read_some(stream);
	if (is_too_long(child) && child->done)
		stop_talking(child);
	return stream->fd < 0 ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static gboolean can_write(gint fd, GIOCondition condition, gpointer data)
{
	struct child *child = data;
	struct stream *input = &child->input;
	ssize_t n = write(fd, input->bytes + child->written, input->len - child->written);

	(void)condition;
	if (n >= 0)
		child->written += (size_t)n;
	else if (errno == EAGAIN || errno == EINTR)
		return G_SOURCE_CONTINUE;
	if (n >= 0 && child->written < input->len)
		return G_SOURCE_CONTINUE;
	/* Also when it does not read: that is not our affair. */
	close_stream(input);
	return G_SOURCE_REMOVE;
}

static void watch(struct child *child, struct stream *stream, GIOCondition condition,
		  GUnixFDSourceFunc ready)
{
	g_unix_set_fd_nonblocking(stream->fd, TRUE, NULL);
	stream->watch = g_unix_fd_add(stream->fd, condition, ready, child);
}

/* --- its end -------------------------------------------------------------------------
 */

static void judge(struct child *child, gint status)
{
	char problem[64];

	if (is_too_long(child)) {
		stop_talking(child);
	} else if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		answer(child, CHILD_SUCCEEDED, NULL);
	} else {
		snprintf(problem, sizeof(problem),
			 WIFEXITED(status) ? "exit status %d" : "ended by signal %d",
			 WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
		answer(child, CHILD_FAILED, problem);
	}
}

static void exited(GPid pid, gint status, gpointer data)
{
	struct child *child = data;

	(void)pid;
	while (read_some(&child->output) && !is_too_long(child))
		;
	while (child->said.len < SAID_MAX && read_some(&child->said))
		;
	log_all_said(child);
	judge(child, status);
	free_child(child);
}

static void open_stream(struct stream *stream, size_t cap)
{
	stream->fd = -1;
	stream->cap = cap;
	stream->bytes = secret_alloc(cap);
}

static bool spawn(struct child *child, char **argv, GError **error)
{
	char **environment = make_environment();
	bool ok = g_spawn_async_with_pipes(
		"/", argv, environment, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
		prepare, NULL, &child->pid, &child->input.fd, &child->output.fd,
		&child->said.fd, error);

	g_strfreev(environment);
	return ok;
}

void child_run(const struct child_request *request)
{
	struct child *child = g_new0(struct child, 1);
	GError *error = NULL;

	child->name = g_strdup(request->name);
	child->seconds = request->seconds;
	child->done = request->done;
	child->data = request->data;
	open_stream(&child->input, request->len + 1);
	/* An octet more than may come, and the NUL. */
	open_stream(&child->output, CHILD_OUTPUT_MAX + 2);
	open_stream(&child->said, SAID_MAX + 1);
	memcpy(child->input.bytes, request->input, request->len);
	child->input.len = request->len;
	if (!spawn(child, request->argv, &error)) {
		answer(child, CHILD_BROKEN, error->message);
		g_error_free(error);
		free_child(child);
		return;
	}
	log_debug("%s: started as process %ld", child->name, (long)child->pid);
	watch(child, &child->input, G_IO_OUT, can_write);
	watch(child, &child->output, G_IO_IN, can_read);
	watch(child, &child->said, G_IO_IN, can_read);
	child->timer = g_timeout_add_seconds(child->seconds, expire, child);
	g_child_watch_add(child->pid, exited, child);
}
