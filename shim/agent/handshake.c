/* SPDX-License-Identifier: MIT */
/*
 * One handshake with a proxy: route, challenge, outcome.
 *
 * Theory of operation. A question passes through steps, each of which may have to wait:
 * find the addresses of proxies (route only), find a credential, wait until no other
 * conversation tries that credential; then it is answered. A step that finds the client
 * gone ends the question. The conversation owns the trial of what it was given until a
 * verdict, its end, or its client's leaving.
 */
#include "handlers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "addresses.h"
#include "asker.h"
#include "config.h"
#include "credential.h"
#include "credentials.h"
#include "log.h"
#include "proxies.h"
#include "routes.h"
#include "scheme.h"
#include "secret.h"
#include "session.h"
#include "verdicts.h"

/* PROTOCOL.md's bounds; the program's own deadline is GP_DEADLINE. */
#define ROUTE_WAIT_SECONDS     10
#define CHALLENGE_WAIT_SECONDS 25

/* More fields than any proxy sends; the rest is not looked at. */
#define CHALLENGES_MAX 32

struct handshake {
	struct conversation conversation; /* the first member */
	struct session *session;
	union gp_address destination;
	struct route route;
	struct addresses addresses; /* of the proxy */
	bool is_challenge;          /* the open question; else route */
	gint64 deadline;            /* of waiting for others' trials */
	const struct scheme *scheme;
	struct credential *candidate; /* while waiting for its verdict */
	struct verdict_wait *wait;
	struct credential *given; /* the authorization last sent was made of it */
	bool trying;              /* we own the trial of `given` */
};

static void find_credential(struct handshake *h);

static const struct endpoint *proxy_of(const struct handshake *h)
{
	return &h->route.proxy.hops[0];
}

/* Ends the question of a client that has gone; frees the handshake. */
static bool abandoned(struct handshake *h)
{
	if (!session_is_closed(h->session))
		return false;
	session_skip(h->session);
	return true;
}

static void drop_given(struct handshake *h)
{
	struct credential *given = h->given;
	bool trying = h->trying;

	h->given = NULL;
	h->trying = false;
	if (trying)
		verdicts_release(&given->id, h);
	credential_unref(given);
}

static void closed(struct conversation *conversation)
{
	struct handshake *h = (struct handshake *)conversation;
	bool waiting = h->wait != NULL;

	if (waiting)
		verdicts_wait_cancel(h->wait);
	h->wait = NULL;
	drop_given(h);
	if (waiting)
		session_skip(h->session); /* frees h */
}

static void release(struct conversation *conversation)
{
	struct handshake *h = (struct handshake *)conversation;

	drop_given(h);
	credential_unref(h->candidate);
	route_release(&h->route);
	g_free(h);
}

static void add_addresses(struct gp_buf *reply, const struct addresses *addresses)
{
	char text[GP_ADDRESS_MAX];

	for (unsigned i = 0; i < addresses->count; i++) {
		gp_address_format(&addresses->list[i], text);
		gp_wire_add(reply, "proxy", text);
	}
}

/* The one place where an authorization leaves the agent; empty is none. */
static void send_answer(struct handshake *h, struct gp_text authorization)
{
	struct gp_buf *reply =
		session_reply(h->session, h->is_challenge ? "answer" : "way");

	if (!h->is_challenge) {
		gp_wire_add(reply, "way", "tunnel");
		gp_wire_add(reply, "authority", h->route.authority);
		add_addresses(reply, &h->addresses);
		/* Nothing is being tried that somebody waits for. */
		if (!h->trying)
			gp_wire_add_uint(reply, "settled", 1);
	}
	if (authorization.len)
		gp_wire_add_text(reply, "authorization", authorization);
	session_send(h->session);
}

static void send_refuse(struct handshake *h, const char *reason, const char *text)
{
	struct gp_buf *reply = session_reply(h->session, "refuse");

	log_info("no authorization: %s: %s", reason, text);
	gp_wire_add(reply, "reason", reason);
	gp_wire_add(reply, "text", text);
	session_send(h->session);
}

/* route then goes without authorization: the proxy's challenge will tell more. */
static void give_nothing(struct handshake *h, const char *reason, const char *text)
{
	if (h->is_challenge)
		send_refuse(h, reason, text);
	else
		send_answer(h, (struct gp_text){0});
}

static void give(struct handshake *h, struct credential *credential)
{
	static char *storage;
	struct gp_buf buf;
	const char *text = NULL;

	if (!storage)
		storage = secret_alloc(GP_AUTHORIZATION_MAX);
	gp_buf_init(&buf, storage, GP_AUTHORIZATION_MAX);
	if (h->scheme->authorize(credential, &buf, &text) != SCHEME_OK || buf.full) {
		give_nothing(h, "invalid", text ? text : "the password is too long");
	} else {
		credential_ref(credential);
		if (h->given != credential)
			drop_given(h);
		else
			credential_unref(h->given);
		h->given = credential;
		h->trying = verdicts_try(&credential->id, h);
		send_answer(h, (struct gp_text){buf.p, buf.len});
	}
	explicit_bzero(storage, buf.len);
}

