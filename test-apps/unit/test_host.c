/* SPDX-License-Identifier: MIT */
/* Host names, socket addresses and stand-in addresses of gatepass/host.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netdb.h>

#include <gatepass/host.h>

#include "guard.h"

static struct guard guard, out_guard;

static enum gp_err normalise(const char *bytes, size_t len, char **out)
{
	enum gp_err err = GP_OK;

	*out = guard_room(&out_guard, GUARD_TAIL, GP_HOST_MAX + 1);
	for (int place = 0; place < GUARD_PLACES; place++) {
		struct gp_text host = {guard_copy(&guard, place, bytes, len), len};

		memset(*out, 'X', GP_HOST_MAX + 1);
		err = gp_host_normalise(host, *out);
	}
	return err;
}

static void normalise_accepts(void **state)
{
	static const char *const cases[][2] = {
		{"example.org", "example.org"},
		{"Example.ORG", "example.org"},
		{"example.org.", "example.org"},
		{"localhost", "localhost"},
		{"a", "a"},
		{"a.", "a"},
		{"host_1-x.Example", "host_1-x.example"},
		{"xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"b\xC3\x9C"
		 "cher.example",
		 "b\xC3\x9C"
		 "cher.example"},
		{"192.0.2.1", "192.0.2.1"},
		{"::1", "::1"},
		{"[::1]", "::1"},
		{"2001:DB8::A", "2001:db8::a"},
		{"[2001:DB8::A]", "2001:db8::a"},
		{"::", "::"},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
	};
	char *out;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum gp_err err = normalise(cases[i][0], strlen(cases[i][0]), &out);

		expect(err == GP_OK, "%s: %s", cases[i][0], gp_strerror(err));
		expect(strcmp(out, cases[i][1]) == 0, "%s gave %s", cases[i][0], out);
	}
}

static void normalise_refuses(void **state)
{
	static const char *const cases[] = {
		"h..",         "a..b",
		".a",          "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]",
		"..",          "",
		".",           "a b",
		" a",          "a ",
		"a/b",         "a@b",
		"a:b",         "a:80",
		"[a]",         "[]",
		"[::1",        "::1]",
		"[::1]x",      "[[::1]]",
		"[192.0.2.1]", "::g",
		"1:2:3",       "a%b",
		"a\r\nb",      "a\tb",
		"a\x7F",       "fe80::1%eth0",
		"a?b",         "a#b",
		"a,b",         "*",
		"a\\b",        "\"a\"",
		"[fe80::1%1]", "::1::",
		":",           "12345::",
		"a\nb",        "a\r",
		"\n",
	};
	char *out;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum gp_err err = normalise(cases[i], strlen(cases[i]), &out);

		expect(err == GP_ERR_HOST_SYNTAX, "\"%s\": %s", cases[i],
		       gp_strerror(err));
	}
	assert_int_equal(gp_host_normalise((struct gp_text){NULL, 0}, out),
			 GP_ERR_HOST_SYNTAX);
}

static void normalise_knows_each_octet(void **state)
{
	char *out;

	(void)state;
	for (int c = 0; c < 256; c++) {
		const char bytes[] = {'x', (char)c, 'x'};
		bool good = c > 127 ||
			    (c &&
			     strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.",
				    c));
		enum gp_err err = normalise(bytes, sizeof(bytes), &out);

		expect(err == (good ? GP_OK : GP_ERR_HOST_SYNTAX), "octet %d: %d", c,
		       err);
	}
}

static void normalise_knows_its_maximum(void **state)
{
	char name[1000];
	char *out;

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_int_equal(normalise(name, GP_HOST_MAX, &out), GP_OK);
	assert_int_equal(strlen(out), GP_HOST_MAX);
	assert_int_equal(normalise(name, GP_HOST_MAX + 1, &out), GP_ERR_HOST_LONG);
	assert_int_equal(normalise(name, sizeof(name), &out), GP_ERR_HOST_LONG);
}

static void authority(void **state)
{
	static const struct {
		const char *host;
		uint16_t port;
		const char *authority;
	} cases[] = {
		{"example.org", 443, "example.org:443"},
		{"192.0.2.1", 1, "192.0.2.1:1"},
		{"2001:db8::1", 65535, "[2001:db8::1]:65535"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len = strlen(cases[i].authority);

		for (size_t cap = 0; cap <= len + 1; cap++) {
			struct gp_buf buf;

			gp_buf_init(&buf, guard_room(&guard, GUARD_TAIL, cap), cap);
			gp_host_authority(cases[i].host, cases[i].port, &buf);
			expect(buf.full == (cap < len), "%s, cap %zu", cases[i].authority,
			       cap);
			if (!buf.full) {
				assert_int_equal(buf.len, len);
				assert_memory_equal(buf.p, cases[i].authority, len);
			}
		}
	}
}

static bool is_name(const char *text)
{
	char out[GP_HOST_MAX + 1];

	return !strchr(text, ':') && gp_host_normalise(gp_text(text), out) == GP_OK;
}

/* Whatever the resolver takes for an address needs no name look-up, odd forms too; and no
 * name may be taken for one. What is neither is the resolver's to refuse. */
