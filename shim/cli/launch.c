/* SPDX-License-Identifier: MIT */
/*
 * Starting gatepass-agent as a process of its own.
 */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "report.h"
#include "variables.h"

enum { READY_FD = 3, READY_SECONDS = 5 };

static char *find_agent(void)
{
	char *self = g_file_read_link("/proc/self/exe", NULL);
	char *directory = self ? g_path_get_dirname(self) : NULL;
	char *agent =
		directory ? g_build_filename(directory, "gatepass-agent", NULL) : NULL;

	if (!agent || access(agent, X_OK)) {
		g_free(agent);
		agent = g_strdup(GP_LIBEXECDIR "/gatepass-agent");
	}
	g_free(directory);
	g_free(self);
	return agent;
}

static void default_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
}

/* In the grandchild, between fork and exec: async-signal-safe calls only. */
static void become(const char *agent, char **environment, int ready)
{
	char *argv[] = {(char *)agent, (char *)"--ready-fd", (char *)"3", NULL};
	int null = open("/dev/null", O_RDWR);

	default_signals();
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		_exit(127);
	if (ready != READY_FD && dup2(ready, READY_FD) < 0)
		_exit(127);
	/* dup2() to itself would have left the flag in place. */
	if (fcntl(READY_FD, F_SETFD, 0) || close_range(READY_FD + 1, ~0u, 0) ||
	    chdir("/"))
		_exit(127);
	execve(agent, argv, environment);
	_exit(127);
}

/* The pipe closes when the agent is ready or has ended. */
static void wait_for_end_of_file(int fd)
{
	struct pollfd waited = {.fd = fd, .events = POLLIN};
	gint64 end = g_get_monotonic_time() + READY_SECONDS * G_USEC_PER_SEC;
	char ignored[64];

	for (;;) {
		gint64 left = end - g_get_monotonic_time();
		int count = left > 0 ? poll(&waited, 1, (int)(left / 1000) + 1) : 0;

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0 || read(fd, ignored, sizeof(ignored)) <= 0)
			return;
	}
}

/* Twice, so that the agent is nobody's child and can never be a zombie of the shell's. */
static bool fork_twice(const char *agent, char **environment, int ready)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return false;
	if (child == 0) {
		setsid();
		pid_t grandchild = fork();
		if (grandchild == 0)
			become(agent, environment, ready);
		_exit(grandchild < 0);
	}
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return false;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool launch_agent(void)
{
	char *agent = find_agent();
	char **environment = variables_for_agent();
	int ready[2] = {-1, -1};
	bool ok = false;

	if (access(agent, X_OK)) {
		report_error("cannot start %s: %s; is gatepass installed completely?",
			     agent, strerror(errno));
		goto out;
	}
	if (pipe2(ready, O_CLOEXEC) || !fork_twice(agent, environment, ready[1])) {
		report_error("cannot start %s: %s", agent, strerror(errno));
		goto out;
	}
	close(ready[1]);
	ready[1] = -1;
	wait_for_end_of_file(ready[0]);
	ok = true;
out:
	for (int i = 0; i < 2; i++) {
		if (ready[i] >= 0)
			close(ready[i]);
	}
	g_strfreev(environment);
	g_free(agent);
	return ok;
}