static void offer(struct handshake *h, struct credential *credential);

static void verdict_came(void *data, enum verdict verdict)
{
	struct handshake *h = data;
	struct credential *candidate = h->candidate;

	h->wait = NULL;
	h->candidate = NULL;
	if (verdict == VERDICT_REJECTED)
		find_credential(h);
	else if (verdict == VERDICT_TRYING)
		give_nothing(
			h, "no-credential",
			"another program is trying this password and the proxy has not "
			"answered it yet");
	else
		offer(h, candidate);
	credential_unref(candidate);
}

static void offer(struct handshake *h, struct credential *credential)
{
	gint64 left = (h->deadline - g_get_monotonic_time()) / G_USEC_PER_SEC;
	bool own = h->trying &&
		   !memcmp(&h->given->id, &credential->id, sizeof(h->given->id));

	if (own || verdicts_get(&credential->id) != VERDICT_TRYING) {
		give(h, credential);
		return;
	}
	h->candidate = credential_ref(credential);
	h->wait = verdicts_wait(&credential->id, left > 0 ? (unsigned)left : 0,
				verdict_came, h);
}

struct explanation {
	const char *reason, *text;
};

/* `text` goes behind the proxy's name. */
static struct explanation explain(const struct credential_answer *answer)
{
	if (answer->rejected)
		return (struct explanation){
			"rejected", "rejects the password that is stored for it: run "
				    "\"gatepassctl login\" with the right one"};
	switch (answer->keyring) {
	case STORE_LOCKED:
		return (struct explanation){
			"locked",
			"asks for a password, which is in a locked keyring: unlock "
			"it, or run \"gatepassctl login --session\""};
	case STORE_DISMISSED:
		return (struct explanation){
			"dismissed",
			"asks for a password, but the keyring was not unlocked "
			"when it asked: unlock it, or run \"gatepassctl login\""};
	case STORE_NO_BUS:
	case STORE_NO_SERVICE:
		return (struct explanation){
			"no-credential",
			"asks for a password, and there is no keyring here: "
			"run \"gatepassctl login --session\""};
	case STORE_ERROR:
		return (struct explanation){
			"no-credential", "asks for a password, but the keyring cannot be "
					 "read: run \"gatepassctl status\""};
	default:
		return (struct explanation){
			"no-credential",
			"asks for a password: run \"gatepassctl login\" to store it"};
	}
}

static void refuse(struct handshake *h, struct explanation why)
{
	char proxy[GP_AUTHORITY_MAX + 8], text[GP_AUTHORITY_MAX + 256];

	proxy_list_show(&h->route.proxy, proxy);
	snprintf(text, sizeof(text), "%s %s", proxy, why.text);
	give_nothing(h, why.reason, text);
}

static void credential_found(void *data, const struct credential_answer *answer)
{
	struct handshake *h = data;

	if (abandoned(h))
		return;
	if (answer->credential)
		offer(h, answer->credential);
	else
		refuse(h, explain(answer));
}

static void prompting(void *data, unsigned seconds)
{
	struct handshake *h = data;

	session_wait(h->session, seconds);
}

static void find_credential(struct handshake *h)
{
	const struct proxy_list *proxy = &h->route.proxy;
	const struct credential_query query = {
		.proxy = proxy_of(h),
		.user = proxy->user,
		.url = proxy->credential,
		/* A route may be asked for by a program in the background. */
		.may_prompt = h->is_challenge,
	};
	const struct credential_caller caller = {prompting, credential_found, h};

	credentials_find(&query, &caller);
}

static void ask(struct handshake *h, bool is_challenge, unsigned seconds)
{
	h->is_challenge = is_challenge;
	h->deadline = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
	find_credential(h);
}

static bool has_destination(const struct handshake *h, const struct addresses *addresses)
{
	for (unsigned i = 0; i < addresses->count; i++)
		if (addresses_equal(&addresses->list[i], &h->destination))
			return true;
	return false;
}

static void send_direct(struct session *session)
{
	gp_wire_add(session_reply(session, "way"), "way", "direct");
	session_send(session);
}

static void send_unreachable(struct session *session, int error, const char *reason)
{
	struct gp_buf *reply = session_reply(session, "way");

	log_warn("unreachable: %s", reason);
	gp_wire_add(reply, "way", "unreachable");
	gp_wire_add(reply, "reason", reason);
	gp_wire_add_uint(reply, "errno", (unsigned)error);
	session_send(session);
}

