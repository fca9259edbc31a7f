/* SPDX-License-Identifier: MIT */
/* Bodies of requests. They are expected to be well-formed. */
#include "body.h"

#define CRC32 0xedb88320u

void body_begin_length(struct body *body, uint64_t length)
{
	*body = (struct body){.part = length ? BODY_LENGTH : BODY_OVER, .left = length};
}

void body_begin_chunked(struct body *body)
{
	*body = (struct body){.part = BODY_CHUNK_SIZE};
}

static void add(struct body *body, const char *octets, size_t len)
{
	uint32_t crc = ~body->sum;

	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)octets[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32 : 0);
	}
	body->sum = ~crc;
	body->total += len;
}

static int digit(char octet)
{
	if (octet >= '0' && octet <= '9')
		return octet - '0';
	octet |= 0x20;
	return octet >= 'a' && octet <= 'f' ? octet - 'a' + 10 : -1;
}

/* One octet of the framing. */
static void step(struct body *body, char octet)
{
	switch (body->part) {
	case BODY_CHUNK_SIZE:
	case BODY_CHUNK_EXTENSION:
		if (octet == '\n')
			body->part = body->left ? BODY_CHUNK : BODY_TRAILER;
		else if (body->part == BODY_CHUNK_SIZE && digit(octet) >= 0)
			body->left = body->left * 16 + (uint64_t)digit(octet);
		else
			body->part = BODY_CHUNK_EXTENSION;
		break;
	case BODY_CHUNK_END:
		if (octet == '\n')
			body->part = BODY_CHUNK_SIZE;
		break;
	case BODY_TRAILER:
		if (octet == '\n')
			body->part = BODY_OVER;
		else if (octet != '\r')
			body->part = BODY_TRAILER_LINE;
		break;
	case BODY_TRAILER_LINE:
		if (octet == '\n')
			body->part = BODY_TRAILER;
		break;
	default:
		break;
	}
}

static size_t take(struct body *body, const char *octets, size_t len)
{
	size_t used = len < body->left ? len : (size_t)body->left;

	add(body, octets, used);
	body->left -= used;
	if (!body->left)
		body->part = body->part == BODY_CHUNK ? BODY_CHUNK_END : BODY_OVER;
	return used;
}

size_t body_feed(struct body *body, const char *octets, size_t len)
{
	size_t used = 0;

	while (used < len && body->part != BODY_OVER) {
		if (body->part == BODY_LENGTH || body->part == BODY_CHUNK)
			used += take(body, octets + used, len - used);
		else
			step(body, octets[used++]);
	}
	return used;
}
