/* SPDX-License-Identifier: MIT */
/*
 * A network in between. distance PORT MS listens on loopback, prints "port N", and relays
 * every connection to PORT as if a round trip took MS milliseconds. What arrives is
 * passed on half of that later. On loopback a connection stands at once, where far away
 * the client could send only after a round trip: what it sends before that counts as sent
 * then. Made for handshakes: where a socket is full, it tries again and again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "times.h"

#define LINES_MAX 1024
#define READ_MAX  65536

/* What is on its way; without bytes: the end. */
struct packet {
	struct packet *next;
	uint64_t due;
	size_t len, sent;
	char bytes[];
};

struct direction {
	int from, to;
	struct packet *first, *last;
	bool ended; /* nothing more comes */
	bool over;  /* and all is delivered */
};

struct line {
	struct direction forth, back;
	uint64_t stands; /* when a distant client would know that it is connected */
};

static struct line *lines[LINES_MAX];
static size_t count;
static uint64_t round_trip;
static uint16_t port;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void no_delay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void add_packet(struct direction *direction, const char *bytes, size_t len,
		       uint64_t due)
{
	struct packet *packet = malloc(sizeof(*packet) + len);

	if (!packet)
		fail("malloc");
	*packet = (struct packet){.due = due, .len = len};
	memcpy(packet->bytes, bytes, len);
	if (direction->last)
		direction->last->next = packet;
	else
		direction->first = packet;
	direction->last = packet;
}

static void drop_packet(struct direction *direction)
{
	struct packet *packet = direction->first;

	direction->first = packet->next;
	if (!direction->first)
		direction->last = NULL;
	free(packet);
}

static void take_in(struct direction *direction, uint64_t leaves)
{
	static char bytes[READ_MAX];
	ssize_t got = recv(direction->from, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (got < 0 && errno == EAGAIN)
		return;
	direction->ended = got <= 0;
	add_packet(direction, bytes, got > 0 ? (size_t)got : 0, leaves + round_trip / 2);
}

/* Delivers what is due. */
static void give_out(struct direction *direction, uint64_t now)
{
	struct packet *packet;
	ssize_t sent;

	while ((packet = direction->first) && packet->due <= now) {
		if (packet->len) {
			sent = send(direction->to, packet->bytes + packet->sent,
				    packet->len - packet->sent,
				    MSG_DONTWAIT | MSG_NOSIGNAL);
			if (sent < 0 && errno == EAGAIN)
				return;
			packet->sent += sent > 0 ? (size_t)sent : 0;
			if (sent > 0 && packet->sent < packet->len)
				return;
		} else {
			shutdown(direction->to, SHUT_WR);
			direction->over = true;
		}
		drop_packet(direction);
	}
}

static void accept_line(int listener)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	int near = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct line *line = calloc(1, sizeof(*line));

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (near < 0 || far < 0 || !line ||
	    connect(far, (struct sockaddr *)&to, sizeof(to)))
		fail("accept");
	no_delay(near);
	no_delay(far);
	line->forth = (struct direction){.from = near, .to = far};
	line->back = (struct direction){.from = far, .to = near};
	line->stands = now_ns() + round_trip;
	lines[count++] = line;
}

/* Returns whether it lives on. */
static bool run(struct line *line, const struct pollfd fds[static 2])
{
	uint64_t now = now_ns();

	if (fds[0].revents)
		take_in(&line->forth, now > line->stands ? now : line->stands);
	if (fds[1].revents)
		take_in(&line->back, now);
	give_out(&line->forth, now);
	give_out(&line->back, now);
	return !line->forth.over || !line->back.over;
}

static void free_line(struct line *line)
{
	close(line->forth.from);
	close(line->back.from);
	free(line);
}

static uint64_t first_due(void)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < count; i++) {
		const struct packet *forth = lines[i]->forth.first;
		const struct packet *back = lines[i]->back.first;

		if (forth && forth->due < due)
			due = forth->due;
		if (back && back->due < due)
			due = back->due;
	}
	return due;
}

static void wait_for(struct pollfd *fds)
{
	uint64_t due = first_due(), now = now_ns();
	uint64_t left = due > now ? due - now : 0;
	struct timespec timeout = {
		.tv_sec = (time_t)(left / 1000000000),
		.tv_nsec = (long)(left % 1000000000),
	};

	if (ppoll(fds, 1 + 2 * count, due == UINT64_MAX ? NULL : &timeout, NULL) < 0)
		fail("ppoll");
}

static void serve(int listener)
{
	static struct pollfd fds[1 + 2 * LINES_MAX];
	size_t kept, known;

	for (;;) {
		fds[0] = (struct pollfd){
			.fd = count < LINES_MAX ? listener : -1,
			.events = POLLIN,
		};
		for (size_t i = 0; i < count; i++) {
			struct line *line = lines[i];
			int near = line->forth.ended ? -1 : line->forth.from;
			int far = line->back.ended ? -1 : line->back.from;

			fds[1 + 2 * i] = (struct pollfd){.fd = near, .events = POLLIN};
			fds[2 + 2 * i] = (struct pollfd){.fd = far, .events = POLLIN};
		}
		wait_for(fds);
		known = count;
		if (fds[0].revents)
			accept_line(listener);
		kept = 0;
		for (size_t i = 0; i < count; i++) {
			if (i >= known || run(lines[i], &fds[1 + 2 * i]))
				lines[kept++] = lines[i];
			else
				free_line(lines[i]);
		}
		count = kept;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (argc != 3) {
		fputs("usage: distance PORT MS\n", stderr);
		return 2;
	}
	port = (uint16_t)strtoul(argv[1], NULL, 10);
	round_trip = strtoul(argv[2], NULL, 10) * 1000000;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&at, len) || listen(listener, LINES_MAX) ||
	    getsockname(listener, (struct sockaddr *)&at, &len))
		fail("listen");
	printf("port %u\n", ntohs(at.sin_port));
	fflush(stdout);
	serve(listener);
}
