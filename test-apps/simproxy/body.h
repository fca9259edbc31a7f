/* SPDX-License-Identifier: MIT */
/*
 * The body of a request (RFC 9112 6): where it ends, and a checksum of what is in it.
 * Pure.
 */
#ifndef SIMPROXY_BODY_H
#define SIMPROXY_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialised: of a request without a body. */
struct body {
	enum {
		BODY_OVER,
		BODY_LENGTH,
		BODY_CHUNK_SIZE,
		BODY_CHUNK_EXTENSION,
		BODY_CHUNK,
		BODY_CHUNK_END,
		BODY_TRAILER,
		BODY_TRAILER_LINE
	} part;
	uint64_t left;  /* of BODY_LENGTH or BODY_CHUNK */
	uint64_t total; /* octets of content */
	uint32_t sum;   /* CRC-32 of them */
};

void body_begin_length(struct body *body, uint64_t length);
void body_begin_chunked(struct body *body);

/* Takes in what belongs to the body; returns how many octets those were. */
size_t body_feed(struct body *body, const char *octets, size_t len);

#endif
