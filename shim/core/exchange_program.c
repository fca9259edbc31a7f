/* SPDX-License-Identifier: MIT */
/*
 * What the program sends on a connection to a proxy, and what goes out of that.
 *
 * Theory of operation: a head is held until it is complete, then exchange.c takes it from
 * here; of a body a copy is kept, and it passes.
 *
 * A program may send further requests before it has read the responses (RFC 9112 9.3.2).
 * They are queued, and each goes out when the status of the one before it is known: that
 * is looked for behind the response before, which the program may not have read yet. A
 * program that fills the queue without reading gets its way, and the 407s.
 */
#include <string.h>

#include <gatepass/exchange.h>

#include "exchange_parts.h"

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

/* Nobody could make a program that writes everything first read what has come. */
static bool is_stuck(const struct gp_exchange *exchange)
{
	return queue_is_full(exchange) &&
	       (exchange->inbound == GP_INBOUND_INTERIM ||
		(exchange->answered && exchange->unread > 1) || exchange->last);
}

/* Is it better to wait until the program has read what the connection ends with? */
static bool will_need_connection(const struct gp_exchange *exchange)
{
	return exchange->last && exchange->unread && !exchange->endless;
}

/* Can a request go out now? */
static bool may_begin(const struct gp_exchange *exchange)
{
	return (!exchange->unanswered && !will_need_connection(exchange)) ||
	       exchange->hurry || exchange->shared || is_stuck(exchange);
}

static bool needs_connection(const struct gp_exchange *exchange)
{
	return exchange->last && !exchange->unread && exchange->has_request;
}

static bool is_busy(const struct gp_exchange *exchange)
{
	return exchange->phase != GP_PHASE_OPEN || exchange->leg != GP_LEG_REQUEST ||
	       exchange_has_output(exchange);
}

enum gp_exchange_accept gp_exchange_accepts(const struct gp_exchange *exchange)
{
	if (exchange->phase == GP_PHASE_OVER)
		return GP_ACCEPT_OVER;
	if (is_busy(exchange) || queue_is_full(exchange))
		return GP_ACCEPT_WAIT;
	return exchange->in_body && !queue_length(exchange) ? GP_ACCEPT_PASS
							    : GP_ACCEPT_HOLD;
}

/* The request before is not needed any more. */
static void begin_head(struct gp_exchange *exchange)
{
	exchange->has_request = exchange->unanswered = false;
	exchange->head_len = 0;
	if (exchange->inbound == GP_INBOUND_AWAIT) /* the program did not wait for it */
		exchange_expect(exchange);
	/* Its response must have been read, wherever that ended. Of several, that would
	 * be the last one's bytes taken for this one's: we stay blind. */
	if (exchange->blind && exchange->unread == 1 && !exchange->last) {
		exchange->blind = false;
		exchange->unread = 0;
		exchange->inbound = GP_INBOUND_IDLE;
	}
}

_Static_assert(GP_HEAD_MAX <= GP_COPY_MAX, "a head fits into the copy");

/* Twice: the head is going to be parsed, and that writes to it. */
static size_t collect(struct gp_exchange *exchange, const char *bytes, size_t len)
{
	size_t seen = exchange->head_len, room = sizeof(exchange->head) - seen;
	size_t taken = len < room ? len : room;

	memcpy(exchange->head + seen, bytes, taken);
	memcpy(exchange->copy + seen, bytes, taken);
	exchange->head_len += taken;
	exchange_note_used(&exchange->head_used, exchange->head_len);
	exchange_note_used(&exchange->copy_used, exchange->head_len);
	return taken;
}

/* Takes what belongs to the head, which may complete it. Returns how many. */
static size_t take_head(struct gp_exchange *exchange, const char *bytes, size_t len)
{
	size_t seen, taken, whole = 0;
	enum gp_scan begins;

	if (exchange->has_request)
		begin_head(exchange);
	seen = exchange->head_len;
	taken = collect(exchange, bytes, len);
	begins = gp_request_begins(exchange->head, exchange->head_len);
	if (begins == GP_SCAN_DONE)
		whole = gp_request_head_length(exchange->head, exchange->head_len, seen);
	if (whole) {
		exchange->head_len = whole;
		exchange_head_complete(exchange);
		return whole - seen;
	}
	if (begins == GP_SCAN_BAD || exchange->head_len == sizeof(exchange->head))
		exchange_not_for_proxy(exchange);
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
	exchange_note_used(&exchange->queue_used, exchange->queue_end);
	return len;
}

static void dequeue(struct gp_exchange *exchange, size_t len)
{
	exchange->queue_at += len;
	if (exchange->queue_at == exchange->queue_end)
		exchange->queue_at = exchange->queue_end = 0;
}

static const char *queue_bytes(const struct gp_exchange *exchange)
{
	return exchange->queue + exchange->queue_at;
}

