/* SPDX-License-Identifier: MIT */
/*
 * What has been learnt of each proxy: what it asks for, and how the last handshake ended.
 */
#ifndef GATEPASS_PROXIES_H
#define GATEPASS_PROXIES_H

#include <glib.h>

struct endpoint;

struct proxy {
	GPtrArray *challenges; /* of char *, each field as last sent; NULL: never asked */
	int status;            /* of the last handshake; 0: there was none */
	char *error;           /* or how it failed; may be NULL */
	gint64 time;           /* of that, seconds since the epoch; 0: never */
};

/* Never NULL; valid until control returns to the main loop. */
struct proxy *proxies_get(const struct endpoint *endpoint);

/* Replaces what the proxy asks for; takes over the array. */
void proxies_ask(const struct endpoint *endpoint, GPtrArray *challenges);
void proxies_outcome(const struct endpoint *endpoint, int status, const char *error);

#endif
