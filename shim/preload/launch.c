/* SPDX-License-Identifier: MIT */
/*
 * Starting the agent.
 *
 * Theory of operation: the calling thread clones a child that shares its memory and
 * suspends it (as posix_spawn does), without an exit signal; that child clones the
 * agent's process in the same way and ends at once, so that the agent is nobody's child
 * here. The caller collects the short-lived one with __WCLONE, which no ordinary wait
 * looks at. All signals are blocked meanwhile, so no handler of the program runs in
 * borrowed memory. The agent holds one end of a socket pair until it listens; the caller
 * waits for the other one's end of file. (A pipe would do, had it a cookie to know it
 * again by.)
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gatepass/variables.h>

#include "clock.h"
#include "launch.h"
#include "libc.h"
#include "log.h"

#define BACKOFF_MS 10000
#define READY_FD   3
#define STACK      (64 * 1024)

extern char **environ;

#define VARIABLES_MAX 128

struct launch {
	char path[4096];
	const char *argv[4];
	const char *env[VARIABLES_MAX + 1];
	int ready[2];
	char stacks[2][STACK] __attribute__((aligned(16)));
};

static _Atomic int64_t not_before;

static void choose_environment(struct launch *launch)
{
	size_t count = 0;

	for (char **variable = environ; variable && *variable; variable++)
		if (count < VARIABLES_MAX && gp_variable_is_inherited(*variable))
			launch->env[count++] = *variable;
	launch->env[count] = NULL;
}

/* The absolute path of the file that this library was loaded from. The linker's own name
 * for it is relative if LD_PRELOAD was. */
static bool find_library(char *path, size_t cap)
{
	FILE *maps;
	Dl_info info;
	char line[4600];
	bool found = false;

	if (!dladdr((const void *)launch_agent, &info) || !info.dli_fname)
		return false;
	if (info.dli_fname[0] == '/')
		return (size_t)snprintf(path, cap, "%s", info.dli_fname) < cap;
	maps = fopen("/proc/self/maps", "re");
	while (maps && !found && fgets(line, sizeof(line), maps)) {
		unsigned long from, to;
		char *name = strchr(line, '/');

		if (!name || sscanf(line, "%lx-%lx", &from, &to) != 2 ||
		    (unsigned long)launch_agent < from ||
		    (unsigned long)launch_agent >= to)
			continue;
		name[strcspn(name, "\n")] = '\0';
		found = (size_t)snprintf(path, cap, "%s", name) < cap;
	}
	if (maps)
		fclose(maps);
	return found;
}

/* Beside the library in a build tree, in its own directory when installed. */
static bool find_agent(struct launch *launch)
{
	char *slash = find_library(launch->path, sizeof(launch->path))
			      ? strrchr(launch->path, '/')
			      : NULL;
	size_t room;

	if (slash) {
		room = sizeof(launch->path) - (size_t)(slash - launch->path);
		if ((size_t)snprintf(slash, room, "/gatepass-agent") < room &&
		    access(launch->path, X_OK) == 0)
			return true;
	}
	strcpy(launch->path, GP_LIBEXECDIR "/gatepass-agent");
	return access(launch->path, X_OK) == 0;
}

/*
 * What runs on the borrowed stacks never returns, so AddressSanitizer would leave their
 * red zones marked, for whatever the kernel puts at these addresses next.
 */
#define BORROWED_STACK __attribute__((no_sanitize("address")))

/*
 * Its other name: ThreadSanitizer, which stands before the first, takes the child for one
 * with memory of its own, and no longer sees how the calling thread synchronises.
 */
extern int __clone(int (*run)(void *), void *stack, int flags, void *context, ...);

/*
 * Not by sigaction(): others that stand before it (ThreadSanitizer, Java's libjsig) note
 * who wants which signal, and their notes are the caller's.
 */
BORROWED_STACK static void default_signals(void)
{
	/* More than the kernel's structure has anywhere; in it this is SIG_DFL. */
	const unsigned long action[16] = {0};
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		syscall(SYS_rt_sigaction, sig, action, NULL, NSIG / 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

BORROWED_STACK static void close_from(unsigned first)
{
	struct rlimit limit;

	if (!syscall(SYS_close_range, first, ~0u, 0))
		return;
	/* Linux before 5.9 */
	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > 65536)
		limit.rlim_cur = 65536;
	for (unsigned fd = first; fd < limit.rlim_cur; fd++)
		syscall(SYS_close, fd);
}

/* In the agent's process, in memory that belongs to the caller until execve(). */
BORROWED_STACK static int become_agent(void *context)
{
	struct launch *launch = context;
	int ready = (int)syscall(SYS_fcntl, launch->ready[1], F_DUPFD, READY_FD + 1);
	int null = open("/dev/null", O_RDWR);

	setsid();
	if (ready < 0 || null < 0 || real_dup2(null, 0) < 0 || real_dup2(null, 1) < 0 ||
	    real_dup2(null, 2) < 0 || real_dup2(ready, READY_FD) < 0 || chdir("/"))
		syscall(SYS_exit_group, 127);
	close_from(READY_FD + 1);
	umask(0077);
	default_signals();
	execve(launch->path, (char **)launch->argv, (char **)launch->env);
	syscall(SYS_exit_group, 127);
	return 127;
}

BORROWED_STACK static int step_aside(void *context)
{
	struct launch *launch = context;

	__clone(become_agent, launch->stacks[1] + STACK, CLONE_VM | CLONE_VFORK, launch);
	syscall(SYS_exit_group, 0);
	return 0;
}

/* The end to wait at, or -1. */
static int spawn(struct launch *launch)
{
	sigset_t all, before;
	int cancel;
	pid_t child;

	launch->argv[0] = launch->path;
	launch->argv[1] = "--ready-fd";
	launch->argv[2] = "3";
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, launch->ready))
		return -1;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	child = __clone(step_aside, launch->stacks[0] + STACK, CLONE_VM | CLONE_VFORK,
			launch);
	if (child > 0)
		while (waitpid(child, NULL, __WCLONE) < 0 && errno == EINTR)
			;
	real_close(launch->ready[1]);
	if (child <= 0)
		real_close(launch->ready[0]);
	pthread_setcancelstate(cancel, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return child > 0 ? launch->ready[0] : -1;
}

static int launch_now(void)
{
	struct launch *launch = mmap(NULL, sizeof(*launch), PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int ready = -1;

	if (launch == MAP_FAILED)
		return -1;
	if (find_agent(launch)) {
		choose_environment(launch);
		ready = spawn(launch);
		log_line(LOG_INFO, "agent started: %s", launch->path);
	} else {
		log_line(LOG_ERROR, "no agent: %s cannot be executed", launch->path);
	}
	munmap(launch, sizeof(*launch));
	return ready;
}

void launch_postpone(void)
{
	atomic_store(&not_before, clock_now() + BACKOFF_MS);
}

int launch_agent(void)
{
	int saved_errno = errno;
	int ready = clock_now() < atomic_load(&not_before) ? -1 : launch_now();

	errno = saved_errno;
	return ready;
}
