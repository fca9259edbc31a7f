/* SPDX-License-Identifier: MIT */
/*
 * A victim that watches everything that a program can see of itself, step by step:
 *
 *   observe SCENE [ADDRESS PORT]
 *
 * A scene that speaks to a server wants one that sends back what it gets. "--list" names
 * the scenes. Prints each step's result and errno, and then how the process is.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "entries.h"

static union {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage storage;
} address;
static socklen_t address_len;
static char bytes[64];

/* --- how the process is --------------------------------------------------------------
 */

static volatile sig_atomic_t signals[NSIG];

static void on_signal(int sig)
{
	signals[sig]++;
}

static void show_signals(void)
{
	sigset_t pending, blocked;

	sigpending(&pending);
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction action;

		if (signals[sig] || sigismember(&pending, sig) == 1 ||
		    sigismember(&blocked, sig) == 1)
			printf(" signal %d: %d%s%s\n", sig, (int)signals[sig],
			       sigismember(&pending, sig) == 1 ? ", pending" : "",
			       sigismember(&blocked, sig) == 1 ? ", blocked" : "");
		if (!sigaction(sig, NULL, &action) && action.sa_handler != SIG_DFL &&
		    action.sa_handler != on_signal)
			printf(" signal %d has another handler\n", sig);
	}
}

/* What it is, without what differs from run to run. */
static void show_descriptor(int fd)
{
	char name[64], target[256];
	struct stat stat;
	ssize_t len;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	len = readlink(name, target, sizeof(target) - 1);
	target[len < 0 ? 0 : len] = '\0';
	target[strcspn(target, "[:(")] = '\0';
	if (fstat(fd, &stat))
		return;
	printf(" fd %d: %s mode %o flags %x %x owner %d signal %d\n", fd,
	       S_ISREG(stat.st_mode) ? "file" : target, stat.st_mode & S_IFMT,
	       fcntl(fd, F_GETFD), fcntl(fd, F_GETFL), fcntl(fd, F_GETOWN) == getpid(),
	       fcntl(fd, F_GETSIG));
}

static void show_descriptors(void)
{
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			show_descriptor(fd);
	printf(" threads %d\n", entries("/proc/self/task") - 2);
}

static void show_environment(void)
{
	extern char **environ;
	unsigned hash = 0, count = 0;

	for (char **entry = environ; *entry; entry++) {
		if (!strncmp(*entry, "LD_PRELOAD=", 11) ||
		    !strncmp(*entry, "GATEPASS_", 9))
			continue;
		count++;
		for (const char *c = *entry; *c; c++)
			hash = hash * 31 + (unsigned char)*c;
	}
	printf(" environment %u %08x\n", count, hash);
}

/* The files that are mapped, but for the library itself. */
static void show_maps(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512], last[512] = "";

	while (maps && fgets(line, sizeof(line), maps)) {
		char *name = strchr(line, '/');

		if (!name || strstr(name, "libgatepass") || !strcmp(name, last))
			continue;
		strcpy(last, name);
		printf(" mapped %s", name);
	}
	if (maps)
		fclose(maps);
}

static void show_limits(void)
{
	struct itimerval timer;
	struct rlimit files, stack;
	mode_t mask = umask(0);
	int cancel;

	umask(mask);
	getitimer(ITIMER_REAL, &timer);
	getrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_STACK, &stack);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &cancel);
	printf(" umask %o timer %ld files %ld stack %ld cancel %d nice %d dumpable %d "
	       "death %d group %d session %d\n",
	       mask, (long)timer.it_value.tv_sec, (long)files.rlim_cur,
	       (long)stack.rlim_cur, cancel, getpriority(PRIO_PROCESS, 0),
	       prctl(PR_GET_DUMPABLE), prctl(PR_GET_CHILD_SUBREAPER, &cancel),
	       getpgrp() == getpid(), getsid(0) == getpid());
}

static void show_children(void)
{
	int status, child = waitpid(-1, &status, WNOHANG | __WALL);

	printf(" children %s\n", child < 0 ? strerrorname_np(errno) : "some");
}

static void show_self(void)
{
	show_descriptors();
	show_signals();
	show_children();
	show_environment();
	show_maps();
	show_limits();
	fflush(stdout);
}

/* --- steps ---------------------------------------------------------------------------
 */

