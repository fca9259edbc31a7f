/* SPDX-License-Identifier: MIT */
/* The limits of the tunnel handshake: prefixes, maxima, floods, header injection,
 * secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gatepass/tunnel.h>

#include "guard.h"

#define AUTHORITY "example.org:443"
#define OK_HEAD   "HTTP/1.1 200 Connection established\r\n\r\n"
#define CONTINUE  "HTTP/1.1 100 Continue\r\n\r\n"
#define HEAD_407  "HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\n"
#define KEPT_407  HEAD_407 "Content-Length: 4\r\n\r\nbody"
#define CHUNKED   HEAD_407 "Transfer-Encoding: chunked\r\n\r\n"

static struct guard guard;
static struct gp_tunnel tunnel;

static enum gp_err init(const char *authority, const char *value)
{
	const struct gp_authorization authorization = {.value = value};

	return gp_tunnel_init(&tunnel, authority, &authorization);
}

static enum gp_err answer(const char *value)
{
	const struct gp_authorization authorization = {.value = value};

	return gp_tunnel_answer(&tunnel, &authorization);
}

/* Brings a machine to the point where it waits for the proxy's reply. */
static void await_reply(void)
{
	size_t len;

	assert_int_equal(gp_tunnel_init(&tunnel, AUTHORITY, NULL), GP_OK);
	assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_CONNECT);
	gp_tunnel_connected(&tunnel);
	assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_SEND);
	gp_tunnel_output(&tunnel, &len);
	gp_tunnel_sent(&tunnel, len);
	assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_RECEIVE);
}

static void every_prefix_needs_more(void **state)
{
	static const char *const cases[] = {OK_HEAD, KEPT_407, CONTINUE OK_HEAD,
					    CHUNKED "5\r\nhello\r\n0\r\nA: b\r\n\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (size_t len = 1; len < strlen(cases[i]); len++) {
			char *p = guard_copy(&guard, GUARD_TAIL, cases[i], len);

			await_reply();
			expect(gp_tunnel_received(&tunnel, p, len) == len,
			       "case %zu, first %zu", i, len);
			expect(gp_tunnel_want(&tunnel) == GP_TUNNEL_RECEIVE,
			       "case %zu, first %zu", i, len);
		}
}

/* The same bytes over and over, until the machine wants something else. Returns how many
 * it took. */
static size_t flood(const char *bytes, size_t len, size_t most)
{
	size_t taken = 0;

	while (gp_tunnel_want(&tunnel) == GP_TUNNEL_RECEIVE && taken < most)
		taken += gp_tunnel_received(&tunnel, bytes, len);
	return taken;
}

static void long_heads(void **state)
{
	static char bytes[GP_HEAD_MAX + 8];
	static const size_t pieces[] = {1, 4096, sizeof(bytes)};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(pieces) / sizeof(*pieces); i++) {
		size_t len = GP_HEAD_MAX + i % 2, piece = pieces[i / 2], at = 0;

		memset(bytes, 'v', sizeof(bytes));
		memcpy(bytes, "HTTP/1.1 200 OK\r\nA: ", 20);
		memcpy(bytes + len - 4, "\r\n\r\nSSH", 7);
		await_reply();
		while (gp_tunnel_want(&tunnel) == GP_TUNNEL_RECEIVE && at < len + 3) {
			size_t count = len + 3 - at < piece ? len + 3 - at : piece;

			at += gp_tunnel_received(&tunnel, bytes + at, count);
		}
		if (len == GP_HEAD_MAX) {
			assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_ESTABLISHED);
			assert_int_equal(at, len);
		} else {
			assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_FAILED);
			assert_int_equal(gp_tunnel_error(&tunnel), GP_ERR_HTTP_LONG);
		}
	}
	await_reply();
	assert_int_equal(gp_tunnel_received(&tunnel, "HTTP/1.1 407 x\r\n", 16), 16);
	flood("A: b\r\n", 6, 10 * GP_HEAD_MAX);
	assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_FAILED);
	assert_int_equal(gp_tunnel_error(&tunnel), GP_ERR_HTTP_LONG);
}

static void begin_407(const char *fields)
{
	char bytes[256];
	int len = snprintf(bytes, sizeof(bytes), HEAD_407 "%s\r\n", fields);

	await_reply();
	assert_int_equal(gp_tunnel_received(&tunnel, bytes, (size_t)len), len);
}

static void long_bodies_are_not_drained(void **state)
{
	static char block[4096];
	char fields[64];

	(void)state;
	snprintf(fields, sizeof(fields), "Content-Length: %d\r\n", GP_DRAIN_MAX);
	begin_407(fields);
	assert_int_equal(flood(block, sizeof(block), 2 * GP_DRAIN_MAX), GP_DRAIN_MAX);
	assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_ASK);
	assert_true(gp_tunnel_kept(&tunnel));
	snprintf(fields, sizeof(fields), "Content-Length: %d\r\n", GP_DRAIN_MAX + 1);
	begin_407(fields);
	assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_ASK);
	assert_false(gp_tunnel_kept(&tunnel));
	begin_407("Content-Length: 18446744073709551615\r\n");
	assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_ASK);
	assert_false(gp_tunnel_kept(&tunnel));
	begin_407("Transfer-Encoding: chunked\r\n");
	flood("1\r\nx\r\n", 6, 2 * GP_DRAIN_MAX);
	assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_ASK);
	assert_false(gp_tunnel_kept(&tunnel));
	assert_int_equal(answer("B"), GP_OK);
	assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_CONNECT);
}

/* A body whose end cannot be known: whatever becomes of it, this connection carries no
 * second request. */
