/* SPDX-License-Identifier: MIT */
/*
 * A victim that calls everything that can be interposed, with success and with every
 * failure that can be had without a network, and prints result and errno:
 *
 *   faults [-w ADDRESS PORT] CONTEXT
 *
 * CONTEXT is where it calls from, see `contexts`; "--list" names them. -w: while another
 * socket of it connects to that address. Compiled as a library (EARLY), it does so in
 * its constructor, which comes before that of any other one.
 *
 * Each call finds the same descriptors, made for it, and errno 77. One that crashes is
 * told as SIGSEGV.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIGH      80 /* a descriptor that is free */
#define CANCELLED -2

/* --- what there is to call with ------------------------------------------------------
 */

static int none; /* a number that is no descriptor's, as -1 is */
static int file, set;
static int readable, writable; /* of a pipe with "hello" in it, */
static int empty, full;        /* and of others */
static int unconnected, listener, client, server, datagram, pair;
static struct sockaddr_in address; /* of the listener */
static struct sockaddr_un nowhere;
static void *volatile nothing;
static void *volatile bad;  /* memory that cannot be touched, */
static void *volatile edge; /* and the last octets before it */
static char bytes[64];
static struct iovec part, bad_part, no_parts;
static struct msghdr message, bad_message, unaddressed, bad_name;
static struct mmsghdr messages[2];
static struct epoll_event event;
static struct pollfd pollfd, *volatile list = &pollfd;
static struct timespec soon, wrong;
static struct timeval shortly;
static socklen_t len, short_len;
static struct sockaddr_storage name;
static off_t offset;
static off64_t offset64;
static int number;
static fd_set in;
/* No constant to the compiler: a fortified program then calls what checks it. */
static volatile size_t one = 1;
static volatile int minus_one = -1, many = 5000, huge = 1 << 30;

static const struct sockaddr *listening(void)
{
	return (struct sockaddr *)&address;
}

static void make_sockets(void)
{
	int two[2];

	address = (struct sockaddr_in){.sin_family = AF_INET};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	len = sizeof(address);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	bind(listener, listening(), len);
	listen(listener, 5);
	getsockname(listener, (struct sockaddr *)&address, &len);
	unconnected = socket(AF_INET, SOCK_STREAM, 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	connect(client, listening(), sizeof(address));
	server = accept(listener, NULL, NULL);
	send(server, "abc", 3, 0);
	datagram = socket(AF_INET, SOCK_DGRAM, 0);
	socketpair(AF_UNIX, SOCK_STREAM, 0, two);
	pair = two[0];
}

static void make_pipes(void)
{
	static char page[4096];
	int two[2] = {-1, -1};

	if (pipe(two))
		abort();
	readable = two[0];
	writable = two[1];
	if (write(writable, "hello", 5) != 5 || pipe(two))
		abort();
	empty = two[0];
	if (pipe2(two, O_NONBLOCK))
		abort();
	full = two[1];
	fcntl(full, F_SETPIPE_SZ, sizeof(page));
	while (write(full, page, sizeof(page)) > 0)
		;
	fcntl(full, F_SETFL, O_WRONLY);
}

static void watch(int fd)
{
	FD_ZERO(&in);
	FD_SET(fd, &in);
}

static void make_arguments(void)
{
	part = (struct iovec){bytes, sizeof(bytes)};
	bad_part = (struct iovec){bad, 5};
	no_parts = (struct iovec){bytes, (size_t)-1};
	message = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
	bad_message = (struct msghdr){.msg_iov = bad, .msg_iovlen = 1};
	bad_name = message;
	bad_name.msg_name = bad;
	bad_name.msg_namelen = sizeof(address);
	unaddressed = message;
	unaddressed.msg_iovlen = 5000;
	messages[0].msg_hdr = message;
	messages[1].msg_hdr = bad_message;
	nowhere = (struct sockaddr_un){AF_UNIX, "/nowhere/at/all"};
	event = (struct epoll_event){.events = EPOLLIN, .data.u64 = 77};
	pollfd = (struct pollfd){.fd = readable, .events = POLLIN | POLLOUT};
	soon = (struct timespec){.tv_nsec = 1000000};
	wrong = (struct timespec){.tv_nsec = 2000000000};
	shortly = (struct timeval){.tv_usec = 1000};
	len = sizeof(name);
	short_len = 3;
	offset = offset64 = 0;
	number = 5;
	watch(readable);
	memset(bytes, 'x', sizeof(bytes));
}

/* --- interruptions -------------------------------------------------------------------
 */

static volatile sig_atomic_t broken_pipes;

static void on_alarm(int sig)
{
	(void)sig;
}

static void on_broken_pipe(int sig)
{
	(void)sig;
	broken_pipes++;
}

static void tick(long us)
{
	struct itimerval timer = {{0, us}, {0, us}};

	setitimer(ITIMER_REAL, &timer, NULL);
}

#define INTERRUPTED(call)                                                                \
	({                                                                               \
		long _result, _error;                                                    \
		tick(3000);                                                              \
		_result = (call);                                                        \
		_error = errno;                                                          \
		tick(0);                                                                 \
		errno = (int)_error;                                                     \
		_result;                                                                 \
	})

static int before; /* the first descriptor of ours */

static void prepare(void)
{
	make_sockets();
	make_pipes();
	file = open("/proc/self/exe", O_RDONLY);
	set = epoll_create1(0);
	make_arguments();
	none = dup(file);
	close(none);
}

static void clean_up(void)
{
	tick(0);
	close(HIGH);
	for (int fd = before; fd < before + 30; fd++)
		close(fd);
}

/* With no number left. */
#define CROWDED(call)                                                                    \
	({                                                                               \
		struct rlimit _limit, _none;                                             \
		long _result, _error;                                                    \
		getrlimit(RLIMIT_NOFILE, &_limit);                                       \
		_none = _limit;                                                          \
		_none.rlim_cur = (rlim_t)none;                                           \
		setrlimit(RLIMIT_NOFILE, &_none);                                        \
		_result = (call);                                                        \
		_error = errno;                                                          \
		setrlimit(RLIMIT_NOFILE, &_limit);                                       \
		errno = (int)_error;                                                     \
		_result;                                                                 \
	})

static int nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	errno = 77;
	return fd;
}

