/* SPDX-License-Identifier: MIT */
/* Normalization Form C (Unicode 3.11): decompose, order, compose. */
#include "nfc.h"

#include <stdbool.h>

#include <glib.h>

#include "secret.h"

#define UTF8_MAX 6 /* octets that GLib writes of a character at the most */

static bool is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] > 0x7f)
			return false;
	return true;
}

static size_t decompose(const char *text, size_t len, gunichar *out)
{
	size_t count = 0;

	for (const char *p = text; p < text + len; p = g_utf8_next_char(p))
		count += g_unichar_fully_decompose(g_utf8_get_char(p), FALSE, out + count,
						   G_UNICHAR_MAX_DECOMPOSITION_LENGTH);
	return count;
}

/* Marks on the same letter, by their classes. */
static void put_in_order(gunichar *chars, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const gunichar mark = chars[i];
		const int class = g_unichar_combining_class(mark);
		size_t to = i;

		for (; class && to && g_unichar_combining_class(chars[to - 1]) > class;
		     to--)
			chars[to] = chars[to - 1];
		chars[to] = mark;
	}
}

/* A mark goes into the last letter unless one of its class or above stands between. */
static size_t compose(gunichar *chars, size_t count)
{
	size_t len = 0, letter = 0;
	bool has_letter = false;
	int last = 0;

	for (size_t i = 0; i < count; i++) {
		const int class = g_unichar_combining_class(chars[i]);
		gunichar whole;

		if (has_letter && (last < class || letter + 1 == len) &&
		    g_unichar_compose(chars[letter], chars[i], &whole)) {
			chars[letter] = whole;
			continue;
		}
		if (!class) {
			letter = len;
			has_letter = true;
		}
		last = class;
		chars[len++] = chars[i];
	}
	return len;
}

static struct secret *encode(const gunichar *chars, size_t count)
{
	const size_t size = count * UTF8_MAX;
	char *bytes = secret_alloc(size);
	struct secret *out;
	size_t len = 0;

	for (size_t i = 0; i < count; i++)
		len += (size_t)g_unichar_to_utf8(chars[i], bytes + len);
	out = secret_new(bytes, len);
	secret_dealloc(bytes, size);
	return out;
}

struct secret *nfc_new(const char *text, size_t len)
{
	struct secret *out;
	gunichar *chars;
	size_t size;

	if (is_ascii(text, len) || !g_utf8_validate(text, (gssize)len, NULL))
		return NULL;
	size = (size_t)g_utf8_strlen(text, (gssize)len) *
	       G_UNICHAR_MAX_DECOMPOSITION_LENGTH * sizeof(*chars);
	chars = (gunichar *)secret_alloc(size);
	len = decompose(text, len, chars);
	put_in_order(chars, len);
	out = encode(chars, compose(chars, len));
	secret_dealloc((char *)chars, size);
	return out;
}