#define STEP(call)                                                                       \
	do {                                                                             \
		long _result;                                                            \
		errno = 77;                                                              \
		_result = (long)(call);                                                  \
		tell(#call, _result, errno);                                             \
	} while (0)

static void tell(const char *what, long result, int error)
{
	printf("%s = %ld %s\n", what, result, error == 77 ? "-" : strerrorname_np(error));
	show_self();
}

static const struct {
	const char *name;
	int level, option;
} options[] = {
	{"type", SOL_SOCKET, SO_TYPE},
	{"protocol", SOL_SOCKET, SO_PROTOCOL},
	{"domain", SOL_SOCKET, SO_DOMAIN},
	{"error", SOL_SOCKET, SO_ERROR},
	{"sndbuf", SOL_SOCKET, SO_SNDBUF},
	{"rcvlowat", SOL_SOCKET, SO_RCVLOWAT},
	{"reuseaddr", SOL_SOCKET, SO_REUSEADDR},
	{"keepalive", SOL_SOCKET, SO_KEEPALIVE},
	{"oobinline", SOL_SOCKET, SO_OOBINLINE},
	{"priority", SOL_SOCKET, SO_PRIORITY},
	{"mark", SOL_SOCKET, SO_MARK},
	{"listens", SOL_SOCKET, SO_ACCEPTCONN},
	{"nodelay", IPPROTO_TCP, TCP_NODELAY},
	{"cork", IPPROTO_TCP, TCP_CORK},
	{"keepidle", IPPROTO_TCP, TCP_KEEPIDLE},
	{"user timeout", IPPROTO_TCP, TCP_USER_TIMEOUT},
	{"fast open", IPPROTO_TCP, TCP_FASTOPEN_CONNECT},
	{"tos", IPPROTO_IP, IP_TOS},
	{"v6only", IPPROTO_IPV6, IPV6_V6ONLY},
};

static void show_address(const char *what, int err, const struct sockaddr_storage *shown)
{
	const struct sockaddr_in *in = (const void *)shown;
	const struct sockaddr_in6 *in6 = (const void *)shown;
	char host[INET6_ADDRSTRLEN] = "";

	if (err) {
		printf(" %s %s\n", what, strerrorname_np(errno));
		return;
	}
	if (shown->ss_family == AF_INET)
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
	if (shown->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
	printf(" %s %d %s\n", what, shown->ss_family, host);
}

static void show_peer(int fd)
{
	struct sockaddr_storage peer = {0};
	socklen_t len = sizeof(peer);

	if (getpeername(fd, (struct sockaddr *)&peer, &len))
		printf(" peer %s\n", strerrorname_np(errno));
	else
		printf(" peer %u %s\n", len,
		       len == address_len && !memcmp(&peer, &address, len)
			       ? "as asked for"
			       : "another");
}

static void show_socket(int fd)
{
	struct sockaddr_storage local = {0};
	socklen_t len = sizeof(local);
	struct linger linger = {0};
	struct tcp_info info = {0};
	int count = -1;

	show_address("local", getsockname(fd, (struct sockaddr *)&local, &len), &local);
	show_peer(fd);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		int value = -1;

		len = sizeof(value);
		if (!getsockopt(fd, options[i].level, options[i].option, &value, &len))
			printf(" %s %d %u\n", options[i].name, value, len);
	}
	len = sizeof(linger);
	getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len);
	len = sizeof(info);
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	printf(" linger %d %d state %d waiting %d", linger.l_onoff, linger.l_linger,
	       info.tcpi_state, ioctl(fd, FIONREAD, &count));
	printf(" %d\n", count);
}

static int ready(int fd, int ms)
{
	struct pollfd pollfd = {fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0};

	return poll(&pollfd, 1, ms) < 0 ? -1 : pollfd.revents;
}

static int ready_to_read(int fd)
{
	struct pollfd pollfd = {fd, POLLIN, 0};

	return poll(&pollfd, 1, 20000) < 0 ? -1 : pollfd.revents;
}

static int selected(int fd)
{
	struct timeval none = {0, 0};
	fd_set in, out, except;

	FD_ZERO(&in);
	FD_SET(fd, &in);
	out = except = in;
	return select(fd + 1, &in, &out, &except, &none) * 8 + FD_ISSET(fd, &in) +
	       2 * FD_ISSET(fd, &out) + 4 * FD_ISSET(fd, &except);
}

/* --- TCP -----------------------------------------------------------------------------
 */

static int open_socket(int flags)
{
	int fd = socket(address.any.sa_family, SOCK_STREAM | flags, 0);

	show_socket(fd);
	return fd;
}

static int do_connect(int fd)
{
	return connect(fd, &address.any, address_len);
}

