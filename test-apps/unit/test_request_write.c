/* SPDX-License-Identifier: MIT */
/* What gp_request_write() of gatepass/request.h makes of a head: each case is read from
 * and written between guard pages, and into every buffer that is too small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gatepass/limits.h>
#include <gatepass/request.h>

#include "guard.h"

#define OUTPUT_MAX (GP_HEAD_MAX + GP_AUTHORIZATION_MAX + 1024)

static struct guard input, output;

/* Parses a copy in guarded memory and edits it into one of `cap` bytes. */
static enum gp_err rewrite(const char *bytes, const struct gp_edit *edit, size_t cap,
			   struct gp_buf *out)
{
	struct gp_request request;
	size_t len = strlen(bytes);
	char *p = guard_copy(&input, GUARD_TAIL, bytes, len);

	expect(gp_request_parse(p, len, &request) == GP_OK, "%s", bytes);
	gp_buf_init(out, guard_room(&output, GUARD_TAIL, cap), cap);
	return gp_request_write(&request, edit, out);
}

static void check(const char *bytes, const struct gp_edit *edit, const char *expected)
{
	size_t len = strlen(expected);
	struct gp_buf out;

	expect(rewrite(bytes, edit, len, &out) == GP_OK, "%s", bytes);
	expect(!out.full && out.len == len && !memcmp(out.p, expected, len),
	       "%s\nbecame: %.*s\n   not: %s", bytes, (int)out.len, out.p, expected);
	for (size_t cap = 0; cap < len; cap++) {
		expect(rewrite(bytes, edit, cap, &out) == GP_OK, "%s", bytes);
		expect(out.full && !memcmp(out.p, expected, out.len), "%zu bytes for %s",
		       cap, bytes);
	}
}

#define END "\r\n"

struct rewriting {
	const char *bytes, *expected; /* NULL: the same */
};

static void check_all(const struct rewriting *cases, size_t count,
		      const struct gp_edit *edit)
{
	for (size_t i = 0; i < count; i++)
		check(cases[i].bytes, edit,
		      cases[i].expected ? cases[i].expected : cases[i].bytes);
}

#define CHECK(cases, ...)                                                                \
	check_all(cases, sizeof(cases) / sizeof(*(cases)), &(struct gp_edit){__VA_ARGS__})

static void nothing_to_edit(void **state)
{
	static const struct rewriting cases[] = {
		{"GET / HTTP/1.1\r\nHost: x\r\n" END, NULL},
		{"get /caf\xC3\xA9 HTTP/1.0\r\n" END, NULL},
		{"GET http://x/ HTTP/1.1\r\nHost: y\r\nHost: /\r\n" END, NULL},
		{"OPTIONS * HTTP/1.1\r\n" END, NULL},
		{"CONNECT x:443 HTTP/1.0\r\nContent-Length: 1\r\n" END, NULL},
		{"TRACE / HTTP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n"
		 "Transfer-Encoding: gzip\r\n" END,
		 NULL},
		{"GET / HTTP/1.1\r\nhOST:x\r\nA:\r\nB :\tc \r\njunk\r\n: d\r\n"
		 "Proxy-Authorization: Basic dTpw\r\nproxy-authorization: x\r\n"
		 "Connection: Upgrade , close,,\r\nUpgrade: h2c\r\n"
		 "Keep-Alive: 5\r\nProxy-Connection: close\r\nTE: gzip\r\n"
		 "Expect: 100-continue\r\nA: caf\xE9\r\n" END,
		 NULL},
		/* every line ends with CRLF, empty ones before the head go */
		{"\r\n\n\r\nGET  \t/  HTTP/1.1 \nA: b\nC: d\n\n",
		 "GET / HTTP/1.1\r\nA: b\r\nC: d\r\n" END},
		/* one line is one line to everybody */
		{"GET / HTTP/1.1\r\nA: b\r\n c\r\nD: e\n\tf\r\n \r\n" END,
		 "GET / HTTP/1.1\r\nA: b   c\r\nD: e \tf   \r\n" END},
		{"GET / HTTP/1.1\r\nA: b\rHost: x\r\nC: d\r\r\n" END,
		 "GET / HTTP/1.1\r\nA: b Host: x\r\nC: d \r\n" END},
	};

	(void)state;
	CHECK(cases, 0);
}

