/* SPDX-License-Identifier: MIT */
/* A user and a password for one proxy. */
#include "credential.h"

#include <string.h>

#include <glib.h>

#include "endpoint.h"
#include "secret.h"

static char *make_account(const char *domain, const char *user)
{
	bool says_itself = strpbrk(user, "\\@") != NULL;

	return domain && domain[0] && !says_itself ? g_strconcat(domain, "\\", user, NULL)
						   : g_strdup(user);
}

struct credential *credential_new_in_domain(enum credential_source source,
					    const struct endpoint *proxy,
					    const char *domain, const char *user,
					    const char *password, size_t len)
{
	struct credential *credential = g_new0(struct credential, 1);

	credential->references = 1;
	credential->source = source;
	credential->user = g_strdup(user);
	credential->account = make_account(domain, user);
	credential->password = secret_new(password, len);
	verdict_id_make(proxy, credential->account, password, len, &credential->id);
	return credential;
}

struct credential *credential_new(enum credential_source source,
				  const struct endpoint *proxy, const char *user,
				  const char *password, size_t len)
{
	return credential_new_in_domain(source, proxy, NULL, user, password, len);
}

struct credential *credential_ref(struct credential *credential)
{
	if (credential)
		credential->references++;
	return credential;
}

void credential_unref(struct credential *credential)
{
	if (!credential || --credential->references)
		return;
	g_free(credential->user);
	g_free(credential->account);
	secret_free(credential->password);
	g_free(credential);
}

bool credential_is_expired(const struct credential *credential)
{
	return credential->expires &&
	       credential->expires <= g_get_real_time() / G_USEC_PER_SEC;
}

const char *credential_source_name(enum credential_source source)
{
	static const char *const names[] = {"url",    "session", "keyring",
					    "ticket", "helper",  "askpass"};

	return names[source];
}

bool credential_user_is_valid(const char *user)
{
	size_t len = strlen(user);

	return len <= GP_USER_MAX && !strchr(user, ':') &&
	       !gp_text_has_control((struct gp_text){user, len});
}

bool credential_password_is_valid(const char *password, size_t len)
{
	return len <= GP_PASSWORD_MAX &&
	       !gp_text_has_control((struct gp_text){password, len});
}
