/* SPDX-License-Identifier: MIT */
/*
 * What memory a process has for itself. memory [HOST PORT [PROXY-PORT BASE64]] makes a
 * tunnel if it is told where to, prints its private KiB, and lives on until the end of
 * its standard input. It reads /proc without libc's buffers, which would count too.
 */
#include <fcntl.h>
#include <unistd.h>

#include "reach.h"

static char text[4096];

static long value_of(const char *key)
{
	const char *line = strstr(text, key);

	return line ? atol(line + strlen(key)) : -1;
}

static long private_kib(void)
{
	int fd = open("/proc/self/smaps_rollup", O_RDONLY);
	long clean, dirty;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	close(fd);
	clean = value_of("Private_Clean:");
	dirty = value_of("Private_Dirty:");
	return clean < 0 || dirty < 0 ? -1 : clean + dirty;
}

int main(int argc, char **argv)
{
	struct reach reach;
	char octet;
	long kib;
	int fd;

	if (argc > 1) {
		if (!reach_init(&reach, argc - 1, argv + 1)) {
			fputs("usage: memory [" REACH_USAGE "]\n", stderr);
			return 2;
		}
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (!reach_connect(&reach, fd))
			return 1;
	}
	kib = private_kib();
	printf("%ld\n", kib);
	fflush(stdout);
	while (read(STDIN_FILENO, &octet, 1) > 0)
		;
	return kib < 0;
}
