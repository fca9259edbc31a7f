/* SPDX-License-Identifier: MIT */
/* HTTP/1 request heads and the framing of the bodies behind them. */
#include <string.h>

#include <gatepass/request.h>

#include "authority.h"
#include "head.h"

/* Registered methods have at most 17 letters; what is longer is no method (Squid draws
 * the line there too). */
#define METHOD_MAX 32

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_target_char(char c)
{
	return c != ' ' && !gp_is_control(c);
}

static struct gp_text skip_blanks(struct gp_text text)
{
	while (text.len && is_blank(*text.p))
		text = gp_text_from(text, 1);
	return text;
}

/* Programs that count a body's length wrongly send one or two (RFC 9112 2.2). */
static struct gp_text skip_empty_lines(struct gp_text text)
{
	for (;;) {
		size_t at = text.len && *text.p == '\r';

		if (at == text.len || text.p[at] != '\n')
			return text;
		text = gp_text_from(text, at + 1);
	}
}

/* A word of at most `max` octets, and the blanks behind it. */
static enum gp_scan scan_word(struct gp_text *rest, bool (*is_of_it)(char), size_t max)
{
	size_t len = 0;

	while (len < rest->len && is_of_it(rest->p[len]))
		len++;
	if (len > max)
		return GP_SCAN_BAD;
	if (len == rest->len)
		return GP_SCAN_MORE;
	if (!len || !is_blank(rest->p[len]))
		return GP_SCAN_BAD;
	*rest = skip_blanks(gp_text_from(*rest, len));
	return GP_SCAN_DONE;
}

/* "HTTP/1.", a digit, and the end of the line. */
static enum gp_scan scan_version(struct gp_text rest)
{
	size_t digit = strlen("HTTP/1.");

	if (rest.len && !gp_http_response_begins(rest.p, rest.len))
		return GP_SCAN_BAD;
	if (rest.len <= digit)
		return GP_SCAN_MORE;
	if (rest.p[digit] < '0' || rest.p[digit] > '9')
		return GP_SCAN_BAD;
	rest = skip_blanks(gp_text_from(rest, digit + 1));
	if (rest.len && *rest.p == '\r')
		rest = gp_text_from(rest, 1);
	if (!rest.len)
		return GP_SCAN_MORE;
	return *rest.p == '\n' ? GP_SCAN_DONE : GP_SCAN_BAD;
}

enum gp_scan gp_request_begins(const char *bytes, size_t len)
{
	struct gp_text rest = skip_empty_lines((struct gp_text){bytes, len});
	enum gp_scan scan;

	if (gp_text_is(rest, "\r"))
		return GP_SCAN_MORE;
	scan = scan_word(&rest, gp_is_token_char, METHOD_MAX);
	if (scan == GP_SCAN_DONE)
		scan = scan_word(&rest, is_target_char, SIZE_MAX);
	return scan == GP_SCAN_DONE ? scan_version(rest) : scan;
}

size_t gp_request_head_length(const char *bytes, size_t len, size_t seen)
{
	struct gp_text rest = skip_empty_lines((struct gp_text){bytes, len});
	size_t empty = len - rest.len;
	size_t head =
		gp_http_head_length(rest.p, rest.len, seen > empty ? seen - empty : 0);

	return head ? empty + head : 0;
}

/* Methods are case-sensitive (RFC 9110 9.1). */
static bool is_method(const struct gp_request *request, const char *method)
{
	return request->method.len == strlen(method) &&
	       !memcmp(request->method.p, method, request->method.len);
}

static bool has_scheme(struct gp_text target)
{
	static const char others[] = "0123456789+-.";

	for (size_t i = 0; i < target.len; i++) {
		char c = gp_ascii_lower(target.p[i]);

		if (c == ':')
			return i && target.len - i >= 3 && target.p[i + 1] == '/' &&
			       target.p[i + 2] == '/';
		if ((c < 'a' || c > 'z') && (!i || !c || !strchr(others, c)))
			return false;
	}
	return false;
}

