/* SPDX-License-Identifier: MIT */
/* What the parts of an exchange know of each other. */
#ifndef GATEPASS_EXCHANGE_PARTS_H
#define GATEPASS_EXCHANGE_PARTS_H

#include <gatepass/exchange.h>

/* A longer body is not sent to a proxy that may ask first: after its 407 Squid 5 says
 * that it keeps the connection, and does not answer on it any more. */
#define EXCHANGE_BODY_MAX 65535

/* Lets the request go out, or what has to go before it, with the authorization that is
 * known now; or waits for one. */
void exchange_send_leg(struct gp_exchange *exchange);

/* The request goes out: behind the response that came if the connection is `kept`, else
 * over a new one. */
void exchange_go_on(struct gp_exchange *exchange);

/* What comes in next: the response to the request in `head`, or one before it? */
void exchange_expect(struct gp_exchange *exchange);

/* The probe got no challenge: the request goes out, over the same connection if that is
 * `kept`, unless it was sent before. */
void exchange_probed(struct gp_exchange *exchange, bool kept);

/* What comes in is the program's from here on, and what is held goes out as it is; then
 * it is over. */
void exchange_end(struct gp_exchange *exchange);

/* What is in `head` is complete: it goes out edited, or as it came, or needs a tunnel. */
void exchange_head_complete(struct gp_exchange *exchange);

/* It is no request for the proxy: it needs a tunnel, or goes out as it came. */
void exchange_not_for_proxy(struct gp_exchange *exchange);
void exchange_need_tunnel(struct gp_exchange *exchange);
void exchange_send_raw(struct gp_exchange *exchange);

/* `len` bytes of a buffer have held something, which is to be wiped. */
void exchange_note_used(size_t *used, size_t len);

/* Is the request HEAD, whose responses have no body? */
bool exchange_is_head(const struct gp_exchange *exchange);

bool exchange_has_body(const struct gp_exchange *exchange);
bool exchange_has_long_body(const struct gp_exchange *exchange);

/* Without an answer the program is to see what the proxy says. */
void exchange_leave_it(struct gp_exchange *exchange);

/* --- what the program sends (exchange_program.c) */

/* Is anything to be sent? */
bool exchange_has_output(const struct gp_exchange *exchange);

/* To be called when something that the queue waits for may have come. */
void exchange_pump(struct gp_exchange *exchange);

/* --- what goes with a request (exchange_authorize.c) */

void exchange_know(struct gp_exchange *exchange,
		   const struct gp_authorization *authorization);

void exchange_drop_authorization(struct gp_exchange *exchange);

/* Has the program an authorization of its own, which the proxy has not rejected? */
bool exchange_has_own(const struct gp_exchange *exchange);

/* Does ours go with the request? And is one to be asked for before that? */
bool exchange_has_ours(const struct gp_exchange *exchange);
bool exchange_needs_ours(const struct gp_exchange *exchange);

/* Is the proxy going to challenge what goes out? */
bool exchange_has_more(const struct gp_exchange *exchange);

/* Does a probe have to carry the handshake that goes before the request? */
bool exchange_needs_herald(const struct gp_exchange *exchange);

/* The connection that was to take the request is lost before there was a response to it:
 * another one will; but not what was for this one alone. */
void exchange_reconnect(struct gp_exchange *exchange);

#endif
