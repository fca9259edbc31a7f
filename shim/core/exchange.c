/* SPDX-License-Identifier: MIT */
/*
 * Requests on a connection to a proxy: what the program sends, and what is sent for it.
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
 * A program may send further requests before it has read the responses (RFC 9112 9.3.2).
 * They are queued, and each goes out when the status of the one before it is known: that
 * is looked for behind the response before, which the program may not have read yet. A
 * program that fills the queue without reading gets its way, and the 407s.
 */
#include <string.h>

#include <gatepass/exchange.h>

#include "exchange_parts.h"

/* How many unread responses `bodiless` knows of. */
#define UNREAD_MAX 64

void gp_exchange_init(struct gp_exchange *exchange, const struct gp_exchange_way *way)
{
	memset(exchange, 0, offsetof(struct gp_exchange, authorization));
	exchange->needs = 1;
	exchange->no_tunnel = way->no_tunnel;
	exchange->forwards = way->authority &&
			     gp_text_copy(gp_text(way->authority), exchange->authority,
					  sizeof(exchange->authority));
	exchange->authorized =
		way->authorization &&
		gp_text_copy(gp_text(way->authorization), exchange->authorization,
			     sizeof(exchange->authorization));
	exchange->lets_pass = exchange->authorized;
}

enum gp_exchange_want gp_exchange_want(const struct gp_exchange *exchange)
{
	switch (exchange->phase) {
	case GP_PHASE_OPEN:
		return exchange->inbound == GP_INBOUND_AWAIT ? GP_EXCHANGE_LOOK
							     : GP_EXCHANGE_NOTHING;
	case GP_PHASE_SEND:
		return GP_EXCHANGE_SEND;
	case GP_PHASE_ASK:
		return GP_EXCHANGE_ASK;
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

/* What the program has sent is no request to a proxy: it goes out as it is. */
static void send_raw(struct gp_exchange *exchange)
{
	exchange->leg = GP_LEG_RAW;
	exchange->out_len = exchange->head_len;
	exchange->out_sent = 0;
	exchange->phase = GP_PHASE_SEND;
}

void exchange_end(struct gp_exchange *exchange)
{
	exchange->head_len = 0; /* it has gone out */
	if (exchange->queue_at < exchange->queue_end)
		send_raw(exchange);
	else
		exchange->phase = GP_PHASE_OVER;
}

static void need_tunnel(struct gp_exchange *exchange)
{
	exchange->phase = exchange->no_tunnel ? GP_PHASE_FAILED : GP_PHASE_TUNNEL;
}

static void not_for_proxy(struct gp_exchange *exchange)
{
	if (exchange->forwards)
		need_tunnel(exchange);
	else
		send_raw(exchange);
}

static bool has_own(const struct gp_exchange *exchange)
{
	return exchange->request.authorized && !exchange->replace_own;
}

void exchange_send_leg(struct gp_exchange *exchange)
{
	struct gp_edit edit = {
		.authority = exchange->forwards ? exchange->authority : NULL,
		.without_upgrade = exchange->forwards,
		.probe = exchange->leg == GP_LEG_PROBE,
	};
	struct gp_buf buf;

	if (exchange->authorized && !has_own(exchange))
		edit.authorization = exchange->authorization;
	exchange->sent_ours = edit.authorization != NULL;
	gp_buf_init(&buf, exchange->out, sizeof(exchange->out));
	if (gp_request_write(&exchange->request, &edit, &buf) || buf.full) {
		not_for_proxy(exchange);
		return;
	}
	exchange->out_len = buf.len;
	if (exchange->out_used < buf.len)
		exchange->out_used = buf.len;
	exchange->out_sent = exchange->copy_sent = 0;
	exchange->phase = GP_PHASE_SEND;
}

static bool has_body(const struct gp_request *request)
{
	return request->body == GP_BODY_CHUNKED ||
	       (request->body == GP_BODY_LENGTH && request->length > 0);
}

/* Might the proxy ask, instead of taking the request? */
static bool may_be_asked(const struct gp_exchange *exchange)
{
	return !exchange->lets_pass && !exchange->authorized && !has_own(exchange);
}

static bool needs_probe(const struct gp_exchange *exchange)
{
	const struct gp_request *request = &exchange->request;
	bool is_long =
		request->body == GP_BODY_CHUNKED || request->length > EXCHANGE_BODY_MAX;

	return has_body(request) && is_long && !request->expects && !exchange->unread &&
	       may_be_asked(exchange);
}

static void count_unread(struct gp_exchange *exchange)
{
	uint64_t bit = exchange_is_head(exchange);

	if (exchange->inbound == GP_INBOUND_PASS && exchange->blind)
		exchange->unread = 0; /* it must have been read, as the program goes on */
	if (!exchange->unread)
		exchange->bodiless = 0;
	if (exchange->unread == UNREAD_MAX)
		exchange->blind = true;
	else
		exchange->bodiless |= bit << exchange->unread++;
}

static void begin_request(struct gp_exchange *exchange)
{
	const struct gp_request *request = &exchange->request;

	exchange->leg = needs_probe(exchange) ? GP_LEG_PROBE : GP_LEG_REQUEST;
	exchange->probed = exchange->leg == GP_LEG_PROBE;
	exchange->reused = exchange->was_reset = exchange->discards = false;
	exchange->copy_lost = false;
	exchange->rounds = 0;
	exchange->copy_len = 0;
	exchange->in_body = has_body(request);
	exchange->body_left = request->length;
	exchange->body_chunked = (struct gp_chunked){0};
	count_unread(exchange);
	exchange->unanswered = exchange->unread <= 2;
	exchange_send_leg(exchange);
}

static bool is_proxys(const struct gp_request *request)
{
	return request->form == GP_TARGET_ABSOLUTE ||
	       request->form == GP_TARGET_AUTHORITY;
}

static void head_complete(struct gp_exchange *exchange)
{
	struct gp_request *request = &exchange->request;

	if (gp_request_parse(exchange->head, exchange->head_len, request)) {
		not_for_proxy(exchange);
		return;
	}
	exchange->has_request = true;
	if (!exchange->forwards && !is_proxys(request))
		send_raw(exchange);
	else if (exchange->forwards && !exchange->no_tunnel &&
		 (is_proxys(request) || request->upgrades))
		need_tunnel(exchange);
	else if (exchange->forwards && request->form == GP_TARGET_AUTHORITY)
		need_tunnel(exchange);
	else
		begin_request(exchange);
}

/* --- what the program sends ----------------------------------------------------------
 */

static size_t queue_length(const struct gp_exchange *exchange)
{
	return exchange->queue_end - exchange->queue_at;
}

static bool queue_is_full(const struct gp_exchange *exchange)
{
	return queue_length(exchange) == sizeof(exchange->queue);
}

/* Can a request go out now? */
static bool may_begin(const struct gp_exchange *exchange)
{
	return !exchange->unanswered || exchange->hurry ||
	       (queue_is_full(exchange) && exchange->answered && exchange->unread > 1);
}

enum gp_exchange_accept gp_exchange_accepts(const struct gp_exchange *exchange)
{
	if (exchange->phase == GP_PHASE_OVER)
		return GP_ACCEPT_OVER;
	if (exchange->phase != GP_PHASE_OPEN || exchange->leg == GP_LEG_PROBE)
		return GP_ACCEPT_WAIT;
	if (exchange->in_body && !queue_length(exchange))
		return GP_ACCEPT_PASS;
	return queue_is_full(exchange) ? GP_ACCEPT_WAIT : GP_ACCEPT_HOLD;
}

/* Takes what belongs to the head, which may complete it. Returns how many. */
static size_t take_head(struct gp_exchange *exchange, const char *bytes, size_t len)
{
	size_t seen, taken, whole = 0;
	enum gp_scan begins;

	if (exchange->has_request) { /* the one before */
		exchange->has_request = exchange->unanswered = false;
		exchange->head_len = 0;
	}
	seen = exchange->head_len;
	taken = sizeof(exchange->head) - seen;
	if (taken > len)
		taken = len;
	memcpy(exchange->head + seen, bytes, taken);
	exchange->head_len += taken;
	if (exchange->head_used < exchange->head_len)
		exchange->head_used = exchange->head_len;
	begins = gp_request_begins(exchange->head, exchange->head_len);
	if (begins == GP_SCAN_DONE)
		whole = gp_request_head_length(exchange->head, exchange->head_len, seen);
	if (whole) {
		exchange->head_len = whole;
		head_complete(exchange);
		return whole - seen;
	}
	if (begins == GP_SCAN_BAD || exchange->head_len == sizeof(exchange->head))
		not_for_proxy(exchange);
	return taken;
}

static size_t enqueue(struct gp_exchange *exchange, const char *bytes, size_t len)
{
	size_t waiting = queue_length(exchange);
	size_t room = sizeof(exchange->queue) - waiting;

	if (len > room)
		len = room;
	if (len > sizeof(exchange->queue) - exchange->queue_end) {
		memmove(exchange->queue, exchange->queue + exchange->queue_at, waiting);
		exchange->queue_at = 0;
		exchange->queue_end = waiting;
	}
	memcpy(exchange->queue + exchange->queue_end, bytes, len);
	exchange->queue_end += len;
	if (exchange->queue_used < exchange->queue_end)
		exchange->queue_used = exchange->queue_end;
	return len;
}

static void dequeue(struct gp_exchange *exchange, size_t len)
{
	exchange->queue_at += len;
	if (exchange->queue_at == exchange->queue_end)
		exchange->queue_at = exchange->queue_end = 0;
}

static void pass_queued(struct gp_exchange *exchange, size_t len)
{
	gp_exchange_passed(exchange, exchange->queue + exchange->queue_at, len);
	dequeue(exchange, len);
}

static void discard_queued(struct gp_exchange *exchange)
{
	pass_queued(exchange,
		    gp_exchange_room(exchange, exchange->queue + exchange->queue_at,
				     queue_length(exchange)));
}

void exchange_go_on(struct gp_exchange *exchange)
{
	while (exchange->phase == GP_PHASE_OPEN && exchange->leg != GP_LEG_PROBE &&
	       queue_length(exchange)) {
		if (exchange->in_body && exchange->discards) {
			discard_queued(exchange);
		} else if (exchange->in_body) {
			exchange->leg = GP_LEG_QUEUE;
			exchange->phase = GP_PHASE_SEND;
		} else if (may_begin(exchange)) {
			dequeue(exchange,
				take_head(exchange, exchange->queue + exchange->queue_at,
					  queue_length(exchange)));
		} else {
			break;
		}
	}
}

size_t gp_exchange_hold(struct gp_exchange *exchange, const char *bytes, size_t len)
{
	size_t taken;

	if (!queue_length(exchange) && may_begin(exchange))
		return take_head(exchange, bytes, len);
	taken = enqueue(exchange, bytes, len);
	exchange_go_on(exchange);
	return taken;
}

size_t gp_exchange_room(const struct gp_exchange *exchange, const char *bytes, size_t len)
{
	struct gp_chunked chunked = exchange->body_chunked;
	size_t used;

	if (exchange->request.body == GP_BODY_LENGTH)
		return len < exchange->body_left ? len : (size_t)exchange->body_left;
	return gp_chunked_feed(&chunked, bytes, len, &used) == GP_SCAN_BAD ? len : used;
}

bool gp_exchange_discards(const struct gp_exchange *exchange)
{
	return exchange->discards;
}

static void keep_copy(struct gp_exchange *exchange, const char *bytes, size_t len)
{
	if (!exchange->unanswered || exchange->copy_lost)
		return;
	if (len > sizeof(exchange->copy) - exchange->copy_len) {
		exchange->copy_lost = true;
		return;
	}
	memcpy(exchange->copy + exchange->copy_len, bytes, len);
	exchange->copy_len += len;
	if (exchange->copy_used < exchange->copy_len)
		exchange->copy_used = exchange->copy_len;
}

void gp_exchange_passed(struct gp_exchange *exchange, const char *bytes, size_t len)
{
	size_t used;

	keep_copy(exchange, bytes, len);
	if (exchange->request.body == GP_BODY_LENGTH) {
		exchange->body_left -= len;
		exchange->in_body = exchange->body_left > 0;
		return;
	}
	switch (gp_chunked_feed(&exchange->body_chunked, bytes, len, &used)) {
	case GP_SCAN_MORE:
		break;
	case GP_SCAN_DONE:
		exchange->in_body = false;
		break;
	case GP_SCAN_BAD: /* nobody knows where the next request begins */
		exchange_end(exchange);
		break;
	}
}

bool gp_exchange_is_undecided(const struct gp_exchange *exchange)
{
	return exchange->forwards && exchange->phase == GP_PHASE_OPEN &&
	       !exchange->has_request && !exchange->answered &&
	       gp_request_begins(exchange->head, exchange->head_len) == GP_SCAN_MORE;
}

void gp_exchange_give_up(struct gp_exchange *exchange)
{
	need_tunnel(exchange);
}

void gp_exchange_let_go(struct gp_exchange *exchange)
{
	exchange->hurry = true;
	exchange_go_on(exchange);
	if (exchange->phase == GP_PHASE_OPEN && !exchange->has_request &&
	    exchange->head_len)
		send_raw(exchange);
}

bool gp_exchange_is_flushed(const struct gp_exchange *exchange)
{
	return exchange->phase == GP_PHASE_OVER ||
	       (exchange->phase == GP_PHASE_OPEN && !queue_length(exchange) &&
		exchange->leg != GP_LEG_PROBE);
}

/* --- what is sent for it -------------------------------------------------------------
 */

static const char *rest_of_head(const struct gp_exchange *exchange, size_t *len)
{
	*len = exchange->out_len - exchange->out_sent;
	return (exchange->leg == GP_LEG_RAW ? exchange->head : exchange->out) +
	       exchange->out_sent;
}

const char *gp_exchange_output(const struct gp_exchange *exchange, size_t *len)
{
	const char *queue = exchange->queue + exchange->queue_at;
	const char *head = rest_of_head(exchange, len);

	switch (exchange->leg) {
	case GP_LEG_REQUEST:
		if (*len)
			return head;
		*len = exchange->copy_len - exchange->copy_sent;
		return exchange->copy + exchange->copy_sent;
	case GP_LEG_PROBE:
		break;
	case GP_LEG_QUEUE:
		*len = gp_exchange_room(exchange, queue, queue_length(exchange));
		return queue;
	case GP_LEG_RAW:
		if (*len)
			return head;
		*len = queue_length(exchange);
		return queue;
	}
	return head;
}

static void sent_from_queue(struct gp_exchange *exchange, size_t count)
{
	exchange->leg = GP_LEG_REQUEST;
	exchange->phase = GP_PHASE_OPEN;
	pass_queued(exchange, count);
	exchange_go_on(exchange);
}

static void sent_raw(struct gp_exchange *exchange, size_t count)
{
	if (exchange->out_sent < exchange->out_len)
		exchange->out_sent += count;
	else
		dequeue(exchange, count);
	if (exchange->out_sent == exchange->out_len && !queue_length(exchange))
		exchange->phase = GP_PHASE_OVER;
}

static void sent_leg(struct gp_exchange *exchange, size_t count)
{
	if (exchange->out_sent < exchange->out_len)
		exchange->out_sent += count;
	else
		exchange->copy_sent += count;
	if (exchange->out_sent < exchange->out_len ||
	    (exchange->leg == GP_LEG_REQUEST && exchange->copy_sent < exchange->copy_len))
		return;
	exchange->phase = GP_PHASE_OPEN;
	if (exchange->unread <= 1)
		exchange->inbound = GP_INBOUND_AWAIT;
	exchange_go_on(exchange);
}

void gp_exchange_sent(struct gp_exchange *exchange, size_t count)
{
	switch (exchange->leg) {
	case GP_LEG_REQUEST:
	case GP_LEG_PROBE:
		sent_leg(exchange, count);
		break;
	case GP_LEG_QUEUE:
		sent_from_queue(exchange, count);
		break;
	case GP_LEG_RAW:
		sent_raw(exchange, count);
		break;
	}
}

void gp_exchange_connected(struct gp_exchange *exchange)
{
	exchange->reused = false;
	exchange_send_leg(exchange);
}

void gp_exchange_tunnelled(struct gp_exchange *exchange)
{
	if (exchange->head_len)
		send_raw(exchange);
	else
		exchange_end(exchange);
}

void gp_exchange_untunnelled(struct gp_exchange *exchange)
{
	exchange->no_tunnel = true;
	if (!exchange->has_request || exchange->request.form == GP_TARGET_AUTHORITY) {
		exchange->phase = GP_PHASE_FAILED;
		return;
	}
	begin_request(exchange);
	if (exchange->phase == GP_PHASE_SEND) /* over a new connection */
		exchange->phase = GP_PHASE_CONNECT;
}

/* tinyproxy's 407 to a request with a body may have been lost so. */
static bool may_have_asked(const struct gp_exchange *exchange)
{
	return exchange->leg == GP_LEG_REQUEST && exchange->unanswered &&
	       has_body(&exchange->request) && may_be_asked(exchange) &&
	       !exchange->probed && !exchange->copy_lost;
}

static void close_open(struct gp_exchange *exchange, bool reset)
{
	if (exchange->leg == GP_LEG_PROBE && !exchange->was_reset) {
		exchange->leg = GP_LEG_REQUEST;
		exchange->phase = GP_PHASE_CONNECT;
	} else if (exchange->reused) {
		exchange->phase = GP_PHASE_CONNECT;
	} else if (reset && may_have_asked(exchange)) {
		exchange->probed = exchange->was_reset = true;
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
	case GP_PHASE_SEND:
		close_open(exchange, reset);
		break;
	case GP_PHASE_DRAIN:
		exchange->phase = GP_PHASE_CONNECT;
		break;
	case GP_PHASE_CONNECT:
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
	explicit_bzero(exchange->authorization,
		       strnlen(exchange->authorization, sizeof(exchange->authorization)));
	explicit_bzero(exchange, offsetof(struct gp_exchange, authorization));
}
