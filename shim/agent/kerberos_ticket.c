/* SPDX-License-Identifier: MIT */
/* A ticket for the proxy, by libkrb5, in a thread. */
#include "kerberos_work.h"

#include <string.h>

static bool is_unreachable(krb5_error_code code)
{
	return code == KRB5_KDC_UNREACH || code == KRB5_REALM_CANT_RESOLVE;
}

static bool fail(struct kerberos_work *work, krb5_error_code code)
{
	return kerberos_work_fail(work, KERBEROS_FAILED, kerberos_error_text(work, code));
}

/* HTTP and the proxy's name, in the realm that the configuration tells for it, if it
 * does. */
static krb5_error_code make_server(const struct kerberos_work *work, krb5_int32 type,
				   krb5_principal *out)
{
	return work->gss->krb5_sname_to_principal(work->krb5, work->host, "HTTP", type,
						  out);
}

/* Of a collection that of the proxy's realm, if libkrb5 can tell. */
static bool select_cache(struct kerberos_work *work)
{
	const struct gss *gss = work->gss;
	krb5_principal server, client = NULL;
	krb5_ccache cache = NULL;

	if (make_server(work, KRB5_NT_UNKNOWN, &server))
		return false;
	server->type = KRB5_NT_SRV_HST; /* of which it knows what the parts are */
	if (gss->krb5_cc_select(work->krb5, server, &cache, &client))
		cache = NULL;
	gss->krb5_free_principal(work->krb5, server);
	gss->krb5_free_principal(work->krb5, client);
	/* What passwords have got is in every collection, and not meant. */
	if (cache && !strcmp(gss->krb5_cc_get_type(work->krb5, cache), "MEMORY")) {
		gss->krb5_cc_close(work->krb5, cache);
		cache = NULL;
	}
	work->cache = cache;
	return cache;
}

static bool no_ticket(struct kerberos_work *work)
{
	return kerberos_work_fail(work, KERBEROS_NONE,
				  g_strdup("there is no Kerberos ticket: run \"kinit\""));
}

static bool open_cache(struct kerberos_work *work)
{
	const struct gss *gss = work->gss;

	if (work->ccache && gss->krb5_cc_set_default_name(work->krb5, work->ccache))
		return no_ticket(work);
	return select_cache(work) || !gss->krb5_cc_default(work->krb5, &work->cache) ||
	       no_ticket(work);
}

static bool name_client(struct kerberos_work *work)
{
	const struct gss *gss = work->gss;
	char *name;

	if (gss->krb5_cc_get_principal(work->krb5, work->cache, &work->client) ||
	    gss->krb5_unparse_name(work->krb5, work->client, &name))
		return no_ticket(work);
	work->handshake.principal = g_strdup(name);
	gss->krb5_free_unparsed_name(work->krb5, name);
	return true;
}

/* Not a secret: what it is made of goes over the wire. */
static char *identify(const krb5_creds *ticket)
{
	return g_compute_checksum_for_data(G_CHECKSUM_SHA256,
					   (const guchar *)ticket->ticket.data,
					   ticket->ticket.length);
}

krb5_error_code kerberos_granting(struct kerberos_work *work, krb5_const_principal client,
				  unsigned seconds, krb5_creds *out)
{
	const struct gss *gss = work->gss;
	const krb5_data *realm = &client->realm;
	krb5_creds wanted = {.client = (krb5_principal)client};
	krb5_error_code code;

	code = gss->krb5_build_principal(work->krb5, &wanted.server, realm->length,
					 realm->data, "krbtgt", realm->data, NULL);
	if (!code)
		code = gss->krb5_timeofday(work->krb5, &wanted.times.endtime);
	wanted.times.endtime += (krb5_timestamp)seconds;
	if (!code)
		code = gss->krb5_cc_retrieve_cred(work->krb5, work->cache,
						  KRB5_TC_MATCH_TIMES, &wanted, out);
	gss->krb5_free_principal(work->krb5, wanted.server);
	return code;
}

static bool find_granting(struct kerberos_work *work, char **identity)
{
	krb5_creds found;

	if (kerberos_granting(work, work->client, 0, &found))
		return kerberos_work_fail(
			work, KERBEROS_NONE,
			g_strdup_printf("%s has no Kerberos ticket that is valid: run "
					"\"kinit\"",
					work->handshake.principal));
	*identity = identify(&found);
	work->gss->krb5_free_cred_contents(work->krb5, &found);
	return true;
}

/* Takes over `server`. */
static krb5_error_code get(struct kerberos_work *work, krb5_principal server,
			   krb5_flags options, char **name)
{
	const struct gss *gss = work->gss;
	krb5_creds wanted = {.client = work->client, .server = server}, *ticket;
	krb5_error_code code;
	char *text;

	code = gss->krb5_get_credentials(work->krb5, options, work->cache, &wanted,
					 &ticket);
	gss->krb5_free_principal(work->krb5, server);
	if (code)
		return code;
	code = gss->krb5_unparse_name(work->krb5, ticket->server, &text);
	if (!code) {
		work->handshake.identity = identify(ticket);
		*name = g_strdup(text);
		gss->krb5_free_unparsed_name(work->krb5, text);
	}
	gss->krb5_free_creds(work->krb5, ticket);
	return code;
}

static krb5_error_code get_as(struct kerberos_work *work, krb5_int32 type,
			      krb5_flags options, char **name)
{
	krb5_principal server;
	krb5_error_code code = make_server(work, type, &server);

	return code ? code : get(work, server, options, name);
}

/* As it was called the last time, or as it is configured; without a KDC. */
static bool find(struct kerberos_work *work, char **name)
{
	const char *known = g_hash_table_lookup(work->memory->servers, work->host);
	krb5_principal server;

	if (known && !work->gss->krb5_parse_name(work->krb5, known, &server) &&
	    !get(work, server, KRB5_GC_CACHED, name))
		return true;
	return !get_as(work, KRB5_NT_UNKNOWN, KRB5_GC_CACHED, name);
}

/* Names that DNS tells come last: it is nobody to believe if it can be helped. */
static bool request(struct kerberos_work *work, char **name)
{
	krb5_error_code code = get_as(work, KRB5_NT_UNKNOWN, 0, name), again;

	if (code && !is_unreachable(code)) {
		again = get_as(work, KRB5_NT_SRV_HST, 0, name);
		code = again ? code : 0;
	}
	if (code)
		return fail(work, code);
	g_hash_table_replace(work->memory->servers, g_strdup(work->host),
			     g_strdup(*name));
	return true;
}

static bool get_ticket(struct kerberos_work *work, char **name)
{
	const struct kerberos_failure *failure;
	char *granting = NULL;
	bool ok;

	if (find(work, name))
		return true;
	if (!find_granting(work, &granting))
		return false;
	failure = kerberos_recall(work->memory, work->host, granting);
	if (failure) {
		ok = kerberos_work_fail(work, failure->state, g_strdup(failure->text));
	} else {
		ok = request(work, name);
		if (!ok)
			kerberos_remember(work, work->host, granting);
	}
	g_free(granting);
	return ok;
}

bool kerberos_ticket(struct kerberos_work *work, char **server)
{
	return (work->password ? kerberos_logon(work) : open_cache(work)) &&
	       name_client(work) && get_ticket(work, server);
}
