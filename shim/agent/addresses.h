/* SPDX-License-Identifier: MIT */
/*
 * The numeric addresses of proxies, and which addresses are known to be a proxy's.
 */
#ifndef GATEPASS_ADDRESSES_H
#define GATEPASS_ADDRESSES_H

#include <stdbool.h>

#include <gatepass/host.h>
#include <gatepass/limits.h>

struct endpoint;

struct addresses {
	unsigned count;
	union gp_address list[GP_PROXY_ADDRESSES_MAX];
	char error[512]; /* why a host has none; empty if all have */
};

/*
 * Finds the addresses of `count` hosts, in their order. `done` is called once, maybe
 * before this returns; `found` is valid during the call. Answers are kept for a minute,
 * failures are not. Never blocks.
 */
void addresses_find(const struct endpoint *hosts, unsigned count,
		    void (*done)(void *data, const struct addresses *found), void *data);

/* The same for one host, within a second: without its addresses if no name server answers
 * in that time, or if none did lately. */
void addresses_find_soon(const struct endpoint *host,
			 void (*done)(void *data, const struct addresses *found),
			 void *data);

/* Was this address and port found within the last hour? Tells for which host, of several
 * for the last one. */
bool addresses_is_proxy(const union gp_address *address, struct endpoint *out);

bool addresses_equal(const union gp_address *a, const union gp_address *b);

void addresses_clear(void); /* forgets everything; nothing may be under way */

#endif
