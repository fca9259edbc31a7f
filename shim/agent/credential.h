/* SPDX-License-Identifier: MIT */
/*
 * A user and a password for one proxy, with where it came from. Counted references; never
 * changed after it was made.
 */
#ifndef GATEPASS_CREDENTIAL_H
#define GATEPASS_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "verdicts.h"

struct endpoint;
struct secret;

enum credential_source {
	CREDENTIAL_URL,
	CREDENTIAL_SESSION,
	CREDENTIAL_KEYRING,
	CREDENTIAL_TICKET, /* its password is only the ticket's identity */
	CREDENTIAL_HELPER,
	CREDENTIAL_ASKPASS
};

struct credential {
	unsigned references;
	enum credential_source source;
	char *user;    /* may be empty */
	char *account; /* the same, or "DOMAIN\user": for schemes that know domains */
	struct secret *password;
	int64_t expires;      /* seconds since the epoch; 0: never, as it is made */
	struct verdict_id id; /* of scheme 0 */
};

/* Copies everything. The caller owns the reference. */
struct credential *credential_new(enum credential_source source,
				  const struct endpoint *proxy, const char *user,
				  const char *password, size_t len);
/* The same, of a user in a domain; NULL or empty: in none, or as the name says itself. */
struct credential *credential_new_in_domain(enum credential_source source,
					    const struct endpoint *proxy,
					    const char *domain, const char *user,
					    const char *password, size_t len);
struct credential *credential_ref(struct credential *credential); /* NULL is fine */
void credential_unref(struct credential *credential);             /* NULL is fine */

bool credential_is_expired(const struct credential *credential);

const char *credential_source_name(enum credential_source source);

/* At most GP_USER_MAX octets and none that RFC 7617 forbids: no control character and, as
 * it ends the name, no colon. */
bool credential_user_is_valid(const char *user);
/* At most GP_PASSWORD_MAX octets without control characters. */
bool credential_password_is_valid(const char *password, size_t len);

#endif
