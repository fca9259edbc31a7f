/* SPDX-License-Identifier: MIT */
/* What the proxy thought of a credential. */
#include "feedback.h"

#include "notify.h"
#include "store.h"

void feedback_accepted(const struct endpoint *proxy, const struct verdict_id *id)
{
	store_helper_accepted(id);
	store_helper_settled(proxy);
	store_askpass_accepted(id);
	notify_forget(proxy);
}

void feedback_rejected(const struct endpoint *proxy, const struct verdict_id *id)
{
	store_helper_rejected(id);
	store_askpass_rejected(id);
	/* It is another one than the person was told of: none is sent twice. */
	notify_forget(proxy);
}

void feedback_refused(const struct endpoint *proxy, const char *reason, const char *text)
{
	store_helper_settled(proxy);
	notify_person(proxy, reason, text);
}

void feedback_reset(const struct endpoint *proxy)
{
	store_askpass_forget(proxy);
	notify_forget(proxy);
}
