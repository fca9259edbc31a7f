/* SPDX-License-Identifier: MIT */
/*
 * What becomes of an offer: is it tried, accepted, refused, and what does that say of the
 * credential, and of the scheme?
 */
#include "credential.h"
#include "feedback.h"
#include "log.h"
#include "offer_parts.h"
#include "proxies.h"
#include "secret.h"
#include "verdicts.h"

/* A kept connection may have been closed while we thought; a proxy that closes it in
 * every handshake cannot shake hands. */
#define LOST_MAX 1

bool offer_is_given(const struct offer *offer, const struct verdict_id *id)
{
	return offer->given && verdict_id_equal(&offer->given_id, id);
}

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
	const struct verdict_id id = offer->given_id;
	bool trying = offer->trying;
	struct credential *given = take_given(offer);

	if (trying)
		verdicts_release(&id, offer);
	credential_unref(given);
}

void offer_take_over(struct offer *offer, struct credential *credential)
{
	const struct verdict_id id = offer_id(credential, offer->scheme);

	credential_ref(credential);
	if (offer_is_given(offer, &id))
		credential_unref(offer->given);
	else
		offer_drop(offer);
	offer->given = credential;
	offer->given_by = offer->scheme;
	offer->given_id = id;
	offer->trying = verdicts_try(&id, offer);
}

/* --- what was refused ----------------------------------------------------------------
 */

void offer_reject(struct offer *offer, const struct verdict_id *rejected)
{
	const struct verdict_id id = *rejected; /* it may be the offer's own */

	if (offer_is_given(offer, &id))
		credential_unref(take_given(offer));
	log_info("a password was rejected");
	feedback_rejected(offer_proxy(offer), &id);
	verdicts_reject(&id);
}

/* The user and password of a last leg have been looked at: they are not sent again. */
static void set_unfit(struct offer *offer, const struct scheme *scheme)
{
	log_info("%s does not work with this proxy", scheme->name);
	offer->unfit |= 1u << scheme->number;
	proxies_set_unfit(offer_proxy(offer), scheme->number);
	offer_drop(offer);
}

/* Of a value that was made of the credential with this identity. */
static enum offer_reply judge(struct offer *offer, const struct verdict_id *id,
			      const struct scheme *scheme,
			      const struct scheme_request *request, const char *value)
{
	switch (scheme->judge(request, value)) {
	case SCHEME_GOES_ON:
		return OFFER_CONTINUED;
	case SCHEME_UNFIT:
		if (offer->more)
			offer_lost(offer);
		else
			set_unfit(offer, scheme);
		break;
	case SCHEME_AGAIN:
		offer->again++;
		break;
	case SCHEME_UNSURE:
		/* It may have been changed since it was accepted: tried by one. */
		offer->again++;
		verdicts_forget(id);
		break;
	case SCHEME_REJECTED:
		offer_reject(offer, id);
		break;
	}
	return OFFER_JUDGED;
}

/* Judges the credential if the refused value was made of it. */
void offer_judge_found(struct offer *offer, struct credential *credential)
{
	const struct offer_terms *terms = &offer->terms;
	const char *value = terms->refused ? terms->refused->bytes : NULL;
	const struct scheme *scheme = value ? scheme_of(value) : NULL;
	struct verdict_id id;

	if (!scheme || !scheme->matches ||
	    !scheme->matches(credential, &terms->request, value))
		return;
	offer->terms.refused = NULL;
	id = offer_id(credential, scheme);
	judge(offer, &id, scheme, &terms->request, value);
}

static bool was_made_of_given(const struct offer *offer, const struct scheme *scheme,
			      const struct scheme_request *request, const char *value)
{
	if (scheme != offer->given_by)
		return false;
	return scheme->matches ? scheme->matches(offer->given, request, value)
			       : !g_strcmp0(value, offer->sent);
}

enum offer_reply offer_refused(struct offer *offer, const struct scheme_request *request,
			       const char *value)
{
	struct verdict_id id;

	if (!offer->given)
		return OFFER_OTHER;
	if (value && !was_made_of_given(offer, scheme_of(value), request, value))
		return OFFER_OTHER;
	id = offer->given_id;
	return judge(offer, &id, offer->given_by, request, value ? value : offer->sent);
}

void offer_lost(struct offer *offer)
{
	if (offer->given_by && ++offer->lost > LOST_MAX)
		set_unfit(offer, offer->given_by);
}

void offer_accept(struct offer *offer)
{
	const struct verdict_id id = offer->given_id;
	struct credential *given = take_given(offer);

	offer->again = offer->lost = 0;
	feedback_accepted(offer_proxy(offer), &id);
	proxies_accepted(offer_proxy(offer), id.scheme);
	verdicts_accept(&id);
	credential_unref(given);
}
