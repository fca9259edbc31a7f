/* SPDX-License-Identifier: MIT */
/*
 * Responses on a connection to a proxy: which of them are the program's.
 *
 * Theory of operation: the beginning of a response is looked at while it waits in the
 * socket. Twelve octets tell its status; if that is final and no challenge, the response
 * is the program's, and is followed only to know where it ends. Of a challenge (and of an
 * interim response) the whole head is waited for; of any other too if the next request
 * has an authorization, for which the connection must not end here. It stays in the
 * socket until the agent has answered: without an answer the program finds it there,
 * untouched.
 */
#include <string.h>

#include <gatepass/exchange.h>

#include "exchange_parts.h"

/* "HTTP/1.1 407". Up to VERSION_END, each octet can tell that it is no response. */
#define VERSION_END 7
#define STATUS_AT   9
#define STATUS_END  12

bool exchange_is_head(const struct gp_exchange *exchange)
{
	struct gp_text method = exchange->request.method;

	return method.len == strlen("HEAD") && !memcmp(method.p, "HEAD", method.len);
}

/* --- a response that the program gets ------------------------------------------------
 */

static void begin_response(struct gp_exchange *exchange)
{
	exchange->inbound = GP_INBOUND_PASS;
	exchange->blind = false;
	gp_response_begin(&exchange->response, exchange->bodiless & 1);
}

void exchange_expect(struct gp_exchange *exchange)
{
	if (!exchange->unread)
		exchange->inbound = GP_INBOUND_IDLE;
	else if (exchange->unread == 1 && exchange->unanswered)
		exchange->inbound = GP_INBOUND_AWAIT;
	else
		begin_response(exchange);
}

static bool ends_http(const struct gp_exchange *exchange)
{
	return exchange->status == 101 ||
	       (exchange->request.form == GP_TARGET_AUTHORITY &&
		exchange->status / 100 == 2);
}

static void show(struct gp_exchange *exchange)
{
	exchange->unanswered = exchange->reused = exchange->more = false;
	exchange->answered = true;
	if (ends_http(exchange)) {
		exchange_end(exchange);
	} else {
		exchange->ends = exchange->persistent && !exchange->request.persistent;
		begin_response(exchange);
		exchange_pump(exchange);
	}
}

void exchange_go_on(struct gp_exchange *exchange)
{
	bool bodiless = exchange->leg == GP_LEG_REQUEST && exchange_is_head(exchange);

	exchange->leg = GP_LEG_REQUEST;
	exchange->drained = 0;
	gp_response_begin(&exchange->response, bodiless);
	exchange->phase = exchange->kept ? GP_PHASE_DRAIN : GP_PHASE_CONNECT;
}

void exchange_probed(struct gp_exchange *exchange, bool kept)
{
	exchange->kept = kept;
	exchange->probed = true;
	exchange->more = false;
	if (exchange->was_reset) /* for another reason: it may have been executed */
		exchange->phase = GP_PHASE_FAILED;
	else
		exchange_go_on(exchange);
}

/* No response that we know: the program has to make something of it. */
static void show_nonsense(struct gp_exchange *exchange)
{
	exchange->status = 0;
	if (exchange->leg == GP_LEG_PROBE) {
		exchange_probed(exchange, false);
		return;
	}
	/* Unless another process has read its beginning. */
	exchange->last = exchange->endless = !exchange->shared;
	show(exchange);
}

static void final(struct gp_exchange *exchange)
{
	exchange->lets_pass = true;
	exchange->verdict = exchange->sent_ours;
	if (exchange->scope == GP_SCOPE_CONNECTION)
		exchange->bound = exchange->used = true;
	if (exchange->leg == GP_LEG_PROBE)
		exchange_probed(exchange, exchange->kept);
	else
		show(exchange);
}

/* To a probe the proxy says what it would say to the request, which need not go out any
 * more. */
void exchange_leave_it(struct gp_exchange *exchange)
{
	exchange->discards = exchange->leg == GP_LEG_PROBE;
	exchange->leg = GP_LEG_REQUEST;
	exchange->phase = GP_PHASE_OPEN;
	show(exchange);
}

