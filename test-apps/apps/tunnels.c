/* SPDX-License-Identifier: MIT */
/*
 * A victim: tunnels N HOST PORT does N times over what a small client does, look up,
 * connect, say an octet, hear it echoed, close. Prints the open descriptors and the
 * resident KiB after the first round and at the end; exits with 1 if a round fails.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "entries.h"

static long resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long size, pages = 0;

	if (fscanf(file, "%ld %ld", &size, &pages) != 2)
		pages = -1;
	fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int once(const char *host, const char *port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
	char octet = 'x';
	int fd, ok;

	if (getaddrinfo(host, port, &hints, &list))
		return 0;
	fd = socket(list->ai_family, SOCK_STREAM, 0);
	ok = connect(fd, list->ai_addr, list->ai_addrlen) == 0;
	freeaddrinfo(list);
	if (!ok)
		perror("connect");
	ok = ok && write(fd, &octet, 1) == 1 && read(fd, &octet, 1) == 1 && octet == 'x';
	close(fd);
	return ok;
}

int main(int argc, char **argv)
{
	long count = argc == 4 ? atol(argv[1]) : 0;

	for (long i = 0; i < count; i++) {
		if (!once(argv[2], argv[3])) {
			printf("round %ld failed\n", i + 1);
			return 1;
		}
		if (i == 0 || i == count - 1)
			printf("%d %ld\n", open_descriptors(), resident());
	}
	return 0;
}
