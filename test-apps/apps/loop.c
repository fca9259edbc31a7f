/* SPDX-License-Identifier: MIT */
/*
 * A victim that connects without blocking and waits as event loops do:
 *
 *   loop METHOD ADDRESS PORT [COUNT]
 *
 * COUNT times: connects, waits, asks SO_ERROR twice, sends a line, waits for its echo.
 * Prints what it saw of each connection in one line, and at the end how often it waited
 * and how often for nothing. METHOD names what it waits with; see `methods` below.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int set, outer; /* epoll sets */
static int waits, idle;
static time_t patience = 20; /* seconds, where they are of type time_t */
/* No constant to the compiler: a fortified program then calls what checks it. */
static volatile nfds_t one = 1;
static struct sockaddr_in address;

/* Each method waits until fd is readable (events POLLIN) or writable, and returns what it
 * was told in bits of poll(2). */
struct method {
	const char *name;
	void (*prepare)(int fd); /* between socket() and connect() */
	int (*wait)(int fd, short events);
};

static void count(int ready)
{
	waits++;
	idle += ready == 0;
	if (ready < 0) {
		perror("wait");
		exit(1);
	}
}

static int with_poll(int fd, short events)
{
	struct pollfd pollfd = {.fd = fd, .events = events};

	count(poll(&pollfd, one, 20000));
	return pollfd.revents;
}

static int with_short_polls(int fd, short events)
{
	struct pollfd pollfd = {.fd = fd, .events = events};
	int ready;

	do {
		ready = poll(&pollfd, one, 1);
		waits += ready;
	} while (!ready);
	return pollfd.revents;
}

static int with_spinning(int fd, short events)
{
	struct pollfd pollfd = {.fd = fd, .events = events};

	while (poll(&pollfd, one, 0) == 0)
		usleep(500);
	waits++;
	return pollfd.revents;
}

/* curl asks for both names of each event. */
static int with_wrnorm(int fd, short events)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN | POLLRDNORM | POLLPRI};

	if (events == POLLOUT)
		pollfd.events = POLLOUT | POLLWRNORM;
	count(poll(&pollfd, one, 20000));
	return pollfd.revents & (POLLIN | POLLOUT | POLLERR | POLLHUP);
}

/* Its milliseconds do not fit into 32 bits. */
static void for_a_month(int fd)
{
	(void)fd;
	patience = 30 * 24 * 60 * 60;
}

/* Its milliseconds do not fit into a time_t, whose size that may be. */
static void for_ages(int fd)
{
	(void)fd;
	patience = (time_t)1 << (8 * sizeof(time_t) - 2);
}

static int with_ppoll(int fd, short events)
{
	struct timespec timeout = {.tv_sec = patience};
	struct pollfd pollfd = {.fd = fd, .events = events};
	sigset_t none;

	sigemptyset(&none);
	count(ppoll(&pollfd, one, &timeout, &none));
	return pollfd.revents;
}

/* php waits for everything at once. */
static int with_everything(int fd, short events)
{
	struct pollfd pollfd = {.fd = fd};

	pollfd.events = events | (events == POLLOUT ? POLLPRI | POLLERR | POLLHUP : 0);
	count(poll(&pollfd, one, 20000));
	return pollfd.revents;
}

/* A pipe beside the socket is always ready, and that must be told at once. */
static int with_a_pipe(int fd, short events)
{
	struct pollfd pollfds[2] = {{.fd = fd, .events = events}, {.events = POLLIN}};
	int pipes[2], told = 0;

	if (pipe(pipes) || write(pipes[1], "x", 1) != 1)
		exit(1);
	pollfds[1].fd = pipes[0];
	while (!pollfds[0].revents) {
		count(poll(pollfds, 2, 20000));
		told += pollfds[1].revents == POLLIN;
		if (!pollfds[0].revents)
			usleep(1000);
		waits = 0;
	}
	if (!told)
		printf("the pipe was forgotten ");
	close(pipes[0]);
	close(pipes[1]);
	return pollfds[0].revents;
}

