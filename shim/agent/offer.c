/* SPDX-License-Identifier: MIT */
/*
 * What one conversation sends to its proxy.
 *
 * Theory of operation. An offer passes through steps, each of which may have to wait:
 * find a credential; wait until no other conversation tries it, and if it was rejected
 * meanwhile find another one; answer. The offer owns the trial of what it has given until
 * a verdict, the next credential, or its end. What the proxy has refused before may have
 * been made of a credential that is found: then that is judged before anything else.
 */
#include "offer.h"

#include <stdio.h>
#include <string.h>

#include <gatepass/limits.h>

#include "credential.h"
#include "credentials.h"
#include "log.h"
#include "proxylist.h"
#include "secret.h"
#include "verdicts.h"

/* A nonce may be too old twice in a row; a proxy for which each is never takes one. */
#define AGAIN_MAX 2

static void find_credential(struct offer *offer);

/* Before the verdict, whose waiters may do anything. */
static struct credential *take_given(struct offer *offer)
{
	struct credential *given = offer->given;

	offer->given = NULL;
	offer->trying = false;
	return given;
}

void offer_drop(struct offer *offer)
{
	bool trying = offer->trying;
	struct credential *given = take_given(offer);

	if (trying)
		verdicts_release(&given->id, offer);
	credential_unref(given);
}

static bool is_per_request(const struct offer *offer)
{
	return offer->terms.scheme->scope == SCHEME_FOR_REQUEST;
}

static void answer(struct offer *offer, struct gp_text authorization)
{
	const struct offer_answer answer = {
		.authorization = authorization,
		.per_request = is_per_request(offer),
	};

	offer->caller.answer(offer->caller.data, &answer);
}

static void give_nothing(struct offer *offer, const char *reason, const char *text)
{
	offer->caller.answer(offer->caller.data,
			     &(struct offer_answer){.reason = reason, .text = text});
}

static void take_over(struct offer *offer, struct credential *credential)
{
	credential_ref(credential);
	if (offer->given != credential)
		offer_drop(offer);
	else
		credential_unref(offer->given);
	offer->given = credential;
	offer->trying = verdicts_try(&credential->id, offer);
}

/* The proxy is to be asked first. It matters to the program only if there will be an
 * answer to what the proxy says. */
static void give_later(struct offer *offer, const struct credential *credential,
		       const char *text)
{
	const struct offer_answer answer = {
		.reason = "invalid",
		.text = text,
		.per_request = is_per_request(offer) &&
			       verdicts_get(&credential->id) == VERDICT_ACCEPTED,
	};

	offer->caller.answer(offer->caller.data, &answer);
}

static void keep_sent(struct offer *offer, struct gp_text authorization)
{
	g_free(offer->sent);
	offer->sent = is_per_request(offer)
			      ? g_strndup(authorization.p, authorization.len)
			      : NULL;
}

static void authorize(struct offer *offer, struct credential *credential)
{
	static char *storage;
	struct gp_buf buf;
	const char *text = NULL;
	enum scheme_result result;

	if (!storage)
		storage = secret_alloc(GP_AUTHORIZATION_MAX);
	gp_buf_init(&buf, storage, GP_AUTHORIZATION_MAX);
	result = offer->terms.scheme->authorize(credential, &offer->terms.request, &buf,
						&text);
	if (result == SCHEME_LATER) {
		give_later(offer, credential, text);
	} else if (result != SCHEME_OK || buf.full) {
		give_nothing(offer, "invalid",
			     buf.full ? "the password is too long" : text);
	} else {
		keep_sent(offer, (struct gp_text){buf.p, buf.len});
		take_over(offer, credential);
		answer(offer, (struct gp_text){buf.p, buf.len});
	}
	explicit_bzero(storage, buf.len);
}

static void give(struct offer *offer, struct credential *credential)
{
	if (offer->again <= AGAIN_MAX) {
		authorize(offer, credential);
		return;
	}
	offer_drop(offer);
	give_nothing(offer, "invalid", "the proxy takes none of its own nonces");
}

static void consider(struct offer *offer, struct credential *credential);

static void verdict_came(void *data, enum verdict verdict)
{
	struct offer *offer = data;
	struct credential *candidate = offer->candidate;

	offer->wait = NULL;
	offer->candidate = NULL;
	if (verdict == VERDICT_REJECTED)
		find_credential(offer);
	else if (verdict == VERDICT_TRYING)
		give_nothing(
			offer, "no-credential",
			"another program is trying this password and the proxy has not "
			"answered it yet");
	else
		consider(offer, candidate);
	credential_unref(candidate);
}

