/* SPDX-License-Identifier: MIT */
/*
 * Offers by Kerberos.
 *
 * Theory of operation. A token tells whose ticket it was made of, so a ticket is found by
 * making the token that is to be sent; then the offer goes on as with a password that was
 * found. A password, where the user allows it, is tried like one that is sent to the
 * proxy: by one conversation, for it is the KDC that may lock the account. For each leg
 * after the first, Kerberos is shown what the proxy said.
 */
#include <string.h>

#include "credential.h"
#include "kerberos.h"
#include "log.h"
#include "offer_parts.h"
#include "proxies.h"
#include "proxylist.h"
#include "secret.h"
#include "verdicts.h"

/* NULL is fine. */
static void wipe(char *token)
{
	if (token)
		explicit_bzero(token, strlen(token));
	g_free(token);
}

static void drop_token(struct offer *offer)
{
	g_clear_pointer(&offer->token, wipe);
}

void offer_forget_ticket(struct offer *offer)
{
	offer->asking_kerberos = false;
	g_clear_pointer(&offer->kerberos, kerberos_free);
	drop_token(offer);
}

static void ask(struct offer *offer, const struct credential *credential,
		const char *token,
		void (*done)(void *data, const struct kerberos_answer *answer))
{
	const struct kerberos_question question = {
		.host = offer_proxy(offer)->host,
		.ccache = offer->terms.request.ccache,
		.user = credential ? credential->account : NULL,
		.password = credential ? credential->password : NULL,
		.token = token,
	};

	if (!offer->kerberos)
		offer->kerberos = kerberos_new();
	offer->asking_kerberos = true;
	kerberos_ask(offer->kerberos, &question, done, offer);
}

static void note_failure(struct offer *offer, const struct kerberos_answer *answer)
{
	log_info("no Kerberos token: %s", answer->text);
	offer_note(offer, &(struct offer_problem){
				  RANK_TICKET, "no-credential",
				  "asks for a Kerberos ticket: run \"kinit\"", false});
}

static void give_token(struct offer *offer, struct credential *credential,
		       const char *token)
{
	char *value = g_strconcat("Negotiate ", token, NULL);

	offer_give(offer, credential, gp_text(value), false);
	wipe(value);
}

/* --- the first leg, by a ticket ------------------------------------------------------
 */

/* The user's password is another way to a ticket. */
static void go_without_ticket(struct offer *offer)
{
	if (offer->terms.policy->ticket_by_password)
		offer_find_credential(offer);
	else
		offer_try_next(offer);
}

static void consider_ticket(struct offer *offer, const struct kerberos_answer *answer)
{
	struct credential *credential =
		credential_new(CREDENTIAL_TICKET, offer_proxy(offer), answer->principal,
			       answer->identity, strlen(answer->identity));
	const struct verdict_id id = offer_id(credential, offer->scheme);

	if (verdicts_get(&id) == VERDICT_REJECTED) {
		offer_note(offer,
			   &(struct offer_problem){
				   RANK_REJECTED, "rejected",
				   "rejects the Kerberos ticket that is there", false});
		go_without_ticket(offer);
	} else {
		offer->token = g_strdup(answer->token);
		offer_consider(offer, credential);
	}
	credential_unref(credential);
}

static void ticket_came(void *data, const struct kerberos_answer *answer)
{
	struct offer *offer = data;

	offer->asking_kerberos = false;
	if (answer->state == KERBEROS_TOKEN) {
		consider_ticket(offer, answer);
		return;
	}
	note_failure(offer, answer);
	if (answer->state == KERBEROS_NONE)
		go_without_ticket(offer);
	else
		offer_try_next(offer);
}

/* A token is good for a few minutes: none is made before there is a request. */
void offer_find_ticket(struct offer *offer)
{
	const struct proxy *proxy = proxies_get(offer_proxy(offer));

	drop_token(offer);
	if (offer->terms.request.method)
		ask(offer, NULL, NULL, ticket_came);
	else if (proxy->accepted & 1u << offer->scheme->number)
		offer_give_later(offer, true, "the request is not known yet");
	else
		offer_try_next(offer);
}

/* --- by a password -------------------------------------------------------------------
 */

static void token_came(void *data, const struct kerberos_answer *answer)
{
	struct offer *offer = data;
	struct credential *given = credential_ref(offer->given);

	offer->asking_kerberos = false;
	if (answer->state == KERBEROS_TOKEN) {
		give_token(offer, given, answer->token);
	} else if (answer->state == KERBEROS_REFUSED) {
		offer_reject(offer, &offer->given_id);
		offer_find_credential(offer);
	} else {
		note_failure(offer, answer);
		offer_drop(offer);
		offer_try_next(offer);
	}
	credential_unref(given);
}

/* --- what was found, and what the proxy says to it -----------------------------------
 */

static void find_token(void *data, const struct gp_challenge *challenge)
{
	struct gp_text *token = data;

	if (gp_text_is(challenge->scheme, scheme_negotiate.name) &&
	    challenge->token68.len)
		*token = challenge->token68;
}

static void go_on(struct offer *offer)
{
	struct gp_text found = {0};
	char *token;

	scheme_each(offer->terms.request.challenges, find_token, &found);
	token = g_strndup(found.p, found.len);
	ask(offer, NULL, token, token_came);
	g_free(token);
}

static void send_token(struct offer *offer, struct credential *credential)
{
	char *token = offer->token;

	offer->token = NULL;
	give_token(offer, credential, token);
	wipe(token);
}

void offer_use_ticket(struct offer *offer, struct credential *credential)
{
	if (offer->terms.continued) {
		go_on(offer);
	} else if (offer->token) {
		send_token(offer, credential);
	} else {
		offer_take_over(offer, credential);
		ask(offer, credential, NULL, token_came);
	}
}