static int after_shutdown(int fd)
{
	shutdown(fd, SHUT_RDWR);
	errno = 77;
	return fd;
}

static int to_pipe_without_reader(void)
{
	close(readable);
	errno = 77;
	return writable;
}

/* What a number is, where which one it is does not matter. */
static int is(int fd)
{
	return fd < 0 ? fd : fcntl(fd, F_GETFD);
}

static int is_file(FILE *opened)
{
	return opened ? 0 : -1;
}

/* Five for a name that was found. */
static int is_host(const struct hostent *host)
{
	return host ? 5 : -1;
}

/* --- the calls -----------------------------------------------------------------------
 */

/* Makes the n-th call; NULL in `what`: there is none. */
static const char *what;

#define TRY(call)                                                                        \
	if (n-- == 0) {                                                                  \
		what = #call;                                                            \
		errno = 77;                                                              \
		return (long)(call);                                                     \
	}

/* On what is no socket, or no descriptor at all. */
#define NO_SOCKET(call, ...)                                                             \
	TRY(call(none, __VA_ARGS__))                                                     \
	TRY(call(-1, __VA_ARGS__))                                                       \
	TRY(call(file, __VA_ARGS__))                                                     \
	TRY(call(readable, __VA_ARGS__))

#define NO_FILE(call, ...)                                                               \
	TRY(call(none, __VA_ARGS__))                                                     \
	TRY(call(-1, __VA_ARGS__))

