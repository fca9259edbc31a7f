/* SPDX-License-Identifier: MIT */
/*
 * Proxy-Authenticate values.
 *
 * A comma separates both challenges and the parameters of one. What follows a comma
 * belongs to the current challenge if it is a word and "=" (browsers decide in the same
 * way), and begins the next challenge otherwise.
 */
#include <string.h>

#include <gatepass/challenge.h>

static bool is_token68_char(char c)
{
	char lower = gp_ascii_lower(c);

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~+/", c));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t skip_blanks(struct gp_text text, size_t at)
{
	while (at < text.len && is_blank(text.p[at]))
		at++;
	return at;
}

/* Commas and blanks: RFC 9110 5.6.1 wants empty list elements ignored. */
static size_t skip_separators(struct gp_text text, size_t at)
{
	while (at < text.len && (text.p[at] == ',' || is_blank(text.p[at])))
		at++;
	return at;
}

static size_t skip_token(struct gp_text text, size_t at)
{
	while (at < text.len && gp_is_token_char(text.p[at]))
		at++;
	return at;
}

/* `at` is behind an opening quote; returns the place behind the closing one, or the end:
 * an open quote runs to the end. */
static size_t skip_quoted(struct gp_text text, size_t at)
{
	while (at < text.len && text.p[at] != '"')
		at += text.p[at] == '\\' ? 2 : 1;
	return at < text.len ? at + 1 : text.len;
}

/* The comma that ends the list element at `at`. A quote opens a quoted-string only where
 * one may begin, at the element's start or behind "=": Squid does not escape the quotes
 * of a configured realm, and sends realm="squid "basic"". */
static size_t skip_element(struct gp_text text, size_t at)
{
	bool may_open = true;

	while (at < text.len && text.p[at] != ',') {
		char c = text.p[at++];

		if (c == '"' && may_open)
			at = skip_quoted(text, at);
		if (!is_blank(c))
			may_open = c == '=';
	}
	return at;
}

static bool is_param(struct gp_text text, size_t at)
{
	size_t end = skip_token(text, at);
	size_t equals = skip_blanks(text, end);

	return end > at && equals < text.len && text.p[equals] == '=';
}

/* Length of the token68 that makes up the whole element at `at`, or 0. */
static size_t token68_length(struct gp_text text, size_t at)
{
	size_t end = at, after;

	while (end < text.len && is_token68_char(text.p[end]))
		end++;
	if (end == at)
		return 0;
	while (end < text.len && text.p[end] == '=')
		end++;
	after = skip_blanks(text, end);
	return after == text.len || text.p[after] == ',' ? end - at : 0;
}

/* The end of the parameters that begin at `at`: everything up to the element that begins
 * another challenge. */
static size_t skip_params(struct gp_text text, size_t at)
{
	size_t end = skip_element(text, at);

	for (;;) {
		at = skip_separators(text, end);
		if (at == text.len || !is_param(text, at))
			return end;
		end = skip_element(text, at);
	}
}

static struct gp_text slice(struct gp_text text, size_t from, size_t to)
{
	return (struct gp_text){text.p + from, to - from};
}

bool gp_challenge_next(struct gp_text *rest, struct gp_challenge *out)
{
	struct gp_text text = *rest;
	size_t at = 0, end;

	memset(out, 0, sizeof(*out));
	for (;;) {
		at = skip_separators(text, at);
		if (at == text.len) {
			*rest = gp_text_from(text, at);
			return false;
		}
		end = skip_token(text, at);
		if (end > at && !is_param(text, at) &&
		    (end == text.len || text.p[end] == ',' || is_blank(text.p[end])))
			break;
		at = skip_element(text, at); /* no scheme here: a stray parameter */
	}
	out->scheme = slice(text, at, end);
	at = skip_blanks(text, end);
	end = at + token68_length(text, at);
	if (end > at) {
		out->token68 = slice(text, at, end);
	} else if (at < text.len && text.p[at] != ',') {
		end = skip_params(text, at);
		out->params = gp_text_trim(slice(text, at, end));
	}
	*rest = gp_text_from(text, end);
	return true;
}

bool gp_auth_param_next(struct gp_text *rest, struct gp_auth_param *out)
{
	struct gp_text text = *rest;
	size_t at = 0, end, value;

	for (;;) {
		at = skip_separators(text, at);
		if (at == text.len) {
			*rest = gp_text_from(text, at);
			return false;
		}
		end = skip_element(text, at);
		if (is_param(text, at))
			break;
		at = end;
	}
	out->name = slice(text, at, skip_token(text, at));
	value = skip_blanks(text, at + out->name.len);
	value = skip_blanks(text, value + 1);
	if (value < text.len && text.p[value] == '"')
		out->value = slice(text, value, skip_quoted(text, value + 1));
	else
		out->value = gp_text_trim(slice(text, value, value < end ? end : value));
	*rest = gp_text_from(text, end);
	return true;
}

static bool unquote(struct gp_text raw, char *out, size_t cap)
{
	size_t len = 0;

	if (!raw.len || raw.p[0] != '"')
		return gp_text_copy(raw, out, cap);
	for (size_t i = 1; i < raw.len && raw.p[i] != '"'; i++) {
		if (raw.p[i] == '\\' && i + 1 < raw.len)
			i++;
		if (len + 1 >= cap)
			return false;
		out[len++] = raw.p[i];
	}
	if (len >= cap)
		return false;
	out[len] = '\0';
	return true;
}

bool gp_challenge_param(const struct gp_challenge *challenge, const char *name, char *out,
			size_t cap)
{
	struct gp_text rest = challenge->params;
	struct gp_auth_param param;
	bool found = false;

	while (gp_auth_param_next(&rest, &param))
		if (gp_text_is(param.name, name))
			found = unquote(param.value, out, cap);
	return found;
}
