/* SPDX-License-Identifier: MIT */
/*
 * A victim that does unusual things between connect() and the first byte:
 *
 *   passage SCENARIO ADDRESS PORT
 *
 * Prints what it saw; a connection that came to be ends with "echo hello". "--list" names
 * the scenarios. It expects that connecting takes some 100 ms.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in address;

static void tell(const char *what, long result)
{
	printf("%s %s\n", what, result < 0 ? strerrorname_np(errno) : "ok");
}

static int open_socket(int flags)
{
	return socket(AF_INET, SOCK_STREAM | flags, 0);
}

static int do_connect(int fd)
{
	return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

/* A socket that connects, and has for a while. */
static int begin(void)
{
	int fd = open_socket(SOCK_NONBLOCK);

	if (!do_connect(fd) || errno != EINPROGRESS)
		tell("connect", -1);
	usleep(5000);
	return fd;
}

static int error_of(int fd)
{
	int error = -1;
	socklen_t len = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

static int wait_for(int fd, short events)
{
	struct pollfd pollfd = {.fd = fd, .events = events};

	return poll(&pollfd, 1, 20000) == 1 ? pollfd.revents : 0;
}

static void finish(int fd)
{
	int told = wait_for(fd, POLLOUT), error = error_of(fd);

	if (told != POLLOUT || error)
		printf("told %x error %s\n", told, error ? strerrorname_np(error) : "0");
}

static void echo(int fd)
{
	char bytes[6] = "";

	if (send(fd, "hello", 5, MSG_NOSIGNAL) != 5)
		tell("send", -1);
	wait_for(fd, POLLIN);
	if (recv(fd, bytes, 5, 0) != 5)
		tell("recv", -1);
	printf("echo %s\n", bytes);
}

static void finish_and_echo(int fd)
{
	finish(fd);
	echo(fd);
}

/* --- duplicates and flags ------------------------------------------------------------
 */

static void use_duplicate(void)
{
	int fd = begin(), copy = dup(fd);

	close(fd);
	finish_and_echo(copy);
}

static void use_high_duplicate(void)
{
	int fd = begin(), copy = fcntl(fd, F_DUPFD_CLOEXEC, 200);

	tell("dup2", dup2(open("/dev/null", O_RDWR), fd));
	finish_and_echo(copy);
}

static void use_duplicate_in_set(void)
{
	int set = epoll_create1(0), fd = begin(), copy = dup(fd);
	struct epoll_event event = {.events = EPOLLOUT, .data.u64 = 77};

	epoll_ctl(set, EPOLL_CTL_ADD, copy, &event);
	tell("wait",
	     epoll_wait(set, &event, 1, 20000) == 1 && event.data.u64 == 77 ? 0 : -1);
	echo(fd);
}

static void become_blocking(void)
{
	int fd = begin();

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	echo(fd);
}

static void become_blocking_by_ioctl(void)
{
	int fd = begin(), off = 0;
	char bytes[6] = "";

	ioctl(fd, FIONBIO, &off);
	if (write(fd, "hello", 5) != 5 || read(fd, bytes, 5) != 5)
		tell("write and read", -1);
	printf("echo %s\n", bytes);
}

static void raise_low_water(void)
{
	int fd = begin(), five = 5, told = 0;
	socklen_t len = sizeof(told);

	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &five, sizeof(five));
	finish(fd);
	getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &told, &len);
	printf("low water %d\n", told);
	echo(fd);
}

/* --- blocking sockets ----------------------------------------------------------------
 */

static void on_alarm(int sig)
{
	(void)sig;
}

static void interrupt_after(long ms)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerval timer = {.it_value.tv_usec = ms * 1000};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void go_on_after_signal(void)
{
	int fd = open_socket(0);

	interrupt_after(10);
	tell("connect", do_connect(fd));
	finish_and_echo(fd);
}

static void go_on_after_timeout(void)
{
	struct timeval timeout = {.tv_usec = 20000};
	int fd = open_socket(0);

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	tell("connect", do_connect(fd));
	finish_and_echo(fd);
}

