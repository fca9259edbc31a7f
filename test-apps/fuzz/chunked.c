/* SPDX-License-Identifier: MIT */
/* Fuzzes the chunked coding: in pieces of any size the body ends at the same byte. */
#include <gatepass/http.h>

#include "replay.h"

static enum gp_scan feed(const char *bytes, size_t size, size_t piece, size_t *total)
{
	struct gp_chunked chunked = {0};
	enum gp_scan scan = GP_SCAN_MORE;

	*total = 0;
	while (scan == GP_SCAN_MORE && *total < size) {
		size_t used = 0, len = size - *total < piece ? size - *total : piece;

		scan = gp_chunked_feed(&chunked, fuzz_copy(bytes + *total, len, 0), len,
				       &used);
		must(scan == GP_SCAN_BAD || used <= len);
		must(scan != GP_SCAN_MORE || used == len);
		*total += used;
	}
	return scan;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = {1, 2, 3, 7};
	size_t whole, total;

	if (size > FUZZ_INPUT_MAX)
		return 0;
	enum gp_scan scan = feed((const char *)data, size, FUZZ_INPUT_MAX, &whole);

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		must(feed((const char *)data, size, pieces[i], &total) == scan);
		must(scan == GP_SCAN_BAD || total == whole);
	}
	return 0;
}
