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
	if (h->challenges)
		g_ptr_array_unref(h->challenges);
	secret_free(h->refused);
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

void handshake_set_request(struct handshake *h, const char *method, const char *uri)
{
	replace(&h->method, method);
	replace(&h->uri, uri);
}

struct scheme_request handshake_request(const struct handshake *h)
{
	return (struct scheme_request){
		.proxy = proxy_of(h), .method = h->method, .uri = h->uri};
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

static void send_answer(void *data, const struct offer_answer *answer)
{
	struct handshake *h = data;
	struct gp_buf *reply;

	if (handshake_is_abandoned(h))
		return;
	reply = session_reply(h->session,
			      answer->authorization.len ? "answer" : "refuse");
	if (answer->authorization.len) {
		gp_wire_add_text(reply, "authorization", answer->authorization);
		gp_wire_add(reply, "scope", answer->per_request ? "request" : NULL);
	} else {
		log_info("no authorization: %s: %s", answer->reason, answer->text);
		gp_wire_add(reply, "reason", answer->reason);
		gp_wire_add(reply, "text", answer->text);
	}
	session_send(h->session);
}

/* What challenge and outcome say. */
struct report {
	int status;
	bool authorized;
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

	memset(out, 0, sizeof(*out));
	while (gp_wire_next(question, &key, &value)) {
		if (!strcmp(key, "status") &&
		    gp_text_to_uint(gp_text(value), 999, &number))
			out->status = (int)number;
		else if (!strcmp(key, "authorized"))
			out->authorized = !strcmp(value, "1");
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

/* What the proxy asks for, by this request's reply or else by an earlier one: a rejection
 * by 401 comes without Proxy-Authenticate. */
static void keep_challenges(struct handshake *h, struct report *report)
{
	if (h->challenges)
		g_ptr_array_unref(h->challenges);
	h->challenges = report->challenges;
	if (h->challenges)
		proxies_ask(proxy_of(h), g_ptr_array_ref(h->challenges));
}

/* `offered` tells more than `authorized`. Sets h->refused if it is to be judged when a
 * credential has been found. */
static bool is_refused(struct handshake *h, const struct report *report,
		       const struct scheme_request *request)
{
	bool judged = (report->offered || report->authorized) &&
		      offer_refused(&h->offer, request, report->offered);

	secret_free(h->refused);
	h->refused = NULL;
	if (report->offered && !judged)
		h->refused = secret_new(report->offered, strlen(report->offered));
	return judged;
}

void handshake_challenge(struct session *session, struct gp_wire *question)
{
	struct handshake *h = (struct handshake *)session_conversation(session);
	struct offer_terms terms = {.seconds = CHALLENGE_WAIT_SECONDS,
				    .may_prompt = true};
	struct report report;
	bool refused;

	if (!h) {
		session_error(session, "syntax",
			      "challenge without a route to a proxy before");
		return;
	}
	read_report(question, &report);
	handshake_set_request(h, report.method, report.uri);
	keep_challenges(h, &report);
	terms.request = handshake_request(h);
	terms.request.challenges = h->challenges;
	terms.request.challenged = h->challenges != NULL;
	refused = is_refused(h, &report, &terms.request) || h->refused;
	if (refused && !h->challenges)
		terms.request.challenges = proxies_get(proxy_of(h))->challenges;
	terms.proxy = &h->route.proxy;
	terms.refused = h->refused;
	terms.scheme = scheme_choose(terms.request.challenges);
	handshake_ask(h, &terms, send_answer);
}

static bool is_connect(const struct handshake *h)
{
	return h->method && !strcmp(h->method, "CONNECT");
}

static void was_accepted(struct handshake *h, const struct report *report)
{
	const struct scheme_request request = handshake_request(h);
	const struct scheme *scheme = h->offer.terms.scheme;

	if (report->info && h->offer.sent && scheme->inform)
		scheme->inform(&request, h->offer.sent, report->info);
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
