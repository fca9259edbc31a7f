/* SPDX-License-Identifier: MIT */
/* What a user writes to name a proxy: one URL, or several. */
#include "proxylist.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include <gatepass/url.h>

#include "credential.h"
#include "hostname.h"

static enum gp_err add_url(struct proxy_list *list, const char *text)
{
	struct endpoint *hop = &list->hops[list->count];
	struct gp_url url;
	enum gp_err err = gp_url_parse(text, &url);

	if (err)
		return err;
	if (list->count == PROXY_LIST_MAX || !hostname_normalise(url.host, hop->host)) {
		gp_url_clear(&url);
		return list->count == PROXY_LIST_MAX ? GP_ERR_URL_SYNTAX
						     : GP_ERR_URL_HOST;
	}
	hop->port = url.port;
	if (!list->count && url.has_user && url.user[0])
		list->user = g_strdup(url.user);
	if (!list->count && url.has_password)
		list->credential = credential_new(CREDENTIAL_URL, hop, url.user,
						  url.password, strlen(url.password));
	list->count++;
	gp_url_clear(&url);
	return GP_OK;
}

static enum gp_err add_pieces(struct proxy_list *list, const char *text)
{
	struct gp_text rest = gp_text(text);
	char piece[GP_URL_MAX + 1];
	enum gp_err err = GP_OK;

	while (rest.p && !err) {
		struct gp_text part = gp_text_trim(gp_text_cut(&rest, ", \t"));

		if (!part.len)
			continue;
		err = gp_text_copy(part, piece, sizeof(piece)) ? add_url(list, piece)
							       : GP_ERR_URL_SYNTAX;
	}
	explicit_bzero(piece, sizeof(piece)); /* a password may have passed through */
	return err ? err : list->count ? GP_OK : GP_ERR_URL_HOST;
}

enum gp_err proxy_list_parse(const char *text, struct proxy_list *out)
{
	enum gp_err err;

	memset(out, 0, sizeof(*out));
	/* First as a single one: a comma may stand in a password (RFC 3986 3.2.1). */
	err = add_url(out, text);
	if (err && strpbrk(text, ", \t\r\n")) {
		proxy_list_release(out);
		err = add_pieces(out, text);
	}
	if (err)
		proxy_list_release(out);
	return err;
}

void proxy_list_copy(struct proxy_list *out, const struct proxy_list *list)
{
	*out = *list;
	out->user = g_strdup(list->user);
	out->credential = credential_ref(list->credential);
}

void proxy_list_release(struct proxy_list *list)
{
	g_free(list->user);
	credential_unref(list->credential);
	memset(list, 0, sizeof(*list));
}

void proxy_list_show(const struct proxy_list *list, char out[static GP_AUTHORITY_MAX + 8])
{
	char authority[GP_AUTHORITY_MAX + 1];

	endpoint_text(&list->hops[0], authority);
	snprintf(out, GP_AUTHORITY_MAX + 8, "http://%s", authority);
}
