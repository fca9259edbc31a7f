/* SPDX-License-Identifier: MIT */
/*
 * The process that asks, as its question describes it: its environment variables.
 */
#ifndef GATEPASS_ASKER_H
#define GATEPASS_ASKER_H

#include <stdbool.h>

/* Borrowed from the packet, valid while it is handled: they may hold passwords and are
 * not to be copied as text. NULL: unset or empty. */
struct asker {
	const char *gatepass_proxy, *gatepass_no_proxy, *gatepass_config;
	const char *http_proxy, *https_proxy, *all_proxy, *no_proxy;
	const char *krb5_ccname;
};

/* Is this line of a message one of them? Then keeps it. */
bool asker_take(struct asker *asker, const char *key, const char *value);

#endif
