/* SPDX-License-Identifier: MIT */
/*
 * A victim that touches a socket while it connects:
 *
 *   connecting TOUCH ADDRESS PORT
 *
 * connect() on a non-blocking socket, then the touch, then what poll(2) says without
 * waiting and what SO_ERROR says. "--list" names the touches.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int fd; /* the socket */
static struct sockaddr_in address;
static char bytes[64];
/* No constant to the compiler: a fortified program then calls what checks it. */
static volatile size_t one = 1;
static struct iovec part = {bytes, sizeof(bytes)};
static struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

static void tell(const char *what, long result)
{
	printf("%s %ld%s%s\n", what, result < 0 ? -1 : result, result < 0 ? " " : "",
	       result < 0 ? strerrorname_np(errno) : "");
}

static int get_int(int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, level, name, &value, &len))
		return -1;
	return value;
}

static void touch_send(void)
{
	tell("send", send(fd, "x", 1, 0));
	tell("send MSG_DONTWAIT", send(fd, "x", 1, MSG_DONTWAIT));
}

static void touch_write(void)
{
	tell("write", write(fd, "x", 1));
}

static void touch_writev(void)
{
	tell("writev", writev(fd, &part, 1));
}

static void touch_sendto(void)
{
	tell("sendto", sendto(fd, "x", 1, 0, NULL, 0));
}

static void touch_sendmsg(void)
{
	struct mmsghdr two[2] = {{.msg_hdr = message}, {.msg_hdr = message}};

	tell("sendmsg", sendmsg(fd, &message, 0));
	tell("sendmmsg", sendmmsg(fd, two, 2, 0));
}

static void touch_recv(void)
{
	tell("recv", recv(fd, bytes, one, 0));
	tell("recv MSG_PEEK", recv(fd, bytes, one, MSG_PEEK));
	tell("recv MSG_DONTWAIT", recv(fd, bytes, one, MSG_DONTWAIT));
}

static void touch_read(void)
{
	tell("read", read(fd, bytes, one));
}

static void touch_readv(void)
{
	tell("readv", readv(fd, &part, 1));
}

static void touch_recvfrom(void)
{
	tell("recvfrom", recvfrom(fd, bytes, one, 0, NULL, NULL));
}

static void touch_recvmsg(void)
{
	struct mmsghdr two[2] = {{.msg_hdr = message}, {.msg_hdr = message}};

	tell("recvmsg", recvmsg(fd, &message, 0));
	tell("recvmmsg", recvmmsg(fd, two, 2, 0, NULL));
}

static void touch_connect(void)
{
	tell("connect", connect(fd, (struct sockaddr *)&address, sizeof(address)));
	tell("connect", connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

static void touch_error(void)
{
	tell("SO_ERROR", get_int(SOL_SOCKET, SO_ERROR));
	tell("SO_ERROR", get_int(SOL_SOCKET, SO_ERROR));
	tell("SO_TYPE", get_int(SOL_SOCKET, SO_TYPE));
	tell("SO_ACCEPTCONN", get_int(SOL_SOCKET, SO_ACCEPTCONN));
}

static void touch_state(void)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	tell("TCP_INFO", getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len));
	tell("state", info.tcpi_state);
}

static void touch_names(void)
{
	struct sockaddr_storage name = {0};
	socklen_t len = sizeof(name);

	tell("getpeername", getpeername(fd, (struct sockaddr *)&name, &len));
	len = sizeof(name);
	tell("getsockname", getsockname(fd, (struct sockaddr *)&name, &len));
	tell("family", name.ss_family);
}

static void touch_shutdown_write(void)
{
	tell("shutdown", shutdown(fd, SHUT_WR));
}

static void touch_shutdown_both(void)
{
	tell("shutdown", shutdown(fd, SHUT_RDWR));
	tell("shutdown", shutdown(fd, SHUT_RDWR));
}

static void touch_shutdown_wrong(void)
{
	tell("shutdown", shutdown(fd, 77));
}

static void touch_options(void)
{
	int on = 1, three = 3;
	struct timeval timeout = {.tv_sec = 7};
	socklen_t len = sizeof(timeout);

	tell("TCP_NODELAY", setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	tell("TCP_NODELAY", get_int(IPPROTO_TCP, TCP_NODELAY));
	tell("SO_RCVLOWAT",
	     setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &three, sizeof(three)));
	tell("SO_RCVLOWAT", get_int(SOL_SOCKET, SO_RCVLOWAT));
	tell("SO_SNDTIMEO",
	     setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)));
	getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &len);
	tell("SO_SNDTIMEO", timeout.tv_sec);
}

static void touch_flags(void)
{
	int off = 0, on = 1, waiting = -1;

	tell("F_GETFL", fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ASYNC));
	tell("FIONBIO", ioctl(fd, FIONBIO, &off));
	tell("F_GETFL", fcntl(fd, F_GETFL) & O_NONBLOCK);
	tell("recv MSG_DONTWAIT", recv(fd, bytes, one, MSG_DONTWAIT));
	tell("FIONBIO", ioctl(fd, FIONBIO, &on));
	tell("FIONREAD", ioctl(fd, FIONREAD, &waiting));
	tell("waiting", waiting);
}

static void on_copy(const char *how, int copy)
{
	tell(how, copy < 0 ? -1 : 0);
	tell("send", send(copy, "x", 1, 0));
	tell("getpeername",
	     getpeername(copy, (struct sockaddr *)bytes, &(socklen_t){sizeof(bytes)}));
	close(copy);
	tell("send", send(fd, "x", 1, 0));
}

