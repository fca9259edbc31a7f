/* SPDX-License-Identifier: MIT */
/*
 * What every fuzz target includes. libFuzzer brings its own main() (fuzz, which defines
 * FUZZ_LIBFUZZER); without it, the program runs the target over the files given to it, so
 * that the corpus is tested wherever there is a compiler. Inputs lie between two pages
 * that cannot be touched.
 */
#ifndef GATEPASS_FUZZ_REPLAY_H
#define GATEPASS_FUZZ_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../unit/guard.h"

#define FUZZ_INPUT_MAX (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that holds for every input. */
#define must(condition)                                                                  \
	do {                                                                             \
		if (!(condition)) {                                                      \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__,     \
				#condition);                                             \
			abort();                                                         \
		}                                                                        \
	} while (0)

/* Guarded room for `len` bytes, at most FUZZ_INPUT_MAX; valid until the next call. */
static inline char *fuzz_room(size_t len)
{
	static struct guard guard;

	if (!guard.map)
		guard_init(&guard, FUZZ_INPUT_MAX);
	return guard_room(&guard, GUARD_TAIL, len);
}

/* A guarded copy, followed by as many NULs. */
static inline char *fuzz_copy(const void *data, size_t size, size_t nuls)
{
	char *room = fuzz_room(size + nuls);

	if (size > 0)
		memcpy(room, data, size);
	memset(room + size, 0, nuls);
	return room;
}

#ifndef FUZZ_LIBFUZZER
int main(int argc, char **argv)
{
	static uint8_t data[FUZZ_INPUT_MAX / 2];

	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");

		if (!file) {
			perror(argv[i]);
			return 1;
		}
		size_t size = fread(data, 1, sizeof(data), file);

		if (ferror(file) || !feof(file)) {
			fprintf(stderr, "%s: cannot be read, or is too large\n", argv[i]);
			return 1;
		}
		fclose(file);
		LLVMFuzzerTestOneInput(data, size);
	}
	return 0;
}
#endif

#endif
