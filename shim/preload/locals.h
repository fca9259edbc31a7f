/* SPDX-License-Identifier: MIT */
/*
 * Names that the system's resolver answered because they do not go through the proxy:
 * when the program then connects to such an address, the name decides (no_proxy lists
 * names). The last few dozen of this process. Any thread; safe in signal handlers.
 */
#ifndef GATEPASS_LOCALS_H
#define GATEPASS_LOCALS_H

#include <stdbool.h>

#include <gatepass/host.h>

/* Names of more than GP_HOST_MAX bytes are not remembered. The port does not matter. */
void locals_remember(const char *name, const union gp_address *address);

bool locals_find(const union gp_address *address, char name[static GP_HOST_MAX + 1]);

void locals_after_fork(void);

#endif
