/* SPDX-License-Identifier: MIT */
/* Talking to the agent. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cookie.h"
#include "launch.h"
#include "libc.h"
#include "link.h"
#include "log.h"
#include "private_fd.h"

/* How long an agent that is there, or a descriptor, may keep us waiting, and how often to
 * look; how long an agent may take to start (milliseconds). */
#define OPEN_MS   5000
#define AGAIN_MS  5
#define LAUNCH_MS 5000

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

	return !real_getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
	       peer.uid == geteuid();
}

void link_init(struct link *link)
{
	link->state = LINK_CLOSED;
	link->fd = -1;
}

static void adopt(struct link *link, int fd, enum link_state state)
{
	link->fd = fd;
	link->cookie = cookie_of(fd);
	link->state = state;
}

/* Is link->fd still what it was? */
static bool is_ours(const struct link *link)
{
	return link->fd >= 0 && cookie_of(link->fd) == link->cookie;
}

void link_close(struct link *link)
{
	int saved_errno = errno;

	if (is_ours(link))
		real_close(link->fd);
	link->fd = -1;
	link->state = LINK_CLOSED;
	errno = saved_errno;
}

void link_after_fork(const struct link *link)
{
	int saved_errno = errno;

	if (is_ours(link))
		real_close(link->fd);
	errno = saved_errno;
}

void link_clear(struct link *link)
{
	link_close(link);
	explicit_bzero(link->packet, link->used);
	link->used = 0;
}

/* The connected descriptor, or -1 with errno. */
static int dial(const struct sockaddr_un *un)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (fd < 0)
		return -1;
	fd = private_fd(fd);
	if (real_connect(fd, (const struct sockaddr *)un, sizeof(*un)))
		error = errno;
	else if (!is_own_agent(fd))
		error = EPERM;
	else
		return fd;
	real_close(fd);
	errno = error;
	return -1;
}

static enum progress fail(struct link *link, enum gp_err err, int error)
{
	link->err = err;
	link->error = error;
	link_close(link);
	return PROGRESS_FAILED;
}

static enum progress no_agent(struct link *link, const struct sockaddr_un *un, int error)
{
	log_line(LOG_WARN, "no agent at %s: %s", un->sun_path, strerror(error));
	return fail(link, GP_ERR_SYSTEM, error);
}

/* Its queue is full, or we are out of descriptors: both pass. */
static bool passes(int error)
{
	return error == EAGAIN || error == EMFILE || error == ENFILE;
}

static enum progress postpone(struct link *link)
{
	link->until = clock_now() + AGAIN_MS;
	link->state = LINK_POSTPONED;
	return PROGRESS_WAIT;
}

static enum progress launch(struct link *link)
{
	int fd = launch_agent();

	if (fd < 0)
		return PROGRESS_FAILED;
	link->launched = true;
	link->until = clock_now() + LAUNCH_MS;
	adopt(link, private_fd(fd), LINK_LAUNCHING);
	return PROGRESS_WAIT;
}

static enum progress open_link(struct link *link)
{
	struct sockaddr_un un;
	enum gp_err err = find_socket(&un);
	int fd, error;

	if (err) {
		log_line(LOG_WARN, "no agent: %s", gp_strerror(err));
		return fail(link, err, 0);
	}
	fd = dial(&un);
	if (fd >= 0) {
		link->talked = link->asked = false;
		adopt(link, fd, LINK_OPEN);
		return PROGRESS_DONE;
	}
	error = errno;
	if (passes(error) && clock_now() < link->give_up)
		return postpone(link);
	if (error != ENOENT && error != ECONNREFUSED)
		return no_agent(link, &un, error);
	if (link->launched)
		launch_postpone();
	else if (launch(link) == PROGRESS_WAIT)
		return PROGRESS_WAIT;
	return no_agent(link, &un, error);
}

void link_begin(struct link *link, const char *verb)
{
	gp_buf_init(&link->out, link->packet, GP_WIRE_MAX);
	gp_wire_begin(&link->out, verb);
	link->asked = link->launched = link->renewed = false;
	link->give_up = clock_now() + OPEN_MS;
	link->extended = 0;
}

static void note_use(struct link *link, size_t len)
{
	if (len > link->used)
		link->used = len;
}

static bool transmit(struct link *link)
{
	ssize_t sent;

	if (!is_ours(link))
		return false;
	note_use(link, link->out.len);
	do
		sent = real_send(link->fd, link->out.p, link->out.len,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)link->out.len;
}

void link_tell(struct link *link)
{
	int saved_errno = errno;

	if (link->state == LINK_OPEN && !link->out.full && !transmit(link))
		log_line(LOG_DEBUG, "agent does not listen: %s", strerror(errno));
	errno = saved_errno;
}