static int with_select(int fd, short events)
{
	struct timeval timeout = {.tv_sec = patience};
	fd_set in, out, except;
	int ready;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&except);
	FD_SET(fd, events == POLLIN ? &in : &out);
	FD_SET(fd, &except);
	ready = select(fd + 1, &in, &out, &except, &timeout);
	count(ready);
	/* Not to the millisecond, nor beyond a lifetime. */
	if ((timeout.tv_sec < patience - 2 && timeout.tv_sec < INT_MAX - 2) ||
	    (timeout.tv_sec >= patience && timeout.tv_usec))
		printf("the time was not told ");
	return (FD_ISSET(fd, &in) ? POLLIN : 0) | (FD_ISSET(fd, &out) ? POLLOUT : 0) |
	       (FD_ISSET(fd, &except) ? POLLPRI : 0);
}

static int with_pselect(int fd, short events)
{
	struct timespec timeout = {.tv_sec = patience};
	fd_set wanted;
	sigset_t none;

	sigemptyset(&none);
	FD_ZERO(&wanted);
	FD_SET(fd, &wanted);
	count(pselect(fd + 1, events == POLLIN ? &wanted : NULL,
		      events == POLLIN ? NULL : &wanted, NULL,
		      patience < 60 ? NULL : &timeout, &none));
	return FD_ISSET(fd, &wanted) ? events : 0;
}

/* lynx looks by select() whether it is time, and asks connect() itself. */
static int with_connect_again(int fd, short events)
{
	int told;

	do {
		fd_set wanted;
		struct timeval timeout = {.tv_usec = 1000};

		FD_ZERO(&wanted);
		FD_SET(fd, &wanted);
		if (events == POLLIN)
			return with_select(fd, events);
		select(fd + 1, NULL, &wanted, NULL, &timeout);
		told = connect(fd, (struct sockaddr *)&address, sizeof(address));
		if (told && errno != EALREADY && errno != EINPROGRESS &&
		    errno != EISCONN) {
			printf("connect %s ", strerrorname_np(errno));
			return POLLERR;
		}
	} while (told && errno != EISCONN);
	waits++;
	return POLLOUT;
}

static void add(int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event))
		perror("EPOLL_CTL_ADD");
}

static void take_out(int fd)
{
	if (epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL))
		perror("EPOLL_CTL_DEL");
}

static int wait_in_set(int fd)
{
	struct epoll_event event = {0};

	count(epoll_wait(set, &event, 1, 20000));
	if (event.data.fd != fd)
		printf("a strange event %llx ", (unsigned long long)event.data.u64);
	return (int)event.events;
}

/* As libuv: ADD, and MOD when that says EEXIST. */
static int with_epoll(int fd, short events)
{
	struct epoll_event event = {.events = (uint32_t)events, .data.fd = fd};

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) &&
	    (errno != EEXIST || epoll_ctl(set, EPOLL_CTL_MOD, fd, &event)))
		perror("epoll_ctl");
	return wait_in_set(fd);
}

static int with_epoll_twice(int fd, short events)
{
	struct epoll_event event = {.events = EPOLLPRI, .data.fd = -1};

	if (events == POLLOUT) {
		if (!epoll_ctl(set, EPOLL_CTL_MOD, fd, &event) || errno != ENOENT)
			printf("MOD of nothing ");
		add(fd, EPOLLIN);
		if (!epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) || errno != EEXIST)
			printf("ADD twice ");
		take_out(fd);
		if (!epoll_ctl(set, EPOLL_CTL_DEL, fd, &event) || errno != ENOENT)
			printf("DEL twice ");
	}
	return with_epoll(fd, events);
}

