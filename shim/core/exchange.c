/* SPDX-License-Identifier: MIT */
/*
 * Requests on a connection to a proxy: how they go out, and over which connection.
 *
 * Theory of operation: a request's head is held until it is complete, and goes out
 * edited; its body passes as it comes. Until its status is known (exchange_reply.c) a
 * copy of the body is kept, so that head and body can go again: DRAIN, SEND on the same
 * connection, or CONNECT, SEND on a new one. One request at a time is in that state: the
 * next one waits for the status of the one before.
 *
 * A proxy that has not let anything pass yet may cut a long body short (Squid), so before
 * such a body a probe goes out, and the body follows when that is answered. It may also
 * reset the connection, so that its 407 is lost (tinyproxy): a probe finds out, and the
 * request goes again if that is challenged.
 *
 * Behind a response that says that the connection ends with it, no request of ours goes
 * out there: it might reach the origin (tinyproxy), with our authorization. It goes over
 * a new connection when the program has read that response. If only the connection tells
 * where that is, what the program sends is its own.
 */
#include <string.h>

#include <gatepass/exchange.h>

#include "exchange_parts.h"

void gp_exchange_init(struct gp_exchange *exchange, const struct gp_exchange_way *way)
{
	memset(exchange, 0, offsetof(struct gp_exchange, authorization));
	exchange->needs = 1;
	exchange->no_tunnel = way->no_tunnel;
	exchange->forwards = way->authority != NULL;
	if (!gp_text_copy(gp_text(way->authority), exchange->authority,
			  sizeof(exchange->authority)))
		exchange->authority[0] = '\0'; /* Host will have to do */
	exchange->authorization[0] = '\0';
	exchange_know(exchange, &way->authorization);
}

enum gp_exchange_want gp_exchange_want(const struct gp_exchange *exchange)
{
	switch (exchange->phase) {
	case GP_PHASE_OPEN:
		if (exchange_has_output(exchange))
			return GP_EXCHANGE_SEND;
		return exchange->inbound == GP_INBOUND_AWAIT ? GP_EXCHANGE_LOOK
							     : GP_EXCHANGE_NOTHING;
	case GP_PHASE_ASK:
		return GP_EXCHANGE_ASK;
	case GP_PHASE_AUTHORIZE:
		return GP_EXCHANGE_AUTHORIZE;
	case GP_PHASE_DRAIN:
		return GP_EXCHANGE_LOOK;
	case GP_PHASE_CONNECT:
		return GP_EXCHANGE_RECONNECT;
	case GP_PHASE_TUNNEL:
		return GP_EXCHANGE_TUNNEL;
	case GP_PHASE_OVER:
		return GP_EXCHANGE_OVER;
	case GP_PHASE_FAILED:
		break;
	}
	return GP_EXCHANGE_FAILED;
}

/* --- a request goes out --------------------------------------------------------------
 */

/* What the program sent is no request to a proxy: it goes out as it came. */
void exchange_send_raw(struct gp_exchange *exchange)
{
	exchange->copy_len = exchange->copy_left = exchange->head_len;
	exchange->phase = GP_PHASE_OPEN;
	exchange_end(exchange);
}

void exchange_end(struct gp_exchange *exchange)
{
	exchange->leg = GP_LEG_LAST;
	exchange->inbound = GP_INBOUND_IDLE;
	exchange->unanswered = exchange->reused = false;
	if (!exchange_has_output(exchange))
		exchange->phase = GP_PHASE_OVER;
}

void exchange_need_tunnel(struct gp_exchange *exchange)
{
	exchange->phase = exchange->no_tunnel ? GP_PHASE_FAILED : GP_PHASE_TUNNEL;
}

/* A tunnel is another connection: behind requests that have been forwarded, it would cost
 * the program their responses. What follows them is for the proxy to refuse. */
void exchange_not_for_proxy(struct gp_exchange *exchange)
{
	if (exchange->forwards && !exchange->unread)
		exchange_need_tunnel(exchange);
	else
		exchange_send_raw(exchange);
}

void exchange_note_used(size_t *used, size_t len)
{
	if (*used < len)
		*used = len;
}

