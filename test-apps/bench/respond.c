/* SPDX-License-Identifier: MIT */
/*
 * A server that takes as little time as one can. respond [BASE64] listens on loopback,
 * prints "port N", and answers every request with a short page: as an origin does, or, if
 * it is told the BASE64 of user and password, as a proxy that asks for them, and that
 * answers for every origin. Requests have no bodies, and wait for their answers.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAGE                                                                             \
	"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n"     \
	"0123456789012345678901234567890123456789012345678\n"                            \
	"0123456789012345678901234567890123456789012345678\n"
#define ASK                                                                              \
	"HTTP/1.1 407 Proxy Authentication Required\r\n"                                 \
	"Proxy-Authenticate: Basic realm=\"respond\"\r\nContent-Length: 0\r\n\r\n"
#define REFUSE "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"

static char credentials[512]; /* the field's line; empty: an origin */

static const char *answer(const char *head)
{
	if (!*credentials)
		return PAGE;
	if (strncmp(head, "GET http://", strlen("GET http://")) != 0)
		return REFUSE;
	return strstr(head, credentials) ? PAGE : ASK;
}

static void *serve(void *argument)
{
	int fd = *(int *)argument, on = 1;
	char head[16384];
	size_t len = 0;
	ssize_t got;

	free(argument);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	while ((got = recv(fd, head + len, sizeof(head) - 1 - len, 0)) > 0) {
		const char *reply;

		len += (size_t)got;
		head[len] = '\0';
		if (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0)
			continue;
		reply = answer(head);
		if (send(fd, reply, strlen(reply), MSG_NOSIGNAL) < 0)
			break;
		len = 0;
	}
	close(fd);
	return NULL;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (argc > 2) {
		fputs("usage: respond [BASE64]\n", stderr);
		return 2;
	}
	if (argc == 2)
		snprintf(credentials, sizeof(credentials),
			 "\r\nProxy-Authorization: Basic %s\r\n", argv[1]);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&at, len) || listen(listener, 64) ||
	    getsockname(listener, (struct sockaddr *)&at, &len))
		fail("listen");
	printf("port %u\n", ntohs(at.sin_port));
	fflush(stdout);
	for (;;) {
		int *fd = malloc(sizeof(*fd));
		pthread_t thread;

		if (!fd)
			fail("malloc");
		*fd = accept(listener, NULL, NULL);
		if (*fd < 0 || pthread_create(&thread, NULL, serve, fd))
			fail("accept");
		pthread_detach(thread);
	}
}