bool gp_exchange_shows(const struct gp_exchange *exchange)
{
	if (exchange->phase == GP_PHASE_OVER)
		return true;
	return exchange->phase == GP_PHASE_OPEN && exchange->leg != GP_LEG_PROBE &&
	       exchange->inbound != GP_INBOUND_AWAIT;
}

bool gp_exchange_is_bounded(const struct gp_exchange *exchange)
{
	return exchange->phase == GP_PHASE_OPEN &&
	       (exchange->inbound == GP_INBOUND_INTERIM ||
		(exchange->inbound == GP_INBOUND_PASS && exchange->unanswered &&
		 !exchange->blind));
}

size_t gp_exchange_bound(struct gp_exchange *exchange, const char *bytes, size_t len)
{
	struct gp_response *response = &exchange->response;
	char members[offsetof(struct gp_response, head)];
	size_t used;
	enum gp_scan scan;

	if (exchange->inbound == GP_INBOUND_INTERIM)
		return len < exchange->interim_left ? len : exchange->interim_left;
	memcpy(members, response, sizeof(members));
	scan = gp_response_feed(response, bytes, len, &used);
	memcpy(response, members, sizeof(members));
	return scan == GP_SCAN_BAD ? len : used;
}

static bool has_authorization(const struct gp_exchange *exchange)
{
	return exchange->authorized || exchange->scope != GP_SCOPE_PROXY;
}

/* The program has read a response to its end. */
static void over(struct gp_exchange *exchange)
{
	exchange->unread--;
	exchange->bodiless >>= 1;
	if (has_authorization(exchange))
		exchange->last |= !gp_response_keeps(&exchange->response);
	exchange_expect(exchange);
}

static size_t follow_interim(struct gp_exchange *exchange, size_t len)
{
	size_t used = len < exchange->interim_left ? len : exchange->interim_left;

	exchange->interim_left -= used;
	if (!exchange->interim_left)
		exchange_expect(exchange);
	return used;
}

/* Nobody knows where the responses end: all that comes is the program's. */
static void go_blind(struct gp_exchange *exchange)
{
	exchange->inbound = GP_INBOUND_PASS;
	exchange->blind = true;
	exchange->unanswered = false;
}

static size_t follow(struct gp_exchange *exchange, const char *bytes, size_t len)
{
	size_t used = len;

	if (exchange->inbound == GP_INBOUND_INTERIM)
		return follow_interim(exchange, len);
	switch (gp_response_feed(&exchange->response, bytes, len, &used)) {
	case GP_SCAN_MORE:
		break;
	case GP_SCAN_DONE:
		over(exchange);
		break;
	case GP_SCAN_BAD:
		go_blind(exchange);
		break;
	}
	return used;
}

/* A thread that waited for more of the response before has got some of the one that we
 * look for, too. */
static void was_faster(struct gp_exchange *exchange)
{
	exchange->status = 0;
	exchange_leave_it(exchange);
}

void gp_exchange_received(struct gp_exchange *exchange, const char *bytes, size_t len)
{
	size_t used = 0;

	while (used < len && exchange->phase == GP_PHASE_OPEN && !exchange->blind &&
	       exchange->inbound != GP_INBOUND_IDLE) {
		if (exchange->inbound == GP_INBOUND_AWAIT)
			was_faster(exchange);
		used += follow(exchange, bytes + used, len - used);
	}
	exchange_pump(exchange);
}

void gp_exchange_lost(struct gp_exchange *exchange, size_t len)
{
	if (exchange->phase != GP_PHASE_OPEN || exchange->inbound == GP_INBOUND_IDLE)
		return;
	if (exchange->inbound == GP_INBOUND_AWAIT)
		was_faster(exchange);
	if (exchange->inbound == GP_INBOUND_INTERIM && len <= exchange->interim_left)
		follow_interim(exchange, len);
	else
		go_blind(exchange);
	exchange_pump(exchange);
}

bool gp_exchange_take_end(struct gp_exchange *exchange)
{
	bool ends = exchange->ends && !exchange->unread;

	exchange->ends &= !ends;
	return ends;
}