/* RFC 9112 6.3 */
static void framing(void **state)
{
#define POST "POST / HTTP/1.1\r\n"
	static const struct rewriting cases[] = {
		{POST "Content-Length: 5\r\n" END, NULL},
		{POST "content-length:5 \r\n" END, NULL},
		{POST "Transfer-Encoding: gzip, chunked\r\n" END, NULL},
		{POST "Content-Length: 5, 5\r\n" END, POST "Content-Length: 5\r\n" END},
		{POST "content-length:5,5,5\r\nA: b\r\nContent-Length: 5\r\n" END,
		 POST "content-length:5\r\nA: b\r\n" END},
		{POST "Content-Length: 05, 5\r\n" END, POST "Content-Length: 05\r\n" END},
		{POST "Content-Length: 5\r\nA: b\r\nTransfer-Encoding: chunked\r\n"
		      "Content-Length: x\r\n" END,
		 POST "A: b\r\nTransfer-Encoding: chunked\r\n" END},
		{POST "Transfer-Encoding: chunked\r\nContent-Length : 5\r\n" END,
		 POST "Transfer-Encoding: chunked\r\n" END},
	};

	(void)state;
	CHECK(cases, 0);
}

static void authorization(void **state)
{
#define OURS "Proxy-Authorization: Basic eDp5\r\n"
#define GET  "GET http://x/ HTTP/1.1\r\nHost: x\r\n"
	static const struct rewriting cases[] = {
		{GET END, GET OURS END},
		{"GET / HTTP/1.0\r\n" END, "GET / HTTP/1.0\r\n" OURS END},
		{"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n" END,
		 "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n" OURS END},
		{GET "A: b\n\n", GET "A: b\r\n" OURS END},
		{GET "Proxy-Authorization: Basic dTpw\r\nA: b\r\n" END,
		 GET "A: b\r\n" OURS END},
		{GET "proxy-authorization:x\r\nA: b\r\nPROXY-AUTHORIZATION : y\r\n"
		     "Proxy-Authorization:\r\n folded\r\n" END,
		 GET "A: b\r\n" OURS END},
		{GET OURS END, NULL},
		/* for the origin */
		{GET "Authorization: Basic dTpw\r\nProxy-Authorizatio: x\r\n" END,
		 GET "Authorization: Basic dTpw\r\nProxy-Authorizatio: x\r\n" OURS END},
	};

	(void)state;
	CHECK(cases, .authorization = "Basic eDp5");
}

static void without_upgrade(void **state)
{
	static const struct rewriting cases[] = {
		{GET "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
		     "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n" END,
		 GET END},
		{GET "connection: foo,UPGRADE ,bar\r\nupgrade: x\r\nA: b\r\n" END,
		 GET "connection: foo, bar\r\nA: b\r\n" END},
		{GET "Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: x\r\n"
		     "Upgrade: y\r\n" END,
		 GET "Connection: keep-alive\r\n" END},
		{GET "Connection: keep-alive, TE\r\nProxy-Connection: upgrade\r\n"
		     "Upgrade-Insecure-Requests: 1\r\n" END,
		 NULL},
		{GET "Connection: HTTP2-Settings, a\r\n" END,
		 GET "Connection: a\r\n" END},
		{GET "Connection:\r\n upgrade,,\r\n" END, GET END},
		{GET "Connection: upgrades\r\n" END, NULL},
	};

	(void)state;
	CHECK(cases, .without_upgrade = true);
}

