/* SPDX-License-Identifier: MIT */
/*
 * How fast a tunnel is. transfer BYTES HOST PORT [PROXY-PORT BASE64] makes one, receives
 * so many bytes in pieces of 64 KiB, and prints the nanoseconds that this took. Each
 * piece is whole (MSG_WAITALL), so that the number of calls does not depend on timing.
 */
#include <unistd.h>

#include "reach.h"
#include "times.h"

#define PIECE (64ul * 1024)

int main(int argc, char **argv)
{
	static char piece[PIECE];
	unsigned long left = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	struct reach reach;
	uint64_t begin;
	int fd;

	if (argc < 3 || !reach_init(&reach, argc - 2, argv + 2)) {
		fputs("usage: transfer BYTES " REACH_USAGE "\n", stderr);
		return 2;
	}
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (!reach_connect(&reach, fd))
		return 1;
	begin = now_ns();
	if (send(fd, "x", 1, 0) != 1)
		perror("send");
	while (left) {
		ssize_t got = recv(fd, piece, left < PIECE ? left : PIECE, MSG_WAITALL);

		if (got <= 0) {
			fprintf(stderr, "transfer: %lu bytes are missing\n", left);
			return 1;
		}
		left -= (unsigned long)got;
	}
	printf("%lu\n", (unsigned long)(now_ns() - begin));
	close(fd);
	return 0;
}
