/* SPDX-License-Identifier: MIT */
/*
 * Addresses of this machine that are known to be no proxy's, so that a program with a
 * local database does not ask the agent each time. Any thread; safe in signal handlers
 * and after fork; keeps errno.
 */
#ifndef GATEPASS_DIRECT_H
#define GATEPASS_DIRECT_H

#include <stdbool.h>

#include <gatepass/host.h>

void direct_remember(const union gp_address *address, unsigned seconds);
bool direct_is_known(const union gp_address *address);

#endif
