/* SPDX-License-Identifier: MIT */
/*
 * A victim that speaks HTTP from an event loop:
 *
 *   http_loop [OPTION…] METHOD ADDRESS PORT [PREFIX]
 *
 * METHOD is how it waits, see `methods`; "--list" names them. PREFIX stands before the
 * paths, "http://host" for a proxy. Options:
 *
 *   -c N     connections, one after the other (1)
 *   -n N     requests on each (1)
 *   -k N     requests in one write (1)
 *   -v VERB  GET, HEAD, POST, CONNECT … (GET)
 *   -b N     octets of body (none)
 *   -C       in chunks
 *   -e       waits for 100 (Continue) before the body
 *   -f LINE  a further field
 *   -s       says after the last request that it sends no more
 *   -t TEXT  after the last reply says that and prints what comes back, until there is
 *            as much
 *
 * Prints each reply, and how often it was told to read when there was nothing. When the
 * server closes between two requests, it connects anew, as keep-alive demands.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>

#include "http.h"

static struct {
	int connections, requests, depth;
	const char *verb;
	size_t body;
	bool chunked, expects, shuts;
	const char *field, *text;
	const char *prefix;
	struct sockaddr_in address;
} options = {.connections = 1, .requests = 1, .depth = 1, .verb = "GET"};

static int set; /* epoll's */
static int spurious;
static char *pipelined; /* the requests of one write */

/* --- waiting -------------------------------------------------------------------------
 */

struct method {
	const char *name;
	void (*prepare)(int fd);
	void (*wait)(int fd, short events); /* NULL: the socket blocks */
	bool drains;                        /* reads until there is no more */
};

static void fail(const char *what)
{
	perror(what);
	fflush(stdout);
	_exit(1);
}

static void with_poll(int fd, short events)
{
	struct pollfd pollfd = {.fd = fd, .events = events};

	if (poll(&pollfd, 1, 60000) != 1)
		fail("poll");
}

static void with_spinning(int fd, short events)
{
	struct pollfd pollfd = {.fd = fd, .events = events};

	while (!poll(&pollfd, 1, 0))
		usleep(500);
}

static void with_select(int fd, short events)
{
	struct timeval timeout = {.tv_sec = 60};
	fd_set wanted;

	FD_ZERO(&wanted);
	FD_SET(fd, &wanted);
	if (select(fd + 1, events == POLLIN ? &wanted : NULL,
		   events == POLLOUT ? &wanted : NULL, NULL, &timeout) != 1)
		fail("select");
}

static void with_epoll(int fd, short events)
{
	struct epoll_event event = {.events = (uint32_t)events, .data.fd = fd};

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) &&
	    (errno != EEXIST || epoll_ctl(set, EPOLL_CTL_MOD, fd, &event)))
		fail("epoll_ctl");
	if (epoll_wait(set, &event, 1, 60000) != 1 || event.data.fd != fd)
		fail("epoll_wait");
}

static void with_oneshot(int fd, short events)
{
	struct epoll_event event = {.events = (uint32_t)events | EPOLLONESHOT,
				    .data.fd = fd};

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) &&
	    (errno != EEXIST || epoll_ctl(set, EPOLL_CTL_MOD, fd, &event)))
		fail("epoll_ctl");
	if (epoll_wait(set, &event, 1, 60000) != 1 || event.data.fd != fd)
		fail("epoll_wait");
	if (epoll_wait(set, &event, 1, 0))
		printf("two shots\n");
}

static void before_edge(int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				    .data.fd = fd};

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event))
		fail("EPOLL_CTL_ADD");
}

static void with_edge(int fd, short events)
{
	struct epoll_event event = {0};

	while (!(event.events & ((uint32_t)events | EPOLLHUP)))
		if (epoll_wait(set, &event, 1, 60000) != 1 || event.data.fd != fd)
			fail("epoll_wait");
}

static const struct method methods[] = {
	{"block", NULL, NULL, false},           {"poll", NULL, with_poll, false},
	{"spin", NULL, with_spinning, false},   {"select", NULL, with_select, false},
	{"epoll", NULL, with_epoll, false},     {"oneshot", NULL, with_oneshot, false},
	{"edge", before_edge, with_edge, true},
};

/* --- one connection ------------------------------------------------------------------
 */

