/* SPDX-License-Identifier: MIT */
/*
 * Host names as DNS has them.
 */
#ifndef GATEPASS_HOSTNAME_H
#define GATEPASS_HOSTNAME_H

#include <stdbool.h>

#include <gatepass/host.h>
#include <gatepass/limits.h>

/* What gp_host_normalise() does, and other alphabets are converted as in DNS (RFC 5891):
 * what comes out is ASCII. False if it is no host name. */
bool hostname_normalise(const char *text, char out[static GP_HOST_MAX + 1]);

#endif
