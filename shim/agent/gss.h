/* SPDX-License-Identifier: MIT */
/*
 * MIT Kerberos, where it is installed: its functions are looked up when they are first
 * needed, so that the agent starts without them and costs nothing where nobody has a
 * ticket.
 */
#ifndef GATEPASS_GSS_H
#define GATEPASS_GSS_H

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <krb5.h>

#define GSS_FUNCTIONS(X)                                                                 \
	X(gss_acquire_cred_from)                                                         \
	X(gss_delete_sec_context)                                                        \
	X(gss_display_status)                                                            \
	X(gss_import_name)                                                               \
	X(gss_init_sec_context)                                                          \
	X(gss_release_buffer)                                                            \
	X(gss_release_cred)                                                              \
	X(gss_release_name)                                                              \
	X(gss_set_neg_mechs)                                                             \
	X(krb5_cc_close)                                                                 \
	X(krb5_cc_default)                                                               \
	X(krb5_cc_destroy)                                                               \
	X(krb5_cc_get_full_name)                                                         \
	X(krb5_cc_get_principal)                                                         \
	X(krb5_cc_get_type)                                                              \
	X(krb5_cc_new_unique)                                                            \
	X(krb5_cc_resolve)                                                               \
	X(krb5_cc_retrieve_cred)                                                         \
	X(krb5_cc_select)                                                                \
	X(krb5_cc_set_default_name)                                                      \
	X(krb5_build_principal)                                                          \
	X(krb5_free_context)                                                             \
	X(krb5_free_cred_contents)                                                       \
	X(krb5_free_creds)                                                               \
	X(krb5_free_default_realm)                                                       \
	X(krb5_free_error_message)                                                       \
	X(krb5_free_principal)                                                           \
	X(krb5_free_string)                                                              \
	X(krb5_free_unparsed_name)                                                       \
	X(krb5_get_credentials)                                                          \
	X(krb5_get_default_realm)                                                        \
	X(krb5_get_error_message)                                                        \
	X(krb5_get_init_creds_opt_alloc)                                                 \
	X(krb5_get_init_creds_opt_free)                                                  \
	X(krb5_get_init_creds_opt_set_out_ccache)                                        \
	X(krb5_get_init_creds_password)                                                  \
	X(krb5_init_context)                                                             \
	X(krb5_parse_name)                                                               \
	X(krb5_sname_to_principal)                                                       \
	X(krb5_timeofday)                                                                \
	X(krb5_unparse_name)

struct gss {
#define GSS_MEMBER(name) __typeof__(name) *name;
	GSS_FUNCTIONS(GSS_MEMBER)
#undef GSS_MEMBER
};

/* NULL: it is not installed, which the log is told once. */
const struct gss *gss_get(void);

/* What to load instead of the library, and to try it again. For tests. */
void gss_set_library(const char *name);

#endif
