/* SPDX-License-Identifier: MIT */
/* connect(), and what a connected socket says of its peer. */
#include <errno.h>
#include <string.h>

#include "export.h"
#include "handshake.h"
#include "libc.h"
#include "log.h"
#include "peers.h"
#include "process.h"
#include "stand_in.h"
#include "tcp.h"

/* Which connects concern us: TCP, to an address that could be elsewhere. */
static bool concerns_us(int fd, const union gp_address *address)
{
	if (gp_address_is_local(address) || !process_active())
		return false;
	return tcp_is_idle(fd);
}

static int shim_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	int saved_errno = errno;
	union gp_address address;
	enum handshake_result result;

	if (!gp_address_set(&address, sa, len))
		return real_connect(fd, sa, len);
	if (stand_in_blocks(fd, &address)) {
		errno = ENETUNREACH;
		return -1;
	}
	result = concerns_us(fd, &address) ? handshake_run(fd, &address)
					   : HANDSHAKE_DIRECT;
	if (result == HANDSHAKE_FAILED)
		return -1;
	errno = saved_errno;
	if (result == HANDSHAKE_DIRECT)
		return real_connect(fd, sa, len);
	peers_remember(fd, &address);
	return 0;
}

/* The address in the family of the socket, as the kernel would write it: cut to the room
 * that there is, with the full length told. */
static void tell_peer(const union gp_address *asked, struct sockaddr *sa, socklen_t *len,
		      socklen_t room)
{
	socklen_t full = gp_address_len(asked);

	memcpy(sa, asked, room < full ? room : full);
	*len = full;
}

static int shim_getpeername(int fd, struct sockaddr *sa, socklen_t *len)
{
	socklen_t room = len ? *len : 0;
	union gp_address asked;
	int err = real_getpeername(fd, sa, len);

	if (!err && len && peers_find(fd, &asked))
		tell_peer(&asked, sa, len, room);
	return err;
}

SHIM_EXPORT int connect(int fd, __CONST_SOCKADDR_ARG sa, socklen_t len)
{
	return shim_connect(fd, sa.__sockaddr__, len);
}

SHIM_EXPORT int __connect(int fd, __CONST_SOCKADDR_ARG sa, socklen_t len);
SHIM_EXPORT int __connect(int fd, __CONST_SOCKADDR_ARG sa, socklen_t len)
{
	return shim_connect(fd, sa.__sockaddr__, len);
}

SHIM_EXPORT int getpeername(int fd, __SOCKADDR_ARG sa, socklen_t *restrict len)
{
	return shim_getpeername(fd, sa.__sockaddr__, len);
}
