/* SPDX-License-Identifier: MIT */
/*
 * One client's connection. While a question is open (`busy`) nothing is read, but the
 * client's leaving is noticed; a session is freed when it is closed and not busy. There
 * is one buffer for receiving and one for sending, as every message is handled or sent
 * whole before the next one; both are wiped after each use, since messages carry
 * passwords.
 */
#include "session.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib-unix.h>

#include "handlers.h"
#include "log.h"
#include "secret.h"

struct session {
	GSource *source;
	gpointer tag;
	int fd; /* -1: closed */
	bool busy;
	gint64 waits;    /* until then the client was told to wait; 0: it was not */
	bool discounted; /* not in `count` */
	struct conversation *conversation;
};

struct session_source {
	GSource source;
	struct session *session;
};

static char *receive_buffer;
static char *send_storage;
static struct gp_buf send_buffer;
static unsigned count;
static void (*on_end)(void);

static const struct {
	const char *verb;
	void (*handle)(struct session *session, struct gp_wire *question);
} handlers[] = {
	{"route", way_route},           {"challenge", handshake_challenge},
	{"outcome", handshake_outcome}, {"resolve", lookup_resolve},
	{"reverse", lookup_reverse},    {"status", control_status},
	{"login", control_login},       {"logout", control_logout},
	{"stop", control_stop},
};

static void free_session(struct session *session)
{
	if (session->conversation)
		session->conversation->release(session->conversation);
	if (!session->discounted)
		count--;
	g_free(session);
	if (on_end)
		on_end();
}

/* The session must not be used afterwards, unless it is busy. */
static void close_session(struct session *session)
{
	if (session->fd < 0)
		return;
	g_source_destroy(session->source);
	g_source_unref(session->source);
	close(session->fd);
	session->fd = -1;
	if (!session->busy) {
		if (session->conversation)
			session->conversation->closed(session->conversation);
		free_session(session);
	} else if (session->conversation) {
		session->conversation->closed(session->conversation); /* may free it */
	}
}

static void end_question(struct session *session)
{
	session->busy = false;
	session->waits = 0;
	if (session->fd < 0)
		free_session(session);
	else
		g_source_modify_unix_fd(session->source, session->tag, G_IO_IN);
}

struct gp_buf *session_reply(struct session *session, const char *verb)
{
	(void)session;
	gp_buf_init(&send_buffer, send_storage, GP_WIRE_MAX);
	gp_wire_begin(&send_buffer, verb);
	return &send_buffer;
}

/* A client that does not read what it asked for is dropped: nothing is ever queued. */
static bool transmit(struct session *session)
{
	bool ok = session->fd >= 0 && !send_buffer.full &&
		  send(session->fd, send_buffer.p, send_buffer.len,
		       MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;

	if (send_buffer.full)
		log_error("an answer is too long");
	explicit_bzero(send_buffer.p, send_buffer.len);
	return ok;
}

static void begin_error(struct session *session, const char *reason, const char *text)
{
	struct gp_buf *reply = session_reply(session, "error");

	log_info("%s: %s", reason, text);
	gp_wire_add(reply, "reason", reason);
	gp_wire_add(reply, "text", text);
}

static void dispatch(struct session *session, struct gp_wire *question)
{
	for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++) {
		if (strcmp(question->verb, handlers[i].verb))
			continue;
		log_debug("question: %s", question->verb);
		handlers[i].handle(session, question);
		return;
	}
	session_error(session, "syntax",
		      "unknown verb: the program is newer than the agent, "
		      "run \"gatepassctl agent stop\"");
}

static void handle(struct session *session, size_t len)
{
	struct gp_wire question;
	enum gp_err err = gp_wire_open(&question, receive_buffer, len);

	if (err == GP_ERR_WIRE_VERSION) {
		begin_error(session, "version",
			    "program and agent have different versions: run "
			    "\"gatepassctl agent stop\"");
		(void)!transmit(session);
		close_session(session);
	} else if (err) {
		log_info("closing a connection: %s", gp_strerror(err));
		close_session(session);
	} else {
		session->busy = true;
		g_source_modify_unix_fd(session->source, session->tag, 0);
		dispatch(session, &question);
	}
}

static void receive(struct session *session)
{
	ssize_t n =
		recv(session->fd, receive_buffer, GP_WIRE_MAX, MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_session(session);
		return;
	}
	if (n > GP_WIRE_MAX) {
		log_info("closing a connection: %s", gp_strerror(GP_ERR_WIRE_LONG));
		n = GP_WIRE_MAX;
		close_session(session);
	} else {
		handle(session, (size_t)n);
	}
	explicit_bzero(receive_buffer, (size_t)n + 1);
}

static gboolean ready(GSource *source, GSourceFunc callback, gpointer data)
{
	struct session *session = ((struct session_source *)source)->session;
	GIOCondition condition = g_source_query_unix_fd(source, session->tag);

	(void)callback;
	(void)data;
	if (!session->busy && condition & G_IO_IN)
		receive(session);
	else if (condition & (G_IO_HUP | G_IO_ERR))
		close_session(session);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = {.dispatch = ready};

void session_start(int fd)
{
	struct session *session = g_new0(struct session, 1);

	if (!receive_buffer) {
		/* gp_wire_open() writes one octet behind the message. */
		receive_buffer = secret_alloc(GP_WIRE_MAX + 1);
		send_storage = secret_alloc(GP_WIRE_MAX);
	}
	session->fd = fd;
	session->source = g_source_new(&source_funcs, sizeof(struct session_source));
	((struct session_source *)session->source)->session = session;
	session->tag = g_source_add_unix_fd(session->source, fd, G_IO_IN);
	g_source_attach(session->source, NULL);
	count++;
}

unsigned session_count(void)
{
	return count;
}

void session_discount(struct session *session)
{
	if (session->discounted)
		return;
	session->discounted = true;
	count--;
}

void sessions_on_end(void (*ended)(void))
{
	on_end = ended;
}

bool session_is_closed(const struct session *session)
{
	return session->fd < 0;
}

void session_send(struct session *session)
{
	bool ok = transmit(session);

	if (ok || session->fd < 0) {
		end_question(session);
		return;
	}
	session->busy = false;
	close_session(session);
}

void session_error(struct session *session, const char *reason, const char *text)
{
	begin_error(session, reason, text);
	session_send(session);
}

void session_skip(struct session *session)
{
	end_question(session);
}

void session_wait(struct session *session, unsigned seconds)
{
	gint64 until = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;

	if (session->fd < 0 || until <= session->waits)
		return;
	session->waits = until;
	gp_wire_add_uint(session_reply(session, "wait"), "seconds", seconds);
	/* Not read: the answer itself will find out that nobody is there. */
	(void)!transmit(session);
}

void session_set_conversation(struct session *session, struct conversation *conversation)
{
	session->conversation = conversation;
}

struct conversation *session_conversation(struct session *session)
{
	return session->conversation;
}
