/* SPDX-License-Identifier: MIT */
/* Host names in other alphabets. */
#include "hostname.h"

#include <glib.h>

#include <gatepass/text.h>

bool hostname_normalise(const char *text, char out[static GP_HOST_MAX + 1])
{
	bool ascii = true, ok;
	char *converted;

	for (const char *p = text; *p; p++)
		ascii &= (unsigned char)*p < 0x80;
	if (ascii)
		return gp_host_normalise(gp_text(text), out) == GP_OK;
	converted = g_utf8_validate(text, -1, NULL) ? g_hostname_to_ascii(text) : NULL;
	ok = converted && gp_host_normalise(gp_text(converted), out) == GP_OK;
	g_free(converted);
	return ok;
}
