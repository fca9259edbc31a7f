/* SPDX-License-Identifier: MIT */
/*
 * What is said to a credential helper of git's, and what it says: gitcredentials(7),
 * git-credential(1). Pure but for memory.
 */
#ifndef GATEPASS_HELPER_H
#define GATEPASS_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gatepass/text.h>

#include "endpoint.h"

struct credential;

/* The longest question: every line with its key. */
#define HELPER_QUESTION_MAX (GP_AUTHORITY_MAX + GP_USER_MAX + GP_PASSWORD_MAX + 256)

/*
 * The program and its arguments for a value of git's `credential.helper`: "!" before a
 * shell's command; an absolute path; or NAME for "git credential-NAME"; the latter two
 * with arguments, quoted as for a shell, of which nothing is expanded. `operation` comes
 * last. NULL if it is none of them. Free with g_strfreev().
 */
char **helper_argv(const char *value, const char *operation);

/* Which credential is meant. `user` may be NULL; `credential` adds its password, in whose
 * stead comes its user. */
void helper_ask(struct gp_buf *buf, const struct endpoint *proxy, const char *user);
void helper_tell(struct gp_buf *buf, const struct endpoint *proxy,
		 const struct credential *credential);

struct helper_answer {
	struct gp_text user, password; /* p is NULL: it named none */
	int64_t expires;               /* seconds since the epoch; 0: never */
	bool quit;                     /* nobody else is to be asked */
};

/* Points into the text. What is no line of the protocol, or has an unknown key, is passed
 * over. */
void helper_read(struct gp_text text, struct helper_answer *out);

#endif
