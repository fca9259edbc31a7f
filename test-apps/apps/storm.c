/* SPDX-License-Identifier: MIT */
/*
 * A victim that does everything at random: storm SEED SECONDS HOST PORT... has threads
 * that connect to one of those, poll, send, receive, duplicate, close and fork, with
 * descriptors that they take from each other, at the same time too. What each thread
 * does is told by the seed. Prints how many connections there were, and descriptors that
 * are open at the end and were not at the beginning; exits with 1 if there are any.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "entries.h"

#define THREADS 4
#define PLACES  24
#define PORTS   8
#define HANG    120 /* seconds after which it is one */

static _Atomic int places[PLACES]; /* of descriptors; 0: free */
static atomic_long connections;
static struct addrinfo *targets[PORTS];
static unsigned target_count;
static time_t end;

struct actor {
	pthread_t thread;
	unsigned long long chance;
};

static unsigned dice(struct actor *actor, unsigned sides)
{
	actor->chance = actor->chance * 6364136223846793005 + 1442695040888963407;
	return (unsigned)(actor->chance >> 33) % sides;
}

static _Atomic int *somewhere(struct actor *actor)
{
	return &places[dice(actor, PLACES)];
}

/* Another thread may be using what was there. */
static void put(struct actor *actor, int fd)
{
	int old = fd < 0 ? 0 : atomic_exchange(somewhere(actor), fd);

	if (old)
		close(old);
}

static void set_timeouts(int fd)
{
	struct timeval time = {.tv_usec = 50000};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
}

static void begin(struct actor *actor, int fd)
{
	const struct addrinfo *to = targets[dice(actor, target_count)];
	int flags = dice(actor, 2) ? SOCK_NONBLOCK : 0;

	(void)fd;
	fd = socket(to->ai_family, SOCK_STREAM | flags, 0);
	if (fd < 0)
		return;
	set_timeouts(fd);
	connect(fd, to->ai_addr, to->ai_addrlen);
	connections++;
	put(actor, fd);
}

static void look(struct actor *actor, int fd)
{
	struct pollfd list[PLACES];

	(void)fd;
	for (unsigned i = 0; i < PLACES; i++)
		list[i] =
			(struct pollfd){places[i] ? places[i] : -1, POLLIN | POLLOUT, 0};
	poll(list, PLACES, (int)dice(actor, 10));
}

static void look_by_select(struct actor *actor, int fd)
{
	struct timeval time = {.tv_usec = dice(actor, 5000)};
	fd_set in, out;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fd, &in);
	FD_SET(fd, &out);
	select(fd + 1, &in, &out, NULL, &time);
}

static void look_by_epoll(struct actor *actor, int fd)
{
	struct epoll_event event = {.events = dice(actor, 2) ? EPOLLIN : EPOLLOUT};
	int set = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
	epoll_wait(set, &event, 1, (int)dice(actor, 5));
	close(set);
}

static void say(struct actor *actor, int fd)
{
	static const char request[] = "GET http://far.example/ HTTP/1.1\r\n"
				      "Host: far.example\r\n\r\n";
	size_t from = dice(actor, 4) ? 0 : dice(actor, sizeof(request) - 1);

	send(fd, request + from, sizeof(request) - 1 - from, MSG_NOSIGNAL);
}

static void hear(struct actor *actor, int fd)
{
	char octets[512];

	recv(fd, octets, 1 + dice(actor, sizeof(octets) - 1),
	     dice(actor, 4) ? MSG_DONTWAIT : 0);
}

static void copy(struct actor *actor, int fd)
{
	put(actor, dice(actor, 2) ? dup(fd) : fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

static void leave(struct actor *actor, int fd)
{
	_Atomic int *place = somewhere(actor);

	(void)fd;
	fd = atomic_exchange(place, 0);
	if (fd)
		close(fd);
}

static void shut(struct actor *actor, int fd)
{
	shutdown(fd, (int)dice(actor, 3));
}

static void ask(struct actor *actor, int fd)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	int error;

	(void)actor;
	getpeername(fd, (struct sockaddr *)&name, &len);
	len = sizeof(error);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
}

static void split(struct actor *actor, int fd)
{
	pid_t child = fork();

	if (child == 0) {
		alarm(HANG);
		for (unsigned i = dice(actor, 4); i; i--)
			hear(actor, fd);
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}

static void (*const deeds[])(struct actor *actor, int fd) = {
	begin, begin, begin, look, look, look_by_select, look_by_epoll, say, say,
	hear,  hear,  copy,  shut, ask,  leave,          leave,
};

static void *act(void *argument)
{
	struct actor *actor = argument;

	while (time(NULL) < end) {
		int fd = *somewhere(actor);

		if (!fd)
			begin(actor, fd);
		else if (!dice(actor, 100))
			split(actor, fd);
		else
			deeds[dice(actor, sizeof(deeds) / sizeof(deeds[0]))](actor, fd);
	}
	return NULL;
}

static int resolve(const char *host, char **ports, int count)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};

	for (int i = 0; i < count && i < PORTS; i++)
		if (getaddrinfo(strchr(ports[i], ':') ? "127.0.0.1" : host,
				ports[i] + strspn(ports[i], ":"), &hints, &targets[i]))
			return 0;
	target_count = (unsigned)count;
	return 1;
}

int main(int argc, char **argv)
{
	struct actor actors[THREADS];
	int before, more;

	if (argc < 5 || argc - 4 > PORTS || !resolve(argv[3], argv + 4, argc - 4))
		return 2;
	signal(SIGPIPE, SIG_IGN);
	before = open_descriptors();
	end = time(NULL) + atol(argv[2]);
	alarm((unsigned)atol(argv[2]) + HANG);
	for (unsigned i = 0; i < THREADS; i++) {
		actors[i].chance = strtoull(argv[1], NULL, 10) * THREADS + i;
		pthread_create(&actors[i].thread, NULL, act, &actors[i]);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(actors[i].thread, NULL);
	for (unsigned i = 0; i < PLACES; i++)
		if (places[i])
			close(places[i]);
	more = open_descriptors() - before;
	printf("connections %ld\nmore %d\n", (long)connections, more);
	return more != 0;
}
