/* SPDX-License-Identifier: MIT */
/*
 * A client's two ways to a place behind a proxy. As a program that knows no proxy it
 * connects to HOST PORT, and what it is preloaded with does the rest. As one with proxy
 * support of its own it is told PROXY-PORT (on loopback) and the BASE64 of user and
 * password as well, and sends a CONNECT with the right header at once. Nothing is faster
 * that asks the proxy for leave.
 */
#ifndef BENCH_REACH_H
#define BENCH_REACH_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REACH_USAGE "HOST PORT [PROXY-PORT BASE64]"

struct reach {
	struct sockaddr_in to;
	char request[1024]; /* empty: no proxy support of its own */
	size_t request_len;
};

static inline bool reach_init(struct reach *reach, int argc, char **argv)
{
	*reach = (struct reach){.to.sin_family = AF_INET};
	if (argc == 2) {
		reach->to.sin_port = htons((uint16_t)atoi(argv[1]));
		return inet_pton(AF_INET, argv[0], &reach->to.sin_addr) == 1;
	}
	if (argc != 4)
		return false;
	snprintf(reach->request, sizeof(reach->request),
		 "CONNECT %s:%s HTTP/1.1\r\nHost: %s:%s\r\n"
		 "Proxy-Authorization: Basic %s\r\n\r\n",
		 argv[0], argv[1], argv[0], argv[1], argv[3]);
	reach->request_len = strlen(reach->request);
	reach->to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	reach->to.sin_port = htons((uint16_t)atoi(argv[2]));
	return true;
}

/* How many of the bytes are the head of an acceptance; 0: not complete, -1: not one. */
static inline long reach_accepted(const char *reply, size_t len)
{
	const char *end = memmem(reply, len, "\r\n\r\n", 4);

	if (!end)
		return 0;
	return !strncmp(reply, "HTTP/1.", 7) && !strncmp(reply + 8, " 200", 4)
		       ? end + 4 - reply
		       : -1;
}

/* Blocking. The other side must not speak first. False with a message. */
static inline bool reach_connect(const struct reach *reach, int fd)
{
	char reply[4096];
	size_t len = 0;
	long head = 0;
	ssize_t got;

	if (connect(fd, (const struct sockaddr *)&reach->to, sizeof(reach->to))) {
		perror("connect");
		return false;
	}
	if (!reach->request_len)
		return true;
	if (send(fd, reach->request, reach->request_len, 0) !=
	    (ssize_t)reach->request_len) {
		perror("send");
		return false;
	}
	while (!head) {
		got = recv(fd, reply + len, sizeof(reply) - len, 0);
		len += got > 0 ? (size_t)got : 0;
		head = got > 0 ? reach_accepted(reply, len) : -1;
	}
	if (head != (long)len)
		fprintf(stderr, "not an acceptance: %.*s\n", (int)len, reply);
	return head == (long)len;
}

#endif
