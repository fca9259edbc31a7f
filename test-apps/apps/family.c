/* SPDX-License-Identifier: MIT */
/*
 * A victim that watches itself while it connects: family HOST PORT. Has connect() left a
 * child, a SIGCHLD, a thread, a descriptor, a changed signal mask or cancel state behind?
 * Then the same in a forked child, a vfork child (which has to be left alone), and
 * threads that connect while the process forks.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "entries.h"

#ifndef __WALL
#define __WALL 0x40000000
#endif

#define THREADS  4
#define CONNECTS 5

static volatile sig_atomic_t children_died;
static const char *host, *port;

static void on_child(int sig)
{
	(void)sig;
	children_died++;
}

static int connect_to(struct addrinfo *to)
{
	int fd = socket(to->ai_family, SOCK_STREAM, 0);
	int err = connect(fd, to->ai_addr, to->ai_addrlen) ? errno : 0;

	close(fd);
	return err;
}

static struct addrinfo *look_up(void)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;

	if (getaddrinfo(host, port, &hints, &list)) {
		printf("getaddrinfo failed\n");
		exit(1);
	}
	return list;
}

static const char *name_of(int err)
{
	return err ? strerrorname_np(err) : "OK";
}

static void show_self(const char *when)
{
	sigset_t mask;
	int blocked = 0, cancel;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int sig = 1; sig < SIGRTMAX; sig++)
		blocked += sigismember(&mask, sig);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &cancel);
	printf("%s: fds=%d threads=%d sigchld=%d blocked=%d cancel=%d", when,
	       entries("/proc/self/fd"), entries("/proc/self/task"), (int)children_died,
	       blocked, cancel);
	printf(" wait=%s", waitpid(-1, NULL, WNOHANG) < 0 ? name_of(errno) : "child");
	printf(" waitall=%s\n",
	       waitpid(-1, NULL, WNOHANG | __WALL) < 0 ? name_of(errno) : "child");
	fflush(stdout);
}

static void *connect_often(void *list)
{
	long failed = 0;

	for (int i = 0; i < CONNECTS; i++)
		failed += connect_to(list) != 0;
	return (void *)failed;
}

static void storm(struct addrinfo *list)
{
	pthread_t threads[THREADS];
	long failed = 0;
	void *result;
	int status;

	signal(SIGCHLD, SIG_DFL);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, connect_often, list);
	for (int i = 0; i < CONNECTS; i++) {
		pid_t child = fork();

		if (!child)
			_exit(connect_to(list) != 0);
		failed += waitpid(child, &status, 0) != child || status != 0;
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		failed += (long)result;
	}
	printf("storm: %ld failed\n", failed);
}

int main(int argc, char **argv)
{
	struct addrinfo *list;
	struct addrinfo local = {0};
	volatile int in_vfork = 1;
	int status;
	pid_t child;

	if (argc != 3)
		return 2;
	host = argv[1];
	port = argv[2];
	signal(SIGCHLD, on_child);
	show_self("before");
	list = look_up();
	printf("connect: %s\n", name_of(connect_to(list)));
	show_self("after");
	fflush(stdout);
	child = fork();
	if (!child) {
		printf("fork: %s\n", name_of(connect_to(list)));
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, &status, 0);
	local = *list;
	child = vfork();
	if (!child) {
		/* Left alone, this leads nowhere; a tunnel would be there at once. */
		int fd = socket(local.ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

		in_vfork = connect(fd, local.ai_addr, local.ai_addrlen) == 0;
		close(fd);
		_exit(0);
	}
	waitpid(child, &status, 0);
	printf("vfork: %s\n", in_vfork ? "tunnel" : "left alone");
	printf("after vfork: %s\n", name_of(connect_to(list)));
	storm(list);
	freeaddrinfo(list);
	return 0;
}
