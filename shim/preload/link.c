/* SPDX-License-Identifier: MIT */
/* Talking to the agent. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "launch.h"
#include "libc.h"
#include "link.h"
#include "log.h"

/*
 * Programs hand out the low numbers to themselves, and some rely on the order. But a
 * process begins with a table of 64, and in one with threads the kernel waits for all
 * processors (an RCU grace period, some 10 ms) before it gives it a larger one.
 */
#define HIGH_FD 44

/* How long an agent that is there may let us wait for its accept queue. */
#define CONNECT_SECONDS 5

static bool has_run_user(unsigned uid)
{
	char path[32];
	struct gp_buf buf;

	gp_buf_init(&buf, path, sizeof(path) - 1);
	gp_buf_add_string(&buf, "/run/user/");
	gp_buf_add_uint(&buf, uid);
	path[buf.len] = '\0';
	return access(path, X_OK) == 0;
}

static bool is_set(const char *value)
{
	return value && *value;
}

static enum gp_err find_socket(struct sockaddr_un *un)
{
	struct gp_agent_place place = {
		.agent = getenv("GATEPASS_AGENT"),
		.runtime_dir = getenv("XDG_RUNTIME_DIR"),
		.uid = geteuid(),
	};

	if (!is_set(place.agent) && !is_set(place.runtime_dir))
		place.run_user = has_run_user(place.uid);
	*un = (struct sockaddr_un){.sun_family = AF_UNIX};
	return gp_agent_path(&place, un->sun_path);
}

/* Whoever listens there must be the same user: the directory may be anybody's. */
static bool is_own_agent(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
	       peer.uid == geteuid();
}

static int move_high(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);

	if (high < 0)
		return fd; /* not so many allowed here */
	close(fd);
	return high;
}

static int dial(const struct sockaddr_un *un)
{
	struct timeval limit = {.tv_sec = CONNECT_SECONDS};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -1;
	fd = move_high(fd);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	do
		err = real_connect(fd, (const struct sockaddr *)un, sizeof(*un));
	while (err && errno == EINTR);
	if (!err && is_own_agent(fd))
		return fd;
	err = err ? errno : EPERM;
	close(fd);
	errno = err;
	return -1;
}

/* The connected descriptor, or -1 with errno. */
static int dial_or_launch(const struct sockaddr_un *un)
{
	int fd = dial(un);

	if (fd >= 0 || (errno != ENOENT && errno != ECONNREFUSED) || launch_agent())
		return fd;
	fd = dial(un);
	if (fd < 0)
		launch_postpone();
	return fd;
}

enum gp_err link_open(struct link *link)
{
	int saved_errno = errno;
	struct sockaddr_un un;
	enum gp_err err = find_socket(&un);

	link->talked = false;
	link->fd = err ? -1 : dial_or_launch(&un);
	if (err)
		log_line(LOG_WARN, "no agent: %s", gp_strerror(err));
	else if (link->fd < 0)
		log_line(LOG_WARN, "no agent at %s: %s", un.sun_path, strerror(errno));
	errno = saved_errno;
	return link->fd < 0 ? GP_ERR_SYSTEM : GP_OK;
}

void link_begin(struct link *link, const char *verb)
{
	gp_buf_init(&link->out, link->packet, GP_WIRE_MAX);
	gp_wire_begin(&link->out, verb);
}

static void note_use(struct link *link, size_t len)
{
	if (len > link->used)
		link->used = len;
}

static bool transmit(struct link *link)
{
	ssize_t sent;

	note_use(link, link->out.len);
	do
		sent = send(link->fd, link->out.p, link->out.len,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)link->out.len;
}

void link_tell(struct link *link)
{
	int saved_errno = errno;

	if (link->fd >= 0 && !link->out.full && !transmit(link))
		log_line(LOG_DEBUG, "agent does not listen: %s", strerror(errno));
	errno = saved_errno;
}

/* The next packet's length; 0 when the agent has closed. */
static enum gp_err receive(struct link *link, const struct patience *patience,
			   size_t *len)
{
	for (;;) {
		ssize_t got = recv(link->fd, link->packet, GP_WIRE_MAX,
				   MSG_DONTWAIT | MSG_TRUNC);
		enum gp_err err;

		if (got > GP_WIRE_MAX)
			return GP_ERR_WIRE_LONG;
		*len = got > 0 ? (size_t)got : 0;
		note_use(link, *len);
		link->talked |= *len > 0;
		if (got >= 0 || errno == ECONNRESET)
			return GP_OK;
		if (errno != EAGAIN && errno != EINTR)
			return GP_ERR_SYSTEM;
		err = clock_wait(patience, link->fd, POLLIN);
		if (err)
			return err;
	}
}

/* A person is being asked: that takes as long as it takes. */
static void extend(struct patience *patience, struct gp_wire *answer)
{
	const char *key, *value;
	uint64_t seconds;

	while (gp_wire_next(answer, &key, &value)) {
		int64_t until;

		if (strcmp(key, "seconds") != 0 ||
		    !gp_text_to_uint(gp_text(value), 600, &seconds))
			continue;
		/* The handshake's own time begins anew after the answer. */
		until = clock_now() + ((int64_t)seconds + GP_DEADLINE) * 1000;
		if (until > patience->deadline)
			patience->deadline = until;
	}
}

static enum gp_err await(struct link *link, struct patience *patience,
			 struct gp_wire *answer, bool *closed)
{
	size_t len;
	enum gp_err err;

	do {
		err = receive(link, patience, &len);
		*closed = !err && !len;
		if (err || *closed)
			return err;
		err = gp_wire_open(answer, link->packet, len);
		if (err)
			return err;
		if (strcmp(answer->verb, "wait") == 0)
			extend(patience, answer);
		else
			return GP_OK;
	} while (true);
}

/* One try; *closed if the agent went away instead of answering. */
static enum gp_err exchange(struct link *link, struct patience *patience,
			    struct gp_wire *answer, bool *closed)
{
	*closed = !transmit(link);
	return *closed ? GP_OK : await(link, patience, answer, closed);
}

enum gp_err link_ask(struct link *link, struct patience *patience, struct gp_wire *answer)
{
	bool closed;
	enum gp_err err;

	if (link->out.full)
		return GP_ERR_WIRE_LONG;
	err = exchange(link, patience, answer, &closed);
	/* An idle agent may leave between our connect and its accept. Its successor gets
	 * the same packet, which an end of file has not overwritten. */
	if (closed && !link->talked) {
		link_close(link);
		err = link_open(link);
		if (!err)
			err = exchange(link, patience, answer, &closed);
	}
	if (err == GP_ERR_TIMEOUT)
		log_line(LOG_WARN, "the agent does not answer");
	if (!err && closed) {
		errno = ECONNRESET;
		err = GP_ERR_SYSTEM;
	}
	return err;
}

void link_close(struct link *link)
{
	int saved_errno = errno;

	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	errno = saved_errno;
}

void link_clear(struct link *link)
{
	link_close(link);
	explicit_bzero(link->packet, link->used);
	link->used = 0;
}