static void converse(int fd)
{
	show_socket(fd);
	STEP(ready(fd, 0));
	STEP(selected(fd));
	STEP(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT));
	STEP(send(fd, "hello", 5, 0));
	STEP(ready_to_read(fd));
	STEP(ready(fd, 0));
	show_socket(fd);
	STEP(recv(fd, bytes, 2, MSG_PEEK));
	STEP(recv(fd, bytes, 2, 0));
	STEP(read(fd, bytes, sizeof(bytes)));
	STEP(ready(fd, 0));
	STEP(writev(fd, &(struct iovec){"again", 5}, 1));
	STEP(ready_to_read(fd));
	STEP(recv(fd, bytes, 5, MSG_WAITALL));
	STEP(do_connect(fd));
	STEP(shutdown(fd, SHUT_WR));
	STEP(ready_to_read(fd));
	STEP(recv(fd, bytes, sizeof(bytes), 0));
	STEP(ready(fd, 0));
	STEP(send(fd, "x", 1, 0));
	show_socket(fd);
	STEP(close(fd));
	STEP(close(fd));
}

static void connect_blocking(void)
{
	int fd;

	STEP(fd = open_socket(0));
	STEP(do_connect(fd));
	converse(fd);
}

static void connect_cloexec(void)
{
	int fd, copy, on = 1;

	STEP(fd = open_socket(SOCK_CLOEXEC));
	STEP(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	STEP(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
	STEP(fcntl(fd, F_SETOWN, getpid()) * 0);
	fcntl(fd, F_SETOWN, 0);
	STEP(copy = dup(fd));
	STEP(do_connect(copy));
	STEP(close(fd));
	converse(copy);
}

static void connect_nonblocking(void)
{
	int fd;

	STEP(fd = open_socket(SOCK_NONBLOCK));
	STEP(do_connect(fd) && errno != EINPROGRESS);
	while (!(ready(fd, 20000) & POLLOUT))
		;
	converse(fd);
}

static void connect_by_epoll(void)
{
	struct epoll_event event = {.events = EPOLLOUT | EPOLLET, .data.u64 = 77};
	int fd, set;

	STEP(set = epoll_create1(EPOLL_CLOEXEC));
	STEP(fd = open_socket(SOCK_NONBLOCK));
	STEP(do_connect(fd) && errno != EINPROGRESS);
	STEP(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
	STEP(epoll_wait(set, &event, 1, 20000));
	printf(" events %x data %llu\n", event.events,
	       (unsigned long long)event.data.u64);
	STEP(epoll_wait(set, &event, 1, 0));
	event = (struct epoll_event){.events = EPOLLIN, .data.u64 = 78};
	STEP(epoll_ctl(set, EPOLL_CTL_MOD, fd, &event));
	STEP(epoll_wait(set, &event, 1, 0));
	STEP(write(fd, "hello", 5));
	STEP(epoll_wait(set, &event, 1, 20000));
	printf(" events %x data %llu\n", event.events,
	       (unsigned long long)event.data.u64);
	STEP(read(fd, bytes, sizeof(bytes)));
	STEP(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL));
	STEP(close(set));
	converse(fd);
}

static void be_refused(void)
{
	int fd;

	STEP(fd = open_socket(0));
	STEP(do_connect(fd));
	show_socket(fd);
	STEP(ready(fd, 0));
	STEP(send(fd, "x", 1, MSG_NOSIGNAL));
	STEP(recv(fd, bytes, 1, 0));
	STEP(close(fd));
}

/* --- what stays here -----------------------------------------------------------------
 */

static void use_datagrams(void)
{
	struct sockaddr_in here = {.sin_family = AF_INET};
	socklen_t len = sizeof(here);
	int one, two;

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	STEP(one = socket(AF_INET, SOCK_DGRAM, 0));
	STEP(two = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	STEP(bind(one, (struct sockaddr *)&here, len));
	getsockname(one, (struct sockaddr *)&here, &len);
	STEP(sendto(two, "hello", 5, 0, (struct sockaddr *)&here, len));
	STEP(ready_to_read(one));
	STEP(recvfrom(one, bytes, sizeof(bytes), 0, (struct sockaddr *)&here, &len));
	STEP(connect(one, (struct sockaddr *)&here, len));
	STEP(send(one, "back", 4, 0));
	STEP(ready_to_read(two));
	STEP(recv(two, bytes, sizeof(bytes), 0));
	STEP(recv(two, bytes, sizeof(bytes), 0));
	STEP(close(two));
	STEP(send(one, "x", 1, 0));
	STEP(recv(one, bytes, 1, MSG_DONTWAIT));
	show_socket(one);
	STEP(close(one));
}

static void pass_descriptor(int from, int to, int passed)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS}};
	struct iovec part = {bytes, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.room,
				 .msg_controllen = sizeof(control.room)};

	memcpy(CMSG_DATA(&control.header), &passed, sizeof(passed));
	STEP(sendmsg(from, &message, 0));
	STEP(recvmsg(to, &message, MSG_CMSG_CLOEXEC));
	memcpy(&passed, CMSG_DATA(&control.header), sizeof(passed));
	STEP(passed);
	STEP(close(passed));
}

