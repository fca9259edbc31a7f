/* SPDX-License-Identifier: MIT */
/*
 * What goes with the requests on a connection to a proxy: the program's own
 * authorization, or ours, and where that comes from.
 *
 * Theory of operation: an authorization goes with every request (GP_SCOPE_PROXY), or one
 * is asked for before each (GP_SCOPE_REQUEST), or before the first on each connection
 * (GP_SCOPE_CONNECTION). The latter are the legs of a handshake. A leg goes out once, on
 * the connection that it was made for; should that end too early, the agent is told, and
 * makes another one. With the first final response that is no challenge the connection is
 * `bound`, and nothing more is to go with what follows on it.
 *
 * A leg before the last (`more`) goes with the request itself, changed to ask for a
 * connection that stays, if that has no body; else by a probe, its herald. The handshake
 * belongs to the connection, so that the last leg can go with the request, as the program
 * has made it. Before a long body, even the last leg goes by a herald: the proxy might
 * challenge that too, and then the body must not be on its way.
 */
#include <string.h>

#include <gatepass/exchange.h>

#include "exchange_parts.h"
#include "head.h"

/* --- what is known -------------------------------------------------------------------
 */

void exchange_drop_authorization(struct gp_exchange *exchange)
{
	exchange->authorized = false;
	explicit_bzero(exchange->authorization, strlen(exchange->authorization));
}

/* False, and nothing has changed, without a value that can stand in a field. */
static bool authorize(struct gp_exchange *exchange,
		      const struct gp_authorization *authorization)
{
	const char *value = authorization->value;
	size_t len = value ? strlen(value) : 0;

	if (!value || len > GP_AUTHORIZATION_MAX || !head_fits(value))
		return false;
	exchange_drop_authorization(exchange);
	memcpy(exchange->authorization, value, len + 1);
	exchange->authorized = true;
	exchange->used = false;
	exchange->scope = authorization->scope;
	exchange->more = authorization->more;
	return true;
}

void exchange_know(struct gp_exchange *exchange,
		   const struct gp_authorization *authorization)
{
	exchange->scope = authorization->scope;
	/* Nobody knew the request when that was made. */
	if (exchange->scope == GP_SCOPE_REQUEST || !authorize(exchange, authorization))
		exchange->used = true;
	exchange->lets_pass = exchange->authorized || exchange->scope != GP_SCOPE_PROXY;
}

/* --- what goes with the next request -------------------------------------------------
 */

bool exchange_has_own(const struct gp_exchange *exchange)
{
	return exchange->request.authorized && !exchange->replace_own;
}

static bool is_in_our_hands(const struct gp_exchange *exchange)
{
	return !exchange->bound && !exchange->unaided && !exchange_has_own(exchange);
}

bool exchange_has_ours(const struct gp_exchange *exchange)
{
	return exchange->authorized && is_in_our_hands(exchange);
}

bool exchange_has_more(const struct gp_exchange *exchange)
{
	return exchange->more && is_in_our_hands(exchange);
}

bool exchange_needs_ours(const struct gp_exchange *exchange)
{
	return exchange->scope != GP_SCOPE_PROXY && exchange->used &&
	       is_in_our_hands(exchange);
}

/* Behind a response that the program has not read, and for HEAD, a probe's response could
 * not stand for the request's; and a herald that was let pass has not helped. */
bool exchange_needs_herald(const struct gp_exchange *exchange)
{
	const struct gp_request *request = &exchange->request;

	if (exchange->probed || exchange->unread > 1 || exchange_is_head(exchange) ||
	    request->form == GP_TARGET_AUTHORITY || !is_in_our_hands(exchange))
		return false;
	if (exchange->more)
		return exchange_has_body(exchange) || request->minor == 0;
	return exchange->scope == GP_SCOPE_CONNECTION && exchange_has_long_body(exchange);
}

void gp_exchange_authorized(struct gp_exchange *exchange,
			    const struct gp_authorization *authorization)
{
	if (!authorization || !authorize(exchange, authorization)) {
		exchange_drop_authorization(exchange);
		exchange->used = exchange->more = false;
	}
	exchange_send_leg(exchange);
}

/* --- a challenge is answered ---------------------------------------------------------
 */

void gp_exchange_challenge(const struct gp_exchange *exchange,
			   struct gp_exchange_challenge *out)
{
	*out = (struct gp_exchange_challenge){
		.status = exchange->status,
		.head = &exchange->challenge,
		.method = exchange->request.method,
		.uri = exchange->request.target,
		.offered = exchange->sent_ours ? exchange->authorization : NULL,
		.kept = exchange->kept,
		.persistent = exchange->persistent,
		.bodiless = !exchange_has_body(exchange),
	};
}

void gp_exchange_not_kept(struct gp_exchange *exchange)
{
	exchange->kept = false;
}

/* Whatever comes of the request without us, the program is to see it. */
static void go_unaided(struct gp_exchange *exchange)
{
	exchange_drop_authorization(exchange);
	exchange->more = false;
	exchange->unaided = true;
	exchange_go_on(exchange);
}

/* Of a handshake with the connection that there is, under way. */
static bool has_leg(const struct gp_exchange *exchange)
{
	return exchange->scope == GP_SCOPE_CONNECTION && exchange_has_ours(exchange) &&
	       (exchange->sent_ours || !exchange->used);
}

static void lose_leg(struct gp_exchange *exchange)
{
	exchange->status = 0;
	exchange->challenge = (struct gp_http_head){0};
	exchange->kept = false;
	exchange->sent_ours = true;
	if (exchange->rounds < GP_ROUNDS_MAX) {
		exchange->rounds++;
		exchange->phase = GP_PHASE_ASK;
	} else {
		go_unaided(exchange);
	}
}

void exchange_reconnect(struct gp_exchange *exchange)
{
	if (has_leg(exchange))
		lose_leg(exchange);
	else
		exchange->phase = GP_PHASE_CONNECT;
}

/* An answer would come too late for a request that cannot go again: the agent is to know
 * nevertheless, and the next request will have it, if it can be used for that. */
static bool can_go_again(const struct gp_exchange *exchange)
{
	return exchange->leg == GP_LEG_PROBE || !exchange->copy_lost;
}

static bool is_to_ask_again(const struct gp_authorization *answer)
{
	return !answer->value && answer->more;
}

static void ask_again(struct gp_exchange *exchange)
{
	exchange_drop_authorization(exchange);
	exchange->used = false;
	exchange->more = true;
}

void gp_exchange_answer(struct gp_exchange *exchange,
			const struct gp_authorization *authorization)
{
	if (is_to_ask_again(authorization)) {
		ask_again(exchange);
	} else if (!authorize(exchange, authorization)) {
		gp_exchange_refuse(exchange);
		return;
	}
	exchange->replace_own |= exchange->request.authorized;
	exchange->was_reset = false;
	if (can_go_again(exchange)) {
		exchange_go_on(exchange);
	} else {
		exchange->used = true;
		exchange_leave_it(exchange);
	}
}

void gp_exchange_refuse(struct gp_exchange *exchange)
{
	bool is_lost = !exchange->status;

	if (exchange->sent_ours)
		exchange_drop_authorization(exchange); /* it was rejected */
	if (is_lost)
		go_unaided(exchange);
	else
		exchange_leave_it(exchange);
}
