/* SPDX-License-Identifier: MIT */
/* challenge and outcome: what the proxy says. */
#include "handshake.h"

#include <string.h>

#include <glib.h>

#include "handlers.h"
#include "log.h"
#include "proxies.h"
#include "scheme.h"
#include "secret.h"
#include "session.h"

/* PROTOCOL.md's bound; the program's own deadline is GP_DEADLINE. */
#define CHALLENGE_WAIT_SECONDS 25

/* More fields than any proxy sends; the rest is not looked at. */
#define CHALLENGES_MAX 32

static const struct endpoint *proxy_of(const struct handshake *h)
{
	return &h->route.proxy.hops[0];
}

static void closed(struct conversation *conversation)
{
	offer_cancel(&((struct handshake *)conversation)->offer);
}

static void release(struct conversation *conversation)
{
	struct handshake *h = (struct handshake *)conversation;

	offer_release(&h->offer);
	g_free(h->method);
	g_free(h->uri);
	g_free(h->ccache);
	if (h->reply)
		g_ptr_array_unref(h->reply);
	if (h->offers)
		g_ptr_array_unref(h->offers);
	secret_free(h->offered);
	route_release(&h->route);
	g_free(h);
}

struct handshake *handshake_new(struct session *session)
{
	struct handshake *h = g_new0(struct handshake, 1);

	h->conversation = (struct conversation){closed, release};
	h->session = session;
	session_set_conversation(session, &h->conversation);
	return h;
}

void handshake_forget(struct session *session)
{
	struct conversation *conversation = session_conversation(session);

	session_set_conversation(session, NULL);
	if (conversation)
		conversation->release(conversation);
}

static void replace(char **text, const char *value)
{
	if (!value)
		return;
	g_free(*text);
	*text = g_strdup(value);
}

void handshake_set_request(struct handshake *h, const char *method, const char *uri,
			   bool bodiless)
{
	replace(&h->method, method);
	replace(&h->uri, uri);
	h->bodiless = bodiless;
}

static bool is_connect(const struct handshake *h)
{
	return h->method && !strcmp(h->method, "CONNECT");
}

struct scheme_request handshake_request(const struct handshake *h)
{
	return (struct scheme_request){
		.proxy = proxy_of(h),
		.ccache = h->ccache,
		.method = h->method,
		.uri = h->uri,
		.bodiless = h->bodiless || is_connect(h),
	};
}

static void set_offers(struct handshake *h, GPtrArray *offers)
{
	GPtrArray *before = h->offers;

	h->offers = offers ? g_ptr_array_ref(offers) : NULL;
	if (before)
		g_ptr_array_unref(before);
}

void handshake_recall(struct handshake *h)
{
	set_offers(h, proxies_get(proxy_of(h))->challenges);
}

bool handshake_is_abandoned(struct handshake *h)
{
	if (!session_is_closed(h->session))
		return false;
	session_skip(h->session);
	return true;
}

static void prompting(void *data, unsigned seconds)
{
	struct handshake *h = data;

	session_wait(h->session, seconds);
}

void handshake_ask(struct handshake *h, const struct offer_terms *terms,
		   void (*answer)(void *data, const struct offer_answer *answer))
{
	const struct offer_caller caller = {prompting, answer, h};

	offer_make(&h->offer, terms, &caller);
}

static void send_refusal(struct handshake *h, const struct offer_answer *answer)
{
	struct gp_buf *reply = session_reply(h->session, "refuse");

	log_info("no authorization: %s: %s", answer->reason, answer->text);
	gp_wire_add(reply, "reason", answer->reason);
	gp_wire_add(reply, "text", answer->text);
	session_send(h->session);
}

/* Without an authorization, by a request whose connection stays. */
static void ask_again(struct handshake *h)
{
	struct gp_buf *reply = session_reply(h->session, "answer");

	h->asked_again = true;
	gp_wire_add_uint(reply, "more", 1);
	session_send(h->session);
}

