/* SPDX-License-Identifier: MIT */
/* Connecting the program's socket. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "clone_socket.h"
#include "libc.h"
#include "log.h"
#include "tcp.h"

static int get_int(int fd, int level, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return real_getsockopt(fd, level, option, &value, &len) ? -1 : value;
}

bool tcp_is_idle(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	/* Only TCP knows TCP_INFO, so this tells the kind of socket as well. */
	return !real_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) &&
	       info.tcpi_state == TCP_CLOSE;
}

bool tcp_is_datagram(int fd)
{
	int type = get_int(fd, SOL_SOCKET, SO_TYPE);

	return type == SOCK_DGRAM || type == SOCK_RAW;
}

static void set_low_water(const struct tcp *tcp, int bytes)
{
	if (tcp->receive_low_water > 1)
		real_setsockopt(tcp->fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes));
}

bool tcp_is_blocking(int fd)
{
	int flags = real_fcntl(fd, F_GETFL, NULL);

	return flags >= 0 && !(flags & O_NONBLOCK);
}

int64_t tcp_deadline(int fd, int option)
{
	struct timeval timeout;
	socklen_t len = sizeof(timeout);

	if (real_getsockopt(fd, SOL_SOCKET, option, &timeout, &len) ||
	    (!timeout.tv_sec && !timeout.tv_usec))
		return CLOCK_NEVER;
	return clock_end(timeout.tv_sec, timeout.tv_usec * 1000LL);
}

static bool is_mapped(int fd)
{
	union gp_address own = {.sa.sa_family = AF_UNSPEC};
	socklen_t len = sizeof(own);

	return !getsockname(fd, &own.sa, &len) && own.sa.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_V4MAPPED(&own.in6.sin6_addr);
}

enum gp_err tcp_init(struct tcp *tcp, int fd)
{
	socklen_t bound_len = sizeof(tcp->bound);

	*tcp = (struct tcp){.fd = fd};
	tcp->domain = get_int(fd, SOL_SOCKET, SO_DOMAIN);
	if ((tcp->domain != AF_INET && tcp->domain != AF_INET6) ||
	    getsockname(fd, &tcp->bound.sa, &bound_len))
		return GP_ERR_SYSTEM;
	/* A higher mark would keep poll(2) silent about the proxy's short reply. */
	tcp->receive_low_water = get_int(fd, SOL_SOCKET, SO_RCVLOWAT);
	set_low_water(tcp, 1);
	return GP_OK;
}

void tcp_adopt(struct tcp *tcp, int fd)
{
	*tcp = (struct tcp){.fd = fd, .dirty = true, .mapped = is_mapped(fd)};
	tcp->domain = get_int(fd, SOL_SOCKET, SO_DOMAIN);
	tcp->receive_low_water = get_int(fd, SOL_SOCKET, SO_RCVLOWAT);
}

void tcp_take_over(struct tcp *tcp, int fd)
{
	tcp_adopt(tcp, fd);
	set_low_water(tcp, 1);
}

void tcp_release(struct tcp *tcp)
{
	int saved_errno = errno;

	set_low_water(tcp, tcp->receive_low_water);
	errno = saved_errno;
}

static int disconnect_in_place(int fd)
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

	return real_connect(fd, &nowhere, sizeof(nowhere));
}

void tcp_disconnect(struct tcp *tcp)
{
	int saved_errno = errno;

	if (tcp->dirty && disconnect_in_place(tcp->fd))
		log_line(LOG_DEBUG, "socket stays connected: %s", strerror(errno));
	errno = saved_errno;
}

static enum gp_err replace(struct tcp *tcp, int domain)
{
	log_line(LOG_DEBUG, "a new socket takes the place of descriptor %d", tcp->fd);
	if (clone_socket(tcp->fd, domain, &tcp->bound))
		return GP_ERR_SYSTEM;
	tcp->domain = domain;
	tcp->dirty = tcp->mapped = false;
	set_low_water(tcp, 1);
	return GP_OK;
}

/* Can this socket connect to IPv4 addresses as ::ffff:a.b.c.d? */
static bool takes_mapped(const struct tcp *tcp)
{
	return tcp->domain == AF_INET6 &&
	       get_int(tcp->fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0;
}

/* The socket unconnected and of a family that reaches *address, which may get mapped. One
 * that was connected to a mapped address sends by IPv4 for ever (Linux 6.1). */
static enum gp_err prepare(struct tcp *tcp, union gp_address *address)
{
	bool was_mapped = tcp->mapped;

	gp_address_unmap(address);
	tcp->mapped = address->sa.sa_family == AF_INET && takes_mapped(tcp);
	if (tcp->mapped)
		gp_address_map(address);
	if (address->sa.sa_family != tcp->domain || (was_mapped && !tcp->mapped))
		return replace(tcp, address->sa.sa_family);
	if (!tcp->dirty)
		return GP_OK;
	/* EBUSY: another thread waits in it (Linux 6.4 and later). */
	return disconnect_in_place(tcp->fd) ? replace(tcp, tcp->domain) : GP_OK;
}

/*
 * connect(2) on a blocking socket that comes back at once, without O_NONBLOCK, which
 * would be seen by whoever shares the socket: with the shortest send timeout the kernel
 * waits a tick, and goes on by itself.
 */
static int connect_briefly(int fd, const union gp_address *address)
{
	static const struct timeval tick = {.tv_usec = 1};
	struct timeval programs;
	socklen_t len = sizeof(programs);
	int err, saved_errno;

	if (real_getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &programs, &len))
		return -1;
	real_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tick, sizeof(tick));
	err = real_connect(fd, &address->sa, gp_address_len(address));
	saved_errno = errno;
	real_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &programs, sizeof(programs));
	errno = saved_errno;
	return err;
}

int tcp_connect_as_asked(int fd, const union gp_address *address)
{
	if (tcp_is_blocking(fd))
		return connect_briefly(fd, address);
	return real_connect(fd, &address->sa, gp_address_len(address));
}

enum progress tcp_connect(struct tcp *tcp, const union gp_address *address)
{
	union gp_address target = *address;

	if (prepare(tcp, &target))
		return PROGRESS_FAILED;
	tcp->dirty = true;
	if (!tcp_connect_as_asked(tcp->fd, &target))
		return PROGRESS_DONE;
	return errno == EINPROGRESS || errno == EINTR ? PROGRESS_WAIT : PROGRESS_FAILED;
}

enum progress tcp_connected(struct tcp *tcp)
{
	int error;

	if (!clock_is_ready(tcp->fd, POLLOUT))
		return PROGRESS_WAIT;
	error = get_int(tcp->fd, SOL_SOCKET, SO_ERROR);
	if (error <= 0)
		return PROGRESS_DONE;
	errno = error;
	return PROGRESS_FAILED;
}