struct link {
	const struct method *method;
	int fd;
	bool eof;
	size_t len; /* of what was read and belongs to no reply yet */
	char bytes[3000];
};

static int error_of(int fd)
{
	int error = -1;
	socklen_t len = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

static void dial(struct link *link)
{
	int flags = link->method->wait ? SOCK_NONBLOCK : 0;

	link->fd = socket(AF_INET, SOCK_STREAM | flags, 0);
	link->eof = false;
	link->len = 0;
	if (link->method->prepare)
		link->method->prepare(link->fd);
	if (connect(link->fd, (struct sockaddr *)&options.address,
		    sizeof(options.address)) &&
	    errno != EINPROGRESS)
		fail("connect");
	if (link->method->wait)
		link->method->wait(link->fd, POLLOUT);
	errno = error_of(link->fd);
	if (errno)
		fail("connect");
}

static void say(struct link *link, const char *bytes, size_t len)
{
	ssize_t put;

	while (len) {
		put = send(link->fd, bytes, len, MSG_NOSIGNAL);
		if (put > 0) {
			bytes += put;
			len -= (size_t)put;
		} else if (errno == EAGAIN && link->method->wait) {
			link->method->wait(link->fd, POLLOUT);
		} else {
			printf("send %s\n", strerrorname_np(errno));
			return;
		}
	}
}

/* Reads once; waits at first, or, if the method drains, only when there is nothing. */
static void hear(struct link *link)
{
	bool waits = link->method->wait;
	ssize_t got = -1;

	errno = EAGAIN;
	if (link->method->drains)
		got = recv(link->fd, link->bytes + link->len,
			   sizeof(link->bytes) - link->len, 0);
	while (got < 0 && errno == EAGAIN) {
		if (waits)
			link->method->wait(link->fd, POLLIN);
		got = recv(link->fd, link->bytes + link->len,
			   sizeof(link->bytes) - link->len, 0);
		spurious += got < 0 && errno == EAGAIN && !link->method->drains;
	}
	if (got < 0)
		printf("recv %s\n", strerrorname_np(errno));
	link->eof = got <= 0;
	link->len += got > 0 ? (size_t)got : 0;
}

/* Reads a reply, with `until_interim` the first 1xx or final one. False: there was none.
 */
static bool hear_reply(struct link *link, struct reply *reply, bool until_interim)
{
	size_t used;

	while (reply->part != REPLY_OVER) {
		while (!link->len && !link->eof)
			hear(link);
		used = reply_feed(reply, link->bytes, link->len);
		memmove(link->bytes, link->bytes + used, link->len - used);
		link->len -= used;
		if (until_interim && reply->status)
			return true;
		if (link->eof && !link->len && !reply_end(reply)) {
			if (reply->head_len)
				printf("cut short\n");
			return false;
		}
	}
	return true;
}

/* --- requests ------------------------------------------------------------------------
 */

static size_t write_body(char *out)
{
	size_t len = 0, piece, done = 0;
	char *body = malloc(options.body + 1);

	http_fill(body, options.body);
	if (!options.chunked) {
		memcpy(out, body, options.body);
		free(body);
		return options.body;
	}
	while (done < options.body) {
		piece = options.body - done < 999 ? options.body - done : 999;
		len += (size_t)sprintf(out + len, "%zx\r\n", piece);
		memcpy(out + len, body + done, piece);
		len += piece;
		len += (size_t)sprintf(out + len, "\r\n");
		done += piece;
	}
	free(body);
	return len + (size_t)sprintf(out + len, "0\r\n\r\n");
}

static bool has_body(void)
{
	return options.body || options.chunked || !strncmp(options.verb, "P", 1);
}

static size_t write_head(char *out, size_t room, int number)
{
	char more[8192] = "", path[20];
	size_t len = 0;

	if (options.chunked)
		len += (size_t)sprintf(more, "Transfer-Encoding: chunked\r\n");
	else if (has_body())
		len += (size_t)sprintf(more, "Content-Length: %zu\r\n", options.body);
	if (options.expects)
		len += (size_t)sprintf(more + len, "Expect: 100-continue\r\n");
	if (options.field)
		snprintf(more + len, sizeof(more) - len, "%s\r\n", options.field);
	if (!strcmp(options.verb, "CONNECT"))
		return (size_t)snprintf(out, room,
					"CONNECT %s:7 HTTP/1.1\r\nHost: %s:7\r\n%s\r\n",
					HTTP_HOST, HTTP_HOST, more);
	snprintf(path, sizeof(path), "%d", number);
	return http_head(out, room, options.verb, options.prefix, path, more);
}

/* A request whose body waits for leave; false if it got a final reply instead. */
static bool ask_leave(struct link *link, int number, struct reply *reply)
{
	char head[16384];
	size_t len = write_head(head, sizeof(head), number);

	say(link, head, len);
	if (!hear_reply(link, reply, true) || reply->part != REPLY_HEAD)
		return false;
	len = write_body(pipelined);
	say(link, pipelined, len);
	return true;
}

static void say_requests(struct link *link, int first, int count)
{
	size_t len = 0;

	for (int i = 0; i < count; i++) {
		len += write_head(pipelined + len, 16384, first + i);
		if (has_body())
			len += write_body(pipelined + len);
	}
	say(link, pipelined, len);
	if (options.shuts && first + count == options.requests)
		shutdown(link->fd, SHUT_WR);
}

/* As many as go in one write; returns how many were answered. */
static int do_requests(struct link *link, int first)
{
	int count = options.requests - first;

	if (count > options.depth)
		count = options.depth;
	if (!options.expects)
		say_requests(link, first, count);
	for (int i = 0; i < count; i++) {
		struct reply reply = {.to_head = !strcmp(options.verb, "HEAD") ||
						 !strcmp(options.verb, "CONNECT")};

		if (options.expects)
			ask_leave(link, first + i, &reply);
		if (!hear_reply(link, &reply, false))
			return i;
	}
	return count;
}

static void talk(struct link *link)
{
	size_t len = strlen(options.text);

	say(link, options.text, len);
	while (!link->eof && link->len < len)
		hear(link);
	printf("heard %.*s\n", (int)link->len, link->bytes);
}

static void go(const struct method *method)
{
	struct link link = {.method = method};
	int done = 0, answered;
	bool fresh = true;

	dial(&link);
	while (done < options.requests) {
		answered = link.eof ? 0 : do_requests(&link, done);
		done += answered;
		if (answered)
			fresh = false;
		if (done == options.requests || (!answered && fresh))
			break;
		if (link.eof) {
			close(link.fd);
			dial(&link);
			fresh = true;
		}
	}
	if (options.text)
		talk(&link);
	close(link.fd);
}

static const char *parse(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "c:n:k:v:b:Cesf:t:")) != -1) {
		switch (option) {
		case 'c':
			options.connections = atoi(optarg);
			break;
		case 'n':
			options.requests = atoi(optarg);
			break;
		case 'k':
			options.depth = atoi(optarg);
			break;
		case 'v':
			options.verb = optarg;
			break;
		case 'b':
			options.body = strtoul(optarg, NULL, 10);
			break;
		case 'C':
			options.chunked = true;
			break;
		case 'e':
			options.expects = true;
			break;
		case 's':
			options.shuts = true;
			break;
		case 'f':
			options.field = optarg;
			break;
		case 't':
			options.text = optarg;
			break;
		default:
			return NULL;
		}
	}
	if (argc - optind < 3)
		return NULL;
	options.address = http_address(argv[optind + 1], argv[optind + 2]);
	options.prefix = argc - optind > 3 ? argv[optind + 3] : "";
	return argv[optind];
}

int main(int argc, char **argv)
{
	const struct method *method = methods;
	const struct method *end = methods + sizeof(methods) / sizeof(*methods);
	struct rusage usage;
	const char *name;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (; method < end; method++)
			puts(method->name);
		return 0;
	}
	name = parse(argc, argv);
	while (name && method < end && strcmp(method->name, name))
		method++;
	if (!name || method == end) {
		fprintf(stderr,
			"usage: http_loop [OPTION...] METHOD ADDRESS PORT [PREFIX]\n");
		return 2;
	}
	http_begin();
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	set = epoll_create1(EPOLL_CLOEXEC);
	pipelined = malloc((size_t)options.depth * (16384 + 2 * options.body));
	for (int i = 0; i < options.connections; i++)
		go(method);
	printf("spurious %d\n", spurious);
	fflush(stdout);
	getrusage(RUSAGE_SELF, &usage);
	fprintf(stderr, "switches %ld\n", usage.ru_nvcsw);
	return 0;
}
