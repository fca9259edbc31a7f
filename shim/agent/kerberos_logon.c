/* SPDX-License-Identifier: MIT */
/* A ticket-granting ticket by user and password, in a thread. */
#include "kerberos_work.h"

#include <string.h>

#include "secret.h"

/* A ticket that lasts no longer is replaced: the KDC's clock may be ahead. */
#define SPARE_SECONDS 60

/* A realm is written in capitals, nearly always; people write it as they like. Without a
 * dot it may be the short name of the Windows domain, which Kerberos does not know. */
static char *make_realm(const char *text, const char *usual)
{
	size_t len = strlen(text);

	if (usual && !g_ascii_strncasecmp(usual, text, len) &&
	    (!usual[len] || (usual[len] == '.' && !strchr(text, '.'))))
		return g_strdup(usual);
	for (const char *p = text; *p; p++)
		if (g_ascii_isupper(*p))
			return g_strdup(text);
	return g_ascii_strup(text, -1);
}

/* NULL: in which realm? */
static char *make_principal(const char *user, const char *usual)
{
	const char *backslash = strchr(user, '\\'), *at = strrchr(user, '@');
	char *part = NULL, *realm = NULL, *principal = NULL;

	if (backslash) {
		part = g_strndup(user, (gsize)(backslash - user));
		realm = make_realm(part, usual);
		principal = g_strdup_printf("%s@%s", backslash + 1, realm);
	} else if (at) {
		part = g_strndup(user, (gsize)(at - user));
		realm = make_realm(at + 1, usual);
		principal = g_strdup_printf("%s@%s", part, realm);
	} else if (usual) {
		principal = g_strdup_printf("%s@%s", user, usual);
	}
	g_free(part);
	g_free(realm);
	return principal;
}

static char *name_principal(struct kerberos_work *work)
{
	const struct gss *gss = work->gss;
	char *usual = NULL, *principal;

	if (gss->krb5_get_default_realm(work->krb5, &usual))
		usual = NULL;
	principal = make_principal(work->user, usual);
	if (usual)
		gss->krb5_free_default_realm(work->krb5, usual);
	return principal;
}

/* Is there one, and does it last? */
static bool open_known(struct kerberos_work *work)
{
	const struct gss *gss = work->gss;
	krb5_principal client;
	krb5_creds found;
	krb5_error_code code;

	if (!work->memory->cache ||
	    gss->krb5_cc_resolve(work->krb5, work->memory->cache, &work->cache))
		return false;
	code = gss->krb5_cc_get_principal(work->krb5, work->cache, &client);
	if (code)
		return false;
	code = kerberos_granting(work, client, SPARE_SECONDS, &found);
	gss->krb5_free_principal(work->krb5, client);
	if (!code)
		gss->krb5_free_cred_contents(work->krb5, &found);
	return !code;
}

/* In the agent's memory, under a name that nobody else has. */
static krb5_error_code open_new(struct kerberos_work *work)
{
	const struct gss *gss = work->gss;
	krb5_error_code code;
	char *name;

	if (work->cache)
		return 0;
	code = gss->krb5_cc_new_unique(work->krb5, "MEMORY", NULL, &work->cache);
	if (!code)
		code = gss->krb5_cc_get_full_name(work->krb5, work->cache, &name);
	if (code)
		return code;
	g_free(work->memory->cache);
	work->memory->cache = g_strdup(name);
	gss->krb5_free_string(work->krb5, name);
	return 0;
}

static krb5_error_code ask_kdc(struct kerberos_work *work, krb5_principal client)
{
	const struct gss *gss = work->gss;
	krb5_get_init_creds_opt *options;
	krb5_creds ticket;
	krb5_error_code code = open_new(work);

	if (code)
		return code;
	code = gss->krb5_get_init_creds_opt_alloc(work->krb5, &options);
	if (code)
		return code;
	code = gss->krb5_get_init_creds_opt_set_out_ccache(work->krb5, options,
							   work->cache);
	if (!code)
		code = gss->krb5_get_init_creds_password(work->krb5, &ticket, client,
							 work->password->bytes, NULL,
							 NULL, 0, NULL, options);
	gss->krb5_get_init_creds_opt_free(work->krb5, options);
	if (!code)
		gss->krb5_free_cred_contents(work->krb5, &ticket);
	return code;
}

/* Does the KDC refuse them? One that does not know the user says nothing of what other
 * schemes make of the password. */
static bool is_refusal(krb5_error_code code)
{
	return code == KRB5KDC_ERR_PREAUTH_FAILED ||
	       code == KRB5KRB_AP_ERR_BAD_INTEGRITY || code == KRB5KDC_ERR_KEY_EXP ||
	       code == KRB5KDC_ERR_NAME_EXP || code == KRB5KDC_ERR_CLIENT_REVOKED;
}

/* For people who wonder which password it was. */
static bool fail(struct kerberos_work *work, const char *principal, krb5_error_code code)
{
	char *text = kerberos_error_text(work, code);

	kerberos_work_fail(work, is_refusal(code) ? KERBEROS_REFUSED : KERBEROS_FAILED,
			   g_strdup_printf("%s (%s)", text, principal));
	g_free(text);
	kerberos_remember(work, "", NULL);
	return false;
}

static bool log_on(struct kerberos_work *work)
{
	const struct gss *gss = work->gss;
	char *name = name_principal(work);
	krb5_principal client;
	krb5_error_code code;
	bool ok;

	if (!name)
		return kerberos_work_fail(
			work, KERBEROS_NONE,
			g_strdup("Kerberos: no realm is configured: log in as "
				 "user@REALM"));
	code = gss->krb5_parse_name(work->krb5, name, &client);
	if (!code) {
		code = ask_kdc(work, client);
		gss->krb5_free_principal(work->krb5, client);
	}
	ok = !code || fail(work, name, code);
	g_free(name);
	return ok;
}

bool kerberos_logon(struct kerberos_work *work)
{
	const struct kerberos_failure *failure = kerberos_recall(work->memory, "", NULL);

	if (failure)
		return kerberos_work_fail(work, failure->state, g_strdup(failure->text));
	/* To libkrb5 it means that a person is to be asked. */
	if (!work->password->len)
		return kerberos_work_fail(work, KERBEROS_NONE,
					  g_strdup("Kerberos: the password is empty"));
	return open_known(work) || log_on(work);
}
