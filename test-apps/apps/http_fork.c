/* SPDX-License-Identifier: MIT */
/*
 * A victim that shares a connection with its child:
 *
 *   http_fork SCENE ADDRESS PORT [PREFIX]
 *
 * Prints each reply. The first request and its reply are the parent's alone, if the scene
 * does not say otherwise; "--list" names the scenes. PREFIX stands before the paths,
 * "http://host" for a proxy.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/wait.h>

#include "http.h"

#define REQUESTS 3

static const char *prefix = "";
static int fd;

static size_t request(char *out, size_t size, int number)
{
	char path[16];

	snprintf(path, sizeof(path), "%d", number);
	return http_head(out, size, "GET", prefix, path, "");
}

static void say(int number)
{
	char bytes[1024];
	size_t len = request(bytes, sizeof(bytes), number);

	if (send(fd, bytes, len, 0) != (ssize_t)len)
		printf("not sent\n");
}

static void hear(void)
{
	struct reply reply = {0};
	size_t wanted;
	char bytes[999];
	ssize_t got;

	while (reply.part != REPLY_OVER) {
		wanted = reply_wants(&reply);
		got = recv(fd, bytes, wanted < sizeof(bytes) ? wanted : sizeof(bytes), 0);
		if (got <= 0) {
			printf("cut short\n");
			return;
		}
		reply_feed(&reply, bytes, (size_t)got);
	}
	fflush(stdout);
}

/* One of the two takes its turn when the other says so. */
static int turns[2];

static void give_turn(void)
{
	if (write(turns[1], "x", 1) != 1)
		exit(1);
}

static void await_turn(void)
{
	char octet;

	if (read(turns[0], &octet, 1) != 1)
		exit(1);
}

static pid_t begin_child(void)
{
	pid_t child;

	fflush(stdout);
	if (pipe(turns))
		exit(1);
	child = fork();
	if (!child)
		alarm(10);
	return child;
}

static void child_sends(void)
{
	pid_t child;

	say(0);
	hear();
	child = begin_child();
	for (int i = 1; i <= REQUESTS; i++) {
		if (child) {
			give_turn();
			hear();
		} else {
			await_turn();
			say(i);
		}
	}
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	say(REQUESTS + 1);
	hear();
}

static void child_sends_all(void)
{
	pid_t child;

	say(0);
	hear();
	child = begin_child();
	if (!child) {
		for (int i = 1; i <= REQUESTS; i++)
			say(i);
		_exit(0);
	}
	for (int i = 1; i <= REQUESTS; i++)
		hear();
	waitpid(child, NULL, 0);
}

static void child_reads(void)
{
	pid_t child;

	say(0);
	hear();
	child = begin_child();
	for (int i = 1; i <= REQUESTS; i++) {
		if (child) {
			say(i);
			await_turn();
		} else {
			hear();
			give_turn();
		}
	}
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
}

/* Also the first one. */
static void child_goes_on(void)
{
	pid_t child = begin_child();

	if (child) {
		close(fd);
		waitpid(child, NULL, 0);
		return;
	}
	for (int i = 0; i < REQUESTS; i++) {
		say(i);
		hear();
	}
	exit(0);
}

/* In the middle of a head, as an innocent child does. */
static void child_closes(void)
{
	char bytes[1024];
	size_t len = request(bytes, sizeof(bytes), 1), half = len / 2;
	pid_t child;

	say(0);
	hear();
	send(fd, bytes, half, 0);
	child = begin_child();
	if (!child) {
		close(fd);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	send(fd, bytes + half, len - half, 0);
	hear();
}

/* It borrows the memory, but what it does with its descriptors is its own business. */
static void vfork_child_closes(void)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	char bytes[1024];
	size_t len = request(bytes, sizeof(bytes), 1), half = len / 2;
	pid_t child;

	say(0);
	hear();
	send(fd, bytes, half, 0);
	child = vfork();
	if (!child) {
		poll(&pollfd, 1, 0);
		close(fd);
		dup2(0, fd);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	send(fd, bytes + half, len - half, 0);
	hear();
}

static const struct {
	const char *name;
	void (*play)(void);
} scenes[] = {
	{"child-sends", child_sends},   {"child-sends-all", child_sends_all},
	{"child-reads", child_reads},   {"child-goes-on", child_goes_on},
	{"child-closes", child_closes}, {"vfork-child-closes", vfork_child_closes},
};

int main(int argc, char **argv)
{
	size_t count = sizeof(scenes) / sizeof(*scenes), i = 0;
	struct sockaddr_in address;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (; i < count; i++)
			puts(scenes[i].name);
		return 0;
	}
	while (argc > 3 && i < count && strcmp(scenes[i].name, argv[1]))
		i++;
	if (argc < 4 || i == count) {
		fprintf(stderr, "usage: http_fork SCENE ADDRESS PORT [PREFIX]\n");
		return 2;
	}
	http_begin();
	alarm(10);
	prefix = argc > 4 ? argv[4] : "";
	address = http_address(argv[2], argv[3]);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		perror("connect");
		return 1;
	}
	scenes[i].play();
	return 0;
}
