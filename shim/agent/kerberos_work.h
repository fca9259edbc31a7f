/* SPDX-License-Identifier: MIT */
/*
 * What kerberos.c has done in threads. Each function may block, for as long as libkrb5
 * cares to ask KDCs.
 */
#ifndef GATEPASS_KERBEROS_WORK_H
#define GATEPASS_KERBEROS_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "gss.h"
#include "kerberos.h"

/* What is known of one ticket cache, or of one user and password. Used by one thread at a
 * time. */
struct kerberos_memory {
	char *cache; /* of the tickets that the password has got; NULL: none yet */
	GHashTable *servers;  /* host -> the principal that the KDC knew it by */
	GHashTable *failures; /* host, or "" for the logon -> struct kerberos_failure */
};

struct kerberos_failure {
	enum kerberos_state state;
	char *text;
	char *ticket; /* identity of the ticket-granting ticket; NULL: there was none */
	gint64 until; /* monotonic time */
};

void kerberos_memory_init(struct kerberos_memory *memory);
/* Destroys the cache as well. */
void kerberos_memory_release(struct kerberos_memory *memory);

/* Between two legs. Zero-initialised: it has not begun. */
struct kerberos_handshake {
	gss_ctx_id_t context;
	gss_cred_id_t credential;
	gss_name_t name;
	char *principal, *identity; /* of the ticket */
};

void kerberos_handshake_clear(struct kerberos_handshake *handshake);

/* One leg of a handshake. Members are its own, unless told. */
struct kerberos_work {
	char *host, *ccache, *user, *token; /* as asked; the last three may be NULL */
	struct secret *password;            /* or NULL */
	struct kerberos_memory *memory;     /* borrowed */
	struct kerberos_handshake handshake;
	/* The answer. */
	enum kerberos_state state;
	char *reply, *text;
	bool complete;
	/* While it runs. */
	const struct gss *gss;
	krb5_context krb5;
	krb5_ccache cache;
	krb5_principal client;
};

void kerberos_work_run(struct kerberos_work *work);

/* Says why there is no token; returns false. Takes over `text`. */
bool kerberos_work_fail(struct kerberos_work *work, enum kerberos_state state,
			char *text);

/* Opens the cache and sees to a ticket for the proxy in it. Sets `cache`, `client`, the
 * handshake's principal and identity and, owned by the caller, what the proxy is called.
 * False: failed. */
bool kerberos_ticket(struct kerberos_work *work, char **server);

/* Opens the cache of tickets got with the password, after having got one if there is none
 * that lasts. Sets `cache`. */
bool kerberos_logon(struct kerberos_work *work);

/* The client's ticket-granting ticket in `cache`, if it lasts for so long. The caller
 * frees its contents. */
krb5_error_code kerberos_granting(struct kerberos_work *work, krb5_const_principal client,
				  unsigned seconds, krb5_creds *out);

/* A failure of libkrb5's, in its words. */
char *kerberos_error_text(const struct kerberos_work *work, krb5_error_code code);

/* The failure that is remembered for the host, if the ticket is still that one. */
const struct kerberos_failure *kerberos_recall(const struct kerberos_memory *memory,
					       const char *host, const char *ticket);
void kerberos_remember(struct kerberos_work *work, const char *host, const char *ticket);

#endif
