/* SPDX-License-Identifier: MIT */
/* Requests of gatepass/request.h: how they begin, what their heads say, and how the body
 * behind is framed (RFC 9112 2.2, 3, 5 and 6.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gatepass/limits.h>
#include <gatepass/request.h>

#include "guard.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))
#define BYTES(text)  text, sizeof(text) - 1

static struct guard guard;

/* The answer is `final` from the octet before the '|' on, and "more" before. */
struct beginning {
	const char *bytes;
	size_t len;
	enum gp_scan final;
};

static void check_beginning(const struct beginning *beginning)
{
	char bytes[256];
	const char *bar = memchr(beginning->bytes, '|', beginning->len);
	size_t tells = (size_t)(bar - beginning->bytes), len = beginning->len - 1;

	memcpy(bytes, beginning->bytes, tells);
	memcpy(bytes + tells, bar + 1, len - tells);
	for (size_t shown = 0; shown <= len; shown++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			char *p = guard_copy(&guard, place, bytes, shown);
			enum gp_scan expected =
				shown < tells ? GP_SCAN_MORE : beginning->final;

			expect(gp_request_begins(p, shown) == expected,
			       "%s: %zu bytes, not %d", beginning->bytes, shown,
			       expected);
		}
}

static void requests_begin(void **state)
{
	static const struct beginning cases[] = {
		{BYTES("GET / HTTP/1.1\r\n|Host: x\r\n\r\n"), GP_SCAN_DONE},
		{BYTES("GET / HTTP/1.0\n|\n"), GP_SCAN_DONE},
		{BYTES("GET http://x/?a=b#c HTTP/1.1\r\n|"), GP_SCAN_DONE},
		{BYTES("CONNECT h:443 HTTP/1.0\r\n|\r\n"), GP_SCAN_DONE},
		{BYTES("OPTIONS * HTTP/1.1\r\n|\r\n"), GP_SCAN_DONE},
		{BYTES("M-SEARCH * HTTP/1.1\r\n|"), GP_SCAN_DONE},
		{BYTES("VERSION-CONTROL /x HTTP/1.9\r\n|"), GP_SCAN_DONE},
		{BYTES("get /caf\xC3\xA9 HTTP/1.1\r\n|"), GP_SCAN_DONE},
		{BYTES("\r\nGET / HTTP/1.1\r\n|"), GP_SCAN_DONE},
		{BYTES("\r\n\r\n\n\nGET / HTTP/1.1\r\n|"), GP_SCAN_DONE},
		/* any white space between the words (RFC 9112 3) */
		{BYTES("GET  \t /  HTTP/1.1 \t\r\n|"), GP_SCAN_DONE},
		{BYTES("GET / HTTP/1.1\r\n| folded: into the request line\r\n"),
		 GP_SCAN_DONE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_beginning(&cases[i]);
}

static void others_do_not_begin(void **state)
{
	static const struct beginning cases[] = {
		/* TLS 1.0 ... 1.3, SSLv2, SSH, HTTP/2, FTP, SMTP, SOCKS 4 and 5 */
		{BYTES("\x16|\x03\x01\x02\x00\x01"), GP_SCAN_BAD},
		{BYTES("\x80|\x2e\x01\x03\x01"), GP_SCAN_BAD},
		{BYTES("SSH-2.0-OpenSSH_9.2p1\r|\n"), GP_SCAN_BAD},
		{BYTES("SSH-2.0-OpenSSH_9.2p1 D\r|\n"), GP_SCAN_BAD},
		{BYTES("PRI * HTTP/2|.0\r\n\r\nSM\r\n\r\n"), GP_SCAN_BAD},
		{BYTES("USER anonymous\r|\n"), GP_SCAN_BAD},
		{BYTES("EHLO client.example\r|\n"), GP_SCAN_BAD},
		{BYTES("QUIT\r|\n"), GP_SCAN_BAD},
		{BYTES("\x04|\x01\x00\x50"), GP_SCAN_BAD},
		{BYTES("\x05|\x01\x00"), GP_SCAN_BAD},
		{BYTES("*1\r|\n$4\r\nPING\r\n"), GP_SCAN_BAD},
		{BYTES("\0|\0\0\x08"), GP_SCAN_BAD},
		{BYTES("{|\"jsonrpc\": 1}"), GP_SCAN_BAD},
		{BYTES("<|?xml"), GP_SCAN_BAD},
		{BYTES("DESCRIBE rtsp://x/ R|TSP/1.0\r\n"), GP_SCAN_BAD},
		{BYTES("INVITE sip:x@y S|IP/2.0\r\n"), GP_SCAN_BAD},
		/* HTTP/0.9, other versions, a response */
		{BYTES("GET /\r|\n"), GP_SCAN_BAD},
		{BYTES("GET /\n|"), GP_SCAN_BAD},
		{BYTES("GET / \r|\n"), GP_SCAN_BAD},
		{BYTES("GET / HTTP/0|.9\r\n"), GP_SCAN_BAD},
		{BYTES("GET / HTTP/2|\r\n"), GP_SCAN_BAD},
		{BYTES("GET / h|ttp/1.1\r\n"), GP_SCAN_BAD},
		{BYTES("GET / HTTP/1.10|\r\n"), GP_SCAN_BAD},
		{BYTES("GET / HTTP/1.x|\r\n"), GP_SCAN_BAD},
		{BYTES("GET / HTTP/1.\r|\n"), GP_SCAN_BAD},
		{BYTES("GET / HTTP/1.1 x|\r\n"), GP_SCAN_BAD},
		{BYTES("GET / HTTP/1.1\rH|ost: x\r\n"), GP_SCAN_BAD},
		{BYTES("GET / HTTP/1.1\0|\r\n"), GP_SCAN_BAD},
		{BYTES("HTTP/|1.1 200 OK\r\n"), GP_SCAN_BAD},
		/* no method, or no target */
		{BYTES(" |GET / HTTP/1.1\r\n"), GP_SCAN_BAD},
		{BYTES("\r\n |GET / HTTP/1.1\r\n"), GP_SCAN_BAD},
		{BYTES("\rG|ET / HTTP/1.1\r\n"), GP_SCAN_BAD},
		{BYTES("GE\0|T / HTTP/1.1\r\n"), GP_SCAN_BAD},
		{BYTES("GE\xC3|T / HTTP/1.1\r\n"), GP_SCAN_BAD},
		{BYTES("GET /a b| HTTP/1.1\r\n"), GP_SCAN_BAD},
		{BYTES("GET /\0| HTTP/1.1\r\n"), GP_SCAN_BAD},
		{BYTES("GET /\x7f| HTTP/1.1\r\n"), GP_SCAN_BAD},
		{BYTES("GET HTTP/1.1\r|\n"), GP_SCAN_BAD},
		/* no method has more than 32 letters */
		{BYTES("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456|"), GP_SCAN_BAD},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_beginning(&cases[i]);
}

/* The '|' stands where the head ends. */
static void head_length(void **state)
{
	static const char *const cases[] = {
		"GET / HTTP/1.1\r\n\r\n|",
		"GET / HTTP/1.1\n\n|GET",
		"GET / HTTP/1.1\r\nA: b\r\n\r\n|\r\n\r\nGET",
		"\r\nGET / HTTP/1.1\r\nA: b\r\n\r\n|body",
		"\r\n\r\nGET / HTTP/1.1\r\nA: b\r\n\r\n|body",
		"\n\n\n\nGET / HTTP/1.1\nA: b\n\n|body",
		"\r\n\n\r\nGET / HTTP/1.1\nA: b\r\n \r\n\r\n|body\r\n\r\n",
	};
	char bytes[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t total = strlen(cases[i]) - 1;
		size_t len = (size_t)(strchr(cases[i], '|') - cases[i]);

		memcpy(bytes, cases[i], len);
		strcpy(bytes + len, cases[i] + len + 1);
		for (size_t shown = 0; shown <= total; shown++) {
			char *p = guard_copy(&guard, GUARD_TAIL, bytes, shown);
			size_t expected = shown < len ? 0 : len;

			for (size_t seen = 0; seen <= shown && seen < len; seen++)
				expect(gp_request_head_length(p, shown, seen) == expected,
				       "%s: %zu shown, %zu seen: not %zu", cases[i],
				       shown, seen, expected);
		}
	}
	assert_int_equal(gp_request_head_length("\r\n\r\n", 4, 0), 0);
}

/* Parses a copy in guarded memory, where the slices of `request` point to. */
static enum gp_err parse(const char *bytes, size_t len, enum guard_place place,
			 struct gp_request *request)
{
	return gp_request_parse(guard_copy(&guard, place, bytes, len), len, request);
}

static void expect_text(struct gp_text text, const char *expected, const char *what)
{
	expect(text.len == strlen(expected) && !memcmp(text.p, expected, text.len),
	       "%.*s is not \"%s\" in %s", (int)text.len, text.p, expected, what);
}

struct capture {
	const char *bytes;
	int minor;
	const char *method, *target;
	enum gp_target_form form;
	const char *host; /* NULL: none */
	enum gp_http_body body;
	uint64_t length;
	const char *wishes;
};

/* What it wants: 'A' to be authorized, 'U' to upgrade, 'E' to be told to go on. */
static void check_wishes(const struct gp_request *request, const char *wishes,
			 const char *bytes)
{
	expect(request->authorized == !!strchr(wishes, 'A'), "authorized: %s", bytes);
	expect(request->upgrades == !!strchr(wishes, 'U'), "upgrades: %s", bytes);
	expect(request->expects == !!strchr(wishes, 'E'), "expects: %s", bytes);
}

static void check_capture(const struct capture *capture)
{
	size_t len = strlen(capture->bytes);
	struct gp_request request;

	for (size_t shown = 0; shown < len; shown++)
		expect(parse(capture->bytes, shown, GUARD_TAIL, &request) ==
			       GP_ERR_HTTP_SYNTAX,
		       "%zu bytes of %s", shown, capture->bytes);
	for (int place = 0; place < GUARD_PLACES; place++) {
		expect(parse(capture->bytes, len, place, &request) == GP_OK, "%s",
		       capture->bytes);
		expect(request.minor == capture->minor, "1.%d: %s", request.minor,
		       capture->bytes);
		expect_text(request.method, capture->method, capture->bytes);
		expect_text(request.target, capture->target, capture->bytes);
		expect(request.form == capture->form, "form %d: %s", request.form,
		       capture->bytes);
		expect(!request.host.p == !capture->host, "host: %s", capture->bytes);
		if (capture->host)
			expect_text(request.host, capture->host, capture->bytes);
		expect(request.body == capture->body, "body %d: %s", request.body,
		       capture->bytes);
		expect(request.length == capture->length, "length %llu: %s",
		       (unsigned long long)request.length, capture->bytes);
		check_wishes(&request, capture->wishes, capture->bytes);
	}
}

#define ORIGIN    GP_TARGET_ORIGIN
#define ABSOLUTE  GP_TARGET_ABSOLUTE
#define AUTHORITY GP_TARGET_AUTHORITY
#define NONE      GP_BODY_NONE
#define LENGTH    GP_BODY_LENGTH
#define CHUNKED   GP_BODY_CHUNKED
#define PAGE      "http://origin.example/a?b"
#define HOST      "Host: origin.example\r\n"
#define END       "\r\n"

/* To a proxy that they know, as captured from the programs of Debian 12. */
static void requests_to_a_proxy(void **state)
{
	static const struct capture cases[] = {
		/* curl */
		{"GET " PAGE " HTTP/1.1\r\n" HOST "User-Agent: curl/7.88.1\r\n"
		 "Accept: */*\r\nProxy-Connection: Keep-Alive\r\n" END,
		 1, "GET", PAGE, ABSOLUTE, "origin.example", NONE, 0, ""},
		{"POST " PAGE " HTTP/1.1\r\n" HOST "User-Agent: curl/7.88.1\r\n"
		 "Accept: */*\r\nProxy-Connection: Keep-Alive\r\nContent-Length: 3\r\n"
		 "Content-Type: application/x-www-form-urlencoded\r\n" END,
		 1, "POST", PAGE, ABSOLUTE, "origin.example", LENGTH, 3, ""},
		{"PUT " PAGE " HTTP/1.1\r\n" HOST "User-Agent: curl/7.88.1\r\n"
		 "Accept: */*\r\nProxy-Connection: Keep-Alive\r\n"
		 "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n" END,
		 1, "PUT", PAGE, ABSOLUTE, "origin.example", CHUNKED, 0, "E"},
		{"GET " PAGE " HTTP/1.1\r\n" HOST "User-Agent: curl/7.88.1\r\n"
		 "Accept: */*\r\nProxy-Connection: Keep-Alive\r\n"
		 "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
		 "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n" END,
		 1, "GET", PAGE, ABSOLUTE, "origin.example", NONE, 0, "U"},
		{"GET " PAGE " HTTP/1.0\r\n" HOST "Proxy-Authorization: Basic dTpw\r\n"
		 "User-Agent: curl/7.88.1\r\nAccept: */*\r\n"
		 "Proxy-Connection: Keep-Alive\r\n" END,
		 0, "GET", PAGE, ABSOLUTE, "origin.example", NONE, 0, "A"},
		{"CONNECT origin.example:443 HTTP/1.1\r\nHost: origin.example:443\r\n"
		 "User-Agent: curl/7.88.1\r\nProxy-Connection: Keep-Alive\r\n" END,
		 1, "CONNECT", "origin.example:443", AUTHORITY, "origin.example:443",
		 NONE, 0, ""},
		/* wget */
		{"GET " PAGE " HTTP/1.1\r\n" HOST "User-Agent: Wget/1.21.3\r\n"
		 "Accept: */*\r\nAccept-Encoding: identity\r\nConnection: Keep-Alive\r\n"
		 "Proxy-Connection: Keep-Alive\r\n" END,
		 1, "GET", PAGE, ABSOLUTE, "origin.example", NONE, 0, ""},
		/* Python 3.11: urllib */
		{"GET " PAGE " HTTP/1.1\r\nAccept-Encoding: identity\r\n" HOST
		 "User-Agent: Python-urllib/3.11\r\nConnection: close\r\n" END,
		 1, "GET", PAGE, ABSOLUTE, "origin.example", NONE, 0, ""},
		{"CONNECT origin.example:443 HTTP/1.0\r\n" END, 0, "CONNECT",
		 "origin.example:443", AUTHORITY, NULL, NONE, 0, ""},
		/* LWP */
		{"POST " PAGE " HTTP/1.1\r\nTE: deflate,gzip;q=0.3\r\nKeep-Alive: 300\r\n"
		 "Connection: Keep-Alive, TE\r\n" HOST
		 "User-Agent: libwww-perl/6.68\r\nContent-Length: 3\r\n"
		 "Content-Type: application/x-www-form-urlencoded\r\n" END,
		 1, "POST", PAGE, ABSOLUTE, "origin.example", LENGTH, 3, ""},
		/* node, with the Host of its proxy */
		{"CONNECT origin.example:443 HTTP/1.1\r\nHost: 127.0.0.1:3128\r\n"
		 "Connection: keep-alive\r\n" END,
		 1, "CONNECT", "origin.example:443", AUTHORITY, "127.0.0.1:3128", NONE, 0,
		 ""},
		/* Java 17: URLConnection, HttpClient */
		{"GET " PAGE " HTTP/1.1\r\nUser-Agent: Java/17.0.15\r\n" HOST
		 "Accept: text/html, image/gif, image/jpeg, */*; q=0.2\r\n"
		 "Proxy-Connection: keep-alive\r\n" END,
		 1, "GET", PAGE, ABSOLUTE, "origin.example", NONE, 0, ""},
		{"GET " PAGE " HTTP/1.1\r\nContent-Length: 0\r\n" HOST
		 "User-Agent: Java-http-client/17.0.15\r\n" END,
		 1, "GET", PAGE, ABSOLUTE, "origin.example", LENGTH, 0, ""},
		/* git */
		{"GET http://origin.example/r.git/info/refs?service=git-upload-pack "
		 "HTTP/1.1\r\n" HOST "User-Agent: git/2.39.5\r\nAccept: */*\r\n"
		 "Accept-Encoding: deflate, gzip, br, zstd\r\n"
		 "Proxy-Connection: Keep-Alive\r\nAccept-Language: C, *;q=0.9\r\n"
		 "Pragma: no-cache\r\nGit-Protocol: version=2\r\n" END,
		 1, "GET",
		 "http://origin.example/r.git/info/refs?service=git-upload-pack",
		 ABSOLUTE, "origin.example", NONE, 0, ""},
		/* apt */
		{"GET " PAGE " HTTP/1.1\r\n" HOST "Accept: text/*\r\n"
		 "User-Agent: Debian APT-HTTP/1.3 (2.6.1)\r\n" END,
		 1, "GET", PAGE, ABSOLUTE, "origin.example", NONE, 0, ""},
		/* lynx */
		{"CONNECT origin.example:443 HTTP/1.0\r\n" HOST
		 "Accept: text/html, text/plain, text/sgml, text/css, */*;q=0.01\r\n"
		 "Accept-Language: en\r\nUser-Agent: Lynx/2.9.0dev.12\r\n" END,
		 0, "CONNECT", "origin.example:443", AUTHORITY, "origin.example", NONE, 0,
		 ""},
		/* w3m */
		{"GET " PAGE " HTTP/1.0\r\nUser-Agent: w3m/0.5.3+git20230121\r\n"
		 "Accept: text/html, text/*;q=0.5, image/*, application/*\r\n"
		 "Accept-Encoding: gzip, compress, bzip, bzip2, deflate\r\n"
		 "Accept-Language: en;q=1.0\r\n" HOST END,
		 0, "GET", PAGE, ABSOLUTE, "origin.example", NONE, 0, ""},
		/* aria2 */
		{"HEAD " PAGE " HTTP/1.1\r\nUser-Agent: aria2/1.36.0\r\n"
		 "Accept: */*,application/metalink4+xml,application/metalink+xml\r\n" HOST
		 "Connection: Keep-Alive\r\nWant-Digest: SHA-512;q=1\r\n" END,
		 1, "HEAD", PAGE, ABSOLUTE, "origin.example", NONE, 0, ""},
		/* nc, socat */
		{"CONNECT 192.0.2.1:22 HTTP/1.0\r\n" END, 0, "CONNECT", "192.0.2.1:22",
		 AUTHORITY, NULL, NONE, 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_capture(&cases[i]);
}

static void requests_to_an_origin(void **state)
{
	static const struct capture cases[] = {
		{"GET /a HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUser-Agent: curl/7.88.1\r\n"
		 "Accept: */*\r\n" END,
		 1, "GET", "/a", ORIGIN, "127.0.0.1:8000", NONE, 0, ""},
		{"OPTIONS * HTTP/1.1\r\n" HOST "User-Agent: curl/7.88.1\r\n"
		 "Accept: */*\r\n" END,
		 1, "OPTIONS", "*", GP_TARGET_ASTERISK, "origin.example", NONE, 0, ""},
		/* Python: http.client with an iterable for a body */
		{"POST /x HTTP/1.1\r\n" HOST "Accept-Encoding: identity\r\n"
		 "Transfer-Encoding: chunked\r\n" END,
		 1, "POST", "/x", ORIGIN, "origin.example", CHUNKED, 0, ""},
		/* node: http, a WebSocket, fetch */
		{"POST /x HTTP/1.1\r\n" HOST "Connection: keep-alive\r\n"
		 "Transfer-Encoding: chunked\r\n" END,
		 1, "POST", "/x", ORIGIN, "origin.example", CHUNKED, 0, ""},
		{"GET /chat HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		 "Sec-WebSocket-Version: 13\r\n"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" HOST END,
		 1, "GET", "/chat", ORIGIN, "origin.example", NONE, 0, "U"},
		{"GET /x HTTP/1.1\r\nhost: origin.example\r\nconnection: keep-alive\r\n"
		 "accept: */*\r\nsec-fetch-mode: cors\r\nuser-agent: node\r\n"
		 "accept-encoding: gzip, deflate\r\n" END,
		 1, "GET", "/x", ORIGIN, "origin.example", NONE, 0, ""},
		/* Java 17 */
		{"POST /x HTTP/1.1\r\nUser-Agent: Java/17.0.15\r\n" HOST
		 "Accept: text/html, image/gif, image/jpeg, */*; q=0.2\r\n"
		 "Connection: keep-alive\r\n"
		 "Content-type: application/x-www-form-urlencoded\r\n"
		 "Transfer-Encoding: chunked\r\n" END,
		 1, "POST", "/x", ORIGIN, "origin.example", CHUNKED, 0, ""},
		/* HTTP::Tiny */
		{"GET /a?b HTTP/1.1\r\n" HOST "User-Agent: HTTP-Tiny/0.080\r\n" END, 1,
		 "GET", "/a?b", ORIGIN, "origin.example", NONE, 0, ""},
		/* by hand */
		{"GET /index.html HTTP/1.0\n\n", 0, "GET", "/index.html", ORIGIN, NULL,
		 NONE, 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_capture(&cases[i]);
}

static void forms(void **state)
{
	static const struct {
		const char *line;
		enum gp_target_form form;
	} cases[] = {
		{"GET /", ORIGIN},
		{"GET //x//", ORIGIN},
		{"OPTIONS /*", ORIGIN},
		{"GET /http://x/", ORIGIN},
		{"GET http://x", ABSOLUTE},
		{"GET HTTP://X/", ABSOLUTE},
		{"GET https://x/", ABSOLUTE},
		{"GET ftp://x/", ABSOLUTE},
		{"GET coap+tcp://x/", ABSOLUTE},
		{"OPTIONS http://x", ABSOLUTE},
		{"connect http://x/", ABSOLUTE},
		{"CONNECT x:443", AUTHORITY},
		{"CONNECT [::1]:443", AUTHORITY},
		{"CONNECT x", AUTHORITY},
		{"OPTIONS *", GP_TARGET_ASTERISK},
		{"OPTIONS  \t* ", GP_TARGET_ASTERISK},
	};
	char bytes[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct gp_request request;
		int len = snprintf(bytes, sizeof(bytes), "%s HTTP/1.1\r\n\r\n",
				   cases[i].line);

		expect(parse(bytes, (size_t)len, GUARD_TAIL, &request) == GP_OK, "%s",
		       cases[i].line);
		expect(request.form == cases[i].form, "%s: %d", cases[i].line,
		       request.form);
		assert_int_equal(request.fields.len, 0);
	}
}

static void bad_heads(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{BYTES("GET x HTTP/1.1\r\n\r\n")},
		{BYTES("GET * HTTP/1.1\r\n\r\n")},
		{BYTES("options * HTTP/1.1\r\n\r\n")},
		{BYTES("GET x:443 HTTP/1.1\r\n\r\n")},
		{BYTES("connect x:443 HTTP/1.1\r\n\r\n")},
		{BYTES("GET x:/y HTTP/1.1\r\n\r\n")},
		{BYTES("GET http:/x HTTP/1.1\r\n\r\n")},
		{BYTES("GET http: HTTP/1.1\r\n\r\n")},
		{BYTES("GET ://x HTTP/1.1\r\n\r\n")},
		{BYTES("GET 1http://x HTTP/1.1\r\n\r\n")},
		{BYTES("GET ht_tp://x HTTP/1.1\r\n\r\n")},
		{BYTES("GET / HTTP/2.0\r\n\r\n")},
		{BYTES("GET / HTTP/1.1 x\r\n\r\n")},
		{BYTES("GET /\r\n\r\n")},
		{BYTES("HTTP/1.1 200 OK\r\n\r\n")},
		{BYTES("\r\n\r\n")},
		/* white space between the request line and the first field (RFC 9112 2.2)
		 */
		{BYTES("GET / HTTP/1.1\r\n Host: x\r\n\r\n")},
		{BYTES("GET / HTTP/1.1\r\n\r Host: x\r\n\r\n")},
		{BYTES("GET / HTTP/1.1\r\nA: \0\r\n\r\n")},
		{BYTES("GET / HTTP/1.1\r\nA\0: b\r\n\r\n")},
		{BYTES("GET / HTTP/1.1\r\n\0\r\n\r\n")},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (int place = 0; place < GUARD_PLACES; place++) {
			struct gp_request request;

			expect(parse(cases[i].bytes, cases[i].len, place, &request) ==
				       GP_ERR_HTTP_SYNTAX,
			       "case %zu: %s", i, cases[i].bytes);
		}
}

/* Parses "METHOD / HTTP/VERSION" with the fields. */
static enum gp_err parse_fields(const char *method, int minor, const char *fields,
				struct gp_request *request)
{
	char bytes[1024];
	int len = snprintf(bytes, sizeof(bytes), "%s /x HTTP/1.%d\r\n%s\r\n", method,
			   minor, fields);

	assert_true(len > 0 && (size_t)len < sizeof(bytes));
	return parse(bytes, (size_t)len, GUARD_TAIL, request);
}

static void hosts(void **state)
{
#define LABEL "0123456789.0123456789.0123456789.0123456789.0123456789."
#define LONG  LABEL LABEL LABEL LABEL "01234567890123456789.012345678901" /* 253 */
	static const struct {
		const char *fields, *host; /* NULL: absent or bad */
	} cases[] = {
		{"Host: x\r\n", "x"},
		{"HOST:x\r\n", "x"},
		{"Host: \t origin.Example. \t \r\n", "origin.Example."},
		{"Host: x_y-z~.example:8080\r\n", "x_y-z~.example:8080"},
		{"Host: x:1\r\n", "x:1"},
		{"Host: x:65535\r\n", "x:65535"},
		{"Host: 192.0.2.1:80\r\n", "192.0.2.1:80"},
		{"Host: [::1]\r\n", "[::1]"},
		{"Host: [2001:DB8::1]:8080\r\n", "[2001:DB8::1]:8080"},
		{"Host: caf\xC3\xA9.example\r\n", "caf\xC3\xA9.example"},
		{"Host: x\r\n :80\r\n", NULL},
		{"Host:\r\n x\r\n", "x"},
		{"Host: " LONG "aa:80\r\n", LONG "aa:80"},
		{"Host: " LONG "aaa:80\r\n", NULL},
		{"", NULL},
		{"X-Host: x\r\n", NULL},
		{"Host:\r\n", NULL},
		{"Host: :80\r\n", NULL},
		{"Host: x:\r\n", NULL},
		{"Host: x:0\r\n", NULL},
		{"Host: x:65536\r\n", NULL},
		{"Host: x:80x\r\n", NULL},
		{"Host: x:80:80\r\n", NULL},
		{"Host: x y\r\n", NULL},
		{"Host: x, y\r\n", NULL},
		{"Host: x/y\r\n", NULL},
		{"Host: x?y\r\n", NULL},
		{"Host: x#y\r\n", NULL},
		{"Host: x\\y\r\n", NULL},
		{"Host: x%41\r\n", NULL},
		{"Host: alice:sekret@x\r\n", NULL},
		{"Host: http://x\r\n", NULL},
		{"Host: ::1\r\n", NULL},
		{"Host: [::1\r\n", NULL},
		{"Host: ::1]\r\n", NULL},
		{"Host: x]\r\n", NULL},
		{"Host: []\r\n", NULL},
		{"Host: [x]\r\n", NULL},
		{"Host: [::1%25eth0]\r\n", NULL},
		{"Host: [::1]x\r\n", NULL},
		{"Host: [::1]x:80\r\n", NULL},
		{"Host: [::1]:\r\n", NULL},
		{"Host: x[::1]:80\r\n", NULL},
		{"Host: x\rHost: y\r\n", NULL},
		{"Host: x\x01\r\n", NULL},
		{"Host: x\x7f\r\n", NULL},
		{"Host: x\r\nHost: x\r\n", NULL},
		{"Host: x\r\nhost: y\r\n", NULL},
		{"Host: \r\nHost: y\r\n", NULL},
		{"Host: x\r\nHost: y\r\nHost: z\r\n", NULL},
	};
	struct gp_request request;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		expect(parse_fields("GET", 1, cases[i].fields, &request) == GP_OK, "%s",
		       cases[i].fields);
		expect(!request.host.p == !cases[i].host, "%s", cases[i].fields);
		if (cases[i].host)
			expect_text(request.host, cases[i].host, cases[i].fields);
	}
}

static void body_framing(void **state)
{
	static const struct {
		const char *method;
		int minor;
		const char *fields;
		enum gp_http_body body;
		uint64_t length;
	} cases[] = {
		{"GET", 1, "", NONE, 0},
		{"POST", 1, "", NONE, 0},
		{"POST", 0, "", NONE, 0},
		{"POST", 1, "Content-Length: 0\r\n", LENGTH, 0},
		{"GET", 1, "Content-Length: 5\r\n", LENGTH, 5},
		{"HEAD", 1, "Content-Length: 5\r\n", LENGTH, 5},
		{"POST", 0, "Content-Length: 5\r\n", LENGTH, 5},
		{"POST", 1, "content-LENGTH:\t 17  \r\n", LENGTH, 17},
		{"POST", 1, "Content-Length : 5\r\n", LENGTH, 5},
		{"POST", 1, "Content-Length: 5, 5\r\n", LENGTH, 5},
		{"POST", 1, "Content-Length: 5\r\nContent-Length: 5\r\n", LENGTH, 5},
		{"POST", 1, "Content-Length:\r\n 5\r\n", LENGTH, 5},
		{"POST", 1, "A: b\r\n Content-Length: 5\r\n", NONE, 0},
		{"POST", 1, "A: b\r\n\r Content-Length: 5\r\n", NONE, 0},
		{"POST", 1, "A: b\rContent-Length: 5\r\n", NONE, 0},
		{"POST", 1, "X-Content-Length: 5\r\n", NONE, 0},
		{"POST", 1, "Content-Length: 18446744073709551615\r\n", LENGTH,
		 UINT64_MAX},
		{"POST", 1, "Transfer-Encoding: chunked\r\n", CHUNKED, 0},
		{"GET", 1, "transfer-encoding:CHUNKED\r\n", CHUNKED, 0},
		{"POST", 1, "Transfer-Encoding: gzip, chunked\r\n", CHUNKED, 0},
		{"POST", 1, "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
		 CHUNKED, 0},
		/* the transfer coding wins (RFC 9112 6.3) */
		{"POST", 1, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
		 CHUNKED, 0},
		{"POST", 1, "Transfer-Encoding: chunked\r\nContent-Length: x\r\n",
		 CHUNKED, 0},
		{"TRACE", 1, "Content-Length: 5\r\n", NONE, 0},
		{"TRACE", 1, "Transfer-Encoding: chunked\r\n", NONE, 0},
		{"CONNECT", 1, "Content-Length: 5\r\n", NONE, 0},
		{"CONNECT", 1, "Content-Length: x\r\n", NONE, 0},
		{"CONNECT", 0, "Transfer-Encoding: gzip\r\n", NONE, 0},
		{"trace", 1, "Content-Length: 5\r\n", LENGTH, 5},
		{"CONNECTED", 1, "Content-Length: 5\r\n", LENGTH, 5},
	};
	struct gp_request request;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		expect(parse_fields(cases[i].method, cases[i].minor, cases[i].fields,
				    &request) == GP_OK,
		       "case %zu: %s", i, cases[i].fields);
		expect(request.body == cases[i].body, "case %zu: %d", i, request.body);
		expect(request.length == cases[i].length, "case %zu: length", i);
	}
}

static void bad_framing(void **state)
{
	static const struct {
		int minor;
		const char *fields;
	} cases[] = {
		{1, "Content-Length: 5, 6\r\n"},
		{1, "Content-Length: 5\r\nContent-Length: 6\r\n"},
		{1, "Content-Length: 5\r\nA: b\r\nContent-Length: 50\r\n"},
		{1, "Content-Length:\r\n"},
		{1, "Content-Length: -5\r\n"},
		{1, "Content-Length: +5\r\n"},
		{1, "Content-Length: 5x\r\n"},
		{1, "Content-Length: 0x5\r\n"},
		{1, "Content-Length: 5 5\r\n"},
		{1, "Content-Length: 5,\r\n"},
		{1, "Content-Length: 18446744073709551616\r\n"},
		{1, "Transfer-Encoding: gzip\r\n"},
		{1, "Transfer-Encoding: identity\r\n"},
		{1, "Transfer-Encoding: chunked, gzip\r\n"},
		{1, "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n"},
		{1, "Transfer-Encoding: xchunked\r\n"},
		{1, "Transfer-Encoding: chunked;x=y\r\n"},
		{1, "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n"},
		{0, "Transfer-Encoding: chunked\r\n"},
		{0, "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"},
	};
	struct gp_request request;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		expect(parse_fields("POST", cases[i].minor, cases[i].fields, &request) ==
			       GP_ERR_HTTP_FRAMING,
		       "%s", cases[i].fields);
		expect_text(request.target, "/x", cases[i].fields);
	}
}

static void what_it_wants(void **state)
{
#define UPGRADE "Upgrade: websocket\r\n"
	static const struct {
		int minor;
		const char *fields;
		const char *wishes;
	} cases[] = {
		{1, UPGRADE "Connection: upgrade\r\n", "U"},
		{1, "CONNECTION: foo ,UPGRADE\r\n" UPGRADE, "U"},
		{1, "Connection: foo\r\n" UPGRADE "Connection: upgrade\r\n", "U"},
		{1, "Connection: upgrade\r\n", ""},
		{1, UPGRADE, ""},
		{1, UPGRADE "Connection: keep-alive\r\n", ""},
		{1, UPGRADE "Connection: upgrades\r\n", ""},
		{1, UPGRADE "Proxy-Connection: upgrade\r\n", ""},
		{1, "Upgrade:\r\nConnection: upgrade\r\n", ""},
		{0, UPGRADE "Connection: upgrade\r\n", ""},
		{1, "Expect: 100-continue\r\n", "E"},
		{1, "EXPECT: 100-Continue\r\n", "E"},
		{1, "Expect: x, 100-continue\r\n", "E"},
		{0, "Expect: 100-continue\r\n", ""},
		{1, "Expect: 200-ok\r\n", ""},
		{1, "Expect:\r\n", ""},
		{1, "Proxy-Authorization: Basic dTpw\r\n", "A"},
		{0, "proxy-authorization:\r\n", "A"},
		{1, "Proxy-Authorization : x\r\n", "A"},
		{1, "Authorization: Basic dTpw\r\n", ""},
	};
	struct gp_request request;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		expect(parse_fields("GET", cases[i].minor, cases[i].fields, &request) ==
			       GP_OK,
		       "%s", cases[i].fields);
		check_wishes(&request, cases[i].wishes, cases[i].fields);
	}
}

static void field_lines(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"A: b\r\n", "A: b\r\n"},
		{"A: b\nC: d\n", "A: b\nC: d\n"},
		{"A: b\r\n c\r\nD: e\r\n", "A: b   c\r\nD: e\r\n"},
		{"A: b\n\tc\r\n", "A: b \tc\r\n"},
		{"A: b\r\n \r\n\r\n", "A: b   \r\n"},
		{"junk\r\nA: b\r\n", "junk\r\nA: b\r\n"},
		{"A: b\rC: d\r\n", "A: b C: d\r\n"},
		{"A: b\r\r\n", "A: b \r\n"},
	};
	struct gp_request request;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		expect(parse_fields("GET", 1, cases[i][0], &request) == GP_OK, "case %zu",
		       i);
		expect_text(request.fields, cases[i][1], cases[i][0]);
	}
}

