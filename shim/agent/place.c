/* SPDX-License-Identifier: MIT */
/* The socket's place in the file system. The lock file is never removed: whoever opened
 * it before and locked it after would hold a lock that nobody else sees. */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

#include <gatepass/wire.h>

#include "log.h"

/* A starting agent listens within a few milliseconds; on a machine under load much later.
 */
#define TAKE_TRIES    300
#define TAKE_PAUSE_MS 10

static bool find_path(struct place *place)
{
	char run_user[64];
	struct gp_agent_place where = {
		.agent = getenv("GATEPASS_AGENT"),
		.runtime_dir = getenv("XDG_RUNTIME_DIR"),
		.uid = getuid(),
	};
	enum gp_err err;

	snprintf(run_user, sizeof(run_user), "/run/user/%u", where.uid);
	where.run_user = !access(run_user, F_OK);
	place->is_own = !where.agent || !where.agent[0];
	err = gp_agent_path(&where, place->path);
	if (err)
		log_error("%s: %s", place->is_own ? "XDG_RUNTIME_DIR" : "GATEPASS_AGENT",
			  gp_strerror(err));
	return !err;
}

static bool check_directory(const struct place *place)
{
	const char *problem = NULL;
	struct stat st;

	if (lstat(place->directory, &st)) {
		log_error("%s: %s", place->directory, g_strerror(errno));
		return false;
	}
	/* The place that the user chose may be reached by a link; ours is made by us. */
	if (!place->is_own && S_ISLNK(st.st_mode) && stat(place->directory, &st))
		problem = "is a link to nowhere";
	else if (!S_ISDIR(st.st_mode))
		problem = "is not a directory";
	else if (place->is_own && st.st_uid != getuid())
		problem = "belongs to another user: remove it, or set GATEPASS_AGENT to "
			  "a path "
			  "in a directory of yours";
	else if (place->is_own && st.st_mode & 077)
		problem = "is open to other users: make its mode 0700";
	else if (st.st_uid != getuid() && st.st_uid != 0 && !(st.st_mode & S_ISVTX))
		problem = "belongs to another user: set GATEPASS_AGENT to a path in a "
			  "directory "
			  "of yours";
	else if (st.st_mode & 022 && !(st.st_mode & S_ISVTX))
		problem = "can be written to by other users: set GATEPASS_AGENT to a "
			  "path in a "
			  "directory of yours";
	if (problem)
		log_error("%s %s", place->directory, problem);
	return !problem;
}

bool place_prepare(struct place *place)
{
	memset(place, 0, sizeof(*place));
	place->lock = -1;
	if (!find_path(place))
		return false;
	place->directory = g_path_get_dirname(place->path);
	umask(077);
	if (mkdir(place->directory, 0700) && errno != EEXIST) {
		log_error("%s: %s", place->directory, g_strerror(errno));
		return false;
	}
	umask(0177);
	return check_directory(place);
}

static bool fill(const struct place *place, struct sockaddr_un *out)
{
	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	return gp_text_copy(gp_text(place->path), out->sun_path, sizeof(out->sun_path));
}

static bool somebody_listens(const struct place *place)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	bool listens = false;

	if (fd >= 0 && fill(place, &address))
		/* EAGAIN: so many want to talk to it that its queue is full. */
		listens = !connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
			  errno == EAGAIN;
	if (fd >= 0)
		close(fd);
	return listens;
}

static bool open_lock(struct place *place)
{
	char *path = g_strconcat(place->path, ".lock", NULL);
	struct stat st;

	place->lock =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (place->lock < 0 || fstat(place->lock, &st)) {
		log_error("%s: %s", path, g_strerror(errno));
	} else if (!S_ISREG(st.st_mode) || st.st_uid != getuid()) {
		log_error("%s is no file of yours: set GATEPASS_AGENT to another path",
			  path);
		close(place->lock);
		place->lock = -1;
	}
	g_free(path);
	return place->lock >= 0;
}

enum place_lock place_take(struct place *place)
{
	const struct timespec pause = {.tv_nsec = TAKE_PAUSE_MS * 1000000L};

	if (!open_lock(place))
		return PLACE_FAILED;
	for (int i = 0; i < TAKE_TRIES; i++) {
		if (!flock(place->lock, LOCK_EX | LOCK_NB))
			return PLACE_LOCKED;
		if (errno != EWOULDBLOCK)
			break;
		if (somebody_listens(place)) {
			close(place->lock);
			place->lock = -1;
			return PLACE_TAKEN;
		}
		nanosleep(&pause, NULL);
	}
	log_error("%s.lock is held by an agent that does not listen: end that "
		  "gatepass-agent",
		  place->path);
	return PLACE_FAILED;
}

/* With the lock nobody of ours listens there: a socket that is left is a dead agent's. */
static bool remove_stale(const struct place *place)
{
	const char *problem = NULL;
	struct stat st;

	if (lstat(place->path, &st)) {
		if (errno == ENOENT)
			return true;
		problem = g_strerror(errno);
	} else if (!S_ISSOCK(st.st_mode)) {
		problem =
			"is there and is no socket: remove it, or set GATEPASS_AGENT to "
			"another path";
	} else if (st.st_uid != getuid()) {
		problem = "belongs to another user: set GATEPASS_AGENT to another path";
	} else if (somebody_listens(place)) {
		problem = "is listened to by a program that is no agent: set "
			  "GATEPASS_AGENT to "
			  "another path";
	} else if (unlink(place->path)) {
		problem = g_strerror(errno);
	}
	if (problem)
		log_error("%s %s", place->path, problem);
	return !problem;
}

int place_listen(struct place *place)
{
	struct sockaddr_un address;
	int fd;

	if (!fill(place, &address) || !remove_stale(place))
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof(address)) &&
	    !listen(fd, SOMAXCONN))
		return fd;
	log_error("%s: %s", place->path, g_strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

void place_leave(struct place *place)
{
	unlink(place->path);
}
