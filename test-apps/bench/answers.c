/* SPDX-License-Identifier: MIT */
/*
 * How fast the agent answers. answers COUNT AT-A-TIME SOCKET PROXY-URL asks COUNT times
 * for the way to a place behind the proxy, each time on a connection of its own, as the
 * library does, with AT-A-TIME of them open. Prints the nanoseconds that all took.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "times.h"

#define AT_A_TIME_MAX 64

static struct sockaddr_un agent = {.sun_family = AF_UNIX};
static char question[8192];
static size_t question_len;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int ask(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&agent, sizeof(agent)))
		fail("connect");
	if (send(fd, question, question_len, MSG_NOSIGNAL) != (ssize_t)question_len)
		fail("send");
	return fd;
}

static void hear(int fd)
{
	static const char wanted[] = "gatepass 1 way\nway=tunnel\n";
	static char answer[8192];
	ssize_t got = recv(fd, answer, sizeof(answer) - 1, 0);

	if (got < 0)
		fail("recv");
	answer[got] = '\0';
	if (strncmp(answer, wanted, strlen(wanted)) != 0) {
		fprintf(stderr, "not an answer: %s\n", answer);
		exit(1);
	}
	close(fd);
}

static void converse(unsigned long count, unsigned long at_a_time)
{
	struct pollfd fds[AT_A_TIME_MAX];
	unsigned long asked = 0, heard = 0;

	for (; asked < at_a_time && asked < count; asked++)
		fds[asked] = (struct pollfd){.fd = ask(), .events = POLLIN};
	while (heard < count) {
		if (poll(fds, asked < at_a_time ? asked : at_a_time, 20000) <= 0)
			fail("poll");
		for (unsigned long i = 0; i < at_a_time; i++) {
			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			hear(fds[i].fd);
			heard++;
			fds[i].fd = asked < count ? ask() : -1;
			fds[i].revents = 0;
			asked += fds[i].fd >= 0;
		}
	}
}

int main(int argc, char **argv)
{
	unsigned long count = argc == 5 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long at_a_time = argc == 5 ? strtoul(argv[2], NULL, 10) : 0;
	uint64_t begin;

	if (!at_a_time || at_a_time > AT_A_TIME_MAX || count < at_a_time ||
	    strlen(argv[3]) >= sizeof(agent.sun_path)) {
		fputs("usage: answers COUNT AT-A-TIME SOCKET PROXY-URL\n", stderr);
		return 2;
	}
	strcpy(agent.sun_path, argv[3]);
	question_len = (size_t)snprintf(question, sizeof(question),
					"gatepass 1 route\naddress=198.19.0.9:443\n"
					"gatepass-proxy=%s\n",
					argv[4]);
	begin = now_ns();
	converse(count, at_a_time);
	printf("%lu\n", (unsigned long)(now_ns() - begin));
	return 0;
}
