/* SPDX-License-Identifier: MIT */
/*
 * A victim: pause_connected HOST PORT connects, says so, and stops itself, connected, so
 * that somebody can look at it from outside.
 */
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
	int fd;

	if (argc != 3 || getaddrinfo(argv[1], argv[2], &hints, &list))
		return 2;
	fd = socket(list->ai_family, SOCK_STREAM, 0);
	if (connect(fd, list->ai_addr, list->ai_addrlen)) {
		perror("connect");
		return 1;
	}
	puts("connected");
	fflush(stdout);
	raise(SIGSTOP);
	return 0;
}
