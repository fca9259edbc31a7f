/* SPDX-License-Identifier: MIT */
/* What the two halves of an exchange know of each other. */
#ifndef GATEPASS_EXCHANGE_PARTS_H
#define GATEPASS_EXCHANGE_PARTS_H

#include <gatepass/exchange.h>

/* A longer body is not sent to a proxy that may ask first: after its 407 Squid 5 says
 * that it keeps the connection, and does not answer on it any more. */
#define EXCHANGE_BODY_MAX 65535

/* Writes what `leg` says, with the authorization that is known now, and lets it go out.
 */
void exchange_send_leg(struct gp_exchange *exchange);

/* The socket is the program's from here on, once what is queued has gone out. */
void exchange_end(struct gp_exchange *exchange);

/* To be called when something that the queue waits for may have come. */
void exchange_go_on(struct gp_exchange *exchange);

/* Is the request HEAD, whose responses have no body? */
bool exchange_is_head(const struct gp_exchange *exchange);

#endif
