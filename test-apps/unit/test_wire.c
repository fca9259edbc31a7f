/* SPDX-License-Identifier: MIT */
/* The agent's messages of gatepass/wire.h, as shim/agent/PROTOCOL.md specifies them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gatepass/wire.h>

#include "guard.h"

static struct guard guard;

/* The packet in guarded memory, with the one byte of room that gp_wire_open() asks for.
 */
static enum gp_err open_packet(struct gp_wire *wire, enum guard_place place,
			       const char *bytes, size_t len)
{
	char *packet = guard_room(&guard, place, len + 1);

	memcpy(packet, bytes, len);
	packet[len] = 'X';
	return gp_wire_open(wire, packet, len);
}

/* "verb key=value;key=value;" */
static void show(struct gp_wire *wire, char *out)
{
	const char *key, *value;

	out = stpcpy(stpcpy(out, wire->verb), " ");
	while (gp_wire_next(wire, &key, &value))
		out = stpcpy(stpcpy(stpcpy(stpcpy(out, key), "="), value), ";");
	assert_false(gp_wire_next(wire, &key, &value));
}

static void reads(void **state)
{
	static const char *const cases[][2] = {
		{"gatepass 1 status\n", "status "},
		{"gatepass 1 route\naddress=198.18.0.7:443\nhost=intranet\n",
		 "route address=198.18.0.7:443;host=intranet;"},
		{"gatepass 1 way\nproxy=b\nproxy=a\nproxy=b\n",
		 "way proxy=b;proxy=a;proxy=b;"},
		{"gatepass 1 x\na=\n", "x a=;"},
		{"gatepass 1 x\na==b=\n", "x a==b=;"},
		{"gatepass 1 x\na= b \n", "x a= b ;"},
		{"gatepass 1 x\na=b%0Ac%0a%25%41\n", "x a=b\nc\n%A;"},
		{"gatepass 1 x\na=%01%7F%7f\n", "x a=\x01\x7F\x7F;"},
		{"gatepass 1 x\na=caf\xC3\xA9\n", "x a=caf\xC3\xA9;"},
		{"gatepass 1 x\nno-equals-sign\na=b\n", "x a=b;"},
		{"gatepass 1 x\n\n\na=b\n", "x a=b;"},
		{"gatepass 1 x\na=%\nb=%1\nc=%zz\nd=%1g\ne=f\n", "x e=f;"},
		{"gatepass 1 x\na=b%00c\nd=%00\ne=f\n", "x e=f;"},
		{"gatepass 1 x\nunknown-key-9=y\na=b\n", "x unknown-key-9=y;a=b;"},
	};
	char out[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			struct gp_wire wire;
			const char *bytes = cases[i][0];

			expect(open_packet(&wire, place, bytes, strlen(bytes)) == GP_OK,
			       "%s", bytes);
			show(&wire, out);
			expect(strcmp(out, cases[i][1]) == 0, "%s gave %s", bytes, out);
		}
}

static void refuses(void **state)
{
	static const struct {
		const char *bytes;
		enum gp_err err;
	} cases[] = {
		{"", GP_ERR_WIRE_SYNTAX},
		{"\n", GP_ERR_WIRE_SYNTAX},
		{"gatepass\n", GP_ERR_WIRE_SYNTAX},
		{"gatepass \n", GP_ERR_WIRE_SYNTAX},
		{"gatepass 1\n", GP_ERR_WIRE_SYNTAX},
		{"gatepass 1 \n", GP_ERR_WIRE_SYNTAX},
		{"gatepas 1 route\n", GP_ERR_WIRE_SYNTAX},
		{"gatepassx 1 route\n", GP_ERR_WIRE_SYNTAX},
		{" gatepass 1 route\n", GP_ERR_WIRE_SYNTAX},
		{"host=x\n", GP_ERR_WIRE_SYNTAX},
		{"\ngatepass 1 route\n", GP_ERR_WIRE_SYNTAX},
		{"GET / HTTP/1.1\n", GP_ERR_WIRE_SYNTAX},
		{"gatepass 2 route\n", GP_ERR_WIRE_VERSION},
		{"gatepass 10 route\nhost=x\n", GP_ERR_WIRE_VERSION},
		{"gatepass 0 route\n", GP_ERR_WIRE_VERSION},
		{"gatepass 2 rows and columns\n", GP_ERR_WIRE_VERSION},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			struct gp_wire wire;
			enum gp_err err = open_packet(&wire, place, cases[i].bytes,
						      strlen(cases[i].bytes));

			expect(err == cases[i].err, "\"%s\": %s", cases[i].bytes,
			       gp_strerror(err));
		}
}

