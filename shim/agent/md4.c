/* SPDX-License-Identifier: MIT */
/* MD4 (RFC 1320). */
#include "md4.h"

#include <string.h>

void md4_init(struct md4 *md4)
{
	*md4 = (struct md4){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

static uint32_t rotate(uint32_t x, unsigned by)
{
	return x << by | x >> (32 - by);
}

static uint32_t mix(unsigned round, uint32_t x, uint32_t y, uint32_t z)
{
	switch (round) {
	case 0:
		return (x & y) | (~x & z);
	case 1:
		return (x & y) | (x & z) | (y & z);
	default:
		return x ^ y ^ z;
	}
}

/* In each round every word of the block is used once, in an order of the round's own. */
static void add_block(struct md4 *md4)
{
	static const uint8_t order[3][16] = {
		{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15},
		{0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15}};
	static const uint8_t shifts[3][4] = {
		{3, 7, 11, 19}, {3, 5, 9, 13}, {3, 9, 11, 15}};
	static const uint32_t constants[3] = {0, 0x5a827999, 0x6ed9eba1};
	uint32_t s[4];

	memcpy(s, md4->state, sizeof(s));
	for (unsigned i = 0; i < 48; i++) {
		unsigned round = i / 16;
		const uint8_t *p = md4->block + 4 * (size_t)order[round][i % 16];
		uint32_t word = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
				(uint32_t)p[3] << 24;
		uint32_t sum =
			s[0] + mix(round, s[1], s[2], s[3]) + word + constants[round];

		s[0] = s[3];
		s[3] = s[2];
		s[2] = s[1];
		s[1] = rotate(sum, shifts[round][i % 4]);
	}
	for (unsigned i = 0; i < 4; i++)
		md4->state[i] += s[i];
	explicit_bzero(s, sizeof(s));
}

void md4_add(struct md4 *md4, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	while (len--) {
		md4->block[md4->len++ % MD4_BLOCK] = *p++;
		if (md4->len % MD4_BLOCK == 0)
			add_block(md4);
	}
}

void md4_finish(struct md4 *md4, uint8_t out[static MD4_LEN])
{
	uint64_t bits = md4->len * 8;
	uint8_t length[8];

	for (unsigned i = 0; i < sizeof(length); i++)
		length[i] = (uint8_t)(bits >> 8 * i);
	md4_add(md4, "\x80", 1);
	while (md4->len % MD4_BLOCK != MD4_BLOCK - sizeof(length))
		md4_add(md4, "", 1);
	md4_add(md4, length, sizeof(length));
	for (unsigned i = 0; i < MD4_LEN; i++)
		out[i] = (uint8_t)(md4->state[i / 4] >> 8 * (i % 4));
	explicit_bzero(md4, sizeof(*md4));
}
