/* SPDX-License-Identifier: MIT */
/*
 * Stand-in addresses for names that only the proxy can resolve: the agent's map, asked
 * from here. Keep errno unless said otherwise.
 */
#ifndef GATEPASS_STAND_IN_H
#define GATEPASS_STAND_IN_H

#include <stdbool.h>
#include <stdint.h>

#include <gatepass/host.h>

/* The number of the stand-in address for a name that the program looks up; 0: the
 * system's resolver answers (the name goes direct, is an address, is NULL, there is no
 * agent, or this process does not concern us). May block for the agent. */
uint32_t stand_in_for(const char *name);

/* The name behind a stand-in address. False: it is an address like any other. */
bool stand_in_name(const union gp_address *address, char name[static GP_HOST_MAX + 1]);

/* Is this a datagram or raw socket and the address one of ours? No datagram gets through
 * a proxy, so QUIC and the like had better fall back at once. */
bool stand_in_blocks(int fd, const union gp_address *address);

#endif
