/* SPDX-License-Identifier: MIT */
/* HTTP/1 response heads and the framing of their bodies. */
#include <string.h>

#include <gatepass/http.h>

#define VERSION_PREFIX "HTTP/1."

bool gp_http_response_begins(const char *bytes, size_t len)
{
	size_t prefix = sizeof(VERSION_PREFIX) - 1;

	return !memcmp(bytes, VERSION_PREFIX, len < prefix ? len : prefix);
}

size_t gp_http_head_length(const char *bytes, size_t len, size_t seen)
{
	/* The end, LF CR LF at the most, may have begun in what was seen before. */
	size_t at = seen > 3 ? seen - 3 : 0;
	const char *lf;

	while (at < len && (lf = memchr(bytes + at, '\n', len - at))) {
		size_t next = (size_t)(lf - bytes) + 1;

		if (next < len && bytes[next] == '\r')
			next++;
		if (next < len && bytes[next] == '\n')
			return next + 1;
		at = (size_t)(lf - bytes) + 1;
	}
	return 0;
}

/* Replaces the line end before white space by spaces. */
static void unfold(char *bytes, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++) {
		if (bytes[i] != '\n' || (bytes[i + 1] != ' ' && bytes[i + 1] != '\t'))
			continue;
		bytes[i] = ' ';
		if (i && bytes[i - 1] == '\r')
			bytes[i - 1] = ' ';
	}
}

static struct gp_text cut_line(struct gp_text *rest)
{
	struct gp_text line = gp_text_cut(rest, "\n");

	if (line.len && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

static enum gp_err parse_status_line(struct gp_text line, struct gp_http_head *out)
{
	size_t prefix = sizeof(VERSION_PREFIX) - 1;
	struct gp_text code, minor;
	uint64_t number;

	if (line.len < prefix || !gp_http_response_begins(line.p, line.len))
		return GP_ERR_HTTP_SYNTAX;
	line = gp_text_from(line, prefix);
	minor = gp_text_cut(&line, " ");
	line = gp_text_trim(line);
	code = gp_text_cut(&line, " \t");
	if (!gp_text_to_uint(minor, 9, &number))
		return GP_ERR_HTTP_SYNTAX;
	out->minor = (int)number;
	if (code.len != 3 || !gp_text_to_uint(code, 999, &number) || number < 100)
		return GP_ERR_HTTP_SYNTAX;
	out->status = (int)number;
	out->reason = gp_text_trim(line);
	return GP_OK;
}

enum gp_err gp_http_head_parse(char *bytes, size_t len, struct gp_http_head *out)
{
	struct gp_text rest = {bytes, len};
	enum gp_err err;

	memset(out, 0, sizeof(*out));
	if (len && memchr(bytes, '\0', len))
		return GP_ERR_HTTP_SYNTAX;
	unfold(bytes, len);
	err = parse_status_line(cut_line(&rest), out);
	out->fields = rest;
	return err;
}

bool gp_http_field_next(struct gp_text *rest, struct gp_http_field *out)
{
	while (rest->len) {
		struct gp_text value = cut_line(rest);
		struct gp_text name = gp_text_cut(&value, ":");

		if (!value.p || !name.len)
			continue;
		out->name = gp_text_trim(name);
		out->value = gp_text_trim(value);
		return true;
	}
	return false;
}

/* What the fields say of connection and body, before the rules are applied. */
struct body_fields {
	bool close, keep_alive;   /* (Proxy-)Connection options */
	bool coded, chunked_last; /* Transfer-Encoding, and how it ends */
	bool has_length, bad_length;
	uint64_t length;
};

static void note_connection(struct body_fields *fields, struct gp_text value)
{
	while (value.p) {
		struct gp_text option = gp_text_trim(gp_text_cut(&value, ","));

		fields->close |= gp_text_is(option, "close");
		fields->keep_alive |= gp_text_is(option, "keep-alive");
	}
}

static void note_coding(struct body_fields *fields, struct gp_text value)
{
	while (value.p) {
		struct gp_text coding = gp_text_trim(gp_text_cut(&value, ","));

		if (!coding.len)
			continue;
		fields->coded = true;
		fields->chunked_last = gp_text_is(coding, "chunked");
	}
}

/* "5, 5" and twice the same field are allowed, different values are not. */
static void note_length(struct body_fields *fields, struct gp_text value)
{
	while (value.p) {
		struct gp_text number = gp_text_trim(gp_text_cut(&value, ","));
		uint64_t length;

		if (!gp_text_to_uint(number, UINT64_MAX, &length) ||
		    (fields->has_length && length != fields->length)) {
			fields->bad_length = true;
			return;
		}
		fields->has_length = true;
		fields->length = length;
	}
}

static void note(struct body_fields *fields, const struct gp_http_field *field)
{
	if (gp_text_is(field->name, "connection") ||
	    gp_text_is(field->name, "proxy-connection"))
		note_connection(fields, field->value);
	else if (gp_text_is(field->name, "transfer-encoding"))
		note_coding(fields, field->value);
	else if (gp_text_is(field->name, "content-length"))
		note_length(fields, field->value);
}

enum gp_err gp_http_framing(const struct gp_http_head *head, struct gp_http_framing *out)
{
	struct body_fields fields = {0};
	struct gp_text rest = head->fields;
	struct gp_http_field field;

	while (gp_http_field_next(&rest, &field))
		note(&fields, &field);
	memset(out, 0, sizeof(*out));
	out->keep_alive = !fields.close && (head->minor > 0 || fields.keep_alive);
	if (head->status < 200 || head->status == 204 || head->status == 304)
		return GP_OK;
	if (fields.coded) {
		out->body = fields.chunked_last ? GP_BODY_CHUNKED : GP_BODY_CLOSE;
		/* Both at once is how requests are smuggled, and HTTP/1.0 has no codings:
		 * believe it, and do not use the connection again (RFC 9112 6.1, 6.3). */
		if (fields.has_length || fields.bad_length || !fields.chunked_last ||
		    head->minor == 0)
			out->keep_alive = false;
		return GP_OK;
	}
	if (fields.bad_length)
		return GP_ERR_HTTP_FRAMING;
	out->body = fields.has_length ? GP_BODY_LENGTH : GP_BODY_CLOSE;
	out->length = fields.length;
	if (out->body == GP_BODY_CLOSE)
		out->keep_alive = false;
	return GP_OK;
}
