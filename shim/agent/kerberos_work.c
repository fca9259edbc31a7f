/* SPDX-License-Identifier: MIT */
/* One leg of a handshake by GSSAPI, in a thread. */
#include "kerberos_work.h"

#include <string.h>

#include "secret.h"

/* Long enough for everything that starts together, short enough for a person who has just
 * connected to the company's network. */
#define FAILURE_SECONDS 30

/* Data of the library, if one linked with it. RFC 4178, RFC 1964, and MIT's principal
 * name. */
static gss_OID_desc spnego = {6, (void *)"\x2b\x06\x01\x05\x05\x02"};
static gss_OID_desc krb5 = {9, (void *)"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};
static gss_OID_desc principal_name = {10,
				      (void *)"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01"};

static void free_failure(gpointer data)
{
	struct kerberos_failure *failure = data;

	g_free(failure->text);
	g_free(failure->ticket);
	g_free(failure);
}

void kerberos_memory_init(struct kerberos_memory *memory)
{
	memory->cache = NULL;
	memory->servers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	memory->failures =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_failure);
}

static void destroy_cache(const char *name)
{
	const struct gss *gss = gss_get();
	krb5_context context;
	krb5_ccache cache;

	if (!gss || gss->krb5_init_context(&context))
		return;
	if (!gss->krb5_cc_resolve(context, name, &cache))
		gss->krb5_cc_destroy(context, cache);
	gss->krb5_free_context(context);
}

void kerberos_memory_release(struct kerberos_memory *memory)
{
	if (memory->cache)
		destroy_cache(memory->cache);
	g_free(memory->cache);
	g_hash_table_unref(memory->servers);
	g_hash_table_unref(memory->failures);
}

const struct kerberos_failure *kerberos_recall(const struct kerberos_memory *memory,
					       const char *host, const char *ticket)
{
	const struct kerberos_failure *failure =
		g_hash_table_lookup(memory->failures, host);

	if (!failure || failure->until <= g_get_monotonic_time() ||
	    g_strcmp0(failure->ticket, ticket))
		return NULL;
	return failure;
}

void kerberos_remember(struct kerberos_work *work, const char *host, const char *ticket)
{
	struct kerberos_failure *failure = g_new0(struct kerberos_failure, 1);

	failure->state = work->state;
	failure->text = g_strdup(work->text);
	failure->ticket = g_strdup(ticket);
	failure->until =
		g_get_monotonic_time() + (gint64)FAILURE_SECONDS * G_USEC_PER_SEC;
	g_hash_table_replace(work->memory->failures, g_strdup(host), failure);
}

bool kerberos_work_fail(struct kerberos_work *work, enum kerberos_state state, char *text)
{
	work->state = state;
	g_free(work->text);
	work->text = g_strdelimit(text, "\r\n", ' ');
	return false;
}

char *kerberos_error_text(const struct kerberos_work *work, krb5_error_code code)
{
	const char *message = work->gss->krb5_get_error_message(work->krb5, code);
	char *text = g_strconcat("Kerberos: ", message, NULL);

	work->gss->krb5_free_error_message(work->krb5, message);
	return text;
}

static void append_status(const struct gss *gss, GString *out, OM_uint32 status, int type)
{
	OM_uint32 minor, more = 0;
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;

	do {
		if (gss->gss_display_status(&minor, status, type, GSS_C_NO_OID, &more,
					    &text))
			return;
		g_string_append_printf(out, ": %.*s", (int)text.length,
				       (const char *)text.value);
		gss->gss_release_buffer(&minor, &text);
	} while (more);
}

static bool fail(struct kerberos_work *work, OM_uint32 major, OM_uint32 minor)
{
	GString *text = g_string_new("Kerberos");

	append_status(work->gss, text, major, GSS_C_GSS_CODE);
	if (minor)
		append_status(work->gss, text, minor, GSS_C_MECH_CODE);
	return kerberos_work_fail(work, KERBEROS_FAILED, g_string_free(text, FALSE));
}

