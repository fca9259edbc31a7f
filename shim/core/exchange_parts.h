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

/* What comes in next: the response to the request in `head`, or one before it? */
void exchange_expect(struct gp_exchange *exchange);

/* The probe got no challenge: the request goes out, over the same connection if that is
 * `kept`, unless it was sent before. */
void exchange_probed(struct gp_exchange *exchange, bool kept);

/* Our authorization from here on; false, and nothing has changed, if it cannot stand in a
 * field. */
bool exchange_authorize(struct gp_exchange *exchange, const char *authorization);
void exchange_drop_authorization(struct gp_exchange *exchange);

/* Is anything to be sent? */
bool exchange_has_output(const struct gp_exchange *exchange);

/* What comes in is the program's from here on, and what is held goes out as it is; then
 * it is over. */
void exchange_end(struct gp_exchange *exchange);

/* To be called when something that the queue waits for may have come. */
void exchange_pump(struct gp_exchange *exchange);

/* Is the request HEAD, whose responses have no body? */
bool exchange_is_head(const struct gp_exchange *exchange);

#endif
