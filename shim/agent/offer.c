/* SPDX-License-Identifier: MIT */
/*
 * What one conversation sends to its proxy.
 *
 * Theory of operation. The schemes that the proxy offers are tried from strong to weak,
 * until one can be answered. Each passes through steps, any of which may have to wait:
 * find a credential; wait until no other conversation tries it, and if it was rejected
 * meanwhile find another one; answer. The offer owns the trial of what it has given until
 * a verdict, the next credential, or its end. What the proxy has refused before may have
 * been made of a credential that is found: then that is judged before anything else.
 *
 * The next leg of a handshake is made of the credential that was given for the first, if
 * that was in this conversation.
 */
#include "offer.h"

#include <stdio.h>
#include <string.h>

#include <gatepass/limits.h>

#include "credential.h"
#include "credentials.h"
#include "feedback.h"
#include "offer_parts.h"
#include "proxies.h"
#include "proxylist.h"
#include "secret.h"
#include "verdicts.h"

/* A nonce may be too old twice in a row; a proxy for which each is never takes one. */
#define AGAIN_MAX 2

const struct endpoint *offer_proxy(const struct offer *offer)
{
	return &offer->terms.proxy->hops[0];
}

struct verdict_id offer_id(const struct credential *credential,
			   const struct scheme *scheme)
{
	struct verdict_id id = credential->id;

	id.scheme = scheme->number;
	return id;
}

/* --- answers -------------------------------------------------------------------------
 */

static void give_nothing(struct offer *offer, const char *reason, const char *text)
{
	offer->caller.answer(offer->caller.data,
			     &(struct offer_answer){.reason = reason, .text = text});
}

void offer_note(struct offer *offer, const struct offer_problem *problem)
{
	if (problem->rank > offer->problem.rank)
		offer->problem = *problem;
}

static void refuse(struct offer *offer)
{
	const struct offer_problem *problem = &offer->problem;
	char proxy[GP_AUTHORITY_MAX + 8], text[GP_AUTHORITY_MAX + 256];

	proxy_list_show(offer->terms.proxy, proxy);
	snprintf(text, sizeof(text), "%s %s", proxy, problem->text);
	if (offer->terms.may_prompt && !offer->cancelled)
		feedback_refused(offer_proxy(offer), problem->reason, text);
	give_nothing(offer, problem->reason, problem->is_sentence ? problem->text : text);
}

static struct offer_problem explain(const struct credential_answer *found)
{
	if (found->rejected)
		return (struct offer_problem){
			RANK_REJECTED, "rejected",
			"rejects the password that is stored for it: run \"gatepassctl "
			"login\" with the right one",
			false};
	if (found->person == STORE_DISMISSED)
		return (struct offer_problem){
			RANK_KEYRING, "dismissed",
			"asks for a password, which was not entered: run \"gatepassctl "
			"login\"",
			false};
	switch (found->keyring) {
	case STORE_LOCKED:
		return (struct offer_problem){
			RANK_KEYRING, "locked",
			"asks for a password, which is in a locked keyring: unlock it, "
			"or run \"gatepassctl login --session\"",
			false};
	case STORE_DISMISSED:
		return (struct offer_problem){
			RANK_KEYRING, "dismissed",
			"asks for a password, but the keyring was not unlocked when it "
			"asked: unlock it, or run \"gatepassctl login\"",
			false};
	case STORE_NO_BUS:
	case STORE_NO_SERVICE:
		return (struct offer_problem){
			RANK_CREDENTIAL, "no-credential",
			"asks for a password, and there is no keyring here: run "
			"\"gatepassctl login --session\"",
			false};
	case STORE_ERROR:
		return (struct offer_problem){
			RANK_KEYRING, "no-credential",
			"asks for a password, but the keyring cannot be read: run "
			"\"gatepassctl status\"",
			false};
	default:
		return (struct offer_problem){
			RANK_CREDENTIAL, "no-credential",
			"asks for a password: run \"gatepassctl login\" to store it",
			false};
	}
}

static void keep_sent(struct offer *offer, struct gp_text authorization)
{
	g_free(offer->sent);
	offer->sent = offer->scheme->scope != SCHEME_FOR_PROXY
			      ? g_strndup(authorization.p, authorization.len)
			      : NULL;
}

