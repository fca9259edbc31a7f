/* SPDX-License-Identifier: MIT */
/* What a connection to a proxy (gatepass/exchange.h) carries besides requests: tunnels,
 * other protocols, silence. Our authorization goes out with none of it. */
#include "exchange_play.h"

#define KNOWN KNOWS(OURS)
#define FORWARD_KNOWN                                                                    \
	{                                                                                \
		.authority = "origin.test:80", .authorization.value = OURS               \
	}
#define NO_TUNNEL                                                                        \
	{                                                                                \
		.authority = "origin.test:80", .authorization.value = OURS,              \
		.no_tunnel = true                                                        \
	}

#define TLS     "\x16\x03\x01\x02\x01\x01\x01\x01\xfc\x03\x03"
#define SSH     "SSH-2.0-OpenSSH_9.2\r\n"
#define HTTP2   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define GARBAGE "\x7f\x01\xff GET / HTTP/1.1\r\n\r\n"
#define OLDEST  "GET /\r\n"
#define FOLDED  "GET / HTTP/1.1\r\nX: y\r\n\tz\r\nContent-Length: x\r\n\r\n"
#define BARE_CR "GET / HTTP/1.1\r\nX: \ry\r\nContent-Length: x\r\n\r\n"
#define UPGRADE_FOLDED                                                                   \
	TO_ORIGIN("GET", "/", "Connection:\r\n Upgrade\r\nUpgrade: websocket\r\n\r\n")

#define CHALLENGES "HTTP/1.1 407 x\r\n" ASKS "Content-Length: 0\r\n\r\n"

/* --- other protocols ------------------------------------------------------------- */

#define RAW(bytes)                                                                       \
	{                                                                                \
		bytes, KNOWN, false,                                                     \
		{                                                                        \
			{WRITES, bytes}, {GETS, bytes}, {OVER, NULL},                    \
				{SAYS, CHALLENGES}, {READS, CHALLENGES}, {WRITES, GET},  \
				{GETS, GET},                                             \
			{                                                                \
				OVER, NULL                                               \
			}                                                                \
		}                                                                        \
	}

/* To a proxy that the program knows: its own business. */
static void raw(void **state)
{
	static const struct scene scenes[] = {
		RAW(TLS),
		RAW(SSH),
		RAW(HTTP2),
		RAW(GARBAGE),
		RAW(OLDEST),
		RAW("GET /page HTTP/1.1\r\nHost: proxy\r\n\r\n"),
		RAW("OPTIONS * HTTP/1.1\r\nHost: proxy\r\n\r\n"),
		RAW("GET http://origin.test/ HTTP/1.1\r\nContent-Length: 1,2\r\n\r\n"),
		RAW(FOLDED),
		RAW(BARE_CR),
	};

	(void)state;
	PLAY(scenes);
}

#define TUNNELLED(bytes)                                                                 \
	{                                                                                \
		bytes, FORWARD_KNOWN, false,                                             \
		{                                                                        \
			{WRITES, bytes}, {TUNNELS, NULL}, {GETS, bytes}, {OVER, NULL},   \
				{SAYS, CHALLENGES}, {READS, CHALLENGES}, {WRITES, GET},  \
				{GETS, GET},                                             \
			{                                                                \
				OVER, NULL                                               \
			}                                                                \
		}                                                                        \
	}
#define UPGRADE TO_ORIGIN("GET", "/", "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")

/* To an origin: it gets a tunnel, and every byte as it was. */
static void tunnelled(void **state)
{
	static const struct scene scenes[] = {
		TUNNELLED(TLS),
		TUNNELLED(SSH),
		TUNNELLED(HTTP2),
		TUNNELLED(GARBAGE),
		TUNNELLED(OLDEST),
		TUNNELLED(UPGRADE),
		TUNNELLED(GET),
		TUNNELLED(FOLDED),
		TUNNELLED(BARE_CR),
		TUNNELLED(UPGRADE_FOLDED),
		TUNNELLED("CONNECT origin.test:443 HTTP/1.1\r\n\r\n"),
	};

	(void)state;
	PLAY(scenes);
}