static void numeric_is_what_getaddrinfo_says(void **state)
{
	static const char *const cases[] = {
		"192.0.2.1",
		"127.1",
		"0x7f000001",
		"2130706433",
		"0177.0.0.1",
		"0x7f.1",
		"1",
		"0",
		"4294967295",
		"4294967296",
		"1.2.3.4.5",
		"1.2.3.4.",
		"256.1.1.1",
		"1.2.3.256",
		"1.2.65535",
		"1.2.65536",
		"08.1.1.1",
		"0x",
		"0xg",
		"1..2",
		".1",
		"1.2.3.4 ",
		" 1.2.3.4",
		"1.2.3.4 x",
		"1.2.3.4\n",
		"::",
		"::1",
		"2001:DB8::1",
		"::1.2.3.4",
		"::ffff:192.0.2.1",
		"[::1]",
		"::g",
		"1:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7:8:9",
		"fe80::1%1",
		"fe80::1%lo",
		"fe80::1%",
		"fe80::1%no-such-interface",
		"example.org",
		"localhost",
		"a",
		"dead.beef",
		"cafe",
		"1e3",
		"-1",
		"+1",
		"1.2.3.4%1",
		"::1%lo",
	};
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST,
				       .ai_socktype = SOCK_STREAM};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			struct addrinfo *list = NULL;
			bool numeric = getaddrinfo(cases[i], NULL, &hints, &list) == 0;
			char *p = guard_string(&guard, place, cases[i]);

			if (numeric)
				freeaddrinfo(list);
			expect(gp_host_is_numeric(p) == numeric ||
				       (!numeric && !is_name(p)),
			       "\"%s\": not %d", cases[i], !numeric);
		}
}

static union gp_address address4(const char *host, uint16_t port)
{
	union gp_address address = {0};

	address.in.sin_family = AF_INET;
	address.in.sin_port = htons(port);
	assert_int_equal(inet_pton(AF_INET, host, &address.in.sin_addr), 1);
	return address;
}

static union gp_address address6(const char *host, uint16_t port)
{
	union gp_address address = {0};

	address.in6.sin6_family = AF_INET6;
	address.in6.sin6_port = htons(port);
	assert_int_equal(inet_pton(AF_INET6, host, &address.in6.sin6_addr), 1);
	return address;
}

static union gp_address address_of(const char *host, uint16_t port)
{
	return strchr(host, ':') ? address6(host, port) : address4(host, port);
}

static void set_takes_internet_addresses(void **state)
{
	union gp_address in = address4("192.0.2.1", 80),
			 in6 = address6("::ffff:192.0.2.1", 443);
	union gp_address out;
	struct sockaddr_storage big = {0};

	(void)state;
	in6.in6.sin6_scope_id = 3;
	in6.in6.sin6_flowinfo = htonl(7);
	assert_true(gp_address_set(&out, &in.sa, sizeof(in.in)));
	assert_memory_equal(&out.in, &in.in, sizeof(in.in));
	assert_int_equal(gp_address_len(&out), sizeof(struct sockaddr_in));
	assert_int_equal(gp_address_port(&out), 80);
	assert_true(gp_address_set(&out, &in6.sa, sizeof(in6.in6)));
	assert_memory_equal(&out.in6, &in6.in6, sizeof(in6.in6));
	assert_int_equal(gp_address_len(&out), sizeof(struct sockaddr_in6));
	assert_int_equal(gp_address_port(&out), 443);
	memcpy(&big, &in.in, sizeof(in.in));
	assert_true(gp_address_set(&out, (struct sockaddr *)&big, sizeof(big)));
	assert_memory_equal(&out.in, &in.in, sizeof(in.in));
}