void offer_give(struct offer *offer, struct credential *credential,
		struct gp_text authorization, bool more)
{
	const struct offer_answer answer = {
		.scope = offer->scheme->scope,
		.more = more,
		.authorization = authorization,
	};

	keep_sent(offer, authorization);
	offer->more = more;
	offer_take_over(offer, credential);
	offer->caller.answer(offer->caller.data, &answer);
}

/* The proxy is to be asked first. Beforehand that matters to the program only if there
 * will be an answer to what the proxy says. */
void offer_give_later(struct offer *offer, bool accepted, const char *text)
{
	const struct offer_answer answer = {
		.scope = accepted ? offer->scheme->scope : SCHEME_FOR_PROXY,
		.later = true,
		.reason = "invalid",
		.text = text,
	};

	offer->caller.answer(offer->caller.data, &answer);
}

/* --- what is given -------------------------------------------------------------------
 */

static void cannot_carry(struct offer *offer, const char *text)
{
	offer_note(offer, &(struct offer_problem){RANK_INVALID, "invalid", text, true});
	offer_try_next(offer);
}

/* A handshake is good for one connection, and for the request that begins it. */
static enum scheme_result write_value(const struct offer *offer,
				      const struct credential *credential,
				      struct gp_buf *out, const char **text)
{
	const struct scheme_request *request = &offer->terms.request;

	if (offer->scheme->scope == SCHEME_FOR_CONNECTION && !request->method) {
		*text = "the request is not known yet";
		return SCHEME_LATER;
	}
	return offer->scheme->authorize(credential, request, out, text);
}

static void authorize(struct offer *offer, struct credential *credential)
{
	const struct verdict_id id = offer_id(credential, offer->scheme);
	static char *storage;
	struct gp_buf buf;
	const char *text = NULL;
	enum scheme_result result;

	/* Who waits for the verdict on another one may come here, too. */
	if (!offer_is_given(offer, &id))
		offer_drop(offer);
	if (!storage)
		storage = secret_alloc(GP_AUTHORIZATION_MAX);
	gp_buf_init(&buf, storage, GP_AUTHORIZATION_MAX);
	result = write_value(offer, credential, &buf, &text);
	if (result == SCHEME_LATER)
		offer_give_later(offer, verdicts_get(&id) == VERDICT_ACCEPTED, text);
	else if (result == SCHEME_INVALID || buf.full)
		cannot_carry(offer, buf.full ? "the password is too long" : text);
	else
		offer_give(offer, credential, (struct gp_text){buf.p, buf.len},
			   result == SCHEME_MORE);
	explicit_bzero(storage, buf.len);
}

static void use(struct offer *offer, struct credential *credential)
{
	if (offer->again > AGAIN_MAX) {
		offer_drop(offer);
		give_nothing(offer, "invalid", "the proxy takes none of its own nonces");
	} else if (offer->scheme->by_ticket) {
		offer_use_ticket(offer, credential);
	} else {
		authorize(offer, credential);
	}
}

/* The one that was found has been rejected. */
static void find_another(struct offer *offer)
{
	if (offer->scheme->by_ticket && !offer->terms.policy->ticket_by_password)
		offer_try_next(offer);
	else
		offer_find_credential(offer);
}

static void verdict_came(void *data, enum verdict verdict)
{
	struct offer *offer = data;
	struct credential *candidate = offer->candidate;

	offer->wait = NULL;
	offer->candidate = NULL;
	if (verdict == VERDICT_REJECTED)
		find_another(offer);
	else if (verdict == VERDICT_TRYING)
		give_nothing(
			offer, "no-credential",
			"another program is trying this password and the proxy has not "
			"answered it yet");
	else
		offer_consider(offer, candidate);
	credential_unref(candidate);
}