static void what_follows_the_head_stays(void **state)
{
	static const char bytes[] =
		"\r\n\r\nGET / HTTP/1.1\r\nA: b\r\n\r\n\r \r\n x\n\0y";
	struct gp_request request;
	size_t len = sizeof(bytes) - 1;
	char *p = guard_copy(&guard, GUARD_TAIL, bytes, len);

	(void)state;
	assert_int_equal(gp_request_parse(p, len, &request), GP_OK);
	assert_memory_equal(p, bytes, len);
	expect_text(request.fields, "A: b\r\n", bytes);
}

static void long_heads(void **state)
{
	static char bytes[GP_HEAD_MAX];
	struct gp_request request;
	struct gp_http_field field;
	size_t len = sizeof(bytes);

	(void)state;
	memset(bytes, 'x', len);
	memcpy(bytes, BYTES("GET /"));
	memcpy(bytes + len - 13, BYTES(" HTTP/1.1\r\n\r\n"));
	assert_int_equal(gp_request_begins(bytes, len), GP_SCAN_DONE);
	assert_int_equal(gp_request_begins(bytes, len - 13), GP_SCAN_MORE);
	assert_int_equal(gp_request_head_length(bytes, len, len - 1), len);
	assert_int_equal(parse(bytes, len, GUARD_TAIL, &request), GP_OK);
	assert_int_equal(request.target.len, len - 4 - 13);
	memset(bytes, 'x', len);
	memcpy(bytes, BYTES("GET / HTTP/1.1\r\nA: "));
	memcpy(bytes + len - 4, BYTES("\r\n\r\n"));
	assert_int_equal(parse(bytes, len, GUARD_TAIL, &request), GP_OK);
	assert_true(gp_http_field_next(&request.fields, &field));
	assert_int_equal(field.value.len, len - 19 - 4);
	assert_false(gp_http_field_next(&request.fields, &field));
}