static long call_addressed(int n)
{
	struct sockaddr *to = (struct sockaddr *)&address;
	struct sockaddr *from = (struct sockaddr *)&name;

	NO_SOCKET(connect, to, sizeof(address))
	TRY(connect(unconnected, to, sizeof(address)))
	TRY(connect(client, to, sizeof(address)))
	TRY(connect(listener, to, sizeof(address)))
	TRY(connect(unconnected, to, 3))
	TRY(connect(unconnected, to, 0))
	TRY(connect(unconnected, to, 5000))
	TRY(connect(unconnected, nothing, sizeof(address)))
	TRY(connect(unconnected, bad, sizeof(address)))
	TRY(connect(unconnected, edge, sizeof(address)))
	TRY(connect(datagram, to, sizeof(address)))
	TRY(connect(datagram, bad, sizeof(address)))
	TRY(connect(client, bad, sizeof(address)))
	TRY(connect(pair, (struct sockaddr *)&nowhere, sizeof(nowhere)))
	TRY((close(listener), connect(unconnected, to, sizeof(address))))
	NO_SOCKET(getpeername, from, &len)
	TRY(getpeername(client, from, &len))
	TRY((getpeername(client, from, &len), len))
	TRY((getpeername(client, from, &short_len), short_len))
	TRY(getpeername(unconnected, from, &len))
	TRY(getpeername(pair, from, &len))
	TRY(getpeername(client, bad, &len))
	TRY(getpeername(client, from, bad))
	TRY(getpeername(client, from, NULL))
	TRY((len = (socklen_t)-1, getpeername(client, from, &len)))
	NO_SOCKET(shutdown, SHUT_WR)
	TRY(shutdown(client, SHUT_WR))
	TRY(shutdown(client, 5))
	TRY(shutdown(unconnected, SHUT_RDWR))
	NO_SOCKET(getsockopt, SOL_SOCKET, SO_ERROR, &number, &len)
	TRY(getsockopt(client, SOL_SOCKET, SO_ERROR, &number, &len))
	TRY((getsockopt(client, SOL_SOCKET, SO_ERROR, &number, &len), len))
	TRY((getsockopt(client, SOL_SOCKET, SO_RCVLOWAT, &number, &len), number))
	TRY(getsockopt(client, SOL_SOCKET, 9999, &number, &len))
	TRY(getsockopt(client, 9999, 1, &number, &len))
	TRY(getsockopt(client, SOL_SOCKET, SO_ERROR, bad, &len))
	TRY(getsockopt(client, SOL_SOCKET, SO_ERROR, &number, bad))
	TRY(getsockopt(client, SOL_SOCKET, SO_ERROR, &number, NULL))
	NO_SOCKET(setsockopt, SOL_SOCKET, SO_RCVLOWAT, &number, sizeof(number))
	TRY(setsockopt(client, SOL_SOCKET, SO_RCVLOWAT, &number, sizeof(number)))
	TRY(setsockopt(client, SOL_SOCKET, SO_RCVLOWAT, &number, 1))
	TRY(setsockopt(client, SOL_SOCKET, SO_RCVLOWAT, bad, sizeof(number)))
	TRY(setsockopt(client, SOL_SOCKET, SO_RCVLOWAT, NULL, sizeof(number)))
	TRY(setsockopt(client, SOL_SOCKET, 9999, &number, sizeof(number)))
	what = NULL;
	return 0;
}

static long call_numbered(int n)
{
	NO_FILE(ioctl, FIONREAD, &number)
	TRY(ioctl(readable, FIONREAD, &number))
	TRY((ioctl(readable, FIONREAD, &number), number))
	TRY(ioctl(client, FIONREAD, &number))
	TRY(ioctl(listener, FIONREAD, &number))
	TRY(ioctl(readable, FIONREAD, bad))
	TRY(ioctl(client, FIONREAD, NULL))
	TRY(ioctl(client, 0x1234, &number))
	TRY((ioctl(client, FIONBIO, &number), fcntl(client, F_GETFL)))
	TRY(close(none))
	TRY(close(-1))
	TRY(close(client))
	TRY((close(client), close(client)))
	TRY(dup(none))
	TRY(dup(-1))
	TRY(is(dup(client)))
	TRY(CROWDED(dup(client)))
	TRY(dup2(none, HIGH))
	TRY(dup2(client, -1))
	TRY(dup2(client, client))
	TRY(dup2(none, none))
	TRY(dup2(client, pair) == pair)
	TRY(dup2(client, 1 << 30))
	TRY(dup3(none, HIGH, 0))
	TRY(dup3(client, client, 0))
	TRY(dup3(client, HIGH, 5))
	TRY(dup3(client, HIGH, O_CLOEXEC))
	TRY(dup3(client, -1, 0))
	TRY(fcntl(none, F_GETFD))
	TRY(fcntl(client, F_GETFD))
	TRY(fcntl(client, F_GETFL))
	TRY(fcntl(client, 9999))
	TRY(fcntl(none, F_DUPFD, HIGH))
	TRY(fcntl(client, F_DUPFD, -1))
	TRY(fcntl(client, F_DUPFD, HIGH))
	TRY(fcntl(client, F_DUPFD_CLOEXEC, HIGH))
	TRY(CROWDED(fcntl(client, F_DUPFD, 0)))
	TRY(fcntl(client, F_DUPFD, 1 << 30))
	TRY(fcntl(client, F_SETLK, bad))
	TRY(fcntl(client, F_GETLK, NULL))
	TRY(fcntl64(none, F_GETFD))
	TRY(fcntl64(client, F_DUPFD, HIGH))
	TRY(epoll_ctl(none, EPOLL_CTL_ADD, client, &event))
	TRY(epoll_ctl(set, EPOLL_CTL_ADD, none, &event))
	TRY(epoll_ctl(set, EPOLL_CTL_ADD, -1, &event))
	TRY(epoll_ctl(set, EPOLL_CTL_ADD, file, &event))
	TRY(epoll_ctl(client, EPOLL_CTL_ADD, pair, &event))
	TRY(epoll_ctl(set, EPOLL_CTL_ADD, set, &event))
	TRY(epoll_ctl(set, EPOLL_CTL_ADD, client, &event))
	TRY((epoll_ctl(set, EPOLL_CTL_ADD, client, &event),
	     epoll_ctl(set, EPOLL_CTL_ADD, client, &event)))
	TRY(epoll_ctl(set, EPOLL_CTL_MOD, client, &event))
	TRY(epoll_ctl(set, EPOLL_CTL_DEL, client, &event))
	TRY(epoll_ctl(set, EPOLL_CTL_DEL, client, NULL))
	TRY(epoll_ctl(set, 9, client, &event))
	TRY(epoll_ctl(set, EPOLL_CTL_ADD, client, bad))
	TRY(epoll_ctl(set, EPOLL_CTL_ADD, client, NULL))
	what = NULL;
	return 0;
}

