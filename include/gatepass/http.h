/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1 responses as a proxy sends them: the head (RFC 9112 4 and 5) and the framing of
 * the body behind it (RFC 9112 6.3). Pure; no allocation; slices point into the caller's
 * buffer.
 */
#ifndef GATEPASS_HTTP_H
#define GATEPASS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gatepass/err.h>
#include <gatepass/text.h>

struct gp_http_head {
	int minor; /* of HTTP/1.x */
	int status;
	struct gp_text reason;
	struct gp_text fields; /* the field lines, without the blank line */
};

struct gp_http_field {
	struct gp_text name, value; /* value trimmed */
};

/* Can these bytes be the beginning of an HTTP/1 response? True for every prefix of
 * "HTTP/1.", the empty one too, and for what begins with it. */
bool gp_http_response_begins(const char *bytes, size_t len);

/* Length of the head with its blank line, 0 while there is none. `seen` bytes were looked
 * at before without success. CRLF and bare LF end lines (RFC 9112 2.2). */
size_t gp_http_head_length(const char *bytes, size_t len, size_t seen);

/* Parses a complete head. Folded lines are unfolded in place (RFC 9112 5.2), so `bytes`
 * is written to. Bad are: another version than HTTP/1.x, a status that is not three
 * digits, a NUL. A field line without colon is skipped, white space before the colon is
 * dropped. */
enum gp_err gp_http_head_parse(char *bytes, size_t len,
			       struct gp_http_head *out) GP_MUST_CHECK;

/* Walks the field lines: start with a copy of head->fields; false at the end. */
bool gp_http_field_next(struct gp_text *rest, struct gp_http_field *out);

enum gp_http_body {
	GP_BODY_NONE,
	GP_BODY_LENGTH,
	GP_BODY_CHUNKED,
	GP_BODY_CLOSE /* ends with the connection */
};

struct gp_http_framing {
	enum gp_http_body body;
	uint64_t length; /* of GP_BODY_LENGTH */
	bool keep_alive; /* can another request follow on this connection? */
};

/* For any response but one to HEAD and a 2xx to CONNECT, which have no body whatever they
 * say. GP_ERR_HTTP_FRAMING when the head contradicts itself beyond repair. */
enum gp_err gp_http_framing(const struct gp_http_head *head,
			    struct gp_http_framing *out) GP_MUST_CHECK;

/* The chunked transfer coding (RFC 9112 7.1), with extensions and trailers, which are
 * skipped. Zero-initialise before the first byte. */
struct gp_chunked {
	int state;
	uint64_t left; /* of the chunk's data, or the size read so far */
	unsigned digits;
	size_t line; /* bytes of the current size or trailer line */
};

/* Eats up to `len` bytes and says in *used how many belonged to the body, its last CRLF
 * included. Accepts bare LF. Bad: a size of no or more than 15 hexadecimal digits, a line
 * of more than 16 KiB. */
enum gp_scan gp_chunked_feed(struct gp_chunked *chunked, const char *bytes, size_t len,
			     size_t *used) GP_MUST_CHECK;

#endif
