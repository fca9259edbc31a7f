/* SPDX-License-Identifier: MIT */
/* Base64. */
#include "base64.h"

#include <string.h>

#include <glib.h>

void base64_add(struct gp_buf *out, const struct gp_text *parts, size_t count)
{
	size_t len = 0;
	gint state = 0, save = 0;
	char *p = out->p + out->len;

	for (size_t i = 0; i < count; i++)
		len += parts[i].len;
	if (out->cap - out->len < BASE64_MAX(len)) {
		out->full = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		p += g_base64_encode_step((const guchar *)parts[i].p, parts[i].len, FALSE,
					  p, &state, &save);
	p += g_base64_encode_close(FALSE, p, &state, &save);
	out->len = (size_t)(p - out->p);
	explicit_bzero(&save, sizeof(save)); /* the last octets may be a password's */
}