/* A NUL that was not escaped must not make a shorter value of it. */
static void raw_nul_cuts_nothing(void **state)
{
	static const char bytes[] = "gatepass 1 route\nhost=good\0.evil\nport=1\n";
	static const char verb[] = "gatepass 1 st\0op\nport=1\n";
	const char *key, *value;
	struct gp_wire wire;

	(void)state;
	if (open_packet(&wire, GUARD_TAIL, bytes, sizeof(bytes) - 1) == GP_OK)
		while (gp_wire_next(&wire, &key, &value))
			assert_string_not_equal(value, "good");
	assert_int_not_equal(open_packet(&wire, GUARD_TAIL, verb, sizeof(verb) - 1),
			     GP_OK);
}

static void knows_its_maximum(void **state)
{
	static char bytes[GP_WIRE_MAX + 1];
	struct gp_wire wire;
	const char *key, *value;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, "gatepass 1 route\nhost=", 22);
	bytes[GP_WIRE_MAX - 1] = '\n';
	assert_int_equal(open_packet(&wire, GUARD_TAIL, bytes, GP_WIRE_MAX), GP_OK);
	assert_true(gp_wire_next(&wire, &key, &value));
	assert_int_equal(strlen(value), GP_WIRE_MAX - 23);
	bytes[GP_WIRE_MAX - 1] = 'x';
	bytes[GP_WIRE_MAX] = '\n';
	assert_int_equal(open_packet(&wire, GUARD_TAIL, bytes, GP_WIRE_MAX + 1),
			 GP_ERR_WIRE_LONG);
}

static void every_prefix_is_safe(void **state)
{
	static const char whole[] =
		"gatepass 1 route\nhost=%41%0A\nport=443\njunk\n=\na=%0\n";
	char out[256];

	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			struct gp_wire wire;
			enum gp_err err = open_packet(&wire, place, whole, len);

			expect(len < 17 || err == GP_OK, "prefix of %zu", len);
			expect(len > 11 || err == GP_ERR_WIRE_SYNTAX, "prefix of %zu",
			       len);
			if (err == GP_OK)
				show(&wire, out);
		}
}