/* Nothing goes from Connection, so nothing of it changes. */
static void other_connections_keep_their_spelling(void **state)
{
	static const struct rewriting cases[] = {
		{GET "CONNECTION :close ,,TE\r\n" END, NULL},
		{GET "Connection:\r\n" END, NULL},
		{GET "Connection: ,\r\n" END, NULL},
	};

	(void)state;
	CHECK(cases, .without_upgrade = true);
}

static void absolute_form(void **state)
{
	static const struct rewriting cases[] = {
		{"GET / HTTP/1.1\r\nHost: x\r\n" END,
		 "GET http://x/ HTTP/1.1\r\nHost: x\r\n" END},
		{"GET /a?b=http://c#d HTTP/1.0\r\nA: b\r\nHost: X.Example\r\n" END,
		 "GET http://X.Example/a?b=http://c#d HTTP/1.0\r\nA: b\r\n"
		 "Host: X.Example\r\n" END},
		{"GET //x HTTP/1.1\r\nHost: y\r\n" END,
		 "GET http://y//x HTTP/1.1\r\nHost: y\r\n" END},
		{"GET / HTTP/1.1\r\nHost: x:80\r\n" END,
		 "GET http://x:80/ HTTP/1.1\r\nHost: x:80\r\n" END},
		{"GET / HTTP/1.1\r\nHost: x:8080\r\n" END,
		 "GET http://x:8080/ HTTP/1.1\r\nHost: x:8080\r\n" END},
		{"GET / HTTP/1.1\r\nHost: [::1]\r\n" END,
		 "GET http://[::1]/ HTTP/1.1\r\nHost: [::1]\r\n" END},
		{"OPTIONS * HTTP/1.1\r\nHost: x\r\n" END,
		 "OPTIONS http://x HTTP/1.1\r\nHost: x\r\n" END},
		{"OPTIONS * HTTP/1.0\r\n" END, "OPTIONS http://origin HTTP/1.0\r\n" END},
		/* without a Host: that of the connection, added where it is a must */
		{"GET /x HTTP/1.0\r\nA: b\r\n" END,
		 "GET http://origin/x HTTP/1.0\r\nA: b\r\n" END},
		{"GET /x HTTP/1.1\r\nA: b\r\n" END,
		 "GET http://origin/x HTTP/1.1\r\nHost: origin\r\nA: b\r\n" END},
		/* with a bad one, or more than one */
		{"GET /x HTTP/1.1\r\nA: b\r\nhost: x@y\r\nC: d\r\n" END,
		 "GET http://origin/x HTTP/1.1\r\nA: b\r\nhost: origin\r\nC: d\r\n" END},
		{"GET /x HTTP/1.0\r\nHost:\r\n" END,
		 "GET http://origin/x HTTP/1.0\r\nHost: origin\r\n" END},
		{"GET /x HTTP/1.1\r\nHost: x\r\nA: b\r\nhost: y\r\n" END,
		 "GET http://origin/x HTTP/1.1\r\nHost: origin\r\nA: b\r\n" END},
		{"GET /x HTTP/1.1\r\nHost: x/../y HTTP/1.1\r\n" END,
		 "GET http://origin/x HTTP/1.1\r\nHost: origin\r\n" END},
		/* they are absolute, or no URLs */
		{"GET http://x/ HTTP/1.1\r\nHost: y\r\nHost: z@\r\n" END, NULL},
		{"GET ftp://u:p@x/ HTTP/1.1\r\n" END, NULL},
		{"CONNECT x:443 HTTP/1.1\r\nHost: y\r\n" END, NULL},
		{"CONNECT x:443 HTTP/1.1\r\n" END, NULL},
	};

	(void)state;
	CHECK(cases, .authority = "origin:80");
}