static void set_refuses_the_rest(void **state)
{
	static const sa_family_t others[] = {AF_UNIX, AF_UNSPEC, AF_NETLINK, 0xFFFF};
	union gp_address in = address4("192.0.2.1", 80), in6 = address6("::1", 80), out;
	struct sockaddr_storage big = {0};

	(void)state;
	for (socklen_t len = 0; len < sizeof(struct sockaddr_in); len++) {
		char *p = guard_copy(&guard, GUARD_TAIL, &in, len);
		struct sockaddr *sa = (struct sockaddr *)(void *)p;

		/* An address of odd length is not aligned; nobody promises that it is. */
		if ((uintptr_t)p % _Alignof(struct sockaddr) == 0)
			expect(!gp_address_set(&out, sa, len), "IPv4, %u bytes", len);
	}
	for (socklen_t len = 0; len < 24; len += 2) {
		char *p = guard_copy(&guard, GUARD_TAIL, &in6, len);

		expect(!gp_address_set(&out, (struct sockaddr *)(void *)p, len),
		       "IPv6, %u bytes", len);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		big.ss_family = others[i];
		expect(!gp_address_set(&out, (struct sockaddr *)&big, sizeof(big)),
		       "family %d", others[i]);
	}
}

static void map_and_unmap(void **state)
{
	union gp_address plain = address4("192.0.2.1", 80), address = plain;
	union gp_address mapped = address6("::ffff:192.0.2.1", 80);

	(void)state;
	gp_address_map(&address);
	assert_int_equal(address.sa.sa_family, AF_INET6);
	assert_memory_equal(&address.in6.sin6_addr, &mapped.in6.sin6_addr, 16);
	assert_int_equal(gp_address_port(&address), 80);
	assert_int_equal(gp_address_len(&address), sizeof(struct sockaddr_in6));
	assert_int_equal(address.in6.sin6_scope_id, 0);
	assert_int_equal(address.in6.sin6_flowinfo, 0);
	gp_address_unmap(&address);
	assert_int_equal(address.sa.sa_family, AF_INET);
	assert_int_equal(address.in.sin_addr.s_addr, plain.in.sin_addr.s_addr);
	assert_int_equal(gp_address_port(&address), 80);
	gp_address_unmap(&address);
	assert_int_equal(address.in.sin_addr.s_addr, plain.in.sin_addr.s_addr);
}

static void map_and_unmap_leave_ipv6(void **state)
{
	static const char *const cases[] = {"2001:db8::1", "::1", "::192.0.2.1",
					    "::ffff:0:192.0.2.1", "1::ffff:192.0.2.1"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		union gp_address before = address6(cases[i], 9), after = before;

		gp_address_unmap(&after);
		assert_memory_equal(&before.in6, &after.in6, sizeof(before.in6));
		gp_address_map(&after);
		assert_memory_equal(&before.in6, &after.in6, sizeof(before.in6));
	}
}

static void parse_and_format(void **state)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} cases[] = {
		{"192.0.2.1:80", "192.0.2.1", 80},
		{"255.255.255.255:65535", "255.255.255.255", 65535},
		{"[2001:db8::1]:443", "2001:db8::1", 443},
		{"[::]:1", "::", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			union gp_address address;
			char *text = guard_string(&guard, place, cases[i].text);
			char *out = guard_room(&out_guard, place, GP_ADDRESS_MAX);

			expect(gp_address_parse(text, &address), "%s", cases[i].text);
			expect(gp_address_port(&address) == cases[i].port, "%s",
			       cases[i].text);
			gp_address_host(&address, out);
			assert_string_equal(out, cases[i].host);
			gp_address_format(&address, out);
			assert_string_equal(out, cases[i].text);
		}
}