void handshake_add_answer(struct gp_buf *reply, const struct offer_answer *answer)
{
	static const char *const scopes[] = {
		[SCHEME_FOR_PROXY] = NULL,
		[SCHEME_FOR_REQUEST] = "request",
		[SCHEME_FOR_CONNECTION] = "connection",
	};

	if (answer->authorization.len)
		gp_wire_add_text(reply, "authorization", answer->authorization);
	gp_wire_add(reply, "scope", scopes[answer->scope]);
	if (answer->more)
		gp_wire_add_uint(reply, "more", 1);
}

static void send_answer(void *data, const struct offer_answer *answer)
{
	struct handshake *h = data;

	if (handshake_is_abandoned(h))
		return;
	if (answer->authorization.len) {
		handshake_add_answer(session_reply(h->session, "answer"), answer);
		session_send(h->session);
	} else if (answer->later && !h->asked_again) {
		ask_again(h);
	} else {
		send_refusal(h, answer);
	}
}

/* What challenge and outcome say. */
struct report {
	int status;
	bool authorized, kept, persistent, bodiless;
	const char *error, *method, *uri, *offered, *info;
	GPtrArray *challenges; /* owned; NULL: none */
};

static void add_challenge(struct report *out, const char *value)
{
	if (!out->challenges)
		out->challenges = g_ptr_array_new_with_free_func(g_free);
	if (out->challenges->len < CHALLENGES_MAX)
		g_ptr_array_add(out->challenges, g_strdup(value));
}

static void read_report(struct gp_wire *question, struct report *out)
{
	const char *key, *value;
	uint64_t number;

	*out = (struct report){.kept = true, .persistent = true};
	while (gp_wire_next(question, &key, &value)) {
		if (!strcmp(key, "status") &&
		    gp_text_to_uint(gp_text(value), 999, &number))
			out->status = (int)number;
		else if (!strcmp(key, "authorized"))
			out->authorized = !strcmp(value, "1");
		else if (!strcmp(key, "kept"))
			out->kept = strcmp(value, "0") != 0;
		else if (!strcmp(key, "persistent"))
			out->persistent = strcmp(value, "0") != 0;
		else if (!strcmp(key, "body"))
			out->bodiless = !strcmp(value, "none");
		else if (!strcmp(key, "error"))
			out->error = value;
		else if (!strcmp(key, "method"))
			out->method = value;
		else if (!strcmp(key, "uri"))
			out->uri = value;
		else if (!strcmp(key, "offered"))
			out->offered = value;
		else if (!strcmp(key, "info"))
			out->info = value;
		else if (!strcmp(key, "challenge"))
			add_challenge(out, value);
	}
}

/* --- challenge -----------------------------------------------------------------------
 */

/* What the proxy asks for, by this reply or else by an earlier one: a rejection by 401
 * comes without Proxy-Authenticate, a message of a handshake stands alone, and Squid does
 * not offer handshakes where the connection is not to stay. */
static void keep_offers(struct handshake *h, const struct report *report)
{
	struct proxy *proxy = proxies_get(proxy_of(h));

	if (h->reply)
		g_ptr_array_unref(h->reply);
	h->reply = report->challenges;
	if (h->reply && !scheme_is_shaking_hands(h->reply)) {
		proxies_ask(proxy_of(h), g_ptr_array_ref(h->reply), report->persistent);
		set_offers(h, report->persistent || !proxy->complete ? h->reply
								     : proxy->challenges);
	} else if (report->offered || report->authorized || !report->persistent) {
		set_offers(h, proxy->challenges);
	} else {
		set_offers(h, NULL);
	}
}

static void keep_offered(struct handshake *h, const struct report *report, bool judged)
{
	secret_free(h->offered);
	h->offered = NULL;
	if (report->offered && !judged)
		h->offered = secret_new(report->offered, strlen(report->offered));
}

/* Of the first leg that a conversation before this one has given. What Kerberos needs to
 * go on has ended with that. */
static bool continues_another(const struct report *report,
			      const struct scheme_request *request)
{
	const struct scheme *scheme = report->offered ? scheme_of(report->offered) : NULL;

	return scheme && scheme->scope == SCHEME_FOR_CONNECTION && !scheme->by_ticket &&
	       scheme->judge(request, report->offered) == SCHEME_GOES_ON;
}