static long call_sending(int n)
{
	struct sockaddr *to = (struct sockaddr *)&address;

	NO_SOCKET(send, "x", 1, 0)
	TRY(send(client, "x", 1, 0))
	TRY(send(unconnected, "x", 1, MSG_NOSIGNAL))
	TRY(send(client, bad, 5, 0))
	TRY(send(client, bad, 0, 0))
	TRY(send(client, "x", 1, MSG_OOB))
	TRY(send(pair, "x", 1, MSG_OOB | MSG_ERRQUEUE))
	TRY(send(after_shutdown(client), "x", 1, 0))
	NO_SOCKET(sendto, "x", 1, 0, to, sizeof(address))
	TRY(sendto(datagram, "x", 1, 0, to, sizeof(address)))
	TRY(sendto(datagram, "x", 1, 0, NULL, 0))
	TRY(sendto(datagram, "x", 1, 0, bad, sizeof(address)))
	TRY(sendto(datagram, "x", 1, 0, edge, sizeof(address)))
	TRY(sendto(datagram, "x", 1, 0, to, 3))
	TRY(sendto(datagram, bad, 5, 0, to, sizeof(address)))
	TRY(sendto(client, "x", 1, 0, to, sizeof(address)))
	TRY(sendto(unconnected, "x", 1, MSG_FASTOPEN, bad, sizeof(address)))
	TRY(sendto(client, "x", 1, MSG_FASTOPEN, to, sizeof(address)))
	NO_SOCKET(sendmsg, &message, 0)
	TRY(sendmsg(client, &message, 0))
	TRY(sendmsg(client, nothing, 0))
	TRY(sendmsg(client, bad, 0))
	TRY(sendmsg(client, edge, 0))
	TRY(sendmsg(client, &bad_message, 0))
	TRY(sendmsg(datagram, &bad_name, 0))
	TRY(sendmsg(client, &unaddressed, 0))
	TRY(sendmsg(none, bad, 0))
	NO_SOCKET(sendmmsg, messages, 2, 0)
	TRY(sendmmsg(client, messages, 2, 0))
	TRY(sendmmsg(client, messages, 0, 0))
	TRY(sendmmsg(client, messages + 1, 1, 0))
	TRY(sendmmsg(client, nothing, 1, 0))
	TRY(sendmmsg(client, bad, 1, 0))
	TRY(sendmmsg(client, bad, 0, 0))
	NO_FILE(write, "x", 1)
	TRY(write(writable, "x", 1))
	TRY(write(file, "x", 1))
	TRY(write(writable, bad, 5))
	TRY(write(client, bad, 5))
	TRY(write(unconnected, bad, 0))
	TRY(write(to_pipe_without_reader(), "x", 1))
	TRY(write(nonblocking(full), "x", 1))
	TRY(INTERRUPTED(write(full, "x", 1)))
	NO_FILE(writev, &part, 1)
	TRY(writev(client, &part, 1))
	TRY(writev(client, &part, 0))
	TRY(writev(client, &part, minus_one))
	TRY(writev(client, &part, many))
	TRY(writev(client, &no_parts, 1))
	TRY(writev(client, &bad_part, 1))
	TRY(writev(client, bad, 1))
	TRY(writev(client, nothing, 1))
	NO_FILE(pwritev2, &part, 1, -1, 0)
	TRY(pwritev2(client, &part, 1, -1, 0))
	TRY(pwritev2(client, &part, 1, 0, 0))
	TRY(pwritev2(client, &part, 1, -1, 0x4000))
	TRY(pwritev2(client, bad, 1, -1, 0))
	TRY(pwritev64v2(client, &part, 1, -1, 0))
	TRY(pwritev64v2(none, &part, 1, -1, 0))
	TRY(sendfile(none, file, NULL, 5))
	TRY(sendfile(client, none, NULL, 5))
	TRY(sendfile(client, file, &offset, 5))
	TRY((sendfile(client, file, &offset, 5), offset))
	TRY(sendfile(client, file, NULL, 0))
	TRY(sendfile(client, file, bad, 5))
	TRY((offset = -5, sendfile(client, file, &offset, 5)))
	TRY(sendfile(client, readable, NULL, 5))
	TRY(sendfile(file, file, NULL, 5))
	TRY(sendfile(unconnected, file, NULL, 5))
	TRY(sendfile64(client, file, &offset64, 5))
	TRY(sendfile64(none, file, &offset64, 5))
	TRY(splice(none, NULL, client, NULL, 5, 0))
	TRY(splice(readable, NULL, none, NULL, 5, 0))
	TRY(splice(readable, NULL, client, NULL, 5, 0))
	TRY(splice(client, NULL, pair, NULL, 5, 0))
	TRY(splice(readable, &offset64, client, NULL, 5, 0))
	TRY(splice(readable, bad, client, NULL, 5, 0))
	TRY(splice(empty, NULL, client, NULL, 5, SPLICE_F_NONBLOCK))
	TRY(splice(readable, NULL, client, NULL, 5, 0x4000))
	TRY(splice(readable, NULL, client, NULL, 0, 0))
	what = NULL;
	return 0;
}

