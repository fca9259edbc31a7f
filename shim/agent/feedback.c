/* SPDX-License-Identifier: MIT */
/* What the proxy thought of a credential. */
#include "feedback.h"

#include "store.h"

void feedback_accepted(const struct endpoint *proxy, const struct verdict_id *id)
{
	(void)proxy;
	store_helper_accepted(id);
	store_askpass_accepted(id);
}

void feedback_rejected(const struct endpoint *proxy, const struct verdict_id *id)
{
	(void)proxy;
	store_helper_rejected(id);
	store_askpass_rejected(id);
}

void feedback_reset(const struct endpoint *proxy)
{
	store_askpass_forget(proxy);
}
