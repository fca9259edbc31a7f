/* SPDX-License-Identifier: MIT */
/*
 * Small requests over one kept connection. requests COUNT MANNER ADDRESS PORT TARGET HOST
 * [BASE64] gets TARGET from HOST COUNT times and prints the nanoseconds that this took. A
 * client that authenticates itself has the BASE64 of user and password. MANNER is how it
 * waits for responses: "block" in read(), "poll", or "epoll". Anything but a 200 ends it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "times.h"

static int fd, set;
static char request[2048], response[65536];
static size_t request_len;

static void fail(const char *what)
{
	fprintf(stderr, "requests: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void wait_by_poll(void)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};

	if (poll(&pollfd, 1, 20000) != 1)
		fail("poll");
}

static void wait_by_epoll(void)
{
	struct epoll_event events[16];

	if (epoll_wait(set, events, 16, 20000) != 1 || events[0].data.ptr != &fd)
		fail("epoll_wait");
}

/* How long the whole response is; 0: nobody knows yet. */
static size_t response_length(size_t len)
{
	static const char field[] = "\r\nContent-Length:";
	const char *end = memmem(response, len, "\r\n\r\n", 4), *found;

	if (!end)
		return 0;
	found = memmem(response, (size_t)(end - response), field, strlen(field));
	if (strncmp(response, "HTTP/1.1 200", strlen("HTTP/1.1 200")) != 0 || !found) {
		fprintf(stderr, "not a page: %.*s\n", (int)len, response);
		exit(1);
	}
	return (size_t)(end + 4 - response) + strtoul(found + strlen(field), NULL, 10);
}

static void get(void (*wait)(void))
{
	size_t len = 0, whole = 0;
	ssize_t got;

	if (write(fd, request, request_len) != (ssize_t)request_len)
		fail("write");
	while (!whole || len < whole) {
		if (wait)
			wait();
		got = read(fd, response + len, sizeof(response) - len);
		if (got <= 0)
			fail("read");
		len += (size_t)got;
		whole = response_length(len);
	}
}

static void prepare(const struct sockaddr_in *to, void (*wait)(void))
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &fd};
	int on = 1;

	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		fail("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!wait)
		return;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	set = epoll_create1(EPOLL_CLOEXEC);
	if (wait == wait_by_epoll && epoll_ctl(set, EPOLL_CTL_ADD, fd, &event))
		fail("epoll_ctl");
}

static void write_request(const char *target, const char *host, const char *base64)
{
	request_len = (size_t)snprintf(
		request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: requests\r\n"
		"Accept: */*\r\nAccept-Encoding: gzip\r\n%s%s%s\r\n",
		target, host, base64 ? "Proxy-Authorization: Basic " : "",
		base64 ? base64 : "", base64 ? "\r\n" : "");
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	void (*wait)(void) = NULL;
	unsigned long count;
	uint64_t begin;

	if (argc < 7 || argc > 8 || inet_pton(AF_INET, argv[3], &to.sin_addr) != 1) {
		fputs("usage: requests COUNT MANNER ADDRESS PORT TARGET HOST [BASE64]\n",
		      stderr);
		return 2;
	}
	count = strtoul(argv[1], NULL, 10);
	if (!strcmp(argv[2], "poll"))
		wait = wait_by_poll;
	else if (!strcmp(argv[2], "epoll"))
		wait = wait_by_epoll;
	to.sin_port = htons((uint16_t)atoi(argv[4]));
	write_request(argv[5], argv[6], argv[7]);
	prepare(&to, wait);
	get(wait); /* whatever has to be learnt first */
	begin = now_ns();
	while (count--)
		get(wait);
	printf("%lu\n", (unsigned long)(now_ns() - begin));
	return 0;
}