static long call_receiving(int n)
{
	struct sockaddr *from = (struct sockaddr *)&name;

	NO_SOCKET(recv, bytes, one, 0)
	TRY(recv(client, bytes, one, 0))
	TRY(recv(client, bytes, one * 5, MSG_PEEK))
	TRY(recv(client, bad, 5, 0))
	TRY(recv(client, bytes, one, MSG_OOB))
	TRY(recv(client, bytes, one, MSG_ERRQUEUE))
	TRY(recv(pair, bytes, one, MSG_DONTWAIT))
	TRY(recv(nonblocking(pair), bytes, one, 0))
	TRY(recv(unconnected, bytes, one, 0))
	TRY(recv(listener, bytes, one, 0))
	TRY(recv(after_shutdown(pair), bytes, one, 0))
	TRY(INTERRUPTED(recv(pair, bytes, one, 0)))
	NO_SOCKET(recvfrom, bytes, one, 0, from, &len)
	TRY(recvfrom(client, bytes, one, 0, from, &len))
	TRY((recvfrom(client, bytes, one, 0, from, &len), len))
	TRY(recvfrom(client, bytes, one, 0, NULL, NULL))
	TRY(recvfrom(client, bad, 5, 0, NULL, NULL))
	TRY(recvfrom(datagram, bytes, one, MSG_DONTWAIT, from, &len))
	TRY(INTERRUPTED(recvfrom(datagram, bytes, one, 0, from, &len)))
	NO_SOCKET(recvmsg, &message, 0)
	TRY(recvmsg(client, &message, 0))
	TRY(recvmsg(client, bad, 0))
	TRY(recvmsg(client, nothing, 0))
	TRY(recvmsg(client, &bad_message, 0))
	TRY(recvmsg(pair, &message, MSG_DONTWAIT))
	TRY(recvmsg(client, &unaddressed, 0))
	NO_SOCKET(recvmmsg, messages, 2, 0, NULL)
	TRY(recvmmsg(client, messages, 1, 0, NULL))
	TRY(recvmmsg(client, messages, 0, 0, NULL))
	TRY(recvmmsg(client, bad, 1, 0, NULL))
	TRY(recvmmsg(client, messages, 1, 0, &wrong))
	TRY(recvmmsg(pair, messages, 1, MSG_DONTWAIT, NULL))
	NO_FILE(read, bytes, one)
	TRY(read(readable, bytes, one))
	TRY(read(writable, bytes, one))
	TRY(read(readable, bad, 5))
	TRY(read(client, bad, 5))
	TRY(read(nonblocking(empty), bytes, one))
	TRY(INTERRUPTED(read(empty, bytes, one)))
	TRY(read(set, bytes, one))
	NO_FILE(readv, &part, 1)
	TRY(readv(client, &part, 1))
	TRY(readv(client, &part, 0))
	TRY(readv(client, &part, minus_one))
	TRY(readv(client, &part, many))
	TRY(readv(client, &no_parts, 1))
	TRY(readv(client, &bad_part, 1))
	TRY(readv(client, bad, 1))
	NO_FILE(preadv2, &part, 1, -1, 0)
	TRY(preadv2(client, &part, 1, -1, 0))
	TRY(preadv2(pair, &part, 1, -1, RWF_NOWAIT))
	TRY(preadv2(client, &part, 1, 0, 0))
	TRY(preadv2(client, &part, 1, -1, 0x4000))
	TRY(preadv64v2(client, &part, 1, -1, 0))
	TRY(preadv64v2(none, &part, 1, -1, 0))
	what = NULL;
	return 0;
}

