/* SPDX-License-Identifier: MIT */
/*
 * What the heads of requests and responses have in common: their lines (RFC 9112 2.2 and
 * 5), lists in field values (RFC 9110 5.6.1), and what the fields say of connection and
 * body (RFC 9112 6 and 9.3).
 */
#ifndef GATEPASS_HEAD_H
#define GATEPASS_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gatepass/err.h>
#include <gatepass/http.h>
#include <gatepass/limits.h>
#include <gatepass/text.h>

/* Appends bytes to the `*held` ones of a response's head. *used: how many belong to it.
 * DONE: *held is the length of the head; BAD: it does not begin as a response does, or,
 * with *held at its maximum, is too long. All that fits of the bytes is copied. */
enum gp_scan head_collect(char head[static GP_HEAD_MAX], size_t *held, const char *bytes,
			  size_t len, size_t *used) GP_MUST_CHECK;

/* Makes a complete head fit for being cut into lines: folds (RFC 9112 5.2), and each CR
 * that ends no line (2.2), become spaces. */
void head_unfold(char *bytes, size_t len);

/* Without its CRLF or LF. */
struct gp_text head_cut_line(struct gp_text *rest);

/* What follows the first line of a complete head, without the blank line at its end. */
struct gp_text head_fields(struct gp_text rest);

/* False for a line without a colon, or without a name before it. */
bool head_field(struct gp_text line, struct gp_http_field *out);

/* Cuts the next element that is not empty off a list; false at the end. */
bool head_list_next(struct gp_text *list, struct gp_text *out);
bool head_list_has(struct gp_text list, const char *element);

/* Can it stand in a head? */
bool head_fits(const char *value);

struct head_body {
	bool close, keep_alive;   /* (Proxy-)Connection options */
	bool relayed;             /* Via: what is sent next goes past the proxy */
	bool coded, chunked_last; /* Transfer-Encoding, and how it ends */
	bool has_length, bad_length;
	uint64_t length;
};

void head_body_read(struct gp_text fields, struct head_body *out);

#endif