static enum gp_err note_form(struct gp_request *request)
{
	if (is_method(request, "CONNECT"))
		request->form = GP_TARGET_AUTHORITY;
	else if (*request->target.p == '/')
		request->form = GP_TARGET_ORIGIN;
	else if (is_method(request, "OPTIONS") && gp_text_is(request->target, "*"))
		request->form = GP_TARGET_ASTERISK;
	else if (has_scheme(request->target))
		request->form = GP_TARGET_ABSOLUTE;
	else
		return GP_ERR_HTTP_SYNTAX;
	return GP_OK;
}

static struct gp_text cut_word(struct gp_text *line)
{
	struct gp_text word = gp_text_cut(line, " \t");

	*line = skip_blanks(*line);
	return word;
}

/* Of a line that gp_request_begins() has accepted. */
static enum gp_err parse_request_line(struct gp_text line, struct gp_request *out)
{
	struct gp_text version;

	out->method = cut_word(&line);
	out->target = cut_word(&line);
	version = cut_word(&line);
	/* Folded lines behind it do not belong to it (RFC 9112 2.2). */
	if (line.len)
		return GP_ERR_HTTP_SYNTAX;
	out->minor = version.p[version.len - 1] - '0';
	return note_form(out);
}

static void note_host(struct gp_request *request, struct gp_text value, bool again)
{
	struct authority authority;

	request->host = value;
	if (again || !authority_parse(value, &authority))
		request->host = (struct gp_text){NULL, 0};
}

static void note_fields(struct gp_request *request)
{
	struct gp_text rest = request->fields;
	struct gp_http_field field;
	bool has_host = false, has_upgrade = false, offers_upgrade = false;

	while (gp_http_field_next(&rest, &field)) {
		if (gp_text_is(field.name, "host")) {
			note_host(request, field.value, has_host);
			has_host = true;
		} else if (gp_text_is(field.name, "upgrade")) {
			has_upgrade |= field.value.len > 0;
		} else if (gp_text_is(field.name, "connection")) {
			offers_upgrade |= head_list_has(field.value, "upgrade");
		} else if (gp_text_is(field.name, "expect")) {
			request->expects |= head_list_has(field.value, "100-continue");
		} else if (gp_text_is(field.name, "proxy-authorization")) {
			request->authorized = true;
		}
	}
	/* HTTP/1.0 knows neither of them (RFC 9110 7.8, 10.1.1). */
	request->upgrades = has_upgrade && offers_upgrade && request->minor > 0;
	request->expects &= request->minor > 0;
}

static enum gp_err note_body(struct gp_request *request)
{
	struct head_body body;

	head_body_read(request->fields, &body);
	request->persistent = !body.close && (request->minor > 0 || body.keep_alive);
	/* What they might send has no meaning (RFC 9110 9.3.6, 9.3.8). */
	if (is_method(request, "CONNECT") || is_method(request, "TRACE"))
		return GP_OK;
	if (body.coded) {
		request->body = GP_BODY_CHUNKED;
		return body.chunked_last && request->minor > 0 ? GP_OK
							       : GP_ERR_HTTP_FRAMING;
	}
	if (body.bad_length)
		return GP_ERR_HTTP_FRAMING;
	request->body = body.has_length ? GP_BODY_LENGTH : GP_BODY_NONE;
	request->length = body.length;
	return GP_OK;
}

enum gp_err gp_request_parse(char *bytes, size_t len, struct gp_request *out)
{
	size_t head_len = gp_request_head_length(bytes, len, 0);
	struct gp_text rest = {bytes, head_len};
	enum gp_err err;

	memset(out, 0, sizeof(*out));
	if (!head_len || memchr(bytes, '\0', head_len) ||
	    gp_request_begins(bytes, head_len) != GP_SCAN_DONE)
		return GP_ERR_HTTP_SYNTAX;
	head_unfold(bytes, head_len);
	rest = skip_empty_lines(rest);
	err = parse_request_line(head_cut_line(&rest), out);
	if (err)
		return err;
	out->fields = head_fields(rest);
	note_fields(out);
	return note_body(out);
}