static long call_waiting(int n)
{
	static sigset_t mask;

	TRY(poll(&pollfd, 1, 0))
	TRY((poll(&pollfd, 1, 0), pollfd.revents))
	TRY((pollfd.fd = none, poll(&pollfd, 1, 0), pollfd.revents))
	TRY((pollfd.fd = -1, poll(&pollfd, one, 1)))
	TRY(poll(NULL, 0, 1))
	TRY(poll(nothing, one, 1))
	TRY(poll(bad, one, 0))
	TRY(poll(bad, 0, 0))
	TRY(poll(list, (nfds_t)one << 29, 0))
	TRY((pollfd.fd = empty, INTERRUPTED(poll(&pollfd, 1, -1))))
	TRY(ppoll(&pollfd, 1, &soon, NULL))
	TRY(ppoll(&pollfd, one, &wrong, NULL))
	TRY(ppoll(bad, 1, &soon, NULL))
	TRY(ppoll(&pollfd, 1, &soon, bad))
	TRY(ppoll(&pollfd, 1, bad, NULL))
	TRY((pollfd.fd = empty, INTERRUPTED(ppoll(&pollfd, one, NULL, &mask))))
	TRY(select(90, &in, NULL, NULL, &shortly))
	TRY((select(90, &in, NULL, NULL, &shortly), FD_ISSET(readable, &in)))
	TRY((watch(none), select(90, &in, NULL, NULL, &shortly)))
	TRY(select(-1, &in, NULL, NULL, &shortly))
	TRY(select(0, NULL, NULL, NULL, &shortly))
	TRY(select(90, bad, NULL, NULL, &shortly))
	TRY(select(90, &in, NULL, NULL, bad))
	TRY((shortly.tv_usec = -5, select(90, &in, NULL, NULL, &shortly)))
	TRY((watch(empty), INTERRUPTED(select(90, &in, NULL, NULL, NULL))))
	TRY(pselect(90, &in, NULL, NULL, &soon, NULL))
	TRY(pselect(90, &in, NULL, NULL, &wrong, NULL))
	TRY(pselect(90, bad, NULL, NULL, &soon, NULL))
	TRY(pselect(90, &in, NULL, NULL, &soon, bad))
	TRY(epoll_wait(set, &event, 1, 0))
	TRY(epoll_wait(none, &event, 1, 0))
	TRY(epoll_wait(client, &event, 1, 0))
	TRY(epoll_wait(set, &event, 0, 0))
	TRY(epoll_wait(set, &event, minus_one, 0))
	TRY(epoll_wait(set, &event, huge, 0))
	TRY(epoll_wait(set, bad, 1, 0))
	TRY((epoll_ctl(set, EPOLL_CTL_ADD, readable, &event),
	     epoll_wait(set, &event, 1, 0)))
	TRY((epoll_ctl(set, EPOLL_CTL_ADD, readable, &event), epoll_wait(set, bad, 1, 0)))
	TRY(INTERRUPTED(epoll_wait(set, &event, 1, -1)))
	TRY(epoll_pwait(set, &event, 1, 0, &mask))
	TRY(epoll_pwait(set, &event, 1, 0, bad))
	TRY(epoll_pwait(none, &event, 1, 0, &mask))
	TRY(epoll_pwait2(set, &event, 1, &soon, NULL))
	TRY(epoll_pwait2(set, &event, 1, &wrong, NULL))
	TRY(epoll_pwait2(set, &event, 1, bad, NULL))
	TRY(epoll_pwait2(none, &event, 1, &soon, NULL))
	TRY(INTERRUPTED(epoll_pwait2(set, &event, 1, NULL, NULL)))
	what = NULL;
	return 0;
}