static void ports(void **state)
{
	static const struct {
		const char *authority, *bytes, *expected;
	} cases[] = {
		{"origin:8080", "GET / HTTP/1.1\r\nHost: x\r\n" END,
		 "GET http://x:8080/ HTTP/1.1\r\nHost: x:8080\r\n" END},
		{"origin:8080", "GET / HTTP/1.0\r\nHost: x:9090\r\n" END,
		 "GET http://x:9090/ HTTP/1.0\r\nHost: x:9090\r\n" END},
		{"origin:8080", "GET / HTTP/1.1\r\n" END,
		 "GET http://origin:8080/ HTTP/1.1\r\nHost: origin:8080\r\n" END},
		{"origin:8080", "OPTIONS * HTTP/1.0\r\nHost: [::1]\r\n" END,
		 "OPTIONS http://[::1]:8080 HTTP/1.0\r\nHost: [::1]:8080\r\n" END},
		{"[2001:db8::1]:80", "GET / HTTP/1.1\r\n" END,
		 "GET http://[2001:db8::1]/ HTTP/1.1\r\nHost: [2001:db8::1]\r\n" END},
		{"[2001:db8::80]:8080", "GET / HTTP/1.0\r\n" END,
		 "GET http://[2001:db8::80]:8080/ HTTP/1.0\r\n" END},
		{"192.0.2.1:8080", "GET / HTTP/1.0\r\n" END,
		 "GET http://192.0.2.1:8080/ HTTP/1.0\r\n" END},
		{"origin", "GET / HTTP/1.0\r\n" END,
		 "GET http://origin/ HTTP/1.0\r\n" END},
		/* Host is enough */
		{"a bad one", "GET / HTTP/1.0\r\nHost: x\r\n" END,
		 "GET http://x/ HTTP/1.0\r\nHost: x\r\n" END},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check(cases[i].bytes, &(struct gp_edit){.authority = cases[i].authority},
		      cases[i].expected);
}

static void all_at_once(void **state)
{
	static const struct rewriting cases[] = {
		{"\r\nPOST /x HTTP/1.1\r\nProxy-Authorization: a\r\nUpgrade: h2c\r\n"
		 "Connection: Upgrade, close, HTTP2-Settings\r\nHTTP2-Settings: b\r\n"
		 "Content-Length: 3\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
		 "C: d\r\n" END,
		 "POST http://x:81/x HTTP/1.1\r\nConnection: close\r\nHost: x:81\r\n"
		 "Transfer-Encoding: chunked\r\nC: d\r\n" OURS END},
	};

	(void)state;
	CHECK(cases, .authority = "origin:81", .authorization = "Basic eDp5",
	      .without_upgrade = true);
}

/* A request that asks for a connection that stays. */
static void persistent(void **state)
{
#define STAYS "Proxy-Connection: keep-alive\r\n"
	static const struct rewriting cases[] = {
		{"GET http://x/ HTTP/1.1\r\nHost: x\r\n" END,
		 "GET http://x/ HTTP/1.1\r\nHost: x\r\n" STAYS END},
		{"GET http://x/ HTTP/1.1\r\nProxy-Connection: close\r\nHost: x\r\n"
		 "Connection: close\r\nproxy-connection: Keep-Alive\r\n" END,
		 "GET http://x/ HTTP/1.1\r\nHost: x\r\n" STAYS END},
		{"GET http://x/ HTTP/1.1\r\nHost: x\r\nConnection: TE, Close,, x\r\n" END,
		 "GET http://x/ HTTP/1.1\r\nHost: x\r\nConnection: TE, x\r\n" STAYS END},
		{"GET http://x/ HTTP/1.1\r\nConnection: Upgrade, close\r\n"
		 "Upgrade: y\r\nHost: x\r\n" END,
		 "GET http://x/ HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: y\r\n"
		 "Host: x\r\n" STAYS END},
		{"HEAD http://a@x:81/y HTTP/1.0\r\nA: b\r\n" END,
		 "HEAD http://a@x:81/y HTTP/1.1\r\nHost: x:81\r\nA: b\r\n" STAYS END},
		{"CONNECT x:443 HTTP/1.0\r\n" END,
		 "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n" STAYS END},
		{"CONNECT x:443 HTTP/1.0\r\nExpect: 100-continue\r\nUpgrade: y\r\n" END,
		 "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n" STAYS END},
		{"CONNECT x:443 HTTP/1.0\r\nhost: y\r\n" END,
		 "CONNECT x:443 HTTP/1.1\r\nhost: y\r\n" STAYS END},
		{"GET http:///y HTTP/1.0\r\n" END,
		 "GET http:///y HTTP/1.1\r\n" STAYS END},
		{"GET http://x/ HTTP/1.1\r\n" END,
		 "GET http://x/ HTTP/1.1\r\n" STAYS END},
	};
	static const struct rewriting forward[] = {
		{"HEAD /y HTTP/1.0\r\nConnection: close, upgrade\r\n" END,
		 "HEAD http://origin:81/y HTTP/1.1\r\nHost: origin:81\r\n" STAYS OURS
			 END},
	};

	(void)state;
	CHECK(cases, .persistent = true);
	CHECK(forward, .persistent = true, .authority = "origin:81",
	      .authorization = "Basic eDp5", .without_upgrade = true);
}

static void without_own(void **state)
{
	static const struct rewriting cases[] = {
		{"GET / HTTP/1.1\r\nProxy-Authorization: a\r\nX: y\r\n"
		 "proxy-authorization: b\r\n" END,
		 "GET / HTTP/1.1\r\nX: y\r\n" END},
	};

	(void)state;
	CHECK(cases, .without_own = true);
}

static void probes(void **state)
{
#define PROBE         "Content-Length: 0\r\nProxy-Connection: keep-alive\r\n"
#define TO(url, host) "OPTIONS " url " HTTP/1.1\r\nHost: " host "\r\n"
	static const struct rewriting cases[] = {
		{"GET http://x HTTP/1.1\r\nHost: x\r\n" END,
		 TO("http://x/", "x") PROBE OURS END},
		{"POST http://x:81/a?b HTTP/1.0\r\nHost: y\r\nContent-Length: 5\r\n"
		 "Expect: 100-continue\r\nUser-Agent:curl/7.88.1\r\nCookie: sekret\r\n"
		 "Authorization: sekret\r\nProxy-Authorization: Basic sekret\r\n"
		 "User-Agent: twice\r\nConnection: close\r\nProxy-Connection: close\r\n"
		 "Upgrade: h2c\r\nMax-Forwards: 5\r\n" END,
		 TO("http://x:81/", "x:81") "User-Agent: curl/7.88.1\r\n" PROBE OURS END},
		{"PUT https://x?a/b@c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END,
		 TO("https://x/", "x") PROBE OURS END},
		{"GET ftp://alice:sekret@[::1]:2121#/ HTTP/1.1\r\n" END,
		 TO("ftp://[::1]:2121/", "[::1]:2121") PROBE OURS END},
		{"GET http://a@b@x/@y HTTP/1.1\r\n" END,
		 TO("http://x/", "x") PROBE OURS END},
		{"POST /a HTTP/1.1\r\nHost: x\r\n" END,
		 TO("http://x:81/", "x:81") PROBE OURS END},
		{"POST /a HTTP/1.0\r\n" END,
		 TO("http://origin:81/", "origin:81") PROBE OURS END},
		{"OPTIONS * HTTP/1.1\r\nHost: x:80\r\n" END,
		 TO("http://x:80/", "x:80") PROBE OURS END},
	};
	static const struct rewriting plain[] = {
		{"POST /a HTTP/1.1\r\nHost: x\r\nProxy-Authorization: a\r\n" END,
		 TO("http://x/", "x") PROBE END},
	};

	(void)state;
	CHECK(cases, .probe = true, .authority = "origin:81",
	      .authorization = "Basic eDp5", .without_upgrade = true);
	CHECK(plain, .probe = true);
}

static void errors(void **state)
{
	static const struct {
		const char *bytes;
		struct gp_edit edit;
		enum gp_err err;
	} cases[] = {
		{"GET / HTTP/1.1\r\n" END,
		 {.authorization = "a\rb"},
		 GP_ERR_HEADER_OCTET},
		{"GET / HTTP/1.1\r\n" END,
		 {.authorization = "a\r\nX: b"},
		 GP_ERR_HEADER_OCTET},
		{"GET / HTTP/1.1\r\n" END, {.authorization = "a\n"}, GP_ERR_HEADER_OCTET},
		{"GET / HTTP/1.1\r\n" END,
		 {.authorization = "\x7f"},
		 GP_ERR_HEADER_OCTET},
		{"GET http://x/ HTTP/1.1\r\n" END,
		 {.authorization = "\x01", .probe = true},
		 GP_ERR_HEADER_OCTET},
		{"GET / HTTP/1.1\r\n" END, {.authority = ""}, GP_ERR_HOST_SYNTAX},
		{"GET / HTTP/1.1\r\n" END, {.authority = "x y:80"}, GP_ERR_HOST_SYNTAX},
		{"GET / HTTP/1.1\r\n" END, {.authority = "x/:80"}, GP_ERR_HOST_SYNTAX},
		{"GET / HTTP/1.1\r\nHost: x/\r\n" END,
		 {.authority = ":80"},
		 GP_ERR_HOST_SYNTAX},
		{"OPTIONS * HTTP/1.1\r\n" END,
		 {.authority = "x\r\ny"},
		 GP_ERR_HOST_SYNTAX},
		{"GET / HTTP/1.1\r\n" END, {.probe = true}, GP_ERR_HOST_SYNTAX},
		{"GET http:/// HTTP/1.1\r\nHost: x\r\n" END,
		 {.probe = true, .authority = "x:80"},
		 GP_ERR_HOST_SYNTAX},
		{"GET http://u:p@/ HTTP/1.1\r\nHost: x\r\n" END,
		 {.probe = true},
		 GP_ERR_HOST_SYNTAX},
		{"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n" END,
		 {.probe = true, .authority = "x:443"},
		 GP_ERR_HOST_SYNTAX},
	};
	struct gp_buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		expect(rewrite(cases[i].bytes, &cases[i].edit, 1024, &out) ==
			       cases[i].err,
		       "case %zu: %s", i, cases[i].bytes);
		expect(out.len == 0, "case %zu: %.*s", i, (int)out.len, out.p);
	}
}

