/* SPDX-License-Identifier: MIT */
/*
 * Where the response ends that a program is reading: it is shown the bytes that pass, and
 * keeps none but an incomplete head. Pure.
 */
#ifndef GATEPASS_RESPONSE_H
#define GATEPASS_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gatepass/err.h>
#include <gatepass/http.h>
#include <gatepass/limits.h>

/* Zero-initialise but for `head`; members are the machine's own. */
struct gp_response {
	enum { GP_RESPONSE_HEAD, GP_RESPONSE_BODY, GP_RESPONSE_OVER } part;
	bool bodiless; /* the request was HEAD */
	struct gp_http_framing framing;
	uint64_t left; /* of GP_BODY_LENGTH */
	struct gp_chunked chunked;
	size_t head_len;
	char head[GP_HEAD_MAX];
};

/* For the next final response; interim ones before it are part of it. 101 (Switching
 * Protocols) is final: what follows it is of another protocol. A 2xx to CONNECT is not
 * for this machine. */
void gp_response_begin(struct gp_response *response, bool bodiless);

/* Looks at what comes next, and says in *used how many of the bytes belong to the
 * response. GP_SCAN_DONE: it ends with them. GP_SCAN_BAD, said once: not a response that
 * we know; these bytes and all that follow are taken for its body, which ends with the
 * connection. */
enum gp_scan gp_response_feed(struct gp_response *response, const char *bytes, size_t len,
			      size_t *used) GP_MUST_CHECK;

/* Can another response follow on the connection? Once it is over. */
bool gp_response_keeps(const struct gp_response *response);

#endif
