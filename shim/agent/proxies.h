/* SPDX-License-Identifier: MIT */
/*
 * What has been learnt of each proxy: what it asks for, which schemes work with it, and
 * how the last handshake ended.
 */
#ifndef GATEPASS_PROXIES_H
#define GATEPASS_PROXIES_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct endpoint;

struct proxy {
	GPtrArray *challenges; /* of char *, each field as last sent; NULL: never asked */
	bool complete;         /* they are all that it offers */
	/* Bit N stands for the scheme of number N. */
	unsigned accepted; /* it has accepted an authorization of the scheme */
	unsigned unfit;    /* the scheme does not work with it; */
	gint64 retry;      /* until then, in the monotonic time */
	int status;        /* of the last handshake; 0: there was none */
	char *error;       /* or how it failed; may be NULL */
	gint64 time;       /* of that, seconds since the epoch; 0: never */
	bool doubtful;     /* it has not proved what it claims to know */
};

/* Never NULL; valid until control returns to the main loop. */
struct proxy *proxies_get(const struct endpoint *endpoint);

/* Replaces what the proxy asks for; takes over the array. A list that may lack something
 * does not replace a complete one. */
void proxies_ask(const struct endpoint *endpoint, GPtrArray *challenges, bool complete);

/* The scheme does not work with it: see struct proxy. */
void proxies_set_unfit(const struct endpoint *endpoint, uint8_t scheme);
unsigned proxies_unfit(const struct endpoint *endpoint);
void proxies_accepted(const struct endpoint *endpoint, uint8_t scheme);

void proxies_outcome(const struct endpoint *endpoint, int status, const char *error);

#endif