/* What the request's authorization has come to; sets terms->continued, and h->offered if
 * it is to be judged when a credential has been found. */
static void heed(struct handshake *h, const struct report *report,
		 struct offer_terms *terms)
{
	enum offer_reply reply = OFFER_OTHER;

	if (!report->status) {
		keep_offered(h, report, true);
		offer_lost(&h->offer);
		return;
	}
	if (report->offered || report->authorized)
		reply = offer_refused(&h->offer, &terms->request, report->offered);
	if (reply == OFFER_OTHER && continues_another(report, &terms->request))
		reply = OFFER_CONTINUED;
	keep_offered(h, report, reply != OFFER_OTHER);
	if (reply != OFFER_CONTINUED)
		return;
	if (report->kept)
		terms->continued =
			scheme_of(report->offered ? report->offered : h->offer.sent);
	else
		offer_lost(&h->offer);
}

/* Only what was the reply to this request can be answered as such. */
static void set_challenges(struct handshake *h, struct offer_terms *terms)
{
	struct scheme_request *request = &terms->request;

	request->challenged =
		h->reply && (terms->continued || !scheme_is_shaking_hands(h->reply));
	request->challenges = request->challenged ? h->reply : h->offers;
}

static bool may_lack_something(const struct handshake *h, const struct report *report)
{
	return !report->persistent && !h->asked_again &&
	       !proxies_get(proxy_of(h))->complete;
}

void handshake_challenge(struct session *session, struct gp_wire *question)
{
	struct handshake *h = (struct handshake *)session_conversation(session);
	struct offer_terms terms = {.seconds = CHALLENGE_WAIT_SECONDS,
				    .may_prompt = true};
	struct report report;

	if (!h) {
		session_error(session, "syntax",
			      "challenge without a route to a proxy before");
		return;
	}
	read_report(question, &report);
	handshake_set_request(h, report.method, report.uri, report.bodiless);
	keep_offers(h, &report);
	terms.proxy = &h->route.proxy;
	terms.policy = &h->route.policy;
	terms.offers = h->offers;
	terms.request = handshake_request(h);
	terms.request.challenges = h->reply;
	terms.request.challenged = h->reply != NULL;
	heed(h, &report, &terms);
	if (may_lack_something(h, &report)) {
		ask_again(h);
		return;
	}
	set_challenges(h, &terms);
	terms.refused = h->offered;
	if (terms.continued)
		terms.request.leg = h->offered ? h->offered->bytes : h->offer.sent;
	handshake_ask(h, &terms, send_answer);
}

/* --- outcome -------------------------------------------------------------------------
 */

static void was_accepted(struct handshake *h, const struct report *report)
{
	const struct scheme_request request = handshake_request(h);
	const struct scheme *scheme = h->offer.given_by;

	if (h->offer.sent && scheme->inform)
		scheme->inform(h->offer.given, &request, h->offer.sent, report->info);
	offer_accept(&h->offer);
}

static void was_refused(struct handshake *h, const struct report *report)
{
	struct scheme_request request = handshake_request(h);

	request.challenges = report->challenges;
	(void)offer_refused(&h->offer, &request, NULL);
	offer_drop(&h->offer);
}

/* The status tells what became of the authorization that was given. tinyproxy says 401
 * where others say 407; but so does an origin. */
static void judge(struct handshake *h, const struct report *report)
{
	bool is_verdict = report->status && (report->status != 401 || is_connect(h));

	if (!h->offer.given || !report->authorized || !is_verdict)
		offer_drop(&h->offer);
	else if (report->status == 407 || report->status == 401)
		was_refused(h, report);
	else
		was_accepted(h, report);
}

void handshake_outcome(struct session *session, struct gp_wire *question)
{
	struct handshake *h = (struct handshake *)session_conversation(session);
	struct report report;

	read_report(question, &report);
	if (h) {
		proxies_outcome(proxy_of(h), report.status, report.error);
		judge(h, &report);
	}
	if (report.challenges)
		g_ptr_array_unref(report.challenges);
	session_skip(session);
}