/* --- a challenge ---------------------------------------------------------------------
 */

static bool has_field(struct gp_text fields, const char *name, const char *begins)
{
	size_t len = strlen(begins);
	struct gp_http_field field;

	while (gp_http_field_next(&fields, &field))
		if (gp_text_is(field.name, name) && field.value.len >= len &&
		    gp_text_is((struct gp_text){field.value.p, len}, begins))
			return true;
	return false;
}

/* tinyproxy says a wrong password by 401, which every other one passes on from an origin.
 */
static bool is_challenge(const struct gp_exchange *exchange)
{
	return exchange->status == 407 ||
	       (exchange->status == 401 && exchange->sent_ours &&
		has_field(exchange->challenge.fields, "server", "tinyproxy"));
}

/* Without a challenge in it, the proxy may have one for those whose connection stays. */
static bool can_be_answered(const struct gp_exchange *exchange)
{
	return exchange->status == 401 || !exchange->persistent ||
	       has_field(exchange->challenge.fields, "proxy-authenticate", "");
}

/* Can the answer go over the same connection? */
static bool is_kept(const struct gp_exchange *exchange)
{
	struct gp_http_head head = exchange->challenge;
	struct gp_http_framing framing;

	if (exchange->leg == GP_LEG_REQUEST && exchange_is_head(exchange))
		head.status = 204; /* its fields speak of the body that GET would get */
	if (gp_http_framing(&head, &framing) || !framing.keep_alive ||
	    framing.length > GP_DRAIN_MAX || exchange_has_output(exchange))
		return false;
	if (exchange->leg == GP_LEG_PROBE)
		return true;
	return !exchange->in_body && exchange->copy_len <= EXCHANGE_BODY_MAX;
}

static void challenged(struct gp_exchange *exchange)
{
	exchange->lets_pass = exchange->bound = false;
	if (can_be_answered(exchange) && !exchange->unaided &&
	    exchange->rounds < GP_ROUNDS_MAX) {
		exchange->rounds++;
		exchange->phase = GP_PHASE_ASK;
	} else {
		exchange_leave_it(exchange);
	}
}

int gp_exchange_take_verdict(struct gp_exchange *exchange)
{
	int status = exchange->verdict ? exchange->status : 0;

	exchange->verdict = false;
	return status;
}

struct gp_text gp_exchange_verdict_fields(const struct gp_exchange *exchange)
{
	return exchange->challenge.fields;
}

/* --- looking -------------------------------------------------------------------------
 */

/* Swallows; the connection is as it was before the request afterwards, or is not kept. */
static size_t swallow(struct gp_exchange *exchange, const char *bytes, size_t len)
{
	size_t used;
	enum gp_scan scan = gp_response_feed(&exchange->response, bytes, len, &used);

	exchange->drained += used;
	if (scan == GP_SCAN_BAD || exchange->drained > GP_DRAIN_MAX ||
	    (scan == GP_SCAN_DONE &&
	     (used < len || !gp_response_keeps(&exchange->response)))) {
		exchange_reconnect(exchange);
	} else if (scan == GP_SCAN_DONE) {
		exchange->drained = 0;
		exchange->reused = true;
		exchange_send_leg(exchange);
	}
	return used;
}

static bool is_interim(const struct gp_exchange *exchange)
{
	return exchange->status < 200 && exchange->status != 101;
}

/* What the status alone does not tell. */
static bool needs_head(const struct gp_exchange *exchange)
{
	return exchange->leg == GP_LEG_PROBE || exchange->status == 407 ||
	       has_authorization(exchange) || is_interim(exchange);
}

/* Not for ever: it is the program that decides how long to wait for a response. */
static size_t swallow_interim(struct gp_exchange *exchange, size_t len)
{
	exchange->drained += len;
	if (exchange->drained <= GP_DRAIN_MAX)
		return len;
	show_nonsense(exchange);
	return 0;
}

/* Returns how much of it nobody else is to see: a request that goes again may be told to
 * go on again. */
