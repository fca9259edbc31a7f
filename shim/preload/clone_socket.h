/* SPDX-License-Identifier: MIT */
/*
 * A new TCP socket in the place of an old one: the way out where the kernel does not let
 * us reconnect in place. Duplicates of the descriptor keep the old socket.
 */
#ifndef GATEPASS_CLONE_SOCKET_H
#define GATEPASS_CLONE_SOCKET_H

#include <gatepass/err.h>
#include <gatepass/host.h>

/* Makes `fd` a fresh socket of the family `domain`, with the old one's options, file
 * status flags and owner, bound to `bound` if that is an address of the same family. On
 * failure the old one stays, and errno says why. */
enum gp_err clone_socket(int fd, int domain, const union gp_address *bound) GP_MUST_CHECK;

/* How often that has happened. As long as it stays the same, nobody here has put another
 * socket in the place of one. */
unsigned clone_socket_count(void);

#endif
