/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes responses: fed whole or in pieces of any size, one ends at the same byte, and
 * there its framing says that it does. An input that begins with 'H' answers HEAD.
 */
#include <gatepass/response.h>

#include "replay.h"

struct result {
	bool bad, over, kept;
	size_t used;
};

static struct result feed(const char *bytes, size_t size, size_t first, size_t piece,
			  bool bodiless)
{
	static struct gp_response response;
	struct result result = {0};
	size_t next = first;

	gp_response_begin(&response, bodiless);
	while (!result.over && result.used < size) {
		size_t used, left = size - result.used, len = left < next ? left : next;
		enum gp_scan scan = gp_response_feed(
			&response, fuzz_copy(bytes + result.used, len, 0), len, &used);

		must(used <= len);
		must(used == len || scan == GP_SCAN_DONE);
		must(!result.bad || scan == GP_SCAN_MORE);
		must(scan == GP_SCAN_DONE || !gp_response_keeps(&response));
		result.bad |= scan == GP_SCAN_BAD;
		result.over = scan == GP_SCAN_DONE;
		result.used += used;
		next = piece;
	}
	result.kept = gp_response_keeps(&response);
	return result;
}

static void must_be_same(struct result a, struct result b)
{
	must(a.bad == b.bad && a.over == b.over && a.kept == b.kept && a.used == b.used);
}

/* Where the body of a whole response behind `start` ends. */
static void check_body(const char *bytes, size_t size, size_t start,
		       const struct gp_http_framing *framing, struct result result)
{
	struct gp_chunked chunked = {0};
	size_t left = size - start, used = 0;
	enum gp_scan scan = GP_SCAN_MORE;

	if (framing->body == GP_BODY_NONE) {
		must(result.over && result.used == start);
	} else if (framing->body == GP_BODY_LENGTH) {
		must(result.over == (framing->length <= left));
		must(!result.over || result.used == start + framing->length);
	} else if (framing->body == GP_BODY_CHUNKED) {
		scan = gp_chunked_feed(&chunked, bytes + start, left, &used);
		must(result.over == (scan == GP_SCAN_DONE));
		must(result.bad == (scan == GP_SCAN_BAD));
		must(!result.over || result.used == start + used);
	} else {
		must(!result.over && !result.bad);
	}
	must(!result.over || result.kept == framing->keep_alive);
}

static void check_end(const char *bytes, size_t size, bool bodiless, struct result result)
{
	struct gp_http_framing framing;
	struct gp_http_head head;
	size_t at = 0, len;

	do {
		len = gp_http_head_length(bytes + at, size - at, 0);
		if (len == 0 || len > GP_HEAD_MAX) {
			must(!result.over);
			return;
		}
		if (gp_http_head_parse(fuzz_copy(bytes + at, len, 0), len, &head)) {
			must(result.bad);
			return;
		}
		at += len;
	} while (head.status < 200 && head.status != 101);
	if (bodiless)
		must(result.over && result.used == at);
	else if (gp_http_framing(&head, &framing))
		must(result.bad);
	else if (head.status == 101)
		must(result.over && result.used == at && !result.kept);
	else
		check_body(bytes, size, at, &framing, result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > FUZZ_INPUT_MAX)
		return 0;
	const char *bytes = (const char *)data + 1;
	bool bodiless = data[0] == 'H';
	struct result whole = feed(bytes, --size, FUZZ_INPUT_MAX, 1, bodiless);

	must(whole.over || whole.used == size);
	check_end(bytes, size, bodiless, whole);
	for (size_t piece = 1; piece <= 7; piece += 2)
		must_be_same(feed(bytes, size, piece, piece, bodiless), whole);
	for (size_t split = 1; split < size && split < 512; split++)
		must_be_same(feed(bytes, size, split, FUZZ_INPUT_MAX, bodiless), whole);
	return 0;
}
