/* SPDX-License-Identifier: MIT */
/*
 * A victim with many connections in one thread: crowd N HOST PORT connects N sockets
 * without blocking, all in one epoll set. When every one of them is connected, each says
 * its own number and hears it echoed. Prints how many connected, how many heard the right
 * number, and how many descriptors are open at the end that were not at the beginning.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "entries.h"

#define TEXT 8 /* octets of a number */

struct member {
	int fd;
	char said[TEXT + 1], heard[TEXT];
	size_t count; /* octets heard */
};

static int set;
static long connected, over, right;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void allow_descriptors(void)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

static void listen_for(struct member *member, int op, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = member};

	if (epoll_ctl(set, op, member->fd, &event))
		fail("epoll_ctl");
}

static void set_out(struct member *member, const struct addrinfo *to)
{
	member->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (member->fd < 0)
		fail("socket");
	if (connect(member->fd, to->ai_addr, to->ai_addrlen) && errno != EINPROGRESS)
		fail("connect");
	listen_for(member, EPOLL_CTL_ADD, EPOLLOUT);
}

static void arrive(struct member *member)
{
	socklen_t len = sizeof(errno);

	getsockopt(member->fd, SOL_SOCKET, SO_ERROR, &errno, &len);
	if (errno)
		fail("connection");
	listen_for(member, EPOLL_CTL_MOD, EPOLLIN);
	connected++;
}

static void speak(struct member *member, long number)
{
	snprintf(member->said, sizeof(member->said), "%08x", (unsigned)number);
	if (write(member->fd, member->said, TEXT) != TEXT)
		fail("write");
}

static void hear(struct member *member)
{
	ssize_t got =
		read(member->fd, member->heard + member->count, TEXT - member->count);

	if (got <= 0)
		fail("read");
	member->count += (size_t)got;
	if (member->count < TEXT)
		return;
	over++;
	right += !memcmp(member->heard, member->said, TEXT);
	close(member->fd);
}

static void wait_until(const long *reached, long count)
{
	struct epoll_event events[64];

	while (*reached < count) {
		int ready = epoll_wait(set, events, 64, -1);

		if (ready < 0)
			fail("epoll_wait");
		for (int i = 0; i < ready; i++) {
			if (reached == &connected)
				arrive(events[i].data.ptr);
			else
				hear(events[i].data.ptr);
		}
	}
}

int main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *to;
	long count = argc == 4 ? atol(argv[1]) : 0;
	struct member *members = calloc((size_t)count, sizeof(*members));
	int before;

	if (count < 1 || !members || getaddrinfo(argv[2], argv[3], &hints, &to))
		return 2;
	alarm(250);
	allow_descriptors();
	before = open_descriptors();
	set = epoll_create1(EPOLL_CLOEXEC);
	for (long i = 0; i < count; i++)
		set_out(&members[i], to);
	wait_until(&connected, count);
	for (long i = 0; i < count; i++)
		speak(&members[i], i);
	wait_until(&over, count);
	close(set);
	printf("%ld connected, %ld right, %d left open\n", connected, right,
	       open_descriptors() - before);
	freeaddrinfo(to);
	free(members);
	return 0;
}