void kerberos_handshake_clear(struct kerberos_handshake *handshake)
{
	const struct gss *gss = gss_get();
	OM_uint32 minor;

	if (gss) {
		gss->gss_delete_sec_context(&minor, &handshake->context, GSS_C_NO_BUFFER);
		gss->gss_release_cred(&minor, &handshake->credential);
		gss->gss_release_name(&minor, &handshake->name);
	}
	g_clear_pointer(&handshake->principal, g_free);
	g_clear_pointer(&handshake->identity, g_free);
}

/* Of the cache that holds the ticket already. */
static bool acquire(struct kerberos_work *work)
{
	const struct gss *gss = work->gss;
	gss_OID_set_desc outer = {1, &spnego}, inner = {1, &krb5};
	gss_key_value_element_desc element = {"ccache", NULL};
	gss_key_value_set_desc store = {1, &element};
	OM_uint32 major, minor = 0;
	char *cache;
	krb5_error_code code =
		gss->krb5_cc_get_full_name(work->krb5, work->cache, &cache);

	if (code)
		return kerberos_work_fail(work, KERBEROS_FAILED,
					  kerberos_error_text(work, code));
	element.value = cache;
	major = gss->gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE,
					   &outer, GSS_C_INITIATE, &store,
					   &work->handshake.credential, NULL, NULL);
	/* Where gss-ntlmssp is installed, SPNEGO would fall back to NTLM, and tell
	 * nobody. */
	if (!GSS_ERROR(major))
		major = gss->gss_set_neg_mechs(&minor, work->handshake.credential,
					       &inner);
	gss->krb5_free_string(work->krb5, cache);
	return !GSS_ERROR(major) || fail(work, major, minor);
}

static bool import_name(struct kerberos_work *work, char *server)
{
	gss_buffer_desc buffer = {strlen(server), server};
	OM_uint32 minor, major;

	major = work->gss->gss_import_name(&minor, &buffer, &principal_name,
					   &work->handshake.name);
	return !GSS_ERROR(major) || fail(work, major, minor);
}

static bool begin(struct kerberos_work *work)
{
	const struct gss *gss = work->gss;
	char *server = NULL;
	bool ok;

	kerberos_handshake_clear(&work->handshake);
	if (gss->krb5_init_context(&work->krb5))
		return kerberos_work_fail(
			work, KERBEROS_NONE,
			g_strdup("Kerberos: its configuration cannot be read"));
	ok = kerberos_ticket(work, &server) && acquire(work) && import_name(work, server);
	g_free(server);
	if (work->client)
		gss->krb5_free_principal(work->krb5, work->client);
	if (work->cache)
		gss->krb5_cc_close(work->krb5, work->cache);
	gss->krb5_free_context(work->krb5);
	return ok;
}

static bool step(struct kerberos_work *work)
{
	gsize len = 0;
	guchar *token = work->token ? g_base64_decode(work->token, &len) : NULL;
	gss_buffer_desc in = {len, token}, out = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor, major;

	/* No flags: the proxy need not prove itself, since nothing else that it says is
	 * protected; nor is it handed the ticket. */
	major = work->gss->gss_init_sec_context(
		&minor, work->handshake.credential, &work->handshake.context,
		work->handshake.name, &spnego, 0, 0, GSS_C_NO_CHANNEL_BINDINGS, &in, NULL,
		&out, NULL, NULL);
	g_free(token);
	if (!GSS_ERROR(major) && out.length) {
		work->state = KERBEROS_TOKEN;
		work->reply = g_base64_encode(out.value, out.length);
		work->complete = major == GSS_S_COMPLETE;
	}
	work->gss->gss_release_buffer(&(OM_uint32){0}, &out);
	if (GSS_ERROR(major))
		return fail(work, major, minor);
	return work->reply ||
	       kerberos_work_fail(work, KERBEROS_FAILED,
				  g_strdup("Kerberos: the proxy asks again after the "
					   "handshake has ended"));
}

void kerberos_work_run(struct kerberos_work *work)
{
	work->gss = gss_get();
	/* Before the first of ours, the proxy's can only tell what it likes to be sent.
	 */
	if (!work->handshake.context)
		g_clear_pointer(&work->token, g_free);
	if (!(work->token || begin(work)) || !step(work))
		kerberos_handshake_clear(&work->handshake);
}
