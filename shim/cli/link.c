/* SPDX-License-Identifier: MIT */
/*
 * The client's side of the agent's socket.
 */
#include "link.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib.h>

#include "launch.h"
#include "report.h"
#include "secret.h"

/* The agent answers in milliseconds, or says `wait` first; a busy machine gets some more.
 */
enum { ANSWER_SECONDS = 20, CONNECT_SECONDS = 5, WAIT_MAX_SECONDS = 600 };

static bool find_socket(struct link *link)
{
	char run_user[64];
	struct stat status;
	snprintf(run_user, sizeof(run_user), "/run/user/%u", (unsigned)getuid());
	struct gp_agent_place place = {
		.agent = getenv("GATEPASS_AGENT"),
		.runtime_dir = getenv("XDG_RUNTIME_DIR"),
		.run_user = stat(run_user, &status) == 0 && S_ISDIR(status.st_mode),
		.uid = getuid(),
	};
	enum gp_err err = gp_agent_path(&place, link->path);

	if (err)
		report_error(
			"the agent's socket: %s; see GATEPASS_AGENT in gatepassctl(1)",
			gp_strerror(err));
	return !err;
}

/* 0, or an errno. */
static int try_connect(struct link *link)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	/* connect() itself waits that long if the agent does not accept. */
	struct timeval patience = {.tv_sec = CONNECT_SECONDS};
	int err = 0;

	memcpy(address.sun_path, link->path, strlen(link->path) + 1);
	link->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (link->fd < 0 ||
	    setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    connect(link->fd, (struct sockaddr *)&address, sizeof(address)))
		err = errno;
	if (err && link->fd >= 0) {
		close(link->fd);
		link->fd = -1;
	}
	return err;
}

static bool peer_is_us(const struct link *link)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(link->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	return peer.uid == getuid();
}

/* Connects, after starting an agent where there is none. */
static enum link_open reach(struct link *link, bool start)
{
	int err = try_connect(link);
	bool absent = err == ENOENT || err == ECONNREFUSED;

	if (absent && !start)
		return LINK_NO_AGENT;
	if (absent) {
		if (!launch_agent())
			return LINK_FAILED;
		err = try_connect(link);
	}
	if (!err)
		return LINK_OPEN;
	report_error("no agent at %s: %s%s", link->path, strerror(err),
		     absent ? "; run gatepass-agent in a terminal to see why" : "");
	return LINK_FAILED;
}

enum link_open link_open(struct link *link, bool start)
{
	*link = (struct link){.fd = -1};
	if (!find_socket(link))
		return LINK_FAILED;

	enum link_open reached = reach(link, start);
	if (reached != LINK_OPEN)
		return reached;
	if (!peer_is_us(link)) {
		report_error("%s belongs to another user; nothing was sent to it",
			     link->path);
		return LINK_FAILED;
	}
	char *storage = secret_new(GP_WIRE_MAX);
	link->packet = secret_new(GP_WIRE_MAX + 1);
	gp_buf_init(&link->question, storage, storage ? GP_WIRE_MAX : 0);
	if (storage && link->packet)
		return LINK_OPEN;
	report_error("out of memory");
	return LINK_FAILED;
}

void link_close(struct link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	secret_free(link->question.p, GP_WIRE_MAX);
	secret_free(link->packet, GP_WIRE_MAX + 1);
	*link = (struct link){.fd = -1};
}

void link_ask(struct link *link, const char *verb)
{
	gp_wire_begin(&link->question, verb);
}

static bool send_question(struct link *link)
{
	ssize_t sent;

	if (link->question.full) {
		report_error(
			"the question is too long for the agent; look for an overlong "
			"proxy variable");
		return false;
	}
	do
		sent = send(link->fd, link->question.p, link->question.len, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		report_error("cannot talk to the agent: %s", strerror(errno));
	return sent >= 0;
}

/* The length, 0 at the end of file and -1 with errno (ETIMEDOUT, EMSGSIZE too). */
static ssize_t receive_packet(struct link *link, int seconds)
{
	struct pollfd waited = {.fd = link->fd, .events = POLLIN};
	gint64 end = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
	int count;

	do {
		gint64 left = end - g_get_monotonic_time();
		count = left > 0 ? poll(&waited, 1, (int)(left / 1000) + 1) : 0;
	} while (count < 0 && errno == EINTR);
	if (count < 0)
		return -1;
	if (count == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	ssize_t len = recv(link->fd, link->packet, GP_WIRE_MAX, MSG_TRUNC);
	if (len > GP_WIRE_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	return len;
}

static bool receive_message(struct link *link, int seconds)
{
	ssize_t len = receive_packet(link, seconds);

	if (len < 0) {
		report_error("no answer from the agent: %s", strerror(errno));
		return false;
	}
	if (len == 0) {
		report_error("the agent closed the connection without an answer");
		return false;
	}
	enum gp_err err = gp_wire_open(&link->answer, link->packet, (size_t)len);
	if (err)
		report_error("the agent's answer: %s%s", gp_strerror(err),
			     err == GP_ERR_WIRE_VERSION
				     ? "; end an agent of another version with "
				       "'gatepassctl agent stop'"
				     : "");
	return !err;
}

/* How long the answer may take after a `wait`. */
static int seconds_to_wait(struct gp_wire *message)
{
	const char *key, *value;
	uint64_t seconds = 0;

	while (gp_wire_next(message, &key, &value)) {
		if (!strcmp(key, "seconds") &&
		    !gp_text_to_uint(gp_text(value), WAIT_MAX_SECONDS, &seconds))
			seconds = WAIT_MAX_SECONDS;
	}
	return (int)seconds + ANSWER_SECONDS;
}

static void report_answer(struct gp_wire *message)
{
	const char *key, *value, *reason = NULL, *text = NULL;

	while (gp_wire_next(message, &key, &value)) {
		if (!strcmp(key, "text"))
			text = value;
		else if (!strcmp(key, "reason"))
			reason = value;
	}
	if (text)
		report_error("%s", text);
	else
		report_error("the agent says: %s", reason ? reason : "error");
}

bool link_answer(struct link *link, const char *verb)
{
	if (!send_question(link) || !receive_message(link, ANSWER_SECONDS))
		return false;
	while (!strcmp(link->answer.verb, "wait"))
		if (!receive_message(link, seconds_to_wait(&link->answer)))
			return false;
	if (!strcmp(link->answer.verb, verb))
		return true;
	if (!strcmp(link->answer.verb, "error"))
		report_answer(&link->answer);
	else
		report_error("the agent answered '%s' where '%s' was expected",
			     link->answer.verb, verb);
	return false;
}

bool link_ended(struct link *link)
{
	ssize_t len;

	do
		len = receive_packet(link, CONNECT_SECONDS);
	while (len > 0);
	return len == 0 || errno == ECONNRESET;
}
