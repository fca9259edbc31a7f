/* SPDX-License-Identifier: MIT */
/* Proxy URLs. */
#include <string.h>

#include <gatepass/host.h>
#include <gatepass/url.h>

/* The slice behind "scheme://"; text without a scheme is taken whole, as curl and wget
 * do. "proxy:3128" has a colon but no scheme. */
static enum gp_err skip_scheme(struct gp_text *text)
{
	const char *slashes = NULL;
	struct gp_text scheme;

	for (size_t i = 0; i + 3 <= text->len && !slashes; i++)
		if (!memcmp(text->p + i, "://", 3))
			slashes = text->p + i;
	/* "@" before "://": a password may hold anything. */
	if (!slashes || memchr(text->p, '@', (size_t)(slashes - text->p)))
		return GP_OK;
	scheme = (struct gp_text){text->p, (size_t)(slashes - text->p)};
	if (!gp_text_is(scheme, "http"))
		return GP_ERR_URL_SCHEME;
	*text = gp_text_from(*text, scheme.len + 3);
	return GP_OK;
}

static enum gp_err decode(struct gp_text text, char *out, size_t cap)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];

		if (c == '%') {
			int high = i + 2 < text.len ? gp_hex_digit(text.p[i + 1]) : -1;
			int low = i + 2 < text.len ? gp_hex_digit(text.p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return GP_ERR_URL_USERINFO;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (gp_is_control(c) || len + 1 >= cap)
			return GP_ERR_URL_USERINFO;
		out[len++] = c;
	}
	out[len] = '\0';
	return GP_OK;
}

static enum gp_err parse_userinfo(struct gp_text userinfo, struct gp_url *out)
{
	struct gp_text user = gp_text_cut(&userinfo, ":");
	enum gp_err err = decode(user, out->user, sizeof(out->user));

	out->has_password = userinfo.p != NULL;
	out->has_user = user.len > 0 || out->has_password;
	if (err || !userinfo.p)
		return err;
	return decode(userinfo, out->password, sizeof(out->password));
}

static enum gp_err parse_port(struct gp_text text, uint16_t *out)
{
	uint64_t port;

	if (!gp_text_to_uint(text, 65535, &port) || !port)
		return GP_ERR_URL_PORT;
	*out = (uint16_t)port;
	return GP_OK;
}

static enum gp_err parse_hostport(struct gp_text text, struct gp_url *out)
{
	const char *bracket = text.len ? memchr(text.p, ']', text.len) : NULL;
	size_t host_len;
	struct gp_text port;

	if (text.len && text.p[0] == '[' && bracket)
		host_len = (size_t)(bracket - text.p) + 1;
	else
		host_len = gp_text_cut(&(struct gp_text){text.p, text.len}, ":").len;
	if (gp_host_normalise((struct gp_text){text.p, host_len}, out->host))
		return GP_ERR_URL_HOST;
	port = gp_text_from(text, host_len);
	if (!port.len)
		return GP_OK;
	if (port.p[0] != ':')
		return GP_ERR_URL_HOST;
	return parse_port(gp_text_from(port, 1), &out->port);
}

static enum gp_err parse(struct gp_text text, struct gp_url *out)
{
	const char *at = NULL;
	size_t end = 0;
	enum gp_err err = skip_scheme(&text);

	if (err)
		return err;
	/* The authority ends at the first '/', and userinfo at the last '@' before it. */
	for (; end < text.len && !memchr("/?#", text.p[end], 3); end++)
		if (text.p[end] == '@')
			at = text.p + end;
	if (end < text.len && !gp_text_is(gp_text_from(text, end), "/"))
		return GP_ERR_URL_SYNTAX;
	text.len = end;
	out->port = GP_PROXY_PORT_DEFAULT;
	if (at) {
		size_t len = (size_t)(at - text.p);

		err = parse_userinfo((struct gp_text){text.p, len}, out);
		text = gp_text_from(text, len + 1);
	}
	return err ? err : parse_hostport(text, out);
}

enum gp_err gp_url_parse(const char *string, struct gp_url *out)
{
	struct gp_text text = gp_text_trim(gp_text(string));
	enum gp_err err = GP_OK;

	memset(out, 0, sizeof(*out));
	if (!text.len)
		err = GP_ERR_URL_HOST;
	else if (text.len > GP_URL_MAX)
		err = GP_ERR_URL_SYNTAX;
	for (size_t i = 0; i < text.len && !err; i++)
		if (gp_is_control(text.p[i]) || text.p[i] == ' ')
			err = GP_ERR_URL_SYNTAX;
	if (!err)
		err = parse(text, out);
	if (err)
		gp_url_clear(out);
	return err;
}

void gp_url_clear(struct gp_url *url)
{
	explicit_bzero(url, sizeof(*url));
}

void gp_url_show(const struct gp_url *url, char out[static GP_URL_SHOW_MAX])
{
	struct gp_buf buf;

	gp_buf_init(&buf, out, GP_URL_SHOW_MAX - 1);
	gp_buf_add_string(&buf, "http://");
	gp_host_authority(url->host, url->port, &buf);
	out[buf.len] = '\0';
}
