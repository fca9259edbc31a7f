/* SPDX-License-Identifier: MIT */
/*
 * What a user writes to name a proxy: one URL, or several separated by commas or white
 * space. The first is the proxy that credentials belong to; the others are further
 * addresses of it, tried in order.
 */
#ifndef GATEPASS_PROXYLIST_H
#define GATEPASS_PROXYLIST_H

#include <gatepass/err.h>

#include "endpoint.h"

struct credential;

/* More than anybody configures by hand. */
#define PROXY_LIST_MAX 8

struct proxy_list {
	unsigned count; /* 0: no proxy */
	struct endpoint hops[PROXY_LIST_MAX];
	char *user; /* the first URL's, or NULL */
	struct credential
		*credential; /* the first URL's, if it has a password, or NULL */
};

/* Fills `out`, which is released with proxy_list_release(). On failure `out` is empty. */
enum gp_err proxy_list_parse(const char *text, struct proxy_list *out) GP_MUST_CHECK;
void proxy_list_copy(struct proxy_list *out, const struct proxy_list *list);
void proxy_list_release(struct proxy_list *list);

/* "http://host:port" of the first, without user and password. */
void proxy_list_show(const struct proxy_list *list,
		     char out[static GP_AUTHORITY_MAX + 8]);

#endif