void offer_consider(struct offer *offer, struct credential *credential)
{
	gint64 left = (offer->deadline - g_get_monotonic_time()) / G_USEC_PER_SEC;
	const struct verdict_id id = offer_id(credential, offer->scheme);
	enum verdict verdict = verdicts_get(&id);
	bool own = offer->trying && offer_is_given(offer, &id);

	if (offer->terms.accepted_only && verdict != VERDICT_ACCEPTED) {
		give_nothing(offer, "no-credential", "the proxy has accepted none yet");
		return;
	}
	if (own || verdict != VERDICT_TRYING) {
		use(offer, credential);
		return;
	}
	offer->candidate = credential_ref(credential);
	offer->wait =
		verdicts_wait(&id, left > 0 ? (unsigned)left : 0, verdict_came, offer);
}

/* --- what is found -------------------------------------------------------------------
 */

static void credential_found(void *data, const struct credential_answer *found)
{
	struct offer *offer = data;
	const struct offer_problem problem = explain(found);
	struct verdict_id id;

	if (!found->credential || offer->cancelled) {
		offer_note(offer, &problem);
		offer_try_next(offer);
		return;
	}
	offer_judge_found(offer, found->credential);
	id = offer_id(found->credential, offer->scheme);
	if (verdicts_get(&id) == VERDICT_REJECTED)
		offer_find_credential(offer);
	else if (offer->unfit & 1u << offer->scheme->number)
		offer_try_next(offer);
	else
		offer_consider(offer, found->credential);
}

static void prompting(void *data, unsigned seconds)
{
	struct offer *offer = data;

	/* What others try then begins when the person has answered. */
	offer->deadline = g_get_monotonic_time() +
			  (gint64)(seconds + offer->terms.seconds) * G_USEC_PER_SEC;
	offer->caller.prompting(offer->caller.data, seconds);
}

void offer_find_credential(struct offer *offer)
{
	const struct proxy_list *proxy = offer->terms.proxy;
	const struct credential_query query = {
		.proxy = &proxy->hops[0],
		.user = proxy->user,
		.url = proxy->credential,
		.scheme = offer->scheme->number,
		.may_prompt = offer->terms.may_prompt,
	};
	const struct credential_caller caller = {prompting, credential_found, offer};

	credentials_find(&query, &caller);
}

void offer_try_next(struct offer *offer)
{
	if (offer->cancelled || !offer->candidates[offer->next]) {
		refuse(offer);
		return;
	}
	offer->scheme = offer->candidates[offer->next++];
	if (offer->scheme->by_ticket)
		offer_find_ticket(offer);
	else
		offer_find_credential(offer);
}

/* A scheme that has not worked may have been mended, if there is nothing else. */
static void choose_candidates(struct offer *offer)
{
	const struct offer_terms *terms = &offer->terms;
	unsigned unfit = offer->unfit | proxies_unfit(offer_proxy(offer));

	scheme_candidates(terms->policy, terms->offers, &terms->request, unfit,
			  offer->candidates);
	if (!offer->candidates[0])
		scheme_candidates(terms->policy, terms->offers, &terms->request,
				  offer->unfit, offer->candidates);
	if (!terms->continued)
		return;
	offer->candidates[0] = terms->continued;
	offer->candidates[1] = NULL;
}

void offer_make(struct offer *offer, const struct offer_terms *terms,
		const struct offer_caller *caller)
{
	struct credential *given = terms->continued ? offer->given : NULL;

	offer->terms = *terms;
	offer->caller = *caller;
	offer->deadline = g_get_monotonic_time() + terms->seconds * G_USEC_PER_SEC;
	offer->next = 0;
	offer->problem = (struct offer_problem){
		RANK_SCHEME, "no-scheme",
		"asks for a kind of authentication that gatepass does not know", false};
	choose_candidates(offer);
	if (given)
		use(offer, given);
	else
		offer_try_next(offer);
}

/* --- the end -------------------------------------------------------------------------
 */

void offer_cancel(struct offer *offer)
{
	bool waiting = offer->wait || offer->asking_kerberos;

	offer->cancelled = true;
	if (offer->wait)
		verdicts_wait_cancel(offer->wait);
	offer->wait = NULL;
	offer_forget_ticket(offer);
	offer_drop(offer);
	if (waiting)
		give_nothing(offer, "no-credential", "the program has gone");
}

void offer_release(struct offer *offer)
{
	offer_drop(offer);
	offer_forget_ticket(offer);
	credential_unref(offer->candidate);
	offer->candidate = NULL;
	g_clear_pointer(&offer->sent, g_free);
}