static void writes(void **state)
{
	static const char expected[] =
		"gatepass 1 way\n"
		"way=tunnel\n"
		"proxy=[2001:db8::1]:3128\n"
		"empty=\n"
		"authorization=Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n"
		"errno=18446744073709551615\n"
		"bytes=caf\xC3\xA9 %25 = ~\n"
		"slice=ab\n";
	char storage[512];
	struct gp_buf buf;

	(void)state;
	gp_buf_init(&buf, storage, sizeof(storage));
	gp_wire_begin(&buf, "way");
	gp_wire_add(&buf, "way", "tunnel");
	gp_wire_add(&buf, "proxy", "[2001:db8::1]:3128");
	gp_wire_add(&buf, "absent", NULL);
	gp_wire_add(&buf, "empty", "");
	gp_wire_add(&buf, "authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	gp_wire_add_uint(&buf, "errno", UINT64_MAX);
	gp_wire_add(&buf, "bytes", "caf\xC3\xA9 % = ~");
	gp_wire_add_text(&buf, "slice", (struct gp_text){"abc", 2});
	assert_false(buf.full);
	assert_int_equal(buf.len, sizeof(expected) - 1);
	assert_memory_equal(storage, expected, buf.len);
}

/* A value cannot begin a line of its own, and comes back as it went. */
static void values_round_trip(void **state)
{
	char value[256], storage[1024];
	const char *key, *got;
	struct gp_wire wire;
	struct gp_buf buf;

	(void)state;
	for (int c = 1; c < 256; c++)
		value[c - 1] = (char)c;
	value[255] = '\0';
	gp_buf_init(&buf, storage, sizeof(storage));
	gp_wire_begin(&buf, "x");
	gp_wire_add(&buf, "all", value);
	gp_wire_add(&buf, "lines", "a\nhost=evil\r\n\ngatepass 1 stop\n");
	for (size_t i = 0, lines = 0; i < buf.len; i++) {
		lines += storage[i] == '\n';
		expect(lines <= 3, "a value made a line");
		expect(storage[i] == '\n' || (unsigned char)storage[i] >= 0x20,
		       "raw control");
		expect(storage[i] != 0x7F, "raw DEL");
	}
	assert_int_equal(open_packet(&wire, GUARD_TAIL, storage, buf.len), GP_OK);
	assert_true(gp_wire_next(&wire, &key, &got));
	assert_string_equal(key, "all");
	assert_string_equal(got, value);
	assert_true(gp_wire_next(&wire, &key, &got));
	assert_string_equal(key, "lines");
	assert_string_equal(got, "a\nhost=evil\r\n\ngatepass 1 stop\n");
	assert_false(gp_wire_next(&wire, &key, &got));
}

static void escaped_nul_makes_the_line_void(void **state)
{
	char storage[128];
	const char *key, *value;
	struct gp_wire wire;
	struct gp_buf buf;

	(void)state;
	gp_buf_init(&buf, storage, sizeof(storage));
	gp_wire_begin(&buf, "x");
	gp_wire_add_text(&buf, "host", (struct gp_text){"good\0.evil", 10});
	gp_wire_add(&buf, "a", "b");
	assert_int_equal(open_packet(&wire, GUARD_TAIL, storage, buf.len), GP_OK);
	assert_true(gp_wire_next(&wire, &key, &value));
	assert_string_equal(key, "a");
}

static void full_buffers_say_so(void **state)
{
	struct gp_buf buf;
	size_t whole = strlen("gatepass 1 x\nkey=%0Avalue\nn=42\n");

	(void)state;
	for (size_t cap = 0; cap <= whole + 1; cap++) {
		gp_buf_init(&buf, guard_room(&guard, GUARD_TAIL, cap), cap);
		gp_wire_begin(&buf, "x");
		gp_wire_add(&buf, "key", "\nvalue");
		gp_wire_add_uint(&buf, "n", 42);
		expect(buf.full == (cap < whole), "cap %zu", cap);
	}
}

static void agent_paths(void **state)
{
	static char fits[GP_SOCKET_PATH_MAX], longer[GP_SOCKET_PATH_MAX + 1];
	static char dir_fits[GP_SOCKET_PATH_MAX], dir_longer[GP_SOCKET_PATH_MAX];
	const struct {
		struct gp_agent_place place;
		const char *path; /* NULL: refused */
	} cases[] = {
		{{"/a/s", "/run/x", true, 7}, "/a/s"},
		{{NULL, "/run/x", true, 7}, "/run/x/gatepass/agent"},
		{{"", "/run/x", true, 7}, "/run/x/gatepass/agent"},
		{{NULL, NULL, true, 1000}, "/run/user/1000/gatepass/agent"},
		{{"", "", true, 0}, "/run/user/0/gatepass/agent"},
		{{NULL, NULL, false, 1000}, "/tmp/gatepass-1000/agent"},
		{{"", "", false, 4294967294}, "/tmp/gatepass-4294967294/agent"},
		{{"a/s", "/run/x", true, 7}, NULL},
		{{"./s", NULL, false, 7}, NULL},
		{{NULL, "run/x", true, 7}, NULL},
		{{fits, NULL, false, 7}, fits},
		{{longer, "/run/x", true, 7}, NULL},
		{{NULL, dir_longer, true, 7}, NULL},
	};

	(void)state;
	memset(fits, 's', GP_SOCKET_PATH_MAX - 1);
	memset(longer, 's', GP_SOCKET_PATH_MAX);
	memset(dir_fits, 'd', GP_SOCKET_PATH_MAX - 1 - strlen("/gatepass/agent"));
	memset(dir_longer, 'd', GP_SOCKET_PATH_MAX - strlen("/gatepass/agent"));
	*fits = *longer = *dir_fits = *dir_longer = '/';
	char *out = guard_room(&guard, GUARD_TAIL, GP_SOCKET_PATH_MAX);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum gp_err err = gp_agent_path(&cases[i].place, out);

		expect(err == (cases[i].path ? GP_OK : GP_ERR_SOCKET_PATH),
		       "case %zu: %s", i, gp_strerror(err));
		expect(err != GP_OK || strcmp(out, cases[i].path) == 0, "case %zu: %s", i,
		       out);
	}
	struct gp_agent_place place = {NULL, dir_fits, true, 7};

	assert_int_equal(gp_agent_path(&place, out), GP_OK);
	assert_int_equal(strlen(out), GP_SOCKET_PATH_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(refuses),
		cmocka_unit_test(raw_nul_cuts_nothing),
		cmocka_unit_test(knows_its_maximum),
		cmocka_unit_test(every_prefix_is_safe),
		cmocka_unit_test(writes),
		cmocka_unit_test(values_round_trip),
		cmocka_unit_test(escaped_nul_makes_the_line_void),
		cmocka_unit_test(full_buffers_say_so),
		cmocka_unit_test(agent_paths),
	};

	guard_init(&guard, GP_WIRE_MAX + 16);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	guard_release(&guard);
	return failed;
}