static void connect_twice(void)
{
	int fd = open_socket(0);

	tell("connect", do_connect(fd));
	tell("connect", do_connect(fd));
	echo(fd);
}

static void connect_twice_nonblocking(void)
{
	int fd = begin();

	tell("connect", do_connect(fd));
	finish(fd);
	tell("connect", do_connect(fd));
	tell("connect", do_connect(fd));
	echo(fd);
}

/* --- data with the connection --------------------------------------------------------
 */

static void open_fast(void)
{
	char bytes[6] = "";
	int fd = open_socket(0);

	tell("sendto", sendto(fd, "hello", 5, MSG_FASTOPEN, (struct sockaddr *)&address,
			      sizeof(address)));
	tell("recv", recv(fd, bytes, 5, MSG_WAITALL));
	printf("echo %s\n", bytes);
}

static void open_fast_nonblocking(void)
{
	struct iovec part = {"hello", 5};
	struct msghdr message = {.msg_name = &address,
				 .msg_namelen = sizeof(address),
				 .msg_iov = &part,
				 .msg_iovlen = 1};
	int fd = open_socket(SOCK_NONBLOCK);

	tell("sendmsg", sendmsg(fd, &message, MSG_FASTOPEN));
	finish_and_echo(fd);
}

static void connect_fast(void)
{
	int fd = open_socket(SOCK_NONBLOCK), on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on));
	if (do_connect(fd) && errno != EINPROGRESS)
		tell("connect", -1);
	finish_and_echo(fd);
}

/* --- waits that no library sees ------------------------------------------------------
 */

static void wait_unseen(void)
{
	struct pollfd pollfd = {.events = POLLOUT};
	struct timespec timeout = {.tv_sec = 20};
	int fd = begin();

	pollfd.fd = fd;
	tell("ppoll", syscall(SYS_ppoll, &pollfd, 1, &timeout, NULL, 8));
	echo(fd);
}

static void wait_unseen_for_peer(void)
{
	struct pollfd pollfd = {.events = POLLOUT};
	struct timespec timeout = {.tv_sec = 20};
	socklen_t len = sizeof(address);
	int fd = begin();

	pollfd.fd = fd;
	syscall(SYS_ppoll, &pollfd, 1, &timeout, NULL, 8);
	tell("getpeername", getpeername(fd, (struct sockaddr *)&address, &len));
	echo(fd);
}

/* --- other processes -----------------------------------------------------------------
 */