/* An idle agent may leave between our connect and its accept. Its successor gets the same
 * packet, which an end of file has not overwritten. */
static enum progress ended(struct link *link)
{
	if (link->talked || link->renewed)
		return fail(link, GP_ERR_SYSTEM, ECONNRESET);
	link_close(link);
	link->renewed = true;
	return PROGRESS_DONE;
}

/* The agent is asking a person: that takes as long as it takes, and what comes after the
 * answer has its time anew. */
static void extend(struct link *link, struct gp_wire *message)
{
	const char *key, *value;
	uint64_t seconds;

	while (gp_wire_next(message, &key, &value))
		if (!strcmp(key, "seconds") &&
		    gp_text_to_uint(gp_text(value), 600, &seconds))
			link->extended =
				clock_now() + ((int64_t)seconds + GP_DEADLINE) * 1000;
}

/* Takes the next packet. PROGRESS_DONE with *len 0 when the agent has closed. */
static enum progress receive(struct link *link, size_t *len)
{
	ssize_t got;

	*len = 0;
	if (!is_ours(link))
		return PROGRESS_DONE;
	do
		got = real_recv(link->fd, link->packet, GP_WIRE_MAX,
				MSG_DONTWAIT | MSG_TRUNC);
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN)
		return PROGRESS_WAIT;
	if (got > GP_WIRE_MAX)
		return fail(link, GP_ERR_WIRE_LONG, 0);
	*len = got > 0 ? (size_t)got : 0;
	note_use(link, *len);
	return PROGRESS_DONE;
}

/* One packet of a connection that has the question. *answered: it was the answer. */
static enum progress listen_to(struct link *link, struct gp_wire *message, bool *answered)
{
	size_t len;
	enum gp_err err;
	enum progress progress = receive(link, &len);

	if (progress != PROGRESS_DONE)
		return progress;
	if (!len)
		return ended(link);
	link->talked = true;
	err = gp_wire_open(message, link->packet, len);
	if (err)
		return fail(link, err, 0);
	if (!strcmp(message->verb, "wait"))
		extend(link, message);
	else
		*answered = true;
	return PROGRESS_DONE;
}

static enum progress go_on(struct link *link, struct gp_wire *answer, bool *answered)
{
	switch (link->state) {
	case LINK_POSTPONED:
		if (clock_now() < link->until)
			return PROGRESS_WAIT;
		link->state = LINK_CLOSED;
		return PROGRESS_DONE;
	case LINK_LAUNCHING:
		if (is_ours(link) && !clock_is_ready(link->fd, POLLIN) &&
		    clock_now() < link->until)
			return PROGRESS_WAIT;
		link_close(link);
		return PROGRESS_DONE;
	case LINK_CLOSED:
		return open_link(link);
	case LINK_OPEN:
		if (link->asked)
			return listen_to(link, answer, answered);
		link->asked = transmit(link);
		return link->asked ? PROGRESS_DONE : ended(link);
	}
	return PROGRESS_FAILED;
}

enum progress link_step(struct link *link, struct gp_wire *answer)
{
	enum progress progress = PROGRESS_DONE;
	int saved_errno = errno;
	bool answered = false;

	if (link->out.full)
		return fail(link, GP_ERR_WIRE_LONG, 0);
	while (progress == PROGRESS_DONE && !answered)
		progress = go_on(link, answer, &answered);
	if (progress == PROGRESS_FAILED && link->error == ECONNRESET)
		log_line(LOG_WARN, "the agent ended before it answered");
	errno = saved_errno;
	return progress;
}

struct wait link_wait(const struct link *link)
{
	struct wait wait = {
		.fd = link->fd,
		.events = POLLIN,
		.until = CLOCK_NEVER,
		.cookie = link->cookie,
	};

	if (link->state == LINK_POSTPONED || link->state == LINK_LAUNCHING)
		wait.until = link->until;
	return wait;
}

enum gp_err link_ask(struct link *link, struct gp_wire *answer)
{
	struct patience patience = {
		.deadline = clock_now() + GP_DEADLINE * 1000,
		.restarts = true,
	};
	enum progress progress;
	struct wait wait;
	enum gp_err err;

	while ((progress = link_step(link, answer)) == PROGRESS_WAIT) {
		if (link->extended > patience.deadline)
			patience.deadline = link->extended;
		wait = link_wait(link);
		err = clock_wait(&patience, &wait);
		if (err == GP_ERR_TIMEOUT)
			log_line(LOG_WARN, "the agent does not answer");
		if (err)
			return err;
	}
	errno = progress == PROGRESS_FAILED ? link->error : errno;
	return progress == PROGRESS_DONE ? GP_OK : link->err;
}
