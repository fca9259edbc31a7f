/* SPDX-License-Identifier: MIT */
/*
 * Where a response ends.
 *
 * Theory of operation: HEAD collects heads until a final one is complete, then BODY
 * counts the body down to OVER. What is not understood makes a body that ends with the
 * connection: the program has to come to terms with it, we look on.
 */
#include <string.h>

#include <gatepass/response.h>

#include "head.h"

void gp_response_begin(struct gp_response *response, bool bodiless)
{
	memset(response, 0, offsetof(struct gp_response, head));
	response->bodiless = bodiless;
}

static enum gp_scan lost(struct gp_response *response)
{
	response->part = GP_RESPONSE_BODY;
	response->framing = (struct gp_http_framing){.body = GP_BODY_CLOSE};
	return GP_SCAN_BAD;
}

static enum gp_scan begin_body(struct gp_response *response)
{
	struct gp_http_framing *framing = &response->framing;
	struct gp_http_head head;
	enum gp_err err = gp_http_head_parse(response->head, response->head_len, &head);
	bool switches = head.status == 101;

	response->head_len = 0;
	if (!err && head.status < 200 && !switches)
		return GP_SCAN_MORE;
	/* Its fields speak of the body that GET would have got: it is framed as another
	 * response without one. */
	if (response->bodiless)
		head.status = 204;
	if (err || gp_http_framing(&head, framing))
		return lost(response);
	/* What follows is of another protocol (RFC 9110 15.2.2). */
	if (switches)
		framing->keep_alive = false;
	response->left = framing->length;
	response->part =
		framing->body == GP_BODY_NONE ||
				(framing->body == GP_BODY_LENGTH && !response->left)
			? GP_RESPONSE_OVER
			: GP_RESPONSE_BODY;
	return response->part == GP_RESPONSE_OVER ? GP_SCAN_DONE : GP_SCAN_MORE;
}

static enum gp_scan feed_head(struct gp_response *response, const char *bytes, size_t len,
			      size_t *used)
{
	enum gp_scan scan =
		head_collect(response->head, &response->head_len, bytes, len, used);

	if (scan == GP_SCAN_BAD)
		return lost(response);
	return scan == GP_SCAN_DONE ? begin_body(response) : scan;
}

static enum gp_scan feed_body(struct gp_response *response, const char *bytes, size_t len,
			      size_t *used)
{
	enum gp_scan scan = GP_SCAN_MORE;

	*used = len;
	if (response->framing.body == GP_BODY_CHUNKED) {
		scan = gp_chunked_feed(&response->chunked, bytes, len, used);
	} else if (response->framing.body == GP_BODY_LENGTH) {
		*used = len < response->left ? len : (size_t)response->left;
		response->left -= *used;
		scan = response->left ? GP_SCAN_MORE : GP_SCAN_DONE;
	}
	if (scan == GP_SCAN_DONE)
		response->part = GP_RESPONSE_OVER;
	return scan == GP_SCAN_BAD ? lost(response) : scan;
}

enum gp_scan gp_response_feed(struct gp_response *response, const char *bytes, size_t len,
			      size_t *used)
{
	enum gp_scan scan =
		response->part == GP_RESPONSE_OVER ? GP_SCAN_DONE : GP_SCAN_MORE;
	size_t at = 0, part;

	while (scan == GP_SCAN_MORE && at < len) {
		scan = response->part == GP_RESPONSE_HEAD
			       ? feed_head(response, bytes + at, len - at, &part)
			       : feed_body(response, bytes + at, len - at, &part);
		at += part;
	}
	*used = scan == GP_SCAN_BAD ? len : at;
	return scan;
}

bool gp_response_keeps(const struct gp_response *response)
{
	return response->part == GP_RESPONSE_OVER && response->framing.keep_alive;
}
