/* SPDX-License-Identifier: MIT */
/*
 * Ports: lists of them, and what their numbers tell of the protocol that is spoken there.
 */
#ifndef GATEPASS_PORTS_H
#define GATEPASS_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include <gatepass/err.h>

/* More than anybody configures by hand. */
#define PORTS_MAX 32

struct ports {
	unsigned count;
	uint16_t list[PORTS_MAX];
};

/* Numbers separated by commas or white space; empty is none. False: `out` is not changed.
 */
bool ports_parse(const char *text, struct ports *out) GP_MUST_CHECK;
bool ports_have(const struct ports *ports, uint16_t port);

/* May programs speak plain HTTP there? */
bool ports_may_be_http(uint16_t port);

#endif