static void touch_dup(void)
{
	on_copy("dup", dup(fd));
	on_copy("F_DUPFD", fcntl(fd, F_DUPFD, 20));
	on_copy("F_DUPFD_CLOEXEC", fcntl(fd, F_DUPFD_CLOEXEC, 20));
	on_copy("dup2", dup2(fd, 30));
	on_copy("dup3", dup3(fd, 30, O_CLOEXEC));
}

static void touch_move(void)
{
	int copy = dup(fd);

	close(fd);
	fd = copy;
	tell("recv", recv(fd, bytes, one, 0));
}

static void touch_replace(void)
{
	int pipes[2];

	tell("pipe", pipe(pipes));
	tell("dup2", dup2(pipes[0], fd) == fd ? 0 : -1);
	tell("write", write(pipes[1], "abc", 3));
	tell("read", read(fd, bytes, sizeof(bytes)));
}

static void touch_close(void)
{
	int old = fd;

	tell("close", close(fd));
	tell("close", close(fd));
	tell("send", send(fd, "x", 1, 0));
	fd = open("/dev/zero", O_RDONLY);
	tell("open", fd == old ? 0 : 1);
	tell("read", read(fd, bytes, 5));
}

static void touch_unspec(void)
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

	tell("connect AF_UNSPEC", connect(fd, &nowhere, sizeof(nowhere)));
	tell("SO_ERROR", get_int(SOL_SOCKET, SO_ERROR) >= 0 ? 0 : -1);
}

static void touch_poll(void)
{
	struct pollfd two[2] = {{fd, POLLIN | POLLOUT | POLLPRI, 0}, {fd, POLLOUT, 0}};
	struct timeval now = {0};
	fd_set in, out;

	tell("poll", poll(two, 2, 0));
	FD_ZERO(&in);
	FD_SET(fd, &in);
	out = in;
	tell("select", select(fd + 1, &in, &out, NULL, &now));
}

static void touch_epoll(void)
{
	int set = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT};
	struct epoll_event exclusive = {.events = EPOLLIN | EPOLLEXCLUSIVE};

	tell("MOD", epoll_ctl(set, EPOLL_CTL_MOD, fd, &event));
	tell("ADD", epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
	tell("ADD", epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
	tell("wait", epoll_wait(set, &event, 1, 0));
	tell("MOD", epoll_ctl(set, EPOLL_CTL_MOD, fd, &event));
	tell("MOD exclusive", epoll_ctl(set, EPOLL_CTL_MOD, fd, &exclusive));
	tell("wait", epoll_wait(set, &event, 1, 1));
	tell("DEL", epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL));
	tell("DEL", epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL));
	tell("ADD exclusive", epoll_ctl(set, EPOLL_CTL_ADD, fd, &exclusive));
	tell("MOD of exclusive", epoll_ctl(set, EPOLL_CTL_MOD, fd, &event));
	tell("strange", epoll_ctl(set, 77, fd, &event));
	tell("no set", epoll_ctl(fd, EPOLL_CTL_ADD, fd, &event));
	tell("bad set", epoll_ctl(999, EPOLL_CTL_ADD, fd, &event));
}

static void touch_nested(void)
{
	int inner = epoll_create1(0), outer = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT};
	struct pollfd pollfd = {.fd = inner, .events = POLLIN};

	epoll_ctl(inner, EPOLL_CTL_ADD, fd, &event);
	event.events = EPOLLIN;
	epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event);
	usleep(30000);
	tell("poll", poll(&pollfd, 1, 0));
	tell("wait", epoll_wait(outer, &event, 1, 10));
}

static const struct {
	const char *name;
	void (*touch)(void);
} touches[] = {
	{"send", touch_send},
	{"write", touch_write},
	{"writev", touch_writev},
	{"sendto", touch_sendto},
	{"sendmsg", touch_sendmsg},
	{"recv", touch_recv},
	{"read", touch_read},
	{"readv", touch_readv},
	{"recvfrom", touch_recvfrom},
	{"recvmsg", touch_recvmsg},
	{"connect", touch_connect},
	{"error", touch_error},
	{"state", touch_state},
	{"names", touch_names},
	{"shutdown-write", touch_shutdown_write},
	{"shutdown-both", touch_shutdown_both},
	{"shutdown-wrong", touch_shutdown_wrong},
	{"options", touch_options},
	{"flags", touch_flags},
	{"dup", touch_dup},
	{"move", touch_move},
	{"replace", touch_replace},
	{"close", touch_close},
	{"unspec", touch_unspec},
	{"poll", touch_poll},
	{"epoll", touch_epoll},
	{"nested", touch_nested},
};

int main(int argc, char **argv)
{
	struct pollfd pollfd = {.events = POLLIN | POLLOUT};
	size_t count = sizeof(touches) / sizeof(touches[0]), i = 0;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (; i < count; i++)
			puts(touches[i].name);
		return 0;
	}
	while (argc == 4 && i < count && strcmp(touches[i].name, argv[1]))
		i++;
	if (argc != 4 || i == count) {
		fprintf(stderr, "usage: connecting TOUCH ADDRESS PORT\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	alarm(60);
	address.sin_family = AF_INET;
	address.sin_port = htons((uint16_t)atoi(argv[3]));
	inet_pton(AF_INET, argv[2], &address.sin_addr);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	tell("connect", connect(fd, (struct sockaddr *)&address, sizeof(address)));
	/* Event loops wait before they touch. */
	pollfd.fd = fd;
	poll(&pollfd, 1, 20);
	touches[i].touch();
	pollfd.fd = fd;
	printf("poll %d", poll(&pollfd, 1, 0));
	printf(" writable %d\n", (pollfd.revents & POLLOUT) != 0);
	tell("SO_ERROR", get_int(SOL_SOCKET, SO_ERROR));
	return 0;
}