static void parse_refuses(void **state)
{
	static const char *const cases[] = {
		"",
		"192.0.2.1",
		"192.0.2.1:",
		":80",
		"192.0.2.1:65536",
		"192.0.2.1:80x",
		"192.0.2.1:+80",
		"192.0.2.1: 80",
		" 192.0.2.1:80",
		"::1:80",
		"[::1]",
		"[::1]80",
		"[::1]:",
		"[::1",
		"[::1]:80]",
		"[192.0.2.1]:80",
		"[2001:db8::1%eth0]:80",
		"[fe80::1%1]:80",
		"example.org:80",
		"192.0.2.256:80",
		"[]:80",
		"[:80",
		"::1",
		"192.0.2.1:99999999999999999999",
		"192.0.2.1:80 ",
		"[::1]:65536",
		"111.222.333.444.555.666.777.888.999.000.111.222.333.444.555.666.777.888."
		"999"
		":80",
		"[1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:3333:4444:5555:"
		"6666"
		":7777]:80",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			union gp_address address;

			expect(!gp_address_parse(guard_string(&guard, place, cases[i]),
						 &address),
			       "\"%s\"", cases[i]);
		}
}

static void format_shows_mapped_as_ipv4_and_no_scope(void **state)
{
	union gp_address mapped = address6("::ffff:192.0.2.1", 80);
	union gp_address scoped = address6("fe80::1", 443);
	char *out = guard_room(&out_guard, GUARD_TAIL, GP_ADDRESS_MAX);

	(void)state;
	gp_address_host(&mapped, out);
	assert_string_equal(out, "192.0.2.1");
	scoped.in6.sin6_scope_id = 1;
	gp_address_format(&scoped, out);
	assert_string_equal(out, "[fe80::1]:443");
	assert_true(gp_address_parse(out, &scoped));
	gp_address_format(&mapped, out);
	assert_true(gp_address_parse(out, &mapped));
}

static void local_addresses(void **state)
{
	static const struct {
		const char *host;
		bool local;
	} cases[] = {
		{"127.0.0.1", true},
		{"127.255.255.255", true},
		{"126.255.255.255", false},
		{"128.0.0.1", false},
		{"0.0.0.0", true},
		{"169.254.0.1", true},
		{"169.254.255.255", true},
		{"169.253.255.255", false},
		{"169.255.0.0", false},
		{"224.0.0.1", true},
		{"239.255.255.255", true},
		{"223.255.255.255", false},
		{"255.255.255.255", true},
		{"10.0.0.1", false},
		{"192.168.1.1", false},
		{"172.16.0.1", false},
		{"198.18.0.1", false},
		{"8.8.8.8", false},
		{"::1", true},
		{"::", true},
		{"fe80::1", true},
		{"febf:ffff::1", true},
		{"fe7f::1", false},
		{"fec0::1", false},
		{"ff02::1", true},
		{"ff0e::1", true},
		{"feff::1", false},
		{"::2", false},
		{"2001:db8::1", false},
		{"fc00::1", false},
		{"100::1", false},
		{"::ffff:127.0.0.1", true},
		{"::ffff:0.0.0.0", true},
		{"::ffff:224.0.0.1", true},
		{"::ffff:169.254.1.1", true},
		{"::ffff:8.8.8.8", false},
		{"1::1", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		union gp_address address = address_of(cases[i].host, 80);

		expect(gp_address_is_local(&address) == cases[i].local, "%s",
		       cases[i].host);
	}
}

static void fake_addresses_round_trip(void **state)
{
	(void)state;
	for (uint32_t n = 1; n <= GP_FAKE_MAX; n++) {
		union gp_address in, in6;

		gp_fake_address(n, AF_INET, 443, &in);
		gp_fake_address(n, AF_INET6, 443, &in6);
		if (gp_fake_number(&in) != n || gp_fake_number(&in6) != n)
			fail_msg("number %u", n);
		gp_address_map(&in);
		if (gp_fake_number(&in) != n || gp_address_port(&in) != 443)
			fail_msg("number %u, mapped", n);
	}
}

static void fake_addresses_are_where_they_belong(void **state)
{
	static const struct {
		const char *host;
		uint32_t number;
	} cases[] = {
		{"198.18.0.1", 1},
		{"198.18.1.0", 256},
		{"198.19.0.0", 65536},
		{"198.19.255.254", 131070},
		{"198.19.255.255", 0},
		{"198.18.0.0", 0},
		{"198.17.255.255", 0},
		{"198.20.0.1", 0},
		{"192.18.0.1", 0},
		{"100::198.18.0.1", 1},
		{"100::198.19.255.254", 131070},
		{"100::198.19.255.255", 0},
		{"100::198.18.0.0", 0},
		{"100::1", 0},
		{"100:0:0:1::198.18.0.1", 0},
		{"100::1:198.18.0.1", 0},
		{"::198.18.0.1", 0},
		{"::ffff:198.18.0.1", 1},
		{"101::198.18.0.1", 0},
		{"2001:db8::198.18.0.1", 0},
		{"::ffff:198.18.0.0", 0},
		{"100::198.17.255.255", 0},
	};
	union gp_address address, sixth = address6("100::198.18.1.2", 80);
	char *out = guard_room(&out_guard, GUARD_TAIL, GP_ADDRESS_MAX);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		address = address_of(cases[i].host, 80);
		expect(gp_fake_number(&address) == cases[i].number, "%s", cases[i].host);
	}
	gp_fake_address(258, AF_INET, 80, &address);
	gp_address_format(&address, out);
	assert_string_equal(out, "198.18.1.2:80");
	gp_fake_address(258, AF_INET6, 80, &address);
	assert_memory_equal(&address.in6.sin6_addr, &sixth.in6.sin6_addr, 16);
	assert_int_equal(gp_address_len(&address), sizeof(struct sockaddr_in6));
}