static bool write_leg(struct gp_exchange *exchange)
{
	bool has_ours = exchange_has_ours(exchange);
	bool has_more = exchange_has_more(exchange);
	struct gp_edit edit = {
		.authority = exchange->forwards ? exchange->authority : NULL,
		.authorization = has_ours ? exchange->authorization : NULL,
		.without_own = exchange->replace_own && (exchange->bound || has_more),
		.without_upgrade = exchange->forwards,
		.persistent = has_more,
		.probe = exchange->leg == GP_LEG_PROBE,
	};
	struct gp_buf buf;

	exchange->sent_ours = has_ours;
	exchange->persistent =
		edit.probe || edit.persistent || exchange->request.persistent;
	gp_buf_init(&buf, exchange->out, sizeof(exchange->out));
	if (gp_request_write(&exchange->request, &edit, &buf) || buf.full)
		return false;
	exchange->out_len = exchange->out_left = buf.len;
	exchange_note_used(&exchange->out_used, buf.len);
	return true;
}

/* The body follows from the copy, then from the queue, whose turn exchange_pump() tells.
 * It does not follow a probe. */
static void send_written(struct gp_exchange *exchange)
{
	exchange->used = true;
	exchange->copy_left = exchange->leg == GP_LEG_PROBE ? 0 : exchange->copy_len;
	exchange->queue_left = 0;
	exchange->phase = GP_PHASE_OPEN;
	if (exchange->inbound == GP_INBOUND_IDLE || exchange->inbound == GP_INBOUND_AWAIT)
		exchange_expect(exchange);
}

/* What is written goes out with another one. */
static void wait_for_authorization(struct gp_exchange *exchange)
{
	exchange->out_left = 0;
	exchange->phase = GP_PHASE_AUTHORIZE;
}

/* The request itself goes out where nobody could tell what a probe is to ask for. */
static bool write_herald(struct gp_exchange *exchange)
{
	if (!exchange_needs_herald(exchange))
		return false;
	exchange->leg = GP_LEG_PROBE;
	if (write_leg(exchange))
		return true;
	exchange->leg = GP_LEG_REQUEST;
	return false;
}

void exchange_send_leg(struct gp_exchange *exchange)
{
	if (exchange_needs_ours(exchange))
		wait_for_authorization(exchange);
	else if (write_herald(exchange) || write_leg(exchange))
		send_written(exchange);
	else /* the authorization is too long for an absurdly long Host */
		exchange->phase = GP_PHASE_FAILED;
}

bool exchange_has_body(const struct gp_exchange *exchange)
{
	const struct gp_request *request = &exchange->request;

	return request->body == GP_BODY_CHUNKED ||
	       (request->body == GP_BODY_LENGTH && request->length > 0);
}

bool exchange_has_long_body(const struct gp_exchange *exchange)
{
	const struct gp_request *request = &exchange->request;

	return request->body == GP_BODY_CHUNKED ||
	       (request->body == GP_BODY_LENGTH && request->length > EXCHANGE_BODY_MAX);
}

/* Might the proxy ask, instead of taking the body? What it says to a probe then has to do
 * for the request, so that cannot be HEAD. */
static bool may_be_asked(const struct gp_exchange *exchange)
{
	return exchange_has_body(exchange) && !exchange_is_head(exchange) &&
	       !exchange->lets_pass && !exchange->authorized &&
	       !exchange_has_own(exchange);
}

static bool needs_probe(const struct gp_exchange *exchange)
{
	return exchange_has_long_body(exchange) && !exchange->request.expects &&
	       !exchange->unread && may_be_asked(exchange);
}

static void count_unread(struct gp_exchange *exchange)
{
	unsigned before = exchange->unread++;

	if (!before)
		exchange->bodiless = 0;
	if (!exchange_is_head(exchange))
		return;
	if (before < 8 * sizeof(exchange->bodiless))
		exchange->bodiless |= UINT64_C(1) << before;
	else
		exchange->blind = true;
}

static void begin_request(struct gp_exchange *exchange)
{
	const struct gp_request *request = &exchange->request;

	exchange->leg = needs_probe(exchange) ? GP_LEG_PROBE : GP_LEG_REQUEST;
	exchange->reused = exchange->was_reset = exchange->discards = false;
	exchange->copy_lost = exchange->continued = false;
	exchange->probed = exchange->unaided = false;
	exchange->rounds = 0;
	exchange->copy_len = 0;
	exchange->in_body = exchange_has_body(exchange);
	exchange->body_left = request->length;
	exchange->body_chunked = (struct gp_chunked){0};
	if (!write_leg(exchange)) {
		exchange_not_for_proxy(exchange);
		return;
	}
	count_unread(exchange);
	exchange->unanswered = exchange->unread <= 2 && !exchange->blind;
	if (exchange_needs_ours(exchange) || exchange_needs_herald(exchange))
		exchange_send_leg(exchange); /* is what is written the right thing? */
	else
		send_written(exchange);
}

