/* SPDX-License-Identifier: MIT */
/*
 * The live Digest nonces of all proxies, each with its counter: a proxy sees one client
 * in all our programs, and never the same count twice.
 */
#ifndef GATEPASS_NONCES_H
#define GATEPASS_NONCES_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "digest.h"

struct endpoint;

#define CNONCE_MAX 32

struct nonce {
	struct digest digest; /* what the challenge said */
	/* One for the nonce's whole life, because RFC 2617 and RFC 7616 can be read so
	 * that a "-sess" key is made of the first one. */
	char cnonce[CNONCE_MAX + 1];
	uint32_t count; /* uses so far, see nonce_use() */
	gint64 used;    /* when last: monotonic, 0: never */
	bool early;     /* given before it was asked for, as nextnonce */
	bool proven;    /* a request with it was accepted */
	bool refused;   /* one was not: it is not to be used, unless it is given again */
};

/* All that is returned is valid until control returns to the main loop. */

/* That of the challenge; begins to live if it is new, or was refused. */
struct nonce *nonces_need(const struct endpoint *proxy, const struct digest *digest);
/* A live one of the challenge's realm and algorithm, whatever its own nonce, that is for
 * everybody: one that answers a challenge is that request's alone until it was accepted.
 * The youngest, but for those that have just been used. Or NULL. */
struct nonce *nonces_choose(const struct endpoint *proxy, const struct digest *digest);
/* Also a refused one, as long as it is remembered. Or NULL. */
struct nonce *nonces_find(const struct endpoint *proxy, const char *nonce);

uint32_t nonce_use(struct nonce *nonce); /* the count */
/* A request with it was refused. `expired`: because it is too old, as it seems; then
 * those that are older are, too. */
void nonce_refuse(struct nonce *nonce, bool expired);

#endif
