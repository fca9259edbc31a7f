/* SPDX-License-Identifier: MIT */
/*
 * ELF headers of either class and byte order, read field by field. Numbers come from the
 * file, so each is compared with what is left and never added to another before.
 */
#include "elf.h"

#include <elf.h>
#include <string.h>

struct view {
	const unsigned char *p;
	size_t len;
};

struct reader {
	struct view file;
	bool is_64, is_big_endian;
	bool bad; /* a field lies outside of the file */
};

static bool cut(struct view whole, uint64_t offset, uint64_t len, struct view *out)
{
	if (offset > whole.len || len > whole.len - offset)
		return false;
	*out = (struct view){whole.p + offset, (size_t)len};
	return true;
}

static uint64_t number(struct reader *reader, struct view from, size_t offset,
		       size_t size)
{
	struct view field;
	uint64_t value = 0;

	if (!cut(from, offset, size, &field)) {
		reader->bad = true;
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		value = value << 8 | field.p[reader->is_big_endian ? i : size - 1 - i];
	return value;
}

/* A member of one of the structures that <elf.h> has in two sizes. */
#define MEMBER(reader, from, type, member)                                               \
	((reader)->is_64 ? number((reader), (from), offsetof(Elf64_##type, member),      \
				  sizeof(((Elf64_##type *)0)->member))                   \
			 : number((reader), (from), offsetof(Elf32_##type, member),      \
				  sizeof(((Elf32_##type *)0)->member)))

/* Go's own note, "Go" and type 4, stays when the section headers are stripped. */
static bool notes_are_go(struct reader *reader, struct view notes)
{
	struct view name;

	/* Elf32_Nhdr and Elf64_Nhdr are the same. */
	while (notes.len >= sizeof(Elf32_Nhdr)) {
		uint64_t name_len = number(reader, notes, 0, 4);
		uint64_t desc_len = number(reader, notes, 4, 4);
		uint64_t type = number(reader, notes, 8, 4);

		if (!cut(notes, sizeof(Elf32_Nhdr), name_len, &name))
			return false;
		if (type == 4 && name_len == 4 && !memcmp(name.p, "Go\0", 4))
			return true;
		uint64_t size = sizeof(Elf32_Nhdr) + ((name_len + 3) & ~(uint64_t)3) +
				((desc_len + 3) & ~(uint64_t)3);
		if (size > notes.len)
			return false;
		notes.p += size;
		notes.len -= (size_t)size;
	}
	return false;
}

static bool take_segment(struct reader *reader, struct view header, struct elf *out)
{
	uint64_t type = MEMBER(reader, header, Phdr, p_type);
	uint64_t offset = MEMBER(reader, header, Phdr, p_offset);
	uint64_t size = MEMBER(reader, header, Phdr, p_filesz);
	struct view bytes;

	if (type != PT_INTERP && type != PT_NOTE)
		return true;
	if (!cut(reader->file, offset, size, &bytes))
		return false;
	if (type == PT_NOTE) {
		out->is_go = out->is_go || notes_are_go(reader, bytes);
		return true;
	}
	/* The kernel wants it NUL-terminated; a path of no length is none. */
	if (size < 2 || size > sizeof(out->loader) || bytes.p[size - 1])
		return false;
	memcpy(out->loader, bytes.p, size);
	return true;
}

static bool take_segments(struct reader *reader, struct elf *out)
{
	struct view file = reader->file, table;
	uint64_t offset = MEMBER(reader, file, Ehdr, e_phoff);
	uint64_t size = MEMBER(reader, file, Ehdr, e_phentsize);
	uint64_t count = MEMBER(reader, file, Ehdr, e_phnum);

	if (!cut(file, offset, size * count, &table))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		struct view header = {table.p + i * size, (size_t)size};
		if (!take_segment(reader, header, out))
			return false;
	}
	return true;
}

static bool is_go_section(struct reader *reader, struct view names, struct view header)
{
	static const char *const known[] = {".go.buildinfo", ".note.go.buildid"};
	struct view name;

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		size_t len = strlen(known[i]) + 1;
		if (cut(names, MEMBER(reader, header, Shdr, sh_name), len, &name) &&
		    !memcmp(name.p, known[i], len))
			return true;
	}
	return false;
}

/* Section headers are nothing that loading needs: broken ones are as good as none. */
static bool sections_are_go(struct reader *reader)
{
	struct view file = reader->file, table, header, names;
	uint64_t size = MEMBER(reader, file, Ehdr, e_shentsize);
	uint64_t count = MEMBER(reader, file, Ehdr, e_shnum);
	uint64_t index = MEMBER(reader, file, Ehdr, e_shstrndx);

	if (!cut(file, MEMBER(reader, file, Ehdr, e_shoff), size * count, &table) ||
	    !cut(table, index * size, size, &header) ||
	    !cut(file, MEMBER(reader, header, Shdr, sh_offset),
		 MEMBER(reader, header, Shdr, sh_size), &names))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		header = (struct view){table.p + i * size, (size_t)size};
		if (is_go_section(reader, names, header))
			return true;
	}
	return false;
}

bool elf_is(const void *bytes, size_t len)
{
	return len >= SELFMAG && !memcmp(bytes, ELFMAG, SELFMAG);
}

bool elf_inspect(const void *bytes, size_t len, struct elf *out)
{
	const unsigned char *ident = bytes;

	*out = (struct elf){0};
	if (!elf_is(bytes, len) || len < EI_NIDENT)
		return false;
	struct reader reader = {
		.file = {bytes, len},
		.is_64 = ident[EI_CLASS] == ELFCLASS64,
		.is_big_endian = ident[EI_DATA] == ELFDATA2MSB,
	};
	out->is_64 = reader.is_64;
	out->is_big_endian = reader.is_big_endian;
	out->type = (uint16_t)MEMBER(&reader, reader.file, Ehdr, e_type);
	out->machine = (uint16_t)MEMBER(&reader, reader.file, Ehdr, e_machine);
	if (!take_segments(&reader, out) || reader.bad)
		return false;
	out->is_go = out->is_go || sections_are_go(&reader);
	return true;
}
