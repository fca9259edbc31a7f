/* SPDX-License-Identifier: MIT */
/* Fuzzes the no_proxy list. The first line of the input is the host, the rest is the
 * list: a list with more entries exempts no less. */
#include <gatepass/host.h>
#include <gatepass/noproxy.h>

#include "replay.h"

static bool match(const char *list, size_t len, const char *more, const char *host)
{
	char *room = fuzz_room(len + strlen(more) + 1);

	memcpy(room, list, len);
	strcpy(room + len, more);
	return gp_noproxy_match(room, host, 443);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char host[GP_HOST_MAX + 1];
	const char *text = (const char *)data;
	const char *line_end = size ? memchr(text, '\n', size) : NULL;

	if (!line_end || size > FUZZ_INPUT_MAX / 2)
		return 0;
	struct gp_text name = {text, (size_t)(line_end - text)};
	size_t len = size - name.len - 1;

	if (gp_host_normalise(name, host) != GP_OK || memchr(line_end, '\0', len + 1))
		return 0;
	bool exempt = match(line_end + 1, len, "", host);

	must(match(line_end + 1, len, ",other.invalid", host) == exempt ||
	     strcmp(host, "other.invalid") == 0 || strstr(host, ".other.invalid"));
	must(match(line_end + 1, len, ",*", host));
	return 0;
}
