/* SPDX-License-Identifier: MIT */
/* Fuzzes the agent's messages: what was read can be written, and is read again the same.
 */
#include <gatepass/wire.h>

#include "replay.h"

static void check_again(struct gp_wire *wire, const char *pairs, size_t count)
{
	const char *key, *value;

	for (size_t i = 0; i < count; i++) {
		must(gp_wire_next(wire, &key, &value));
		must(strcmp(key, pairs) == 0);
		pairs += strlen(pairs) + 1;
		must(strcmp(value, pairs) == 0);
		pairs += strlen(pairs) + 1;
	}
	must(!gp_wire_next(wire, &key, &value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char written[4 * GP_WIRE_MAX], pairs[2 * GP_WIRE_MAX];
	const char *key, *value;
	char *end = pairs;
	size_t count = 0;
	struct gp_wire wire;
	struct gp_buf buf;

	/* Escapes make three of one: a message of a third is sure to fit again. */
	if (size > GP_WIRE_MAX / 3)
		return 0;
	if (gp_wire_open(&wire, fuzz_copy(data, size, 1), size) != GP_OK)
		return 0;
	must(*wire.verb && !strchr(wire.verb, '\n'));
	gp_buf_init(&buf, written, sizeof(written));
	gp_wire_begin(&buf, wire.verb);
	for (; gp_wire_next(&wire, &key, &value); count++) {
		must(!strpbrk(key, "=\n"));
		gp_wire_add(&buf, key, value);
		end = stpcpy(stpcpy(end, key) + 1, value) + 1;
	}
	must(!buf.full && buf.len <= GP_WIRE_MAX);
	must(gp_wire_open(&wire, fuzz_copy(written, buf.len, 1), buf.len) == GP_OK);
	check_again(&wire, pairs, count);
	return 0;
}
