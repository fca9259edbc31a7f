/* SPDX-License-Identifier: MIT */
/* Copying a socket's settings. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "clone_socket.h"
#include "libc.h"
#include "log.h"

struct option {
	int level, name;
};

static atomic_uint count;

/* What a program may have set before connect(). Buffer sizes come first, because the
 * kernel doubles what it is given and reports the double (socket(7)). */
static const struct option buffer_sizes[] = {
	{SOL_SOCKET, SO_RCVBUF},
	{SOL_SOCKET, SO_SNDBUF},
};

static const struct option options[] = {
	{SOL_SOCKET, SO_REUSEADDR},
	{SOL_SOCKET, SO_REUSEPORT},
	{SOL_SOCKET, SO_KEEPALIVE},
	{SOL_SOCKET, SO_LINGER},
	{SOL_SOCKET, SO_OOBINLINE},
	{SOL_SOCKET, SO_PRIORITY},
	{SOL_SOCKET, SO_MARK},
	{SOL_SOCKET, SO_RCVLOWAT},
	{SOL_SOCKET, SO_RCVTIMEO},
	{SOL_SOCKET, SO_SNDTIMEO},
	{SOL_SOCKET, SO_BINDTODEVICE},
	{SOL_SOCKET, SO_DONTROUTE},
	{SOL_SOCKET, SO_BUSY_POLL},
	{SOL_SOCKET, SO_TIMESTAMP},
	{SOL_SOCKET, SO_INCOMING_CPU},
	{IPPROTO_TCP, TCP_NODELAY},
	{IPPROTO_TCP, TCP_CORK},
	{IPPROTO_TCP, TCP_MAXSEG},
	{IPPROTO_TCP, TCP_KEEPIDLE},
	{IPPROTO_TCP, TCP_KEEPINTVL},
	{IPPROTO_TCP, TCP_KEEPCNT},
	{IPPROTO_TCP, TCP_SYNCNT},
	{IPPROTO_TCP, TCP_LINGER2},
	{IPPROTO_TCP, TCP_WINDOW_CLAMP},
	{IPPROTO_TCP, TCP_QUICKACK},
	{IPPROTO_TCP, TCP_CONGESTION},
	{IPPROTO_TCP, TCP_USER_TIMEOUT},
	{IPPROTO_TCP, TCP_NOTSENT_LOWAT},
	{IPPROTO_IP, IP_TOS},
	{IPPROTO_IP, IP_TTL},
	{IPPROTO_IP, IP_MTU_DISCOVER},
	{IPPROTO_IPV6, IPV6_TCLASS},
	{IPPROTO_IPV6, IPV6_UNICAST_HOPS},
	{IPPROTO_IPV6, IPV6_V6ONLY},
};

/* Sets what differs: setting a default again can fail without need (SO_MARK, for one, is
 * the administrator's). */
static void copy_option(int from, int to, const struct option *option)
{
	char old[64], new[64];
	socklen_t old_len = sizeof(old), new_len = sizeof(new);

	if (real_getsockopt(from, option->level, option->name, old, &old_len) ||
	    real_getsockopt(to, option->level, option->name, new, &new_len) ||
	    (old_len == new_len && !memcmp(old, new, old_len)))
		return;
	if (real_setsockopt(to, option->level, option->name, old, old_len))
		log_line(LOG_DEBUG, "socket option %d/%d is lost: %s", option->level,
			 option->name, strerror(errno));
}

static void copy_buffer_size(int from, int to, const struct option *option)
{
	int old = 0, new = 0;
	socklen_t len = sizeof(int);

	if (real_getsockopt(from, option->level, option->name, &old, &len) ||
	    real_getsockopt(to, option->level, option->name, &new, &len) || old == new)
		return;
	old /= 2;
	real_setsockopt(to, option->level, option->name, &old, sizeof(old));
}

static void copy_owner(int from, int to)
{
	struct f_owner_ex owner;
	int sig = real_fcntl(from, F_GETSIG, NULL);

	if (!real_fcntl(from, F_GETOWN_EX, &owner) && owner.pid)
		real_fcntl(to, F_SETOWN_EX, &owner);
	if (sig > 0)
		real_fcntl(to, F_SETSIG, (void *)(long)sig);
}

static int bind_as(int fd, int domain, const union gp_address *bound)
{
	static const union gp_address unspecified;
	union gp_address local = *bound;
	bool any;

	if (local.sa.sa_family != domain)
		return 0;
	if (domain == AF_INET)
		any = local.in.sin_addr.s_addr == 0;
	else
		any = !memcmp(&local.in6.sin6_addr, &unspecified.in6.sin6_addr, 16);
	if (any && gp_address_port(&local) == 0)
		return 0;
	if (!bind(fd, &local.sa, gp_address_len(&local)) || errno != EADDRINUSE)
		return 0;
	/* The old socket has the port still; the address matters more. */
	gp_address_set_port(&local, 0);
	return bind(fd, &local.sa, gp_address_len(&local));
}

enum gp_err clone_socket(int fd, int domain, const union gp_address *bound)
{
	int flags = real_fcntl(fd, F_GETFL, NULL);
	int close_on_exec = real_fcntl(fd, F_GETFD, NULL);
	int fresh = socket(domain, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	int err;

	if (fresh < 0)
		return GP_ERR_SYSTEM;
	for (size_t i = 0; i < sizeof(buffer_sizes) / sizeof(buffer_sizes[0]); i++)
		copy_buffer_size(fd, fresh, &buffer_sizes[i]);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		copy_option(fd, fresh, &options[i]);
	copy_owner(fd, fresh);
	real_fcntl(fresh, F_SETFL, (void *)(long)(flags & (O_NONBLOCK | O_ASYNC)));
	if (bind_as(fresh, domain, bound) ||
	    real_dup3(fresh, fd, close_on_exec & FD_CLOEXEC ? O_CLOEXEC : 0) < 0) {
		err = errno;
		real_close(fresh);
		errno = err;
		return GP_ERR_SYSTEM;
	}
	atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
	real_close(fresh);
	return GP_OK;
}

unsigned clone_socket_count(void)
{
	return atomic_load_explicit(&count, memory_order_relaxed);
}
