/* SPDX-License-Identifier: MIT */
/*
 * A victim that tells all about one blocking (or not) connect():
 *
 *   probe [-4|-6|-m] [-o] [-n] [-b SOURCE] [-t MS] [-i MS] [-r] HOST PORT [TEXT]
 *
 * -4, -6: the socket's family; -m: an IPv6 socket to the IPv4-mapped address; -o: sets
 * some options and shows them afterwards; -V: IPV6_V6ONLY; -n: non-blocking; -b: bound to
 * that source address; -t: with that SO_SNDTIMEO; -i: a signal after that time, -r: whose
 * handler restarts; -a: tries again after an error. A non-blocking one is waited for by
 * poll(2). Prints lines "key value".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t signals;

static void on_alarm(int sig)
{
	(void)sig;
	signals++;
}

static void show_address(const char *key, const struct sockaddr_storage *address)
{
	char host[INET6_ADDRSTRLEN];
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;

	if (address->ss_family == AF_INET6)
		printf("%s [%s]:%d\n", key,
		       inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host)),
		       ntohs(in6->sin6_port));
	else
		printf("%s %s:%d\n", key,
		       inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host)),
		       ntohs(in->sin_port));
}

static int get_int(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	getsockopt(fd, level, name, &value, &len);
	return value;
}

static void set_int(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		perror("setsockopt");
}

static void show_options(int fd)
{
	struct timeval timeout = {0};
	socklen_t len = sizeof(timeout);

	getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, &len);
	printf("options nodelay=%d keepalive=%d idle=%d rcvlowat=%d rcvtimeo=%ld "
	       "rcvbuf=%d fl=%o fd=%d\n",
	       get_int(fd, IPPROTO_TCP, TCP_NODELAY) > 0,
	       get_int(fd, SOL_SOCKET, SO_KEEPALIVE),
	       get_int(fd, IPPROTO_TCP, TCP_KEEPIDLE),
	       get_int(fd, SOL_SOCKET, SO_RCVLOWAT), (long)timeout.tv_sec,
	       get_int(fd, SOL_SOCKET, SO_RCVBUF), fcntl(fd, F_GETFL),
	       fcntl(fd, F_GETFD));
	len = sizeof(timeout);
	getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &len);
	printf("sndtimeo %ld\n", (long)timeout.tv_sec * 1000 + timeout.tv_usec / 1000);
}

static void set_options(int fd)
{
	struct timeval timeout = {.tv_sec = 77};

	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 55);
	set_int(fd, SOL_SOCKET, SO_RCVLOWAT, 3);
	set_int(fd, SOL_SOCKET, SO_RCVBUF, 50000);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void bind_to(int fd, const char *source)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *list;

	if (getaddrinfo(source, NULL, &hints, &list) ||
	    bind(fd, list->ai_addr, list->ai_addrlen))
		perror("bind");
	else
		freeaddrinfo(list);
}

static void interrupt_after(long ms, int restart)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerval timer = {.it_value = {ms / 1000, ms % 1000 * 1000}};

	action.sa_flags = restart ? SA_RESTART : 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* The end of a connect() that is under way, as its SO_ERROR. */
static int wait_connected(int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLOUT};

	poll(&pollfd, 1, -1);
	errno = get_int(fd, SOL_SOCKET, SO_ERROR);
	return errno ? -1 : 0;
}

/* Everything that comes until the end, or a quiet second. */
static void show_received(int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	char bytes[512];
	ssize_t got;

	printf("got ");
	while (poll(&pollfd, 1, 1000) > 0) {
		got = recv(fd, bytes, sizeof(bytes), 0);
		if (got <= 0)
			break;
		for (ssize_t i = 0; i < got; i++)
			printf(bytes[i] < ' ' ? "\\x%02x" : "%c", bytes[i]);
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
	struct sockaddr_storage address = {0};
	int domain, option, err, fd, nonblocking = 0, options = 0, restart = 0,
				     mapped = 0;
	int again = 0, v6only = 0;
	long send_timeout = 0, interrupt = 0;
	const char *source = NULL;
	socklen_t len = sizeof(address);

	while ((option = getopt(argc, argv, "46mVonb:t:i:ra")) != -1) {
		switch (option) {
		case '4':
			hints.ai_family = AF_INET;
			break;
		case '6':
			hints.ai_family = AF_INET6;
			break;
		case 'm':
			mapped = 1;
			hints.ai_family = AF_INET;
			break;
		case 'V':
			v6only = 1;
			break;
		case 'o':
			options = 1;
			break;
		case 'n':
			nonblocking = 1;
			break;
		case 'b':
			source = optarg;
			break;
		case 't':
			send_timeout = atol(optarg);
			break;
		case 'i':
			interrupt = atol(optarg);
			break;
		case 'r':
			restart = 1;
			break;
		case 'a':
			again = 1;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind < 2)
		return 2;
	err = getaddrinfo(argv[optind], argv[optind + 1], &hints, &list);
	if (err) {
		printf("getaddrinfo %s\n", gai_strerror(err));
		return 1;
	}
	memcpy(&address, list->ai_addr, list->ai_addrlen);
	len = list->ai_addrlen;
	if (mapped) {
		struct sockaddr_in in = *(struct sockaddr_in *)(void *)list->ai_addr;
		struct sockaddr_in6 *in6 = (void *)&address;

		memset(&address, 0, sizeof(address));
		in6->sin6_family = AF_INET6;
		in6->sin6_port = in.sin_port;
		in6->sin6_addr.s6_addr[10] = in6->sin6_addr.s6_addr[11] = 0xff;
		memcpy(in6->sin6_addr.s6_addr + 12, &in.sin_addr, 4);
		len = sizeof(*in6);
	}
	domain = address.ss_family;
	freeaddrinfo(list);
	fd = socket(domain, SOCK_STREAM | (nonblocking ? SOCK_NONBLOCK : 0), 0);
	printf("fd %d\n", fd);
	if (v6only)
		set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (options)
		set_options(fd);
	if (source)
		bind_to(fd, source);
	if (send_timeout) {
		struct timeval timeout = {send_timeout / 1000,
					  send_timeout % 1000 * 1000};

		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	}
	if (interrupt)
		interrupt_after(interrupt, restart);
	do {
		errno = 77;
		err = connect(fd, (struct sockaddr *)&address, len);
		if (err && errno == EINPROGRESS && nonblocking) {
			err = wait_connected(fd);
			errno = err ? errno : 77;
		}
		printf("connect %s\n", err ? strerrorname_np(errno) : "OK");
		if (!err)
			printf("errno %d\n", errno);
	} while (err && again--);
	printf("signals %d\n", (int)signals);
	if (options || send_timeout)
		show_options(fd);
	len = sizeof(address);
	if (getpeername(fd, (struct sockaddr *)&address, &len))
		printf("peer %s\n", strerrorname_np(errno));
	else
		show_address("peer", &address);
	len = sizeof(address);
	if (!getsockname(fd, (struct sockaddr *)&address, &len) && source)
		show_address("local", &address);
	fflush(stdout);
	if (err)
		return 1;
	if (argc - optind > 2)
		send(fd, argv[optind + 2], strlen(argv[optind + 2]), 0);
	show_received(fd);
	return 0;
}
