/* SPDX-License-Identifier: MIT */
/*
 * What a call on a descriptor costs that is no socket. calls [HOST PORT] makes a tunnel
 * first, if it is told where to, and then prints the nanoseconds of a read(), a write()
 * and a poll(). Of many short batches the fastest counts: it is the one that nothing
 * disturbed.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "reach.h"
#include "times.h"

#define BATCHES 400
#define CALLS   500

static int event, zeros, sink; /* descriptors */

static void call_read(void)
{
	char octet;

	if (read(zeros, &octet, 1) != 1)
		abort();
}

static void call_write(void)
{
	if (write(sink, "x", 1) != 1)
		abort();
}

static void call_poll(void)
{
	struct pollfd pollfd = {.fd = event, .events = POLLIN};

	if (poll(&pollfd, 1, 0) != 0)
		abort();
}

static double fastest(void call(void))
{
	uint64_t best = UINT64_MAX, begin, time;

	for (int batch = 0; batch < BATCHES; batch++) {
		begin = now_ns();
		for (int i = 0; i < CALLS; i++)
			call();
		time = now_ns() - begin;
		best = time < best ? time : best;
	}
	return (double)best / CALLS;
}

int main(int argc, char **argv)
{
	struct reach reach;
	int fd = -1;

	if (argc > 1) {
		if (!reach_init(&reach, argc - 1, argv + 1)) {
			fputs("usage: calls [" REACH_USAGE "]\n", stderr);
			return 2;
		}
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (!reach_connect(&reach, fd))
			return 1;
	}
	event = eventfd(0, 0);
	zeros = open("/dev/zero", O_RDONLY);
	sink = open("/dev/null", O_WRONLY);
	printf("%.2f %.2f %.2f\n", fastest(call_read), fastest(call_write),
	       fastest(call_poll));
	return 0;
}