static void hops_found(void *data, const struct addresses *found)
{
	struct handshake *h = data;

	if (abandoned(h))
		return;
	if (has_destination(h, found)) {
		send_direct(h->session);
		return;
	}
	if (!found->count) {
		send_unreachable(h->session, EHOSTUNREACH, found->error);
		return;
	}
	h->addresses = *found;
	h->scheme = scheme_choose(proxies_get(proxy_of(h))->challenges);
	if (h->scheme)
		ask(h, false, ROUTE_WAIT_SECONDS);
	else
		send_answer(h, (struct gp_text){0});
}

static void peers_found(void *data, const struct addresses *found)
{
	struct handshake *h = data;

	if (abandoned(h))
		return;
	if (has_destination(h, found))
		send_direct(h->session);
	else
		addresses_find(h->route.proxy.hops, h->route.proxy.count, hops_found, h);
}

/* Takes over the route. */
static void start(struct session *session, const union gp_address *destination,
		  struct route *route)
{
	struct handshake *h = g_new0(struct handshake, 1);

	h->conversation = (struct conversation){closed, release};
	h->session = session;
	h->destination = *destination;
	gp_address_unmap(&h->destination);
	h->route = *route;
	session_set_conversation(session, &h->conversation);
	addresses_find(h->route.peers, h->route.peer_count, peers_found, h);
}

static void forget_conversation(struct session *session)
{
	struct conversation *conversation = session_conversation(session);

	session_set_conversation(session, NULL);
	if (conversation)
		conversation->release(conversation);
}

void handshake_route(struct session *session, struct gp_wire *question)
{
	struct asker asker = {0};
	const char *key, *value, *address = NULL, *host = NULL;
	union gp_address destination;
	struct route route;

	while (gp_wire_next(question, &key, &value)) {
		if (asker_take(&asker, key, value))
			continue;
		if (!strcmp(key, "address"))
			address = value;
		else if (!strcmp(key, "host"))
			host = value;
	}
	if (!address || !gp_address_parse(address, &destination)) {
		session_error(session, "syntax",
			      "route needs a numeric address with port");
		return;
	}
	forget_conversation(session);
	routes_decide(&asker, config_get(asker.gatepass_config), &destination, host,
		      &route);
	if (route.way == ROUTE_TUNNEL) {
		start(session, &destination, &route);
		return;
	}
	if (route.way == ROUTE_DIRECT)
		send_direct(session);
	else
		send_unreachable(session, route.error, route.reason);
	route_release(&route);
}

/* What challenge and outcome say. */
struct report {
	int status;
	bool authorized;
	const char *error;
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
		else if (!strcmp(key, "challenge"))
			add_challenge(out, value);
	}
}

/* The status tells what became of the authorization that was given. */
static void judge(struct handshake *h, int status)
{
	struct credential *given = h->given;

	h->given = NULL;
	h->trying = false;
	/* tinyproxy says 401 where others say 407. */
	if (status == 407 || status == 401) {
		log_info("a password was rejected");
		verdicts_reject(&given->id);
	} else {
		verdicts_accept(&given->id);
	}
	credential_unref(given);
}

void handshake_challenge(struct session *session, struct gp_wire *question)
{
	struct handshake *h = (struct handshake *)session_conversation(session);
	struct report report;
	bool rejected;

	if (!h) {
		session_error(session, "syntax",
			      "challenge without a route to a proxy before");
		return;
	}
	read_report(question, &report);
	h->is_challenge = true;
	rejected = report.authorized && h->given;
	if (rejected)
		judge(h, 407);
	if (report.challenges)
		proxies_ask(proxy_of(h), report.challenges);
	/* A rejection by 401 comes without Proxy-Authenticate. */
	h->scheme = report.challenges || rejected
			    ? scheme_choose(proxies_get(proxy_of(h))->challenges)
			    : NULL;
	if (h->scheme)
		ask(h, true, CHALLENGE_WAIT_SECONDS);
	else
		refuse(h, (struct explanation){
				  rejected ? "rejected" : "no-scheme",
				  rejected ? "rejects the password that is stored for it"
					   : "asks for a kind of authentication that "
					     "gatepass "
					     "does not know"});
}

void handshake_outcome(struct session *session, struct gp_wire *question)
{
	struct handshake *h = (struct handshake *)session_conversation(session);
	struct report report;

	read_report(question, &report);
	if (report.challenges)
		g_ptr_array_unref(report.challenges);
	if (h) {
		proxies_outcome(proxy_of(h), report.status, report.error);
		if (h->given && report.authorized && report.status)
			judge(h, report.status);
		else
			drop_given(h);
	}
	session_skip(session);
}