/* They are those of a body; what is behind them may be the last. */
static void pass_queued(struct gp_exchange *exchange, size_t len)
{
	const char *bytes = queue_bytes(exchange);

	dequeue(exchange, len);
	gp_exchange_passed(exchange, bytes, len);
}

static void pump_body(struct gp_exchange *exchange)
{
	size_t room =
		gp_exchange_room(exchange, queue_bytes(exchange), queue_length(exchange));

	if (exchange->discards)
		pass_queued(exchange, room);
	else
		exchange->queue_left = room;
}

static void begin_connection(struct gp_exchange *exchange)
{
	begin_head(exchange);
	exchange->phase = GP_PHASE_CONNECT;
}

void exchange_pump(struct gp_exchange *exchange)
{
	while (queue_length(exchange) && !is_busy(exchange)) {
		if (exchange->in_body)
			pump_body(exchange);
		else if (needs_connection(exchange))
			begin_connection(exchange);
		else if (may_begin(exchange))
			dequeue(exchange, take_head(exchange, queue_bytes(exchange),
						    queue_length(exchange)));
		else
			break;
	}
	/* Half a head, whose end will not come. */
	if (exchange->hurry && !is_busy(exchange) && !exchange->has_request &&
	    exchange->head_len)
		exchange_send_raw(exchange);
}

size_t gp_exchange_hold(struct gp_exchange *exchange, const char *bytes, size_t len)
{
	size_t taken;

	if (!queue_length(exchange) && may_begin(exchange) && !needs_connection(exchange))
		return take_head(exchange, bytes, len);
	taken = enqueue(exchange, bytes, len);
	exchange_pump(exchange);
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
	exchange_note_used(&exchange->copy_used, exchange->copy_len);
}

/* Nobody knows where the next request begins. But a body that goes nowhere must not
 * become one. */
static void lose_track(struct gp_exchange *exchange)
{
	if (!exchange->discards) {
		exchange_end(exchange);
		return;
	}
	exchange->request.body = GP_BODY_LENGTH;
	exchange->body_left = UINT64_MAX;
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
	case GP_SCAN_BAD:
		lose_track(exchange);
		break;
	}
}

bool gp_exchange_is_undecided(const struct gp_exchange *exchange)
{
	return exchange->forwards && exchange->phase == GP_PHASE_OPEN &&
	       !exchange->has_request && !exchange->gave_up && !exchange->unread &&
	       gp_request_begins(exchange->head, exchange->head_len) == GP_SCAN_MORE;
}

void gp_exchange_give_up(struct gp_exchange *exchange)
{
	if (!gp_exchange_is_undecided(exchange))
		return;
	exchange->gave_up = true;
	exchange_need_tunnel(exchange);
}

void gp_exchange_let_go(struct gp_exchange *exchange)
{
	exchange->hurry = true;
	exchange_pump(exchange);
}

void gp_exchange_share(struct gp_exchange *exchange)
{
	exchange->shared = true;
}

/* A leg that is going to be challenged needs the connection for the next one. */
bool gp_exchange_is_flushed(const struct gp_exchange *exchange)
{
	return exchange->phase == GP_PHASE_OVER ||
	       (!is_busy(exchange) && !exchange_has_more(exchange) &&
		!queue_length(exchange));
}

/* --- what is sent for it -------------------------------------------------------------
 */

/* How much of the queue is to be sent now. */
static size_t queue_due(const struct gp_exchange *exchange)
{
	return exchange->leg == GP_LEG_LAST ? queue_length(exchange)
					    : exchange->queue_left;
}

bool exchange_has_output(const struct gp_exchange *exchange)
{
	return exchange->out_left || exchange->copy_left || queue_due(exchange);
}

const char *gp_exchange_output(const struct gp_exchange *exchange, size_t *len)
{
	if (exchange->out_left) {
		*len = exchange->out_left;
		return exchange->out + exchange->out_len - *len;
	}
	if (exchange->copy_left) {
		*len = exchange->copy_left;
		return exchange->copy + exchange->copy_len - *len;
	}
	*len = queue_due(exchange);
	return queue_bytes(exchange);
}

static void sent_queued(struct gp_exchange *exchange, size_t count)
{
	if (exchange->leg == GP_LEG_LAST) {
		dequeue(exchange, count);
	} else {
		exchange->queue_left -= count;
		pass_queued(exchange, count);
	}
}

void gp_exchange_sent(struct gp_exchange *exchange, size_t count)
{
	if (exchange->out_left)
		exchange->out_left -= count;
	else if (exchange->copy_left)
		exchange->copy_left -= count;
	else
		sent_queued(exchange, count);
	if (exchange->leg == GP_LEG_LAST && !exchange_has_output(exchange))
		exchange->phase = GP_PHASE_OVER;
	else
		exchange_pump(exchange);
}