static size_t interim_arrived(struct gp_exchange *exchange, size_t len)
{
	bool again = exchange->status == 100 && exchange->continued;

	if (exchange->leg == GP_LEG_PROBE || (again && exchange->rounds))
		return swallow_interim(exchange, len);
	exchange->continued |= exchange->status == 100;
	exchange->inbound = GP_INBOUND_INTERIM;
	exchange->interim_left = len;
	return 0;
}

static void note_persistence(struct gp_exchange *exchange)
{
	struct gp_http_head head = exchange->challenge;
	struct gp_http_framing framing;

	if (exchange_is_head(exchange))
		head.status = 204; /* as there, no body follows */
	if (gp_http_framing(&head, &framing))
		framing = (struct gp_http_framing){.body = GP_BODY_CLOSE};
	exchange->last = !framing.keep_alive;
	exchange->endless = framing.body == GP_BODY_CLOSE;
}

static void head_arrived(struct gp_exchange *exchange, const char *bytes, size_t len)
{
	memcpy(exchange->challenge_bytes, bytes, len);
	if (exchange->challenge_used < len)
		exchange->challenge_used = len;
	if (gp_http_head_parse(exchange->challenge_bytes, len, &exchange->challenge)) {
		show_nonsense(exchange);
		return;
	}
	exchange->kept = is_kept(exchange);
	if (exchange->leg != GP_LEG_PROBE)
		note_persistence(exchange);
	if (is_challenge(exchange))
		challenged(exchange);
	else
		final(exchange);
}

static bool read_status(struct gp_exchange *exchange, const char *bytes)
{
	struct gp_text digits = {bytes + STATUS_AT, STATUS_END - STATUS_AT};
	uint64_t status;

	if (bytes[STATUS_AT - 1] != ' ' || !gp_text_to_uint(digits, 999, &status) ||
	    status < 100)
		return false;
	exchange->status = (int)status;
	return true;
}

static void not_http(struct gp_exchange *exchange)
{
	/* Some send a body with a challenge to HEAD; this one came late. */
	if (exchange->reused && exchange_is_head(exchange))
		exchange_reconnect(exchange);
	else
		show_nonsense(exchange);
}

/* Returns how many of the bytes nobody else is to see. */
static size_t look(struct gp_exchange *exchange, const char *bytes, size_t len)
{
	size_t head_len;

	if (!gp_http_response_begins(bytes, len)) {
		not_http(exchange);
		return 0;
	}
	if (len < VERSION_END) {
		exchange->needs = len + 1;
		return 0;
	}
	exchange->reused = false;
	if (len < STATUS_END) {
		exchange->needs = STATUS_END;
		return 0;
	}
	if (!read_status(exchange, bytes)) {
		show_nonsense(exchange);
		return 0;
	}
	if (!needs_head(exchange)) {
		final(exchange);
		return 0;
	}
	head_len = gp_http_head_length(bytes, len, 0);
	if (head_len && is_interim(exchange))
		return interim_arrived(exchange, head_len);
	if (head_len)
		head_arrived(exchange, bytes, head_len);
	else if (len == GP_HEAD_MAX)
		show_nonsense(exchange);
	else
		exchange->needs = len + 1;
	return 0;
}

bool gp_exchange_looks(const struct gp_exchange *exchange)
{
	return exchange->phase == GP_PHASE_DRAIN ||
	       (exchange->phase == GP_PHASE_OPEN &&
		exchange->inbound == GP_INBOUND_AWAIT);
}

size_t gp_exchange_saw(struct gp_exchange *exchange, const char *bytes, size_t len)
{
	size_t used = 0;

	if (len > GP_HEAD_MAX)
		len = GP_HEAD_MAX;
	exchange->needs = 1;
	if (exchange->phase == GP_PHASE_OPEN)
		used = look(exchange, bytes, len);
	return exchange->phase == GP_PHASE_DRAIN ? swallow(exchange, bytes, len) : used;
}

size_t gp_exchange_needs(const struct gp_exchange *exchange)
{
	return exchange->needs;
}

void gp_exchange_cannot_wait(struct gp_exchange *exchange)
{
	exchange->needs = 1;
	show_nonsense(exchange);
}
