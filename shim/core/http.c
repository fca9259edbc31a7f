/* SPDX-License-Identifier: MIT */
/* HTTP/1 response heads and the framing of their bodies. */
#include <string.h>

#include "head.h"

#define VERSION_PREFIX "HTTP/1."

bool gp_http_response_begins(const char *bytes, size_t len)
{
	size_t prefix = sizeof(VERSION_PREFIX) - 1;

	return !memcmp(bytes, VERSION_PREFIX, len < prefix ? len : prefix);
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
	head_unfold(bytes, len);
	err = parse_status_line(head_cut_line(&rest), out);
	out->fields = head_fields(rest);
	return err;
}

enum gp_err gp_http_framing(const struct gp_http_head *head, struct gp_http_framing *out)
{
	struct head_body fields;

	head_body_read(head->fields, &fields);
	memset(out, 0, sizeof(*out));
	out->keep_alive = !fields.close && !fields.relayed &&
			  (head->minor > 0 || fields.keep_alive);
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