static void broken_framing_is_never_kept(void **state)
{
	static const char *const cases[] = {
		"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
		"Content-Length: x\r\n\r\nxx",
		"Content-Length: -1\r\n\r\nxx",
		"Transfer-Encoding: chunked\r\n\r\nxx\r\n",
		"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloworld\r\n",
	};
	char bytes[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int len = snprintf(bytes, sizeof(bytes), HEAD_407 "%s", cases[i]);

		await_reply();
		gp_tunnel_received(&tunnel, bytes, (size_t)len);
		expect(gp_tunnel_want(&tunnel) == GP_TUNNEL_ASK ||
			       gp_tunnel_want(&tunnel) == GP_TUNNEL_FAILED,
		       "%s", cases[i]);
		if (gp_tunnel_want(&tunnel) == GP_TUNNEL_ASK) {
			expect(!gp_tunnel_kept(&tunnel), "%s", cases[i]);
			assert_int_equal(answer("B"), GP_OK);
			assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_CONNECT);
		}
	}
}

/* Interim responses for ever would hold a program for ever. */
static void endless_interim_responses_end(void **state)
{
	(void)state;
	await_reply();
	flood(CONTINUE, strlen(CONTINUE), 10 * GP_HEAD_MAX);
	assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_FAILED);
}

static void endless_challenges_end(void **state)
{
	size_t len;
	unsigned asked = 0;

	(void)state;
	await_reply();
	while (gp_tunnel_want(&tunnel) == GP_TUNNEL_RECEIVE && asked < 100) {
		gp_tunnel_received(&tunnel, KEPT_407, sizeof(KEPT_407) - 1);
		if (gp_tunnel_want(&tunnel) != GP_TUNNEL_ASK)
			break;
		asked++;
		assert_int_equal(answer("B"), GP_OK);
		gp_tunnel_output(&tunnel, &len);
		gp_tunnel_sent(&tunnel, len);
	}
	assert_int_equal(asked, GP_ROUNDS_MAX);
	assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_FAILED);
	assert_int_equal(gp_tunnel_error(&tunnel), GP_ERR_PROXY_AUTH);
}

static void check_init_fails(const char *authority, const char *authorization,
			     enum gp_err expected)
{
	enum gp_err err = init(authority, authorization);

	expect(err == expected, "%.40s, %.40s: %s", authority,
	       authorization ? authorization : "-", gp_strerror(err));
	assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_FAILED);
	assert_int_equal(gp_tunnel_error(&tunnel), expected);
}

static void no_header_can_be_injected(void **state)
{
	static const char *const bad[] = {"a\r\nX: y", "a\n", "\r", "\na", "a\rb"};

	(void)state;
	check_init_fails("a b:443", NULL, GP_ERR_HEADER_OCTET);
	check_init_fails("", NULL, GP_ERR_HOST_SYNTAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		check_init_fails(bad[i], NULL, GP_ERR_HEADER_OCTET);
		check_init_fails(AUTHORITY, bad[i], GP_ERR_HEADER_OCTET);
		begin_407("Content-Length: 0\r\n");
		assert_int_equal(answer(bad[i]), GP_ERR_HEADER_OCTET);
		assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_FAILED);
		assert_int_equal(gp_tunnel_error(&tunnel), GP_ERR_HEADER_OCTET);
	}
}

static void long_requests(void **state)
{
	static char authority[GP_AUTHORITY_MAX + 2], value[2 * GP_AUTHORIZATION_MAX];
	size_t len;

	(void)state;
	memset(authority, 'a', sizeof(authority) - 1);
	memset(value, 'v', sizeof(value) - 1);
	check_init_fails(authority, NULL, GP_ERR_HOST_LONG);
	authority[GP_AUTHORITY_MAX] = '\0';
	assert_int_not_equal(init(authority, value), GP_OK);
	assert_int_equal(gp_tunnel_want(&tunnel), GP_TUNNEL_FAILED);
	value[GP_AUTHORIZATION_MAX] = '\0';
	assert_int_equal(init(authority, value), GP_OK);
	gp_tunnel_connected(&tunnel);
	const char *out = gp_tunnel_output(&tunnel, &len);

	assert_int_equal(len, strlen("CONNECT  HTTP/1.1\r\nHost: \r\nProxy-Connection: "
				     "keep-alive\r\nProxy-Authorization: \r\n\r\n") +
				      2 * GP_AUTHORITY_MAX + GP_AUTHORIZATION_MAX);
	assert_memory_equal(out + len - 5, "v\r\n\r\n", 5);
}

static bool holds(const char *secret)
{
	return memmem(&tunnel, sizeof(tunnel), secret, strlen(secret)) != NULL;
}

static void clear_wipes(void **state)
{
	(void)state;
	memset(&tunnel, 0, sizeof(tunnel));
	assert_int_equal(init(AUTHORITY, "Basic first"), GP_OK);
	assert_true(holds("Basic first"));
	gp_tunnel_clear(&tunnel);
	assert_false(holds("first"));
	begin_407("Content-Length: 0\r\n");
	assert_int_equal(answer("Basic second"), GP_OK);
	assert_true(holds("Basic second"));
	gp_tunnel_clear(&tunnel);
	assert_false(holds("second"));
	assert_false(holds("example"));
	assert_false(holds("Proxy-Auth"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_prefix_needs_more),
		cmocka_unit_test(long_heads),
		cmocka_unit_test(long_bodies_are_not_drained),
		cmocka_unit_test(broken_framing_is_never_kept),
		cmocka_unit_test(endless_interim_responses_end),
		cmocka_unit_test(endless_challenges_end),
		cmocka_unit_test(no_header_can_be_injected),
		cmocka_unit_test(long_requests),
		cmocka_unit_test(clear_wipes),
	};

	guard_init(&guard, 64 * 1024);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	guard_release(&guard);
	return failed;
}
