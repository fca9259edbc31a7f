/* SPDX-License-Identifier: MIT */
/* Fuzzes response heads: the length found byte by byte is that found at once, and nothing
 * points outside of the head. */
#include <gatepass/http.h>

#include "replay.h"

static void check_inside(struct gp_text text, const char *bytes, size_t len)
{
	must(text.len == 0 || (text.p >= bytes && text.len <= len &&
			       (size_t)(text.p - bytes) <= len - text.len));
}

static size_t length_by_bytes(const char *bytes, size_t size)
{
	for (size_t len = 1; len <= size; len++) {
		size_t found = gp_http_head_length(bytes, len, len - 1);

		if (found) {
			must(found == len);
			return found;
		}
	}
	return 0;
}

static void check_head(char *bytes, size_t len)
{
	struct gp_http_head head;
	struct gp_http_framing framing;
	struct gp_http_field field;
	size_t most = len;

	if (gp_http_head_parse(bytes, len, &head) != GP_OK)
		return;
	must(gp_http_response_begins(bytes, len));
	must(head.minor >= 0 && head.minor <= 9 && head.status >= 0 &&
	     head.status <= 999);
	check_inside(head.reason, bytes, len);
	check_inside(head.fields, bytes, len);
	for (struct gp_text rest = head.fields; gp_http_field_next(&rest, &field);) {
		must(most-- > 0);
		check_inside(field.name, bytes, len);
		check_inside(field.value, bytes, len);
		must(!field.value.len || !memchr(field.value.p, '\n', field.value.len));
	}
	if (gp_http_framing(&head, &framing) == GP_OK)
		must(framing.body != GP_BODY_CLOSE || !framing.keep_alive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > FUZZ_INPUT_MAX)
		return 0;
	char *bytes = fuzz_copy(data, size, 0);
	size_t len = gp_http_head_length(bytes, size, 0);

	must(len <= size);
	must(length_by_bytes(bytes, size) == len);
	if (len > 0)
		check_head(fuzz_copy(data, len, 0), len);
	return 0;
}