/* The longest head that a program may send grows by what we add, no more. */
static void long_heads(void **state)
{
	static char bytes[GP_HEAD_MAX + 1], expected[OUTPUT_MAX];
	static char value[GP_AUTHORIZATION_MAX + 1];
	struct gp_edit edit = {.authorization = value};
	struct gp_buf out;
	size_t len;

	(void)state;
	memset(value, 'v', GP_AUTHORIZATION_MAX);
	memset(bytes, 'x', GP_HEAD_MAX);
	memcpy(bytes, "GET http://x/", 13);
	strcpy(bytes + GP_HEAD_MAX - 13, " HTTP/1.1\r\n\r\n");
	len = (size_t)snprintf(expected, sizeof(expected),
			       "%.*sProxy-Authorization: %s\r\n\r\n", GP_HEAD_MAX - 2,
			       bytes, value);
	assert_int_equal(rewrite(bytes, &edit, len, &out), GP_OK);
	assert_false(out.full);
	assert_int_equal(out.len, len);
	assert_memory_equal(out.p, expected, len);
	assert_int_equal(rewrite(bytes, &edit, len - 1, &out), GP_OK);
	assert_true(out.full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_edit),
		cmocka_unit_test(framing),
		cmocka_unit_test(authorization),
		cmocka_unit_test(without_upgrade),
		cmocka_unit_test(other_connections_keep_their_spelling),
		cmocka_unit_test(absolute_form),
		cmocka_unit_test(ports),
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(persistent),
		cmocka_unit_test(without_own),
		cmocka_unit_test(probes),
		cmocka_unit_test(errors),
		cmocka_unit_test(long_heads),
	};

	guard_init(&input, GP_HEAD_MAX);
	guard_init(&output, OUTPUT_MAX);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	guard_release(&input);
	guard_release(&output);
	return failed;
}