static long call_naming(int n)
{
	static struct addrinfo hints, *list;
	static struct hostent host, *found;
	static char storage[1024];
	static int why;
	struct sockaddr *sa = (struct sockaddr *)&address;
	const uint32_t loopback = htonl(INADDR_LOOPBACK);

	hints = (struct addrinfo){.ai_flags = AI_NUMERICHOST};
	TRY(getaddrinfo("127.0.0.1", "7", &hints, &list))
	TRY(getaddrinfo("localhost", "7", NULL, &list))
	TRY(getaddrinfo("localhost", "7", &hints, &list))
	TRY(getaddrinfo(NULL, NULL, NULL, &list))
	TRY(getaddrinfo(NULL, "7", NULL, &list))
	TRY(getaddrinfo("127.0.0.1", "no service", NULL, &list))
	TRY((hints.ai_family = 99, getaddrinfo("127.0.0.1", "7", &hints, &list)))
	TRY((hints.ai_flags = 1 << 30, getaddrinfo("127.0.0.1", "7", &hints, &list)))
	TRY((hints.ai_socktype = 99, getaddrinfo("127.0.0.1", "7", &hints, &list)))
	TRY(getaddrinfo("::1", "7", NULL, &list))
	TRY(getnameinfo(sa, sizeof(address), bytes, sizeof(bytes), NULL, 0,
			NI_NUMERICHOST))
	TRY(getnameinfo(sa, 3, bytes, sizeof(bytes), NULL, 0, 0))
	TRY(getnameinfo(sa, sizeof(address), bytes, 2, NULL, 0, NI_NUMERICHOST))
	TRY(getnameinfo(sa, sizeof(address), NULL, 0, NULL, 0, 0))
	TRY(getnameinfo(sa, sizeof(address), bytes, sizeof(bytes), NULL, 0, 1 << 20))
	TRY(is_host(gethostbyname("127.0.0.1")))
	TRY(is_host(gethostbyname("localhost")))
	TRY(is_host(gethostbyname2("::1", AF_INET6)))
	TRY(is_host(gethostbyname2("localhost", 99)))
	TRY(is_host(gethostbyaddr(&loopback, 4, AF_INET)))
	TRY(is_host(gethostbyaddr(&loopback, 3, AF_INET)))
	TRY(is_host(gethostbyaddr(&loopback, 4, 99)))
	TRY(gethostbyname_r("127.0.0.1", &host, storage, sizeof(storage), &found, &why))
	TRY(gethostbyname_r("127.0.0.1", &host, storage, 3, &found, &why))
	TRY(gethostbyname_r("localhost", &host, storage, 3, &found, &why))
	TRY(gethostbyname2_r("::1", AF_INET6, &host, storage, sizeof(storage), &found,
			     &why))
	TRY(gethostbyaddr_r(&loopback, 4, AF_INET, &host, storage, sizeof(storage),
			    &found, &why))
	TRY(gethostbyaddr_r(&loopback, 4, AF_INET, &host, storage, 3, &found, &why))
	TRY(is_file(fdopen(none, "r")))
	TRY(is_file(fdopen(-1, "r")))
	TRY(is_file(fdopen(client, "r+")))
	TRY(is_file(fdopen(client, "?")))
	TRY(is_file(fdopen(file, "w")))
	TRY(dprintf(none, "x%d", number))
	TRY(dprintf(writable, "x%d", number))
	TRY(dprintf(file, "x%d", number))
	TRY(dprintf(to_pipe_without_reader(), "x%d", number))
	TRY(fileno(stdin))
	TRY(fileno(fmemopen(bytes, sizeof(bytes), "r")))
	TRY(fileno_unlocked(stdout))
	what = NULL;
	return 0;
}

/* --- in order ------------------------------------------------------------------------
 */

static long (*const groups[])(int) = {call_addressed, call_numbered, call_sending,
				      call_receiving, call_waiting,  call_naming};

#define GROUPS (sizeof(groups) / sizeof(groups[0]))
#define CALLS  600

/* Kept until all is done: not everywhere could it be printed. */
static struct outcome {
	const char *what;
	long result;
	int error;
} outcomes[CALLS];
static size_t done;
static sigjmp_buf crashed;
static volatile size_t group;
static volatile int at;

static void on_crash(int sig)
{
	(void)sig;
	siglongjmp(crashed, 1);
}

static void call_due(void)
{
	struct outcome *outcome = &outcomes[done];

	if (sigsetjmp(crashed, 1)) {
		outcome->result = outcome->error = -1;
	} else {
		outcome->result = groups[group](at);
		outcome->error = errno;
	}
}

static void make_call(void)
{
	prepare();
	call_due();
	outcomes[done].what = what;
	clean_up();
}

/* `make` makes the call that is due. */
static void all_calls(void (*make)(void), size_t count)
{
	for (group = 0; group < count; group++) {
		for (at = 0;; at++) {
			make();
			if (!outcomes[done].what)
				break;
			if (++done == CALLS)
				abort();
		}
	}
}

static void here(void)
{
	all_calls(make_call, GROUPS);
}

static void tell(void)
{
	for (size_t i = 0; i < done; i++) {
		const struct outcome *outcome = &outcomes[i];
		const char *name_of = strerrorname_np(outcome->error);

		printf("%s = %ld %s\n", outcome->what, outcome->result,
		       outcome->error == -1          ? "SIGSEGV"
		       : outcome->error == CANCELLED ? "cancelled"
		       : outcome->error == 77        ? "-"
		       : name_of                     ? name_of
						     : "?");
	}
	printf("SIGPIPE %d\n", (int)broken_pipes);
	fflush(stdout);
}