static void long_methods(void **state)
{
	static const char line[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345 / HTTP/1.1\r\n\r\n";
	struct gp_request request;

	(void)state;
	assert_int_equal(parse(line, sizeof(line) - 1, GUARD_TAIL, &request), GP_OK);
	assert_int_equal(request.method.len, 32);
}

static void connections_that_stay(void **state)
{
	static const struct {
		const char *version_and_fields;
		bool persistent;
	} cases[] = {
		{"1.1\r\n", true},
		{"1.1\r\nConnection: close\r\n", false},
		{"1.1\r\nConnection: TE, Close\r\n", false},
		{"1.1\r\nProxy-Connection: close\r\n", false},
		{"1.1\r\nProxy-Connection: keep-alive\r\nConnection: close\r\n", false},
		{"1.0\r\n", false},
		{"1.0\r\nConnection: keep-alive\r\n", true},
		{"1.0\r\nProxy-Connection: Keep-Alive\r\n", true},
		{"1.0\r\nProxy-Connection: keep-alive\r\nConnection: close\r\n", false},
	};
	static const char *const beginnings[] = {"GET http://x/ HTTP/",
						 "CONNECT x:1 HTTP/"};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t j = 0; j < COUNT(beginnings); j++) {
			struct gp_request request;
			char bytes[256];
			int len = snprintf(bytes, sizeof(bytes), "%s%s\r\n",
					   beginnings[j], cases[i].version_and_fields);

			assert_int_equal(gp_request_parse(bytes, (size_t)len, &request),
					 GP_OK);
			expect(request.persistent == cases[i].persistent, "%s",
			       cases[i].version_and_fields);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_begin),
		cmocka_unit_test(others_do_not_begin),
		cmocka_unit_test(head_length),
		cmocka_unit_test(requests_to_a_proxy),
		cmocka_unit_test(requests_to_an_origin),
		cmocka_unit_test(forms),
		cmocka_unit_test(bad_heads),
		cmocka_unit_test(hosts),
		cmocka_unit_test(body_framing),
		cmocka_unit_test(bad_framing),
		cmocka_unit_test(what_it_wants),
		cmocka_unit_test(field_lines),
		cmocka_unit_test(what_follows_the_head_stays),
		cmocka_unit_test(long_heads),
		cmocka_unit_test(long_methods),
		cmocka_unit_test(connections_that_stay),
	};

	guard_init(&guard, GP_HEAD_MAX);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	guard_release(&guard);
	return failed;
}
