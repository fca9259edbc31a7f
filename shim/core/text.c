/* SPDX-License-Identifier: MIT */
/* Slices and the bounded writer. */
#include <string.h>

#include <gatepass/text.h>

char gp_ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int gp_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = gp_ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool gp_is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

bool gp_text_has_control(struct gp_text text)
{
	for (size_t i = 0; i < text.len; i++)
		if (gp_is_control(text.p[i]))
			return true;
	return false;
}

bool gp_is_token_char(char c)
{
	char lower = gp_ascii_lower(c);

	if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9'))
		return true;
	return c && strchr("!#$%&'*+-.^_`|~", c);
}

struct gp_text gp_text(const char *string)
{
	return (struct gp_text){string, string ? strlen(string) : 0};
}

static bool equal(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (gp_ascii_lower(a[i]) != gp_ascii_lower(b[i]))
			return false;
	return true;
}

bool gp_text_is(struct gp_text text, const char *word)
{
	return text.len == strlen(word) && equal(text.p, word, text.len);
}

bool gp_text_ends(struct gp_text text, struct gp_text suffix)
{
	return text.len >= suffix.len &&
	       equal(text.p + (text.len - suffix.len), suffix.p, suffix.len);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct gp_text gp_text_trim(struct gp_text text)
{
	while (text.len && is_blank(text.p[text.len - 1]))
		text.len--;
	while (text.len && is_blank(*text.p))
		text = gp_text_from(text, 1);
	return text;
}

struct gp_text gp_text_from(struct gp_text text, size_t offset)
{
	/* NULL + 0 is undefined in C17. */
	return offset ? (struct gp_text){text.p + offset, text.len - offset} : text;
}

/* Where the first of the separators stands; text.len without one. */
static size_t find_any(struct gp_text text, const char *separators)
{
	size_t at = text.len;

	for (; *separators && at; separators++) {
		const char *found = memchr(text.p, *separators, at);

		if (found)
			at = (size_t)(found - text.p);
	}
	return at;
}

struct gp_text gp_text_cut(struct gp_text *rest, const char *separators)
{
	struct gp_text part = *rest;

	part.len = find_any(*rest, separators);
	*rest = part.len < rest->len ? gp_text_from(*rest, part.len + 1)
				     : (struct gp_text){NULL, 0};
	return part;
}

bool gp_text_to_uint(struct gp_text text, uint64_t max, uint64_t *out)
{
	uint64_t number = 0;

	if (!text.len)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(text.p[i] - '0');

		if (digit > 9 || number > (max - digit) / 10 || digit > max)
			return false;
		number = number * 10 + digit;
	}
	*out = number;
	return true;
}

bool gp_text_copy(struct gp_text text, char *out, size_t cap)
{
	bool fits = text.len < cap;

	if (fits && text.len)
		memcpy(out, text.p, text.len);
	if (cap)
		out[fits ? text.len : 0] = '\0';
	return fits;
}

void gp_buf_init(struct gp_buf *buf, char *storage, size_t cap)
{
	*buf = (struct gp_buf){.p = storage, .cap = cap};
}

void gp_buf_add(struct gp_buf *buf, const char *bytes, size_t len)
{
	if (buf->full || len > buf->cap - buf->len) {
		buf->full = true;
		return;
	}
	if (len)
		memcpy(buf->p + buf->len, bytes, len);
	buf->len += len;
}

void gp_buf_add_string(struct gp_buf *buf, const char *string)
{
	gp_buf_add(buf, string, strlen(string));
}

void gp_buf_add_uint(struct gp_buf *buf, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	gp_buf_add(buf, digits + at, sizeof(digits) - at);
}
