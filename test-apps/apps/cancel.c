/* SPDX-License-Identifier: MIT */
/*
 * A victim that cancels a thread in the middle of connect(): cancel HOST PORT. Is the
 * thread really cancelled, and does the process have the descriptors and mappings
 * that it had before?
 */
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "entries.h"

static struct addrinfo *list;
static int fd;

/* Those that are larger than any that the thread itself needs are ours to lose. */
static int mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long from, to;
	char line[512];
	int count = 0;

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 && to - from > 200000 &&
		    to - from < 600000)
			count++;
	if (maps)
		fclose(maps);
	return count;
}

static void *connect_forever(void *unused)
{
	(void)unused;
	connect(fd, list->ai_addr, list->ai_addrlen);
	return NULL;
}

int main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	int fds, maps;
	pthread_t thread;
	void *result;

	if (argc != 3 || getaddrinfo(argv[1], argv[2], &hints, &list))
		return 2;
	fd = socket(list->ai_family, SOCK_STREAM, 0);
	/* The first one maps what stays: its stack's guard, and our table of the process.
	 */
	pthread_create(&thread, NULL, connect_forever, NULL);
	usleep(200 * 1000);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	fds = entries("/proc/self/fd");
	maps = mappings();
	for (int i = 0; i < 3; i++) {
		pthread_create(&thread, NULL, connect_forever, NULL);
		usleep(100 * 1000);
		pthread_cancel(thread);
		pthread_join(thread, &result);
	}
	printf("%s, descriptors %+d, mappings %+d\n",
	       result == PTHREAD_CANCELED ? "cancelled" : "ran on",
	       entries("/proc/self/fd") - fds, mappings() - maps);
	return 0;
}