static void not_tunnelled(void **state)
{
#define FAILS(bytes, refusal)                                                            \
	{                                                                                \
		bytes, FORWARD_KNOWN, false,                                             \
		{                                                                        \
			{WRITES, bytes}, {refusal, NULL},                                \
			{                                                                \
				FAILED, NULL                                             \
			}                                                                \
		}                                                                        \
	}
	static const struct scene scenes[] = {
		FAILS(TLS, WONT_TUNNEL),
		FAILS(OLDEST, WONT_TUNNEL),
		FAILS(SSH, CANT_TUNNEL),
		FAILS("CONNECT a:1 HTTP/1.0\r\n\r\n", WONT_TUNNEL),
		{"no tunnel is tried again",
		 NO_TUNNEL,
		 false,
		 {{WRITES, TLS}, {FAILED, NULL}}},
		{"nor for CONNECT",
		 NO_TUNNEL,
		 false,
		 {{WRITES, "CONNECT a:1 HTTP/1.0\r\n\r\n"}, {FAILED, NULL}}},
		{"what can be forwarded is",
		 FORWARD_KNOWN,
		 false,
		 {{WRITES, UPGRADE},
		  {WONT_TUNNEL, NULL},
		  {GETS_ANOTHER, NULL},
		  {GETS,
		   "GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n" AUTHORIZED(
			   OURS) "\r\n"},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5},
		  {WRITES,
		   TO_ORIGIN("GET", "/", "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"absolute-form, too; with a probe, as its body is",
		 FORWARD,
		 false,
		 {{WRITES, CHUNKED},
		  {WONT_TUNNEL, NULL},
		  {GETS_ANOTHER, NULL},
		  {GETS_PROBE, NULL},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, CHUNKED_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"but not without a proxy",
		 FORWARD,
		 false,
		 {{WRITES, UPGRADE},
		  {WONT_TUNNEL, NULL},
		  {IS_DOWN, NULL},
		  {FAILED, NULL}}},
	};

	(void)state;
	PLAY(scenes);
}

/* After requests that were forwarded. */
static void not_at_the_beginning(void **state)
{
#define GET_ORIGIN TO_ORIGIN("GET", "/", END_OF_HEAD)
	static const struct scene scenes[] = {
		{"an upgrade gets a tunnel when all has been read",
		 FORWARD_KNOWN,
		 false,
		 {{WRITES, GET_ORIGIN},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5},
		  {WRITES, UPGRADE},
		  {TUNNELS, NULL},
		  {GETS, UPGRADE},
		  {OVER, NULL}}},
		{"else it is forwarded without, for the tunnel would cost the response",
		 FORWARD_KNOWN,
		 false,
		 {{WRITES, GET_ORIGIN},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {WRITES,
		   TO_ORIGIN("GET", "/", "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {READS, OK_5},
		  {READS, OK_5},
		  {HEARS, "200"}}},
		{"as would one for what is no request: that is the proxy's to answer",
		 FORWARD_KNOWN,
		 false,
		 {{WRITES, TO_ORIGIN("POST", "/", "Content-Length: 1\r\n\r\n1")},
		  {GETS, TO_PROXY("POST", "/",
				  "Content-Length: 1\r\n" AUTHORIZED(OURS) "\r\n1")},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {WRITES, "\x01 garbage"},
		  {GETS, "\x01 garbage"},
		  {OVER, NULL},
		  {READS, OK_5}}},
		{"observe",
		 KNOWN,
		 false,
		 {{WRITES, GET},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {WRITES, "\x01 garbage"},
		  {GETS, "\x01 garbage"},
		  {OVER, NULL},
		  {SAYS, "HTTP/1.1 400 x\r\n\r\n"},
		  {READS, OK_5 "HTTP/1.1 400 x\r\n\r\n"}}},
	};

	(void)state;
	PLAY(scenes);
}

/* --- the program's own tunnels, and other ends of HTTP --------------------------- */

static void connects_itself(void **state)
{
#define CONNECT(fields)                                                                  \
	"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n" fields "\r\n"
#define CONNECTED "HTTP/1.1 200 Connection established\r\nContent-Length: 9\r\n\r\n"
	static const struct scene scenes[] = {
		{"200, and what follows is from beyond",
		 KNOWN,
		 false,
		 {{WRITES, CONNECT("")},
		  {GETS, CONNECT(AUTHORIZED(OURS))},
		  {SAYS, CONNECTED SSH},
		  {HEARS, "200"},
		  {OVER, NULL},
		  {READS, CONNECTED SSH},
		  {WRITES, TLS},
		  {GETS, TLS},
		  {OVER, NULL}}},
		{"what comes before the 200 waits for it",
		 OBSERVE,
		 false,
		 {{WRITES, CONNECT("")},
		  {GETS, CONNECT("")},
		  {WRITES, TLS},
		  {IS_NOT_OUT, NULL},
		  {SAYS, "HTTP/1.0 299 x\r\n\r\n"},
		  {WRITES, SSH},
		  {GETS, TLS},
		  {GETS, SSH},
		  {OVER, NULL},
		  {READS, "HTTP/1.0 299 x\r\n\r\n"},
		  {WRITES, GET},
		  {GETS, GET},
		  {OVER, NULL}}},
		{"what comes before a 407 and a 200, too",
		 OBSERVE,
		 false,
		 {{WRITES, CONNECT("") TLS},
		  {GETS, CONNECT("")},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, CONNECT(AUTHORIZED(OURS))},
		  {SAYS, CONNECTED},
		  {HEARS, "200"},
		  {GETS, TLS},
		  {READS, CONNECTED},
		  {OVER, NULL}}},
		{"what comes before a 403 is the proxy's to refuse",
		 OBSERVE,
		 false,
		 {{WRITES, CONNECT("") TLS},
		  {GETS, CONNECT("")},
		  {SAYS, "HTTP/1.1 403 x\r\nContent-Length: 2\r\n\r\nno"},
		  {GETS, TLS},
		  {READS, "HTTP/1.1 403 x\r\nContent-Length: 2\r\n\r\nno"},
		  {OVER, NULL}}},
		{"407",
		 OBSERVE,
		 false,
		 {{WRITES, CONNECT("")},
		  {GETS, CONNECT("")},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, CONNECT(AUTHORIZED(OURS))},
		  {SAYS, CONNECTED},
		  {HEARS, "200"},
		  {READS, CONNECTED},
		  {OVER, NULL}}},
		{"407 and refused, then another request",
		 OBSERVE,
		 false,
		 {{WRITES, CONNECT("")},
		  {GETS, CONNECT("")},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {READS, KEPT_407},
		  {WRITES, GET},
		  {GETS, GET},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"403",
		 OBSERVE,
		 false,
		 {{WRITES, CONNECT("")},
		  {GETS, CONNECT("")},
		  {SAYS, "HTTP/1.1 403 x\r\nContent-Length: 2\r\n\r\nno"},
		  {READS, "HTTP/1.1 403 x\r\nContent-Length: 2\r\n\r\nno"},
		  {WRITES, GET},
		  {GETS, GET},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"HTTP/1.0, with nothing in it",
		 OBSERVE,
		 false,
		 {{WRITES, "CONNECT a.test:443 HTTP/1.0\r\n\r\n"},
		  {GETS, "CONNECT a.test:443 HTTP/1.0\r\n\r\n"},
		  {SAYS, "HTTP/1.0 407 x\r\n" ASKS "\r\nbody"},
		  {SAYS_END, NULL},
		  {IS_ASKED, "407 new, may close"},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, "CONNECT a.test:443 HTTP/1.0\r\n" AUTHORIZED(OURS) "\r\n"},
		  {SAYS, CONNECTED},
		  {HEARS, "200"},
		  {READS, CONNECTED},
		  {OVER, NULL}}},
		{"behind a response that is not read",
		 KNOWN,
		 false,
		 {{WRITES, GET},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {WRITES, CONNECT("")},
		  {GETS, CONNECT(AUTHORIZED(OURS))},
		  {SAYS, CONNECTED "x"},
		  {READS, OK_5},
		  {READS, CONNECTED "x"},
		  {HEARS, "200"},
		  {OVER, NULL}}},
	};

	(void)state;
	PLAY(scenes);
}

static void switches(void **state)
{
#define SWITCHED "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x01x"
#define UPGRADE_TO_PROXY(fields)                                                         \
	TO_PROXY("GET", "/",                                                             \
		 "Connection: Upgrade\r\nUpgrade: websocket\r\n" fields "\r\n")
	static const struct scene scenes[] = {
		{"101",
		 KNOWN,
		 false,
		 {{WRITES, UPGRADE_TO_PROXY("")},
		  {GETS, UPGRADE_TO_PROXY(AUTHORIZED(OURS))},
		  {SAYS, SWITCHED},
		  {HEARS, "101"},
		  {OVER, NULL},
		  {READS, SWITCHED},
		  {WRITES, GET},
		  {GETS, GET},
		  {OVER, NULL}}},
		{"what comes before the 101 waits for it",
		 KNOWN,
		 false,
		 {{WRITES, UPGRADE_TO_PROXY("") "\x81\x01y"},
		  {GETS, UPGRADE_TO_PROXY(AUTHORIZED(OURS))},
		  {SAYS, SWITCHED},
		  {HEARS, "101"},
		  {GETS, "\x81\x01y"},
		  {OVER, NULL},
		  {READS, SWITCHED}}},
		{"407, then 101",
		 OBSERVE,
		 false,
		 {{WRITES, UPGRADE_TO_PROXY("")},
		  {GETS, UPGRADE_TO_PROXY("")},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, UPGRADE_TO_PROXY(AUTHORIZED(OURS))},
		  {SAYS, SWITCHED},
		  {HEARS, "101"},
		  {READS, SWITCHED},
		  {OVER, NULL}}},
	};

	(void)state;
	PLAY(scenes);
}

static void hold(const char *bytes)
{
	assert_int_equal(gp_exchange_accepts(&exchange), GP_ACCEPT_HOLD);
	assert_int_equal(gp_exchange_hold(&exchange, bytes, strlen(bytes)),
			 strlen(bytes));
}

/* --- silence --------------------------------------------------------------------- */

static void silence(void **state)
{
	static const struct scene scenes[] = {
		{"the server speaks first",
		 FORWARD_KNOWN,
		 false,
		 {{IS_SILENT, NULL},
		  {TUNNELS, NULL},
		  {SAYS, SSH},
		  {OVER, NULL},
		  {READS, SSH},
		  {WRITES, GET},
		  {GETS, GET},
		  {OVER, NULL}}},
		{"no tunnel to anybody who could: the program may just be slow",
		 FORWARD_KNOWN,
		 false,
		 {{IS_SILENT, NULL},
		  {WONT_TUNNEL, NULL},
		  {GETS_ANOTHER, NULL},
		  {IS_HEARD, NULL},
		  {READS_NOTHING, NULL},
		  {WRITES, "G"},
		  {IS_HEARD, NULL},
		  {WRITES, "ET / HTTP/1.1\r\nHost: origin.test\r\n\r\n"},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"and then it does not speak HTTP after all",
		 FORWARD_KNOWN,
		 false,
		 {{IS_SILENT, NULL},
		  {WONT_TUNNEL, NULL},
		  {GETS_ANOTHER, NULL},
		  {WRITES, SSH},
		  {FAILED, NULL}}},
		{"and then the proxy has gone",
		 FORWARD_KNOWN,
		 false,
		 {{IS_SILENT, NULL},
		  {WONT_TUNNEL, NULL},
		  {IS_DOWN, NULL},
		  {FAILED, NULL}}},
		{"the tunnel fails",
		 FORWARD_KNOWN,
		 false,
		 {{IS_SILENT, NULL}, {CANT_TUNNEL, NULL}, {FAILED, NULL}}},
		{"nothing is left to try",
		 NO_TUNNEL,
		 false,
		 {{IS_SILENT, NULL}, {FAILED, NULL}}},
	};

	(void)state;
	PLAY(scenes);
}

/* What the program said may be the beginning of a request line, or of anything. */
static void half_a_line(void **state)
{
#define HALF(bytes)                                                                      \
	{WRITES, bytes},                                                                 \
	{                                                                                \
		IS_SILENT, NULL                                                          \
	}
#define TUNNELS_HALF(bytes)                                                              \
	{                                                                                \
		bytes, FORWARD_KNOWN, false,                                             \
		{                                                                        \
			HALF(bytes), {TUNNELS, NULL}, {GETS, bytes}, {OVER, NULL},       \
				{SAYS, CHALLENGES}, {READS, CHALLENGES}, {WRITES, GET},  \
				{GETS, GET}, {OVER, NULL},                               \
		}                                                                        \
	}
	static const struct scene scenes[] = {
		TUNNELS_HALF("HELO"),
		TUNNELS_HALF("USER me"),
		TUNNELS_HALF("GET /page HTTP/1.1"),
		TUNNELS_HALF("\r\n"),
		{"it will not tunnel",
		 FORWARD_KNOWN,
		 false,
		 {HALF("HELO"), {WONT_TUNNEL, NULL}, {FAILED, NULL}}},
		{"it cannot",
		 FORWARD_KNOWN,
		 false,
		 {HALF("HELO"), {CANT_TUNNEL, NULL}, {FAILED, NULL}}},
		{"it has refused to", NO_TUNNEL, false, {HALF("HELO"), {FAILED, NULL}}},
	};

	(void)state;
	PLAY(scenes);
}

static void decided(void **state)
{
	static const struct scene scenes[] = {
		{"the line tells",
		 FORWARD,
		 false,
		 {{WRITES, "GET / HTTP/1.1\r\n"},
		  {IS_HEARD, NULL},
		  {WRITES, "Host: origin.test\r\n"},
		  {IS_HEARD, NULL},
		  {WRITES, "\r\n"},
		  {GETS, GET},
		  {IS_HEARD, NULL},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"observe: it speaks to a proxy",
		 OBSERVE,
		 false,
		 {{IS_HEARD, NULL}, {WRITES, "GET htt"}, {IS_HEARD, NULL}}},
	};

	(void)state;
	PLAY(scenes);
}

/* Giving up means nothing then. */
static void give_up_in_vain(void **state)
{
	static const struct gp_exchange_way forward = FORWARD, observe = OBSERVE;

	(void)state;
	gp_exchange_init(&exchange, &observe);
	gp_exchange_give_up(&exchange);
	assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_NOTHING);
	gp_exchange_init(&exchange, &forward);
	hold("GET / HTTP/1.1\r\n");
	gp_exchange_give_up(&exchange);
	assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_NOTHING);
	hold("Host: origin.test\r\n\r\n");
	gp_exchange_give_up(&exchange);
	assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_SEND);
}

/* --- heads that never end -------------------------------------------------------- */

static void half_a_head(void **state)
{
	static const struct scene scenes[] = {
		{"observe",
		 KNOWN,
		 false,
		 {{WRITES, "GET http://origin.test/ HTTP/1.1\r\nX: y\r\n"},
		  {CLOSES, NULL},
		  {GETS, "GET http://origin.test/ HTTP/1.1\r\nX: y\r\n"},
		  {OVER, NULL}}},
		{"forward",
		 FORWARD_KNOWN,
		 false,
		 {{WRITES, "GET / HT"},
		  {CLOSES, NULL},
		  {GETS, "GET / HT"},
		  {OVER, NULL}}},
		{"after a request",
		 KNOWN,
		 false,
		 {{WRITES, GET},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {WRITES, "\r\n"},
		  {CLOSES, NULL},
		  {GETS, "\r\n"},
		  {OVER, NULL},
		  {READS, OK_5}}},
		{"nothing to let go",
		 KNOWN,
		 false,
		 {{CLOSES, NULL},
		  {WRITES, GET},
		  {GETS, GET_OURS},
		  {CLOSES, NULL},
		  {SAYS, OK_5},
		  {CLOSES, NULL},
		  {HEARS, "200"},
		  {READS, OK_5}}},
	};

	(void)state;
	PLAY(scenes);
}

/* A head may have GP_HEAD_MAX bytes; what is longer is none. */
static void long_heads(void **state)
{
	static char head[GP_HEAD_MAX + 2], expected[GP_HEAD_MAX + 256];
	static const char start[] = "GET http://origin.test/ HTTP/1.1\r\nX: ";
	struct scene scene = {"64 KiB",
			      KNOWN,
			      false,
			      {{WRITES, head},
			       {GETS, expected},
			       {SAYS, OK_5},
			       {HEARS, "200"},
			       {READS, OK_5}}};
	static const struct scene too_long = {
		"64 KiB and one",
		KNOWN,
		false,
		{{WRITES, head}, {GETS, head}, {OVER, NULL}}};

	(void)state;
	memset(head, 'x', sizeof(head) - 1);
	memcpy(head, start, sizeof(start) - 1);
	memcpy(head + GP_HEAD_MAX - 4, "\r\n\r\n", 5);
	memcpy(expected, head, GP_HEAD_MAX - 2);
	strcpy(expected + GP_HEAD_MAX - 2, AUTHORIZED(OURS) "\r\n");
	play_scene(&scene, 0, WHOLE);
	play_scene(&scene, 0, 1);
	play_scene(&scene, GP_HEAD_MAX - 1, 1);
	memcpy(head + GP_HEAD_MAX - 4, "x\r\n\r\n", 6);
	play_scene(&too_long, 0, WHOLE);
	play_scene(&too_long, 0, 1);
	play_scene(&too_long, GP_HEAD_MAX, 1);
}

/* What an edit adds at the most, to a head and with an authorization that are as long as
 * can be: the line ends become longer, and so do lists. */
static void longest_edit(void **state)
{
	static char head[GP_HEAD_MAX + 1], authorization[GP_AUTHORIZATION_MAX + 1];
	static const char start[] = "GET / HTTP/1.1\n";
	const struct gp_exchange_way way = {
		.authority = "origin.test:80",
		.authorization.value = authorization,
		.no_tunnel = true,
	};
	size_t len;

	(void)state;
	memset(authorization, 'a', GP_AUTHORIZATION_MAX);
	strcpy(head, start);
	for (size_t at = strlen(start); at < GP_HEAD_MAX - 1; at += 2)
		memcpy(head + at, "x\n", 2);
	memcpy(head + GP_HEAD_MAX - 3, "x\n\n", 3);
	gp_exchange_init(&exchange, &way);
	assert_int_equal(gp_exchange_hold(&exchange, head, GP_HEAD_MAX), GP_HEAD_MAX);
	assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_SEND);
	gp_exchange_output(&exchange, &len);
	assert_true(len > GP_HEAD_MAX + GP_AUTHORIZATION_MAX);
	gp_exchange_clear(&exchange);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw),
		cmocka_unit_test(tunnelled),
		cmocka_unit_test(not_tunnelled),
		cmocka_unit_test(not_at_the_beginning),
		cmocka_unit_test(connects_itself),
		cmocka_unit_test(switches),
		cmocka_unit_test(silence),
		cmocka_unit_test(half_a_line),
		cmocka_unit_test(decided),
		cmocka_unit_test(give_up_in_vain),
		cmocka_unit_test(half_a_head),
		cmocka_unit_test(long_heads),
		cmocka_unit_test(longest_edit),
	};

	return cmocka_run_group_tests(tests, play_setup, play_teardown);
}