static void use_unix_sockets(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "observe.socket"};
	int pair[2], listener, client, server;

	STEP(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	STEP(write(pair[0], "hello", 5));
	STEP(read(pair[1], bytes, sizeof(bytes)));
	pass_descriptor(pair[0], pair[1], STDERR_FILENO);
	STEP(close(pair[1]));
	STEP(ready(pair[0], 0));
	STEP(write(pair[0], "x", 1));
	STEP(close(pair[0]));
	unlink(name.sun_path);
	STEP(listener = socket(AF_UNIX, SOCK_STREAM, 0));
	STEP(bind(listener, (struct sockaddr *)&name, sizeof(name)));
	STEP(listen(listener, 1));
	STEP(client = socket(AF_UNIX, SOCK_STREAM, 0));
	STEP(connect(client, (struct sockaddr *)&name, sizeof(name)));
	STEP(server = accept(listener, NULL, NULL));
	STEP(send(client, "hello", 5, 0));
	STEP(recv(server, bytes, sizeof(bytes), 0));
	show_socket(client);
	STEP(close(server));
	STEP(close(client));
	STEP(close(listener));
	unlink(name.sun_path);
}

static void use_pipes_and_files(void)
{
	int pipes[2], file;
	char text[32] = "";
	FILE *stream;

	STEP(pipe2(pipes, O_CLOEXEC | O_NONBLOCK));
	STEP(read(pipes[0], bytes, 1));
	STEP(ready(pipes[1], 0));
	STEP(write(pipes[1], "hello", 5));
	STEP(read(pipes[0], bytes, sizeof(bytes)));
	STEP(close(pipes[0]));
	STEP(write(pipes[1], "x", 1));
	STEP(close(pipes[1]));
	STEP(file = open(".", O_TMPFILE | O_RDWR, 0600));
	STEP(write(file, "hello", 5));
	STEP(lseek(file, 0, SEEK_SET));
	STEP((stream = fdopen(file, "r+")) != NULL);
	STEP(fileno(stream));
	STEP(fgets(text, sizeof(text), stream) != NULL);
	STEP(strcmp(text, "hello"));
	STEP(fclose(stream));
	STEP(close(file));
}

static void have_children(void)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(7);
	waitpid(child, &status, 0);
	STEP(WEXITSTATUS(status));
	child = vfork();
	if (!child)
		_exit(8);
	waitpid(child, &status, 0);
	STEP(WEXITSTATUS(status));
	STEP(system("exit 9") >> 8);
}

static const struct {
	const char *name;
	void (*play)(void);
	int remote;
} scenes[] = {
	{"blocking", connect_blocking, 1},
	{"cloexec", connect_cloexec, 1},
	{"nonblocking", connect_nonblocking, 1},
	{"epoll", connect_by_epoll, 1},
	{"refused", be_refused, 1},
	{"datagrams", use_datagrams, 0},
	{"unix", use_unix_sockets, 0},
	{"files", use_pipes_and_files, 0},
	{"children", have_children, 0},
};

static int set_address(const char *host, const char *port)
{
	in_port_t number = htons((uint16_t)atoi(port));

	if (inet_pton(AF_INET, host, &address.in.sin_addr) == 1) {
		address.in.sin_family = AF_INET;
		address.in.sin_port = number;
		address_len = sizeof(address.in);
		return 1;
	}
	address.in6.sin6_family = AF_INET6;
	address.in6.sin6_port = number;
	address_len = sizeof(address.in6);
	return inet_pton(AF_INET6, host, &address.in6.sin6_addr) == 1;
}

int main(int argc, char **argv)
{
	size_t count = sizeof(scenes) / sizeof(scenes[0]), i = 0;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (; i < count; i++)
			printf("%s %s\n", scenes[i].name,
			       scenes[i].remote ? "remote" : "local");
		return 0;
	}
	while (argc > 1 && i < count && strcmp(scenes[i].name, argv[1]))
		i++;
	if (argc < 2 || i == count || (argc == 4 && !set_address(argv[2], argv[3]))) {
		fprintf(stderr, "usage: observe SCENE [ADDRESS PORT]\n");
		return 2;
	}
	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGSEGV && sig != SIGALRM)
			signal(sig, on_signal);
	alarm(40);
	show_self();
	scenes[i].play();
	show_self();
	return 0;
}
