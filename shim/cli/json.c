/* SPDX-License-Identifier: MIT */
/*
 * The few values that our JSON is made of.
 */
#include "json.h"

#include <gatepass/text.h>

static void add_character(GString *out, gunichar c)
{
	if (c == '"' || c == '\\')
		g_string_append_printf(out, "\\%c", (int)c);
	else if (c < 0x20 || c == 0x7f)
		g_string_append_printf(out, "\\u%04x", c);
	else
		g_string_append_unichar(out, c);
}

void json_add_string(GString *out, const char *text)
{
	if (!text) {
		g_string_append(out, "null");
		return;
	}
	g_string_append_c(out, '"');
	while (*text) {
		gunichar c = g_utf8_get_char_validated(text, -1);
		bool valid = c != (gunichar)-1 && c != (gunichar)-2;

		add_character(out, valid ? c : 0xfffd);
		text = valid ? g_utf8_next_char(text) : text + 1;
	}
	g_string_append_c(out, '"');
}

void json_add_number(GString *out, const char *text)
{
	uint64_t number;

	if (text && gp_text_to_uint(gp_text(text), INT64_MAX, &number))
		g_string_append_printf(out, "%" G_GUINT64_FORMAT, number);
	else
		g_string_append(out, "null");
}

void json_add_strings(GString *out, const GPtrArray *texts)
{
	g_string_append_c(out, '[');
	for (guint i = 0; texts && i < texts->len; i++) {
		if (i > 0)
			g_string_append(out, ", ");
		json_add_string(out, texts->pdata[i]);
	}
	g_string_append_c(out, ']');
}
