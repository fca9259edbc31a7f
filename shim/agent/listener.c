/* SPDX-License-Identifier: MIT */
/* The agent's socket, and who may connect to it. */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib-unix.h>

#include "log.h"
#include "place.h"
#include "session.h"

#define SYSTEMD_FD 3 /* sd_listen_fds(3) */

/* Accepted at one go, so that those who are connected get their turn too. */
#define ACCEPT_MAX 64

static struct place place = {.lock = -1};
static int listen_fd = -1;
static guint watch;
static struct stat socket_file; /* ours, as it was made */
static void (*on_session)(void);

static bool is_number(const char *variable, long wanted)
{
	const char *value = getenv(variable);

	return value && value[0] && strtol(value, NULL, 10) == wanted;
}

/* False: there is none, or it is not what we can use. */
static bool take_from_systemd(void)
{
	struct sockaddr_un address = {0};
	socklen_t len = sizeof(address), int_len = sizeof(int);
	int type = 0, listens = 0;
	bool ours = is_number("LISTEN_PID", getpid()) && is_number("LISTEN_FDS", 1);

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (!ours)
		return false;
	if (getsockopt(SYSTEMD_FD, SOL_SOCKET, SO_TYPE, &type, &int_len) ||
	    type != SOCK_SEQPACKET ||
	    getsockopt(SYSTEMD_FD, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_len) ||
	    !listens || getsockname(SYSTEMD_FD, (struct sockaddr *)&address, &len) ||
	    address.sun_family != AF_UNIX || address.sun_path[0] != '/' ||
	    !gp_text_copy(gp_text(address.sun_path), place.path, sizeof(place.path))) {
		log_error("descriptor 3, from LISTEN_FDS, is no listening Unix socket of "
			  "type "
			  "SOCK_SEQPACKET: see gatepass-agent.socket");
		return false;
	}
	(void)fcntl(SYSTEMD_FD, F_SETFD, FD_CLOEXEC);
	(void)fcntl(SYSTEMD_FD, F_SETFL, fcntl(SYSTEMD_FD, F_GETFL) | O_NONBLOCK);
	place.directory = g_path_get_dirname(place.path);
	listen_fd = SYSTEMD_FD;
	return true;
}

static bool is_own_user(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	if (peer.uid != getuid())
		log_warn("closing a connection of process %ld, user %ld", (long)peer.pid,
			 (long)peer.uid);
	return peer.uid == getuid();
}

static void start(int fd)
{
	if (!is_own_user(fd)) {
		close(fd);
	} else if (session_count() >= SESSIONS_MAX) {
		log_warn("closing a connection: there are %d already", SESSIONS_MAX);
		close(fd);
	} else {
		session_start(fd);
		if (on_session)
			on_session();
	}
}

/* Returns the errno that ended it; 0 after ACCEPT_MAX. */
static int accept_some(void)
{
	for (int i = 0; i < ACCEPT_MAX; i++) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			start(fd);
		else if (errno != EINTR && errno != ECONNABORTED)
			return errno;
	}
	return 0;
}

static gboolean can_accept(gint fd, GIOCondition condition, gpointer data);

static gboolean resume(gpointer data)
{
	(void)data;
	if (listen_fd >= 0)
		watch = g_unix_fd_add(listen_fd, G_IO_IN, can_accept, NULL);
	return G_SOURCE_REMOVE;
}

static gboolean can_accept(gint fd, GIOCondition condition, gpointer data)
{
	int error = accept_some();

	(void)fd;
	(void)condition;
	(void)data;
	if (listen_fd < 0)
		return G_SOURCE_REMOVE;
	if (!error || error == EAGAIN)
		return G_SOURCE_CONTINUE;
	/* Out of descriptors or memory: the connection stays in the queue, and asking for
	 * it at once would be a busy loop. */
	log_error("accept: %s", g_strerror(error));
	watch = 0;
	g_timeout_add(100, resume, NULL);
	return G_SOURCE_REMOVE;
}

static enum listener_start open_own(void)
{
	enum place_lock lock;

	if (!place_prepare(&place))
		return LISTENER_FAILED;
	lock = place_take(&place);
	if (lock == PLACE_TAKEN)
		return LISTENER_NOT_NEEDED;
	if (lock == PLACE_FAILED)
		return LISTENER_FAILED;
	listen_fd = place_listen(&place);
	return listen_fd < 0 ? LISTENER_FAILED : LISTENER_LISTENS;
}

enum listener_start listener_open(void)
{
	enum listener_start start_result = LISTENER_LISTENS;

	if (!take_from_systemd())
		start_result = open_own();
	if (start_result != LISTENER_LISTENS)
		return start_result;
	if (lstat(place.path, &socket_file))
		memset(&socket_file, 0, sizeof(socket_file));
	watch = g_unix_fd_add(listen_fd, G_IO_IN, can_accept, NULL);
	log_info("listening at %s", place.path);
	return LISTENER_LISTENS;
}

const char *listener_path(void)
{
	return place.path;
}

const char *listener_directory(void)
{
	return place.directory;
}

bool listener_is_reachable(void)
{
	struct stat st;

	return listen_fd >= 0 && !lstat(place.path, &st) &&
	       st.st_dev == socket_file.st_dev && st.st_ino == socket_file.st_ino;
}

void listener_on_session(void (*began)(void))
{
	on_session = began;
}

void listener_close(void)
{
	if (listen_fd < 0)
		return;
	/* systemd keeps its socket, and what still waits in it is for the next agent. */
	if (place.lock >= 0) {
		/* Another's socket in our place, should somebody have made one, stays. */
		if (listener_is_reachable())
			place_leave(&place);
		while (!accept_some())
			;
	}
	if (watch)
		g_source_remove(watch);
	watch = 0;
	close(listen_fd);
	listen_fd = -1;
}