static bool is_proxys(const struct gp_request *request)
{
	return request->form == GP_TARGET_ABSOLUTE ||
	       request->form == GP_TARGET_AUTHORITY;
}

/* Can it go to the proxy as a request? To an origin, one that is to be upgraded, or that
 * takes it for a proxy, should rather go through a tunnel. */
static bool is_for_proxy(const struct gp_exchange *exchange)
{
	const struct gp_request *request = &exchange->request;

	if (exchange->last)
		return false;
	if (!exchange->forwards)
		return is_proxys(request);
	if (request->form == GP_TARGET_AUTHORITY)
		return false;
	return exchange->no_tunnel || exchange->unread ||
	       (request->form != GP_TARGET_ABSOLUTE && !request->upgrades);
}

void exchange_head_complete(struct gp_exchange *exchange)
{
	if (gp_request_parse(exchange->head, exchange->head_len, &exchange->request)) {
		exchange_not_for_proxy(exchange);
		return;
	}
	exchange->has_request = true;
	if (is_for_proxy(exchange))
		begin_request(exchange);
	else
		exchange_not_for_proxy(exchange);
}

/* --- connections ---------------------------------------------------------------------
 */

void gp_exchange_connected(struct gp_exchange *exchange)
{
	exchange->reused = exchange->bound = exchange->last = false;
	if (exchange->head_len) {
		exchange_send_leg(exchange);
	} else {
		exchange->phase = GP_PHASE_OPEN;
		exchange_pump(exchange);
	}
}

void gp_exchange_tunnelled(struct gp_exchange *exchange)
{
	exchange_send_raw(exchange);
}

void gp_exchange_untunnelled(struct gp_exchange *exchange)
{
	exchange->no_tunnel = true;
	if (!exchange->head_len) { /* the program may just be slow */
		exchange->phase = GP_PHASE_CONNECT;
		return;
	}
	exchange->phase = GP_PHASE_FAILED;
	if (exchange->has_request && is_for_proxy(exchange))
		begin_request(exchange);
	/* over a new connection */
	if (exchange->phase == GP_PHASE_OPEN || exchange->phase == GP_PHASE_AUTHORIZE)
		exchange->phase = GP_PHASE_CONNECT;
}

/* tinyproxy's 407 to a request with a body may have been lost so. What the program is to
 * read from the old connection must not be lost as well. */
static bool may_have_asked(const struct gp_exchange *exchange)
{
	return exchange->inbound == GP_INBOUND_AWAIT && may_be_asked(exchange) &&
	       !exchange->copy_lost;
}

static void close_open(struct gp_exchange *exchange, bool reset)
{
	if (exchange->reused && !exchange->copy_lost) {
		exchange_reconnect(exchange);
	} else if (exchange->leg == GP_LEG_PROBE) {
		exchange_probed(exchange, false);
	} else if (reset && may_have_asked(exchange)) {
		exchange->was_reset = true;
		exchange->leg = GP_LEG_PROBE;
		exchange->phase = GP_PHASE_CONNECT;
	} else {
		exchange->phase = GP_PHASE_OVER;
	}
}

void gp_exchange_closed(struct gp_exchange *exchange, bool reset)
{
	switch (exchange->phase) {
	case GP_PHASE_OPEN:
		close_open(exchange, reset);
		break;
	case GP_PHASE_DRAIN:
		exchange_reconnect(exchange);
		break;
	case GP_PHASE_CONNECT:
	case GP_PHASE_TUNNEL:
		exchange->phase = GP_PHASE_FAILED;
		break;
	default:
		break;
	}
}

void gp_exchange_clear(struct gp_exchange *exchange)
{
	explicit_bzero(exchange->head, exchange->head_used);
	explicit_bzero(exchange->out, exchange->out_used);
	explicit_bzero(exchange->copy, exchange->copy_used);
	explicit_bzero(exchange->queue, exchange->queue_used);
	explicit_bzero(exchange->challenge_bytes, exchange->challenge_used);
	exchange_drop_authorization(exchange);
	explicit_bzero(exchange, offsetof(struct gp_exchange, authorization));
}
