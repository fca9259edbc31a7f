/* SPDX-License-Identifier: MIT */
/*
 * simproxy: an HTTP proxy that does what a script says, for tests of what no real proxy
 * can be made to do on demand. One thread, one poll loop.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "conn.h"
#include "log.h"
#include "script.h"

#define CONNECTIONS_MAX 2048

struct server {
	struct script script;
	int listener;
	size_t accepted;
	struct conn *conns[CONNECTIONS_MAX];
	size_t count;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int fail(const char *what)
{
	fprintf(stderr, "simproxy: %s: %s\n", what, strerror(errno));
	return -1;
}

/* Listens at loopback and prints the port. */
static int listen_at(int family, unsigned short port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr *at = family == AF_INET6 ? (void *)&in6 : (void *)&in;
	socklen_t len = family == AF_INET6 ? sizeof(in6) : sizeof(in);
	int on = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in6.sin6_addr = in6addr_loopback;
	if (fd < 0)
		return fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, at, len) || listen(fd, CONNECTIONS_MAX) ||
	    getsockname(fd, at, &len)) {
		close(fd);
		return fail("listen");
	}
	printf("port %u\n", ntohs(family == AF_INET6 ? in6.sin6_port : in.sin_port));
	fflush(stdout);
	return fd;
}

static void log_accept(size_t number, const struct sockaddr_storage *from)
{
	const struct sockaddr_in *in = (const void *)from;
	const struct sockaddr_in6 *in6 = (const void *)from;
	char text[INET6_ADDRSTRLEN] = "";

	if (from->ss_family == AF_INET)
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
	else
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
	/* sin6_port is at the same place. */
	log_event(number, "accept %s %u", text, ntohs(in->sin_port));
}

static void accept_one(struct server *server)
{
	struct sockaddr_storage from = {0};
	socklen_t len = sizeof(from);
	const struct block *block;
	int fd = accept4(server->listener, (struct sockaddr *)&from, &len,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	block = script_block(&server->script, server->accepted++);
	log_accept(server->accepted, &from);
	if (block) {
		server->conns[server->count++] = conn_new(fd, server->accepted, block);
		return;
	}
	log_event(server->accepted, "unscripted");
	close(fd);
}

static void run_all(struct server *server)
{
	uint64_t now = now_ms();
	size_t kept = 0;

	for (size_t i = 0; i < server->count; i++) {
		if (conn_run(server->conns[i], now))
			server->conns[kept++] = server->conns[i];
		else
			conn_free(server->conns[i]);
	}
	server->count = kept;
}

static int timeout_until(uint64_t wake)
{
	uint64_t now = now_ms();

	if (!wake)
		return -1;
	return wake > now ? (int)(wake - now) : 0;
}

static void serve(struct server *server)
{
	struct pollfd fds[1 + 2 * CONNECTIONS_MAX];
	uint64_t wake, earliest;

	for (;;) {
		fds[0] = (struct pollfd){.fd = server->listener, .events = POLLIN};
		if (server->count == CONNECTIONS_MAX)
			fds[0].fd = -1;
		earliest = 0;
		for (size_t i = 0; i < server->count; i++) {
			wake = conn_wait(server->conns[i], &fds[1 + 2 * i]);
			if (wake && (!earliest || wake < earliest))
				earliest = wake;
		}
		poll(fds, 1 + 2 * server->count, timeout_until(earliest));
		if (fds[0].revents & POLLIN)
			accept_one(server);
		run_all(server);
	}
}

/* The usual limit is below CONNECTIONS_MAX. */
static void allow_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

static bool load(const char *name, struct script *script)
{
	FILE *file = strcmp(name, "-") ? fopen(name, "re") : stdin;
	bool ok;

	if (!file) {
		fail(name);
		return false;
	}
	ok = script_read(file, name, script);
	if (file != stdin)
		fclose(file);
	return ok;
}

int main(int argc, char **argv)
{
	static struct server server;
	int family = AF_INET, option;
	unsigned short port = 0;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(script_help, stdout);
		return 0;
	}
	while ((option = getopt(argc, argv, "46p:")) != -1) {
		if (option == '?')
			return 2;
		if (option == 'p')
			port = (unsigned short)strtoul(optarg, NULL, 10);
		else
			family = option == '6' ? AF_INET6 : AF_INET;
	}
	if (optind + 1 != argc) {
		fputs("usage: simproxy [-4|-6] [-p PORT] SCRIPT (see --help)\n", stderr);
		return 2;
	}
	if (!load(argv[optind], &server.script)) {
		script_release(&server.script);
		return 2;
	}
	allow_descriptors();
	server.listener = listen_at(family, port);
	if (server.listener < 0)
		return 1;
	serve(&server);
}
