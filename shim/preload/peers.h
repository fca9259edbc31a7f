/* SPDX-License-Identifier: MIT */
/*
 * Which address the program meant when it connected a socket that now leads to a proxy,
 * for getpeername(). An entry is believed only for the very socket (SO_COOKIE) that it
 * was made for, so that descriptors closed out of our sight do no harm. Any thread; safe
 * in signal handlers; keeps errno.
 */
#ifndef GATEPASS_PEERS_H
#define GATEPASS_PEERS_H

#include <stdbool.h>

#include <gatepass/host.h>

void peers_remember(int fd, const union gp_address *asked);

/* False for a socket that leads where its kernel says. */
bool peers_find(int fd, union gp_address *asked);

void peers_after_fork(void);

#endif
