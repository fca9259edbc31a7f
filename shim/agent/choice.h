/* SPDX-License-Identifier: MIT */
/*
 * Which proxy is configured for a process, and where: its GATEPASS_PROXY, the
 * configuration file, its http_proxy, https_proxy and all_proxy.
 */
#ifndef GATEPASS_CHOICE_H
#define GATEPASS_CHOICE_H

#include <stdint.h>

#include "proxylist.h"

struct asker;
struct config;

enum choice_kind {
	CHOICE_NONE,
	CHOICE_PROXY,
	CHOICE_INVALID /* asked for by GATEPASS_PROXY, but not usable */
};

struct choice {
	enum choice_kind kind;
	enum gp_err err; /* of CHOICE_INVALID */
	struct proxy_list proxy;
	char *origin; /* a variable's name or a file's path; NULL for CHOICE_NONE */
};

/* For connections to `port`. Release `out` with choice_release(). A variable that cannot
 * be used is passed over, see choice_problems(). */
void choice_make(const struct asker *asker, const struct config *config, uint16_t port,
		 struct choice *out);
void choice_release(struct choice *choice);

/* The proxy of the URL, if one is given (not NULL, not empty); else the one configured
 * for ports that have no variable of their own. An error is that of the URL or of
 * GATEPASS_PROXY; `out` is to be released even then. */
enum gp_err choice_given(const char *url, const struct asker *asker,
			 const struct config *config, struct choice *out) GP_MUST_CHECK;

/* Calls `tell` with a sentence for each variable of the process that cannot be used. */
void choice_problems(const struct asker *asker,
		     void (*tell)(void *data, const char *text), void *data);

/* Calls `visit` with each proxy that the process or the configuration names, used or not:
 * GATEPASS_PROXY, the configuration, http_proxy, https_proxy, all_proxy. */
void choice_each(const struct asker *asker, const struct config *config,
		 void (*visit)(void *data, const struct proxy_list *proxy), void *data);

/* The proxy there, of which nobody says more: with the configured user, if it has one.
 * Released with proxy_list_release(). */
void choice_endpoint(const struct endpoint *proxy, const struct config *config,
		     struct proxy_list *out);

#endif
