/* SPDX-License-Identifier: MIT */
/*
 * Many tunnels at a time from one thread. many COUNT HOST PORT [PROXY-PORT BASE64] begins
 * COUNT of them on non-blocking sockets, waits by epoll, and prints the nanoseconds until
 * all stand and those of the longest connect(). Then an octet must come back through
 * each.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "reach.h"
#include "times.h"

#define COUNT_MAX 512

struct client {
	int fd;
	bool connected, stands;
	char reply[4096];
	size_t len;
};

static struct reach reach;
static struct client clients[COUNT_MAX];
static int set;

static void fail(const char *what)
{
	fprintf(stderr, "many: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Returns how long connect() took. */
static uint64_t begin(struct client *client)
{
	struct epoll_event event = {.events = EPOLLOUT, .data.ptr = client};
	uint64_t started;
	int err;

	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (client->fd < 0)
		fail("socket");
	started = now_ns();
	err = connect(client->fd, (const struct sockaddr *)&reach.to, sizeof(reach.to));
	started = now_ns() - started;
	if (err && errno != EINPROGRESS)
		fail("connect");
	if (epoll_ctl(set, EPOLL_CTL_ADD, client->fd, &event))
		fail("epoll_ctl");
	return started;
}

static void watch(struct client *client, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = client};

	if (epoll_ctl(set, EPOLL_CTL_MOD, client->fd, &event))
		fail("epoll_ctl");
}

static void ask(const struct client *client)
{
	if (send(client->fd, reach.request, reach.request_len, MSG_NOSIGNAL) !=
	    (ssize_t)reach.request_len)
		fail("send");
}

static void hear(struct client *client)
{
	ssize_t got = recv(client->fd, client->reply + client->len,
			   sizeof(client->reply) - client->len, 0);
	long head;

	if (got <= 0)
		fail("the proxy's reply");
	client->len += (size_t)got;
	head = reach_accepted(client->reply, client->len);
	if (head < 0)
		fail("the proxy refuses");
	client->stands = head > 0;
}

/* The socket is ready for what is due. */
static void go_on(struct client *client)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (client->connected) {
		hear(client);
	} else {
		getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		errno = error;
		if (error)
			fail("connection");
		client->connected = true;
		client->stands = !reach.request_len;
		if (reach.request_len) {
			ask(client);
			watch(client, EPOLLIN);
		}
	}
	if (client->stands)
		watch(client, 0);
}

/* An octet comes back through each, all of them at the same time. */
static void check(size_t count)
{
	char octet = 'x';

	for (size_t i = 0; i < count; i++)
		if (fcntl(clients[i].fd, F_SETFL, 0) ||
		    write(clients[i].fd, &octet, 1) != 1)
			fail("sending through a tunnel");
	for (size_t i = 0; i < count; i++)
		if (read(clients[i].fd, &octet, 1) != 1 || octet != 'x')
			fail("the echo");
}

int main(int argc, char **argv)
{
	size_t count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0, standing = 0;
	struct epoll_event events[64];
	uint64_t started, longest = 0, time;
	int ready;

	if (!count || count > COUNT_MAX || !reach_init(&reach, argc - 2, argv + 2)) {
		fputs("usage: many COUNT " REACH_USAGE "\n", stderr);
		return 2;
	}
	set = epoll_create1(EPOLL_CLOEXEC);
	started = now_ns();
	for (size_t i = 0; i < count; i++) {
		time = begin(&clients[i]);
		longest = time > longest ? time : longest;
	}
	while (standing < count) {
		ready = epoll_wait(set, events, 64, 20000);
		if (ready <= 0)
			fail("epoll_wait");
		for (int i = 0; i < ready; i++) {
			struct client *client = events[i].data.ptr;

			go_on(client);
			standing += client->stands;
		}
	}
	printf("%lu %lu\n", (unsigned long)(now_ns() - started), (unsigned long)longest);
	check(count);
	return 0;
}