static void consider(struct offer *offer, struct credential *credential)
{
	gint64 left = (offer->deadline - g_get_monotonic_time()) / G_USEC_PER_SEC;
	enum verdict verdict = verdicts_get(&credential->id);
	bool own = offer->trying &&
		   !memcmp(&offer->given->id, &credential->id, sizeof(credential->id));

	if (offer->terms.accepted_only && verdict != VERDICT_ACCEPTED) {
		give_nothing(offer, "no-credential", "the proxy has accepted none yet");
		return;
	}
	if (own || verdict != VERDICT_TRYING) {
		give(offer, credential);
		return;
	}
	offer->candidate = credential_ref(credential);
	offer->wait = verdicts_wait(&credential->id, left > 0 ? (unsigned)left : 0,
				    verdict_came, offer);
}

struct explanation {
	const char *reason, *text;
};

/* `text` goes behind the proxy's name. */
static struct explanation explain(const struct credential_answer *found)
{
	if (found->rejected)
		return (struct explanation){
			"rejected", "rejects the password that is stored for it: run "
				    "\"gatepassctl login\" with the right one"};
	switch (found->keyring) {
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

static void refuse(struct offer *offer, struct explanation why)
{
	char proxy[GP_AUTHORITY_MAX + 8], text[GP_AUTHORITY_MAX + 256];

	proxy_list_show(offer->terms.proxy, proxy);
	snprintf(text, sizeof(text), "%s %s", proxy, why.text);
	give_nothing(offer, why.reason, text);
}

/* Of a value that was made of the credential, which may be offer->given. */
static void judge(struct offer *offer, struct credential *credential,
		  const struct scheme *scheme, const struct scheme_request *request,
		  const char *value)
{
	const struct verdict_id id = credential->id;

	enum scheme_judgement judgement = scheme->judge(request, value);

	if (judgement != SCHEME_REJECTED) {
		offer->again++;
		/* It may have been changed since it was accepted: tried by one. */
		if (judgement == SCHEME_UNSURE)
			verdicts_forget(&id);
		return;
	}
	if (offer->given && !memcmp(&offer->given->id, &id, sizeof(id)))
		credential_unref(take_given(offer));
	log_info("a password was rejected");
	verdicts_reject(&id);
}

/* Judges the credential if the refused value was made of it. */
static void judge_found(struct offer *offer, struct credential *credential)
{
	const struct offer_terms *terms = &offer->terms;
	const char *value = terms->refused ? terms->refused->bytes : NULL;
	const struct scheme *scheme = value ? scheme_of(value) : NULL;

	if (!scheme || !scheme->matches(credential, &terms->request, value))
		return;
	offer->terms.refused = NULL;
	judge(offer, credential, scheme, &terms->request, value);
}

static void credential_found(void *data, const struct credential_answer *found)
{
	struct offer *offer = data;

	if (!found->credential || offer->cancelled) {
		refuse(offer, explain(found));
		return;
	}
	judge_found(offer, found->credential);
	if (verdicts_get(&found->credential->id) == VERDICT_REJECTED)
		find_credential(offer);
	else
		consider(offer, found->credential);
}

static void prompting(void *data, unsigned seconds)
{
	struct offer *offer = data;

	offer->caller.prompting(offer->caller.data, seconds);
}

static void find_credential(struct offer *offer)
{
	const struct proxy_list *proxy = offer->terms.proxy;
	const struct credential_query query = {
		.proxy = &proxy->hops[0],
		.user = proxy->user,
		.url = proxy->credential,
		.may_prompt = offer->terms.may_prompt,
	};
	const struct credential_caller caller = {prompting, credential_found, offer};

	credentials_find(&query, &caller);
}

void offer_make(struct offer *offer, const struct offer_terms *terms,
		const struct offer_caller *caller)
{
	offer->terms = *terms;
	offer->caller = *caller;
	offer->deadline = g_get_monotonic_time() + terms->seconds * G_USEC_PER_SEC;
	if (terms->scheme)
		find_credential(offer);
	else
		refuse(offer, (struct explanation){"no-scheme",
						   "asks for a kind of authentication "
						   "that gatepass does not know"});
}

void offer_accept(struct offer *offer)
{
	struct credential *given = take_given(offer);

	offer->again = 0;
	verdicts_accept(&given->id);
	credential_unref(given);
}

bool offer_refused(struct offer *offer, const struct scheme_request *request,
		   const char *value)
{
	const struct scheme *scheme = offer->terms.scheme;

	if (!offer->given || !scheme)
		return false;
	if (value) {
		scheme = scheme_of(value);
		if (!scheme || !scheme->matches(offer->given, request, value))
			return false;
	} else {
		value = offer->sent; /* NULL: the scheme can do without */
	}
	judge(offer, offer->given, scheme, request, value);
	return true;
}

void offer_cancel(struct offer *offer)
{
	bool waiting = offer->wait != NULL;

	offer->cancelled = true;
	if (waiting)
		verdicts_wait_cancel(offer->wait);
	offer->wait = NULL;
	offer_drop(offer);
	if (waiting)
		give_nothing(offer, "no-credential", "the program has gone");
}

void offer_release(struct offer *offer)
{
	offer_drop(offer);
	credential_unref(offer->candidate);
	offer->candidate = NULL;
	g_clear_pointer(&offer->sent, g_free);
}
