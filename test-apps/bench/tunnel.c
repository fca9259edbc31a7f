/* SPDX-License-Identifier: MIT */
/*
 * How long a tunnel takes to be there. tunnel COUNT HOST PORT [PROXY-PORT BASE64] makes
 * COUNT of them, one after another, and prints the nanoseconds of the first one in the
 * process and the median of the others.
 */
#include <unistd.h>

#include "reach.h"
#include "times.h"

/* The proxy has seen the end before the next one begins. */
static void end(int fd)
{
	char rest[256];

	shutdown(fd, SHUT_WR);
	while (recv(fd, rest, sizeof(rest), 0) > 0)
		;
	close(fd);
}

static uint64_t measure(const struct reach *reach)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint64_t begin = now_ns(), time;

	if (!reach_connect(reach, fd))
		exit(1);
	time = now_ns() - begin;
	end(fd);
	return time;
}

int main(int argc, char **argv)
{
	size_t count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	struct reach reach;
	uint64_t *times;

	if (count < 2 || !reach_init(&reach, argc - 2, argv + 2)) {
		fputs("usage: tunnel COUNT " REACH_USAGE "\n", stderr);
		return 2;
	}
	times = times_new(count);
	for (size_t i = 0; i < count; i++)
		times[i] = measure(&reach);
	printf("%lu ", (unsigned long)times[0]);
	printf("%lu\n", (unsigned long)median(times + 1, count - 1));
	return 0;
}
