/* SPDX-License-Identifier: MIT */
/*
 * MD4 (RFC 1320). Broken for everything else, it is what NTLM makes of a password, and
 * OpenSSL 3 has it in a provider only that mostly is not loaded. Pure.
 */
#ifndef GATEPASS_MD4_H
#define GATEPASS_MD4_H

#include <stddef.h>
#include <stdint.h>

#define MD4_LEN   16
#define MD4_BLOCK 64

struct md4 {
	uint32_t state[4];
	uint64_t len; /* of all that was added */
	uint8_t block[MD4_BLOCK];
};

void md4_init(struct md4 *md4);
void md4_add(struct md4 *md4, const void *bytes, size_t len);
void md4_finish(struct md4 *md4, uint8_t out[static MD4_LEN]); /* wipes md4 */

#endif