static void local_names(void **state)
{
	(void)state;
	assert_true(gp_host_is_local("localhost"));
	assert_true(gp_host_is_local("intranet"));
	assert_true(gp_host_is_local("printer.local"));
	assert_true(gp_host_is_local("a.localhost"));
	assert_false(gp_host_is_local("local.example"));
	assert_false(gp_host_is_local("a.notlocal"));
	assert_false(gp_host_is_local("localhost.example"));
}

static void address_from_octets(void **state)
{
	static const uint8_t ipv6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
	static const uint8_t ipv4[4] = {192, 0, 2, 1};
	char text[GP_ADDRESS_MAX];
	union gp_address address;

	(void)state;
	gp_address_from_octets(AF_INET6, ipv6, &address);
	gp_address_set_port(&address, 443);
	gp_address_format(&address, text);
	assert_string_equal(text, "[2001:db8::1]:443");
	gp_address_from_octets(AF_INET, ipv4, &address);
	assert_int_equal(gp_address_port(&address), 0);
	gp_address_set_port(&address, 80);
	gp_address_format(&address, text);
	assert_string_equal(text, "192.0.2.1:80");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(local_names),
		cmocka_unit_test(address_from_octets),
		cmocka_unit_test(normalise_accepts),
		cmocka_unit_test(normalise_refuses),
		cmocka_unit_test(normalise_knows_each_octet),
		cmocka_unit_test(normalise_knows_its_maximum),
		cmocka_unit_test(authority),
		cmocka_unit_test(numeric_is_what_getaddrinfo_says),
		cmocka_unit_test(set_takes_internet_addresses),
		cmocka_unit_test(set_refuses_the_rest),
		cmocka_unit_test(map_and_unmap),
		cmocka_unit_test(map_and_unmap_leave_ipv6),
		cmocka_unit_test(parse_and_format),
		cmocka_unit_test(parse_refuses),
		cmocka_unit_test(format_shows_mapped_as_ipv4_and_no_scope),
		cmocka_unit_test(local_addresses),
		cmocka_unit_test(fake_addresses_round_trip),
		cmocka_unit_test(fake_addresses_are_where_they_belong),
	};

	guard_init(&guard, 4096);
	guard_init(&out_guard, 4096);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	guard_release(&guard);
	guard_release(&out_guard);
	return failed;
}
