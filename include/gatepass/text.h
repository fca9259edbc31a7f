/* SPDX-License-Identifier: MIT */
/*
 * Slices of other people's bytes, and a bounded writer. Everything here is pure, knows
 * ASCII only (never the locale), allocates nothing and is safe everywhere.
 */
#ifndef GATEPASS_TEXT_H
#define GATEPASS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gatepass/err.h>

/* Borrowed bytes, not NUL-terminated; valid as long as what they were cut from. A
 * zero-initialised slice is the empty one. */
struct gp_text {
	const char *p;
	size_t len;
};

struct gp_text
gp_text(const char *string); /* of a NUL-terminated string; NULL is empty */
bool gp_text_is(struct gp_text text, const char *word); /* equal, ignoring ASCII case */
bool gp_text_ends(struct gp_text text, struct gp_text suffix); /* the same */
struct gp_text gp_text_trim(struct gp_text text); /* without SP and HTAB at both ends */
struct gp_text gp_text_from(struct gp_text text, size_t offset); /* offset <= len */

/* Cuts the part before the first of `separators` off `rest` and returns it; the separator
 * is dropped. At the end `rest` is empty with p == NULL. */
struct gp_text gp_text_cut(struct gp_text *rest, const char *separators);

/* Decimal digits only, at least one, value <= max. */
bool gp_text_to_uint(struct gp_text text, uint64_t max, uint64_t *out) GP_MUST_CHECK;

/* NUL-terminated copy; false, and an empty string, if it needs more than `cap` bytes. */
bool gp_text_copy(struct gp_text text, char *out, size_t cap) GP_MUST_CHECK;

char gp_ascii_lower(char c);
int gp_hex_digit(char c);      /* 0..15, or -1 */
bool gp_is_token_char(char c); /* tchar of RFC 9110 5.6.2 */
bool gp_is_control(char c);    /* below SP, or DEL */
bool gp_text_has_control(struct gp_text text);

/* A writer into fixed storage. What does not fit sets `full` and writes nothing more, so
 * that a chain of additions needs one check at its end. Never NUL-terminates. */
struct gp_buf {
	char *p;
	size_t cap, len;
	bool full;
};

void gp_buf_init(struct gp_buf *buf, char *storage, size_t cap);
void gp_buf_add(struct gp_buf *buf, const char *bytes, size_t len);
void gp_buf_add_string(struct gp_buf *buf, const char *string);
void gp_buf_add_uint(struct gp_buf *buf, uint64_t number);

#endif