static void child_closes(void)
{
	int set = epoll_create1(0), fd = begin();
	struct epoll_event event = {.events = EPOLLOUT};
	pid_t child;

	epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
	child = fork();
	if (!child) {
		close(fd);
		close(set);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	tell("wait", epoll_wait(set, &event, 1, 20000) == 1 ? 0 : -1);
	echo(fd);
}

static void daemon_goes_on(void)
{
	int pipes[2], fd;
	char bytes[512];
	ssize_t got;

	if (pipe(pipes))
		exit(1);
	fd = begin();
	if (!fork()) {
		usleep(1000);
		dup2(pipes[1], STDOUT_FILENO);
		finish_and_echo(fd);
		fflush(stdout);
		_exit(0);
	}
	/* The parent of the daemon is gone; its own parent reads what became of it. */
	close(pipes[1]);
	close(fd);
	while ((got = read(pipes[0], bytes, sizeof(bytes))) > 0)
		printf("%.*s", (int)got, bytes);
}

static void leave_to_child(void)
{
	int pipes[2], status;
	char bytes[512];
	ssize_t got;
	pid_t middle;

	if (pipe(pipes))
		exit(1);
	middle = fork();
	if (!middle) {
		int set = epoll_create1(0), fd = begin();
		struct epoll_event event = {.events = EPOLLOUT};

		epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
		if (fork())
			_exit(0);
		dup2(pipes[1], STDOUT_FILENO);
		usleep(20000);
		tell("wait", epoll_wait(set, &event, 1, 20000) == 1 ? 0 : -1);
		echo(fd);
		fflush(stdout);
		_exit(0);
	}
	waitpid(middle, &status, 0);
	close(pipes[1]);
	while ((got = read(pipes[0], bytes, sizeof(bytes))) > 0)
		printf("%.*s", (int)got, bytes);
}

static void vfork_child_closes(void)
{
	int fd = begin();
	pid_t child = vfork();

	if (!child) {
		close(fd);
		dup2(0, fd);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	finish_and_echo(fd);
}

static void spawn_meanwhile(void)
{
	extern char **environ;
	char *argv[] = {"true", NULL};
	int fd = begin(), status = -1;
	pid_t child;

	if (posix_spawnp(&child, "true", NULL, NULL, argv, environ))
		tell("posix_spawnp", -1);
	waitpid(child, &status, 0);
	printf("status %d\n", status);
	finish_and_echo(fd);
}

/* --- closing -------------------------------------------------------------------------
 */

/* As daemons do. What is opened afterwards is nobody else's. */
static void close_everything(void)
{
	int fd = begin(), pipes[2];
	char bytes[8] = "";

	(void)fd;
	for (int i = 3; i < 1024; i++)
		close(i);
	for (int i = 0; i < 30; i++)
		if (pipe(pipes))
			tell("pipe", -1);
	for (int i = 0; i < 3; i++)
		finish_and_echo(begin());
	tell("write", write(pipes[1], "still", 5));
	tell("read", read(pipes[0], bytes, sizeof(bytes)));
	printf("read %s\n", bytes);
}

static void close_everything_at_once(void)
{
	begin();
	tell("close_range", (long)syscall(SYS_close_range, 3, ~0u, 0));
	for (int i = 0; i < 50; i++)
		if (open("/dev/null", O_RDWR) != i + 3)
			tell("open", -1);
	finish_and_echo(begin());
	for (int i = 3; i < 53; i++)
		if (write(i, "x", 1) != 1)
			tell("write", -1);
}

static int shared;

static void *close_later(void *unused)
{
	usleep(20000);
	close(shared);
	return unused;
}

static void close_by_thread(void)
{
	struct pollfd pollfd = {.events = POLLOUT};
	pthread_t thread;

	shared = begin();
	pollfd.fd = shared;
	pthread_create(&thread, NULL, close_later, NULL);
	poll(&pollfd, 1, 1000);
	pthread_join(thread, NULL);
	tell("send", send(shared, "x", 1, MSG_NOSIGNAL));
	finish_and_echo(begin());
}

/* --- several who wait ----------------------------------------------------------------
 */

static void poll_twice(void)
{
	int fd = begin();
	struct pollfd pollfds[3] = {{fd, POLLIN, 0}, {fd, POLLOUT, 0}, {-1, POLLOUT, 0}};
	int ready = poll(pollfds, 3, 20000);

	printf("ready %d %x %x %x\n", ready, pollfds[0].revents, pollfds[1].revents,
	       pollfds[2].revents);
	echo(fd);
}

static void two_sets(void)
{
	int one = epoll_create1(0), two = epoll_create1(0),
	    fd = open_socket(SOCK_NONBLOCK);
	struct epoll_event event = {.events = EPOLLOUT, .data.u64 = 1};

	epoll_ctl(one, EPOLL_CTL_ADD, fd, &event);
	do_connect(fd);
	event.data.u64 = 2;
	epoll_ctl(two, EPOLL_CTL_ADD, fd, &event);
	tell("first",
	     epoll_wait(one, &event, 1, 20000) == 1 && event.data.u64 == 1 ? 0 : -1);
	tell("second",
	     epoll_wait(two, &event, 1, 20000) == 1 && event.data.u64 == 2 ? 0 : -1);
	echo(fd);
}

static void *poll_shared(void *unused)
{
	finish(shared);
	return unused;
}

static void four_threads(void)
{
	pthread_t threads[4];

	shared = begin();
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, poll_shared, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	echo(shared);
}

static void *connect_shared(void *unused)
{
	if (do_connect(shared) && errno != EISCONN)
		tell("connect", -1);
	return unused;
}

static void two_connect_one(void)
{
	pthread_t threads[2];

	shared = open_socket(0);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, connect_shared, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	echo(shared);
}

/* --- failures ------------------------------------------------------------------------
 */

static void fail_by_recv(void)
{
	char byte;
	int fd = begin();

	wait_for(fd, POLLIN);
	tell("recv", recv(fd, &byte, 1, 0));
	tell("recv", recv(fd, &byte, 1, 0));
	tell("send", send(fd, "x", 1, MSG_NOSIGNAL));
	printf("error %d\n", error_of(fd));
}

static void fail_by_send(void)
{
	int fd = begin();

	wait_for(fd, POLLOUT);
	tell("send", send(fd, "x", 1, MSG_NOSIGNAL));
	tell("send", send(fd, "x", 1, MSG_NOSIGNAL));
}

static void fail_by_connect(void)
{
	int fd = begin();

	wait_for(fd, POLLOUT);
	tell("connect", do_connect(fd));
}

static void fail_by_error(void)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	int fd = begin(), told = wait_for(fd, POLLIN | POLLOUT);

	printf("hang-up %d\n", (told & POLLHUP) != 0);
	tell("getpeername", getpeername(fd, (struct sockaddr *)&peer, &len));
	printf("error %s\n", strerrorname_np(error_of(fd)));
	printf("error %d\n", error_of(fd));
	tell("connect", do_connect(fd));
}

static void fail_blocking(void)
{
	int fd = open_socket(0);

	tell("connect", do_connect(fd));
	printf("error %d\n", error_of(fd));
}

static const struct {
	const char *name;
	void (*play)(void);
} scenarios[] = {
	{"use-duplicate", use_duplicate},
	{"use-high-duplicate", use_high_duplicate},
	{"use-duplicate-in-set", use_duplicate_in_set},
	{"become-blocking", become_blocking},
	{"become-blocking-by-ioctl", become_blocking_by_ioctl},
	{"raise-low-water", raise_low_water},
	{"go-on-after-signal", go_on_after_signal},
	{"go-on-after-timeout", go_on_after_timeout},
	{"connect-twice", connect_twice},
	{"connect-twice-nonblocking", connect_twice_nonblocking},
	{"open-fast", open_fast},
	{"open-fast-nonblocking", open_fast_nonblocking},
	{"connect-fast", connect_fast},
	{"wait-unseen", wait_unseen},
	{"wait-unseen-for-peer", wait_unseen_for_peer},
	{"child-closes", child_closes},
	{"daemon-goes-on", daemon_goes_on},
	{"leave-to-child", leave_to_child},
	{"vfork-child-closes", vfork_child_closes},
	{"spawn-meanwhile", spawn_meanwhile},
	{"close-everything", close_everything},
	{"close-everything-at-once", close_everything_at_once},
	{"close-by-thread", close_by_thread},
	{"poll-twice", poll_twice},
	{"two-sets", two_sets},
	{"four-threads", four_threads},
	{"two-connect-one", two_connect_one},
	{"fail-by-recv", fail_by_recv},
	{"fail-by-send", fail_by_send},
	{"fail-by-connect", fail_by_connect},
	{"fail-by-error", fail_by_error},
	{"fail-blocking", fail_blocking},
};

int main(int argc, char **argv)
{
	size_t count = sizeof(scenarios) / sizeof(scenarios[0]), i = 0;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (; i < count; i++)
			puts(scenarios[i].name);
		return 0;
	}
	while (argc == 4 && i < count && strcmp(scenarios[i].name, argv[1]))
		i++;
	if (argc != 4 || i == count) {
		fprintf(stderr, "usage: passage SCENARIO ADDRESS PORT\n");
		return 2;
	}
	address.sin_family = AF_INET;
	address.sin_port = htons((uint16_t)atoi(argv[3]));
	inet_pton(AF_INET, argv[2], &address.sin_addr);
	scenarios[i].play();
	return 0;
}