static void before_edge(int fd)
{
	add(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

static int with_edge(int fd, short events)
{
	struct epoll_event event = {0};

	do {
		count(epoll_wait(set, &event, 1, 20000));
		if (event.data.fd != fd)
			printf("a strange event ");
	} while (events == POLLIN && !(event.events & (EPOLLIN | EPOLLHUP)));
	return (int)event.events & (events | POLLERR | POLLHUP);
}

static int with_late_edge(int fd, short events)
{
	if (events == POLLOUT)
		before_edge(fd);
	return with_edge(fd, events);
}

static void before_level(int fd)
{
	add(fd, EPOLLOUT);
}

static int with_oneshot(int fd, short events)
{
	struct epoll_event event = {.events = (uint32_t)events | EPOLLONESHOT,
				    .data.fd = fd};
	int told;

	if (epoll_ctl(set, EPOLL_CTL_MOD, fd, &event))
		perror("EPOLL_CTL_MOD");
	told = wait_in_set(fd);
	if (epoll_wait(set, &event, 1, 0))
		printf("two shots ");
	return told;
}

static void before_oneshot(int fd)
{
	add(fd, EPOLLOUT | EPOLLONESHOT);
}

static int with_exclusive(int fd, short events)
{
	int told;

	add(fd, (uint32_t)events | EPOLLEXCLUSIVE);
	told = wait_in_set(fd);
	take_out(fd);
	return told;
}

static int with_pwait(int fd, short events)
{
	struct epoll_event event = {.events = (uint32_t)events, .data.fd = fd};
	sigset_t none;

	sigemptyset(&none);
	if (epoll_ctl(set, events == POLLOUT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event))
		perror("epoll_ctl");
	count(epoll_pwait(set, &event, 1, 20000, &none));
	return (int)event.events;
}

static int with_pwait2(int fd, short events)
{
	struct timespec timeout = {.tv_sec = patience};
	struct epoll_event event = {.events = (uint32_t)events, .data.fd = fd};

	if (epoll_ctl(set, events == POLLOUT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event))
		perror("epoll_ctl");
	count(epoll_pwait2(set, &event, 1, &timeout, NULL));
	return (int)event.events;
}

/* A set in a set: the outer one is asked first, then the inner one. */
static int with_nested(int fd, short events)
{
	struct epoll_event in_outer = {.events = EPOLLIN, .data.u64 = 77};
	struct epoll_event event = {.events = (uint32_t)events, .data.fd = fd};

	epoll_ctl(outer, EPOLL_CTL_ADD, set, &in_outer);
	epoll_ctl(set, events == POLLOUT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
	count(epoll_wait(outer, &event, 1, 20000));
	if (event.data.u64 != 77)
		printf("a strange event ");
	count(epoll_wait(set, &event, 1, 0));
	return (int)event.events;
}

static int with_nested_poll(int fd, short events)
{
	struct epoll_event event = {.events = (uint32_t)events, .data.fd = fd};
	struct pollfd pollfd = {.fd = set, .events = POLLIN};

	epoll_ctl(set, events == POLLOUT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
	count(poll(&pollfd, one, 20000));
	count(epoll_wait(set, &event, 1, 0));
	return (int)event.events;
}

/* One thread has been in epoll_wait() all the time; another one connects and registers.
 */
static int told_to_thread[2];
static pthread_t thread;

static void *serve(void *unused)
{
	struct epoll_event event;

	(void)unused;
	for (;;) {
		int ready = epoll_wait(set, &event, 1, -1);

		if (ready == 1 &&
		    write(told_to_thread[1], &event, sizeof(event)) != sizeof(event))
			exit(1);
	}
	return NULL;
}

static int with_thread(int fd, short events)
{
	struct epoll_event event = {.events = (uint32_t)events | EPOLLONESHOT,
				    .data.fd = fd};

	if (!thread) {
		if (pipe(told_to_thread) || pthread_create(&thread, NULL, serve, NULL))
			exit(1);
		usleep(20000);
	}
	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) &&
	    (errno != EEXIST || epoll_ctl(set, EPOLL_CTL_MOD, fd, &event)))
		perror("epoll_ctl");
	waits++;
	if (read(told_to_thread[0], &event, sizeof(event)) != sizeof(event))
		exit(1);
	if (event.data.fd != fd)
		printf("a strange event ");
	return (int)event.events;
}

static const struct method methods[] = {
	{"poll", NULL, with_poll},
	{"wrnorm", NULL, with_wrnorm},
	{"everything", NULL, with_everything},
	{"short", NULL, with_short_polls},
	{"spin", NULL, with_spinning},
	{"pipe", NULL, with_a_pipe},
	{"ppoll", NULL, with_ppoll},
	{"ppoll-month", for_a_month, with_ppoll},
	{"ppoll-ages", for_ages, with_ppoll},
	{"select", NULL, with_select},
	{"select-month", for_a_month, with_select},
	{"select-ages", for_ages, with_select},
	{"pselect", NULL, with_pselect},
	{"pselect-month", for_a_month, with_pselect},
	{"pselect-ages", for_ages, with_pselect},
	{"again", NULL, with_connect_again},
	{"epoll", NULL, with_epoll},
	{"early", before_level, with_epoll},
	{"twice", NULL, with_epoll_twice},
	{"edge", NULL, with_late_edge},
	{"early-edge", before_edge, with_edge},
	{"oneshot", before_oneshot, with_oneshot},
	{"exclusive", NULL, with_exclusive},
	{"pwait", NULL, with_pwait},
	{"pwait2", NULL, with_pwait2},
	{"pwait2-month", for_a_month, with_pwait2},
	{"pwait2-ages", for_ages, with_pwait2},
	{"nested", NULL, with_nested},
	{"nested-poll", NULL, with_nested_poll},
	{"thread", NULL, with_thread},
};

static int error_of(int fd)
{
	int error = -1;
	socklen_t len = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

static const char *name_of(int error)
{
	return error ? strerrorname_np(error) : "0";
}

static void talk(const struct method *method, int fd)
{
	char bytes[16];
	ssize_t got;
	int told;

	if (recv(fd, bytes, 1, MSG_PEEK | MSG_DONTWAIT) != -1 || errno != EAGAIN)
		printf("early bytes ");
	if (send(fd, "hello\n", 6, MSG_NOSIGNAL) != 6)
		printf("send %s ", strerrorname_np(errno));
	told = method->wait(fd, POLLIN);
	got = recv(fd, bytes, sizeof(bytes), 0);
	printf("readable %x echo %.*s\n", told, got > 0 ? (int)got - 1 : 0, bytes);
}

static void go(const struct method *method)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int told, on = 1, error;

	ioctl(fd, FIONBIO, &on);
	if (method->prepare)
		method->prepare(fd);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) &&
	    errno != EINPROGRESS)
		printf("connect %s ", strerrorname_np(errno));
	told = method->wait(fd, POLLOUT);
	error = error_of(fd);
	/* How a failure shows in the bits differs a little; that it does, does not. */
	if (error)
		printf("failed %d ", (told & (POLLERR | POLLHUP | POLLOUT)) != 0);
	else
		printf("writable %x ", told);
	printf("error %s ", name_of(error));
	printf("then %s ", name_of(error_of(fd)));
	if (error || told & POLLERR)
		printf("\n");
	else
		talk(method, fd);
	close(fd);
}

int main(int argc, char **argv)
{
	const struct method *method = methods;
	const struct method *end = methods + sizeof(methods) / sizeof(methods[0]);
	struct rusage usage;
	int times;

	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (; method < end; method++)
			puts(method->name);
		return 0;
	}
	while (argc > 3 && method < end && strcmp(method->name, argv[1]))
		method++;
	if (argc < 4 || method == end) {
		fprintf(stderr, "usage: loop METHOD ADDRESS PORT [COUNT]\n");
		return 2;
	}
	times = argc > 4 ? atoi(argv[4]) : 1;
	address.sin_family = AF_INET;
	address.sin_port = htons((uint16_t)atoi(argv[3]));
	inet_pton(AF_INET, argv[2], &address.sin_addr);
	alarm(250);
	set = epoll_create1(EPOLL_CLOEXEC);
	outer = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < times; i++)
		go(method);
	printf("waits %d idle %d\n", waits, idle);
	fflush(stdout);
	getrusage(RUSAGE_SELF, &usage);
	fprintf(stderr, "switches %ld\n", usage.ru_nvcsw);
	return 0;
}
