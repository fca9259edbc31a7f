/* SPDX-License-Identifier: MIT */
/*
 * A victim: connect_errno HOST PORT prints how connect() to the first address of the host
 * ended, "OK" or the error's name, and how many milliseconds it took.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

int main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
	struct timespec a, b;
	int err, fd;

	if (argc != 3)
		return 2;
	err = getaddrinfo(argv[1], argv[2], &hints, &list);
	if (err) {
		printf("%s\n", gai_strerror(err));
		return 1;
	}
	fd = socket(list->ai_family, SOCK_STREAM, 0);
	clock_gettime(CLOCK_MONOTONIC, &a);
	err = connect(fd, list->ai_addr, list->ai_addrlen) ? errno : 0;
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%s %ld\n", err ? strerrorname_np(err) : "OK",
	       (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000);
	freeaddrinfo(list);
	return 0;
}
