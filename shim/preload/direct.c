/* SPDX-License-Identifier: MIT */
/*
 * What goes direct. A slot is a digest of the address and the second until which it
 * holds, in one word, so that no lock is needed: a collision of digests would have to be
 * one of loopback addresses that a program uses.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>

#include "clock.h"
#include "direct.h"

#define SLOTS 16

static _Atomic uint64_t slots[SLOTS]; /* digest << 32 | second */

/* FNV-1a over family, address and port. */
static uint32_t digest(const union gp_address *address)
{
	uint16_t port = gp_address_port(address);
	char text[GP_ADDRESS_MAX];
	uint32_t hash = 2166136261u;

	gp_address_host(address, text);
	for (const char *c = text; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619u;
	hash = (hash ^ (port >> 8)) * 16777619u;
	return (hash ^ (port & 0xff)) * 16777619u;
}

void direct_remember(const union gp_address *address, unsigned seconds)
{
	uint32_t key = digest(address);
	uint64_t until = (uint64_t)(clock_now() / 1000) + seconds;

	if (seconds)
		atomic_store(&slots[key % SLOTS], (uint64_t)key << 32 | until);
}

bool direct_is_known(const union gp_address *address)
{
	uint32_t key;
	uint64_t slot;

	if (!gp_address_is_loopback(address))
		return false;
	key = digest(address);
	slot = atomic_load(&slots[key % SLOTS]);
	return slot >> 32 == key && (uint64_t)(clock_now() / 1000) < (slot & UINT32_MAX);
}