static void begin(void)
{
	struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_NODEFER};
	struct sigaction alarm_action = {.sa_handler = on_alarm};
	struct sigaction pipe_action = {.sa_handler = on_broken_pipe};
	char *pages = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(pages + 32768, 32768, PROT_NONE);
	bad = pages + 32768;
	edge = pages + 32768 - 4;
	memset(edge, AF_INET, 4);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGALRM, &alarm_action, NULL);
	sigaction(SIGPIPE, &pipe_action, NULL);
	before = dup(STDERR_FILENO);
	close(before);
}

/* --- from where ----------------------------------------------------------------------
 */

static void from_main(void)
{
	here();
	tell();
}

#ifdef EARLY

__attribute__((constructor)) static void early(void)
{
	begin();
	from_main();
}

/* The first library is finished last. */
__attribute__((destructor)) static void late(void)
{
	done = 0;
	from_main();
}

#else

static void at_exit(void)
{
	here();
	tell();
}

static void from_atexit(void)
{
	atexit(at_exit);
}

static void on_signal(int sig)
{
	(void)sig;
	here();
}

static void from_handler(void)
{
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	tell();
}

static void *in_thread(void *unused)
{
	here();
	return unused;
}

static void from_thread(void)
{
	pthread_t thread;

	sigset_t set_of_alarm;

	pthread_create(&thread, NULL, in_thread, NULL);
	sigemptyset(&set_of_alarm);
	sigaddset(&set_of_alarm, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set_of_alarm, NULL);
	pthread_join(thread, NULL);
	tell();
}

static void from_fork(void)
{
	pid_t child = fork();

	if (!child) {
		here();
		tell();
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void from_vfork(void)
{
	pid_t child = vfork();

	if (!child) {
		here();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	tell();
}

static int in_clone(void *prints)
{
	here();
	if (prints)
		tell();
	return 0;
}

static void clone_with(int flags, int prints)
{
	static char stack[1 << 20] __attribute__((aligned(16)));

	waitpid(clone(in_clone, stack + sizeof(stack), flags | SIGCHLD,
		      prints ? stack : NULL),
		NULL, 0);
}

/* No handler of pthread_atfork() runs in these. */
static void from_clone(void)
{
	clone_with(0, 1);
}

static void from_sharing_clone(void)
{
	clone_with(CLONE_VM | CLONE_VFORK, 0);
	tell();
}

/* Each call in a thread of its own, which is to end at the first one that can be
 * cancelled. */
static void *call_cancelled(void *unused)
{
	pthread_cancel(pthread_self());
	call_due();
	return unused;
}

static void make_cancelled(void)
{
	struct outcome *outcome = &outcomes[done];
	pthread_t thread;
	void *end;

	prepare();
	pthread_create(&thread, NULL, call_cancelled, NULL);
	pthread_join(thread, &end);
	if (end == PTHREAD_CANCELED)
		outcome->result = outcome->error = CANCELLED;
	outcome->what = what;
	clean_up();
}

static void from_cancelled(void)
{
	/* Not in the middle of look-ups and streams: libc does not survive that. */
	all_calls(make_cancelled, GROUPS - 1);
	tell();
}

static const struct {
	const char *name;
	void (*call)(void);
} contexts[] = {
	{"main", from_main},           {"atexit", from_atexit},
	{"handler", from_handler},     {"thread", from_thread},
	{"fork", from_fork},           {"vfork", from_vfork},
	{"clone", from_clone},         {"sharing-clone", from_sharing_clone},
	{"cancelled", from_cancelled},
};

static void connect_meanwhile(const char *host, const char *port)
{
	struct sockaddr_in away = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	inet_pton(AF_INET, host, &away.sin_addr);
	connect(fd, (struct sockaddr *)&away, sizeof(away));
}

int main(int argc, char **argv)
{
	size_t count = sizeof(contexts) / sizeof(contexts[0]), i = 0;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (; i < count; i++)
			puts(contexts[i].name);
		return 0;
	}
	if (argc == 5 && !strcmp(argv[1], "-w"))
		connect_meanwhile(argv[2], argv[3]);
	while (argc > 1 && i < count && strcmp(contexts[i].name, argv[argc - 1]))
		i++;
	if (argc < 2 || i == count) {
		fprintf(stderr, "usage: faults [-w ADDRESS PORT] CONTEXT\n");
		return 2;
	}
	begin();
	contexts[i].call();
	return 0;
}

#endif
