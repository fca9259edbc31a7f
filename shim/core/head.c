/* SPDX-License-Identifier: MIT */
/* Lines and fields of HTTP/1 heads. */
#include <string.h>

#include "head.h"

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

enum gp_scan head_collect(char head[static GP_HEAD_MAX], size_t *held, const char *bytes,
			  size_t len, size_t *used)
{
	size_t seen = *held, room = GP_HEAD_MAX - seen;
	size_t taken = len < room ? len : room;
	size_t head_len;

	*used = 0;
	if (taken)
		memcpy(head + seen, bytes, taken);
	if (!gp_http_response_begins(head, seen + taken))
		return GP_SCAN_BAD;
	head_len = gp_http_head_length(head, seen + taken, seen);
	*held = head_len ? head_len : seen + taken;
	*used = *held - seen;
	if (head_len)
		return GP_SCAN_DONE;
	return *held == GP_HEAD_MAX ? GP_SCAN_BAD : GP_SCAN_MORE;
}

/* Backwards, so that what became a space shows to the octet before it. */
void head_unfold(char *bytes, size_t len)
{
	char next = '\0';

	for (size_t i = len; i-- > 0; next = bytes[i])
		if ((bytes[i] == '\r' && next != '\n') ||
		    (bytes[i] == '\n' && (next == ' ' || next == '\t')))
			bytes[i] = ' ';
}

struct gp_text head_cut_line(struct gp_text *rest)
{
	struct gp_text line = gp_text_cut(rest, "\n");

	if (line.len && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

struct gp_text head_fields(struct gp_text rest)
{
	if (rest.len && rest.p[rest.len - 1] == '\n')
		rest.len--;
	if (rest.len && rest.p[rest.len - 1] == '\r')
		rest.len--;
	return rest;
}

bool head_field(struct gp_text line, struct gp_http_field *out)
{
	struct gp_text name = gp_text_cut(&line, ":");

	if (!line.p || !name.len)
		return false;
	out->name = gp_text_trim(name);
	out->value = gp_text_trim(line);
	return true;
}

bool gp_http_field_next(struct gp_text *rest, struct gp_http_field *out)
{
	while (rest->len)
		if (head_field(head_cut_line(rest), out))
			return true;
	return false;
}

bool head_list_next(struct gp_text *list, struct gp_text *out)
{
	while (list->p) {
		*out = gp_text_trim(gp_text_cut(list, ","));
		if (out->len)
			return true;
	}
	return false;
}

bool head_list_has(struct gp_text list, const char *element)
{
	struct gp_text next;

	while (head_list_next(&list, &next))
		if (gp_text_is(next, element))
			return true;
	return false;
}

bool head_fits(const char *value)
{
	for (; *value; value++)
		if (gp_is_control(*value) && *value != '\t')
			return false;
	return true;
}

static void note_coding(struct head_body *body, struct gp_text value)
{
	struct gp_text coding;

	while (head_list_next(&value, &coding)) {
		body->coded = true;
		body->chunked_last = gp_text_is(coding, "chunked");
	}
}

/* "5, 5" and twice the same field are allowed, different values are not. */
static void note_length(struct head_body *body, struct gp_text value)
{
	while (value.p) {
		struct gp_text number = gp_text_trim(gp_text_cut(&value, ","));
		uint64_t length;

		if (!gp_text_to_uint(number, UINT64_MAX, &length) ||
		    (body->has_length && length != body->length)) {
			body->bad_length = true;
			return;
		}
		body->has_length = true;
		body->length = length;
	}
}

/* tinyproxy takes "close" out of an origin's response, and what a client sends behind the
 * first request goes to the origin as it came, with what was meant for the proxy. */
static bool ends_at_tinyproxy(struct gp_text via)
{
	static const char product[] = "(tinyproxy/";
	struct gp_text last = {0}, next;

	while (head_list_next(&via, &next))
		last = next;
	return last.len && memmem(last.p, last.len, product, strlen(product));
}

static void note(struct head_body *body, const struct gp_http_field *field)
{
	if (gp_text_is(field->name, "connection") ||
	    gp_text_is(field->name, "proxy-connection")) {
		body->close |= head_list_has(field->value, "close");
		body->keep_alive |= head_list_has(field->value, "keep-alive");
	} else if (gp_text_is(field->name, "transfer-encoding")) {
		note_coding(body, field->value);
	} else if (gp_text_is(field->name, "content-length")) {
		note_length(body, field->value);
	} else if (gp_text_is(field->name, "via")) {
		body->relayed = ends_at_tinyproxy(field->value);
	}
}

void head_body_read(struct gp_text fields, struct head_body *out)
{
	struct gp_http_field field;

	memset(out, 0, sizeof(*out));
	while (gp_http_field_next(&fields, &field))
		note(out, &field);
}
