/* SPDX-License-Identifier: MIT */
/*
 * What an ELF file says of how it is to be loaded. Pure: looks at bytes that may be
 * anything and reads none outside of them.
 */
#ifndef GATEPASS_ELF_H
#define GATEPASS_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf {
	bool is_64, is_big_endian;
	uint16_t type;    /* ET_EXEC, ET_DYN, ... */
	uint16_t machine; /* EM_X86_64, ... */
	bool is_go;       /* holds what the Go linker leaves */
	char loader[256]; /* of PT_INTERP, "" if there is none */
};

bool elf_is(const void *bytes, size_t len); /* begins as an ELF file? */

/* False if the file is cut off, or contradicts itself where we look. */
bool elf_inspect(const void *bytes, size_t len, struct elf *out);

#endif
