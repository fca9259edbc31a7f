/* SPDX-License-Identifier: MIT */
/* Requests on a connection to a proxy (gatepass/exchange.h), and the proxy's challenges.
 */
#include "exchange_play.h"

/* --- without a challenge --------------------------------------------------------- */

static void observe(void **state)
{
#define FIELDS                                                                           \
	"Accept: */*\r\nX-Odd:  a \r\nProxy-Connection: Keep-Alive\r\nCookie: "          \
	"a=b\r\n\r\n"
	static const struct scene scenes[] = {
		{"one request",
		 OBSERVE,
		 false,
		 {{WRITES, GET}, {GETS, GET}, {SAYS, OK_5}, {READS, OK_5}}},
		{"one after the other",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, OK_5},
		  {READS, OK_5},
		  {WRITES, TO_PROXY("HEAD", "/2", FIELDS)},
		  {GETS, TO_PROXY("HEAD", "/2", FIELDS)},
		  {SAYS, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
		  {READS, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
		  {WRITES, TO_PROXY("GET", "/3", END_OF_HEAD)},
		  {GETS, TO_PROXY("GET", "/3", END_OF_HEAD)},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"HTTP/1.0, until the end",
		 OBSERVE,
		 false,
		 {{WRITES, "GET http://origin.test/ HTTP/1.0\r\n\r\n"},
		  {GETS, "GET http://origin.test/ HTTP/1.0\r\n\r\n"},
		  {SAYS, "HTTP/1.0 200 OK\r\n\r\nhello"},
		  {SAYS_END, NULL},
		  {READS, "HTTP/1.0 200 OK\r\n\r\nhello"},
		  {READS_END, NULL}}},
		{"a scheme of another kind",
		 OBSERVE,
		 false,
		 {{WRITES,
		   "GET ftp://origin.test/x HTTP/1.1\r\nHost: origin.test\r\n\r\n"},
		  {GETS, "GET ftp://origin.test/x HTTP/1.1\r\nHost: origin.test\r\n\r\n"},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"empty lines before a request",
		 OBSERVE,
		 false,
		 {{WRITES, "\r\n\n" GET},
		  {GETS, GET},
		  {SAYS, OK_5},
		  {READS, OK_5},
		  {WRITES, "\r\n"},
		  {WRITES, GET},
		  {GETS, GET},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"what is no response passes",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, "ICY 200 OK\r\n\r\nHTTP/1.1 407 no\r\n" ASKS "\r\n"},
		  {READS, "ICY 200 OK\r\n\r\nHTTP/1.1 407 no\r\n" ASKS "\r\n"}}},
		{"however short it is",
		 OBSERVE,
		 false,
		 {{WRITES, GET}, {GETS, GET}, {SAYS, "HT?"}, {READS, "HT?"}}},
		{"as does a status that is none",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, "HTTP/1.1 4x7 x\r\n\r\n"},
		  {READS, "HTTP/1.1 4x7 x\r\n\r\n"}}},
		{"the connection ends without a response",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS_END, NULL},
		  {READS_END, NULL},
		  {OVER, NULL}}},
		{"or within its status",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, "HTTP/1.1 40"},
		  {SAYS_END, NULL},
		  {READS, "HTTP/1.1 40"},
		  {READS_END, NULL},
		  {OVER, NULL}}},
		{"or within the head of a challenge",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, STATUS_407 ASKS},
		  {SAYS_END, NULL},
		  {READS, STATUS_407 ASKS},
		  {READS_END, NULL},
		  {OVER, NULL}}},
		{"or before the request is out",
		 OBSERVE,
		 false,
		 {{IS_GONE, NULL}, {WRITES, GET}, {OVER, NULL}}},
	};

	(void)state;
	PLAY(scenes);
}

static void forward(void **state)
{
	static const struct scene scenes[] = {
		{"one after the other",
		 FORWARD,
		 false,
		 {{WRITES, TO_ORIGIN("GET", "/", FIELDS)},
		  {GETS, TO_PROXY("GET", "/", FIELDS)},
		  {SAYS, OK_5},
		  {READS, OK_5},
		  {WRITES, TO_ORIGIN("GET", "/2", END_OF_HEAD)},
		  {GETS, TO_PROXY("GET", "/2", END_OF_HEAD)},
		  {SAYS, OK_EMPTY},
		  {READS, OK_EMPTY}}},
		{"HTTP/1.0 without Host",
		 FORWARD,
		 false,
		 {{WRITES, "GET / HTTP/1.0\r\n\r\n"},
		  {GETS, "GET http://origin.test/ HTTP/1.0\r\n\r\n"},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"another port, another Host",
		 {.authority = "10.0.0.1:8080"},
		 false,
		 {{WRITES, TO_ORIGIN("GET", "/", END_OF_HEAD)},
		  {GETS, "GET http://origin.test:8080/ HTTP/1.1\r\n"
			 "Host: origin.test:8080\r\n\r\n"},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"no tunnel: an upgrade is not asked for",
		 {.authority = "origin.test:80", .no_tunnel = true},
		 false,
		 {{WRITES,
		   TO_ORIGIN("GET", "/", "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")},
		  {GETS, TO_PROXY("GET", "/", END_OF_HEAD)},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"no tunnel: absolute-form is taken as it is",
		 {.authority = "origin.test:80", .no_tunnel = true},
		 false,
		 {{WRITES, GET}, {GETS, GET}, {SAYS, OK_5}, {READS, OK_5}}},
		{"OPTIONS of the server",
		 FORWARD,
		 false,
		 {{WRITES, "OPTIONS * HTTP/1.1\r\nHost: origin.test\r\n\r\n"},
		  {GETS, "OPTIONS http://origin.test HTTP/1.1\r\nHost: origin.test\r\n"
			 "\r\n"},
		  {SAYS, OK_EMPTY},
		  {READS, OK_EMPTY}}},
	};

	(void)state;
	PLAY(scenes);
}

/* --- challenges ------------------------------------------------------------------ */

/* The agent is asked, and the same connection carries the answer. */
#define KEPT(challenge)                                                                  \
	{WRITES, GET}, {GETS, GET}, {SAYS, challenge}, {IS_ASKED, "407 kept"},           \
		{ANSWERS, OURS}, {GETS, GET_OURS}, {SAYS, OK_5}, {HEARS, "200"},         \
	{                                                                                \
		READS, OK_5                                                              \
	}

static void kept(void **state)
{
	static const struct scene scenes[] = {
		{"length", OBSERVE, false, {KEPT(KEPT_407)}},
		{"no body",
		 OBSERVE,
		 false,
		 {KEPT(STATUS_407 ASKS "Content-Length: 0\r\n\r\n")}},
		{"chunked",
		 OBSERVE,
		 false,
		 {KEPT(STATUS_407 ASKS "Transfer-Encoding: chunked\r\n\r\n"
				       "4;x=y\r\nbody\r\n0\r\nX: y\r\n\r\n")}},
		{"HTTP/1.0",
		 OBSERVE,
		 false,
		 {KEPT("HTTP/1.0 407 x\r\n" ASKS "Proxy-Connection: keep-alive\r\n"
		       "Content-Length: 4\r\n\r\nbody")}},
		{"bare LF",
		 OBSERVE,
		 false,
		 {KEPT("HTTP/1.1 407\n" ASKS "Content-Length: 1\n\nx")}},
		{"after interim responses of the wrong kind",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, "HTTP/1.1 102 x\r\n\r\n" KEPT_407},
		  {READS, "HTTP/1.1 102 x\r\n\r\n"},
		  {READS_NOTHING, NULL},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, GET_OURS}}},
		{"and the next requests have it at once",
		 OBSERVE,
		 false,
		 {KEPT(KEPT_407),
		  {WRITES, GET},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5},
		  {WRITES, TO_PROXY("POST", "/", "Content-Length: 3\r\n\r\nabc")},
		  {GETS, TO_PROXY("POST", "/",
				  "Content-Length: 3\r\n" AUTHORIZED(OURS) "\r\nabc")},
		  {SAYS, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"},
		  {HEARS, "404"},
		  {READS, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"}}},
		{"HEAD has no body, whatever it says",
		 OBSERVE,
		 false,
		 {{WRITES, TO_PROXY("HEAD", "/", END_OF_HEAD)},
		  {GETS, TO_PROXY("HEAD", "/", END_OF_HEAD)},
		  {SAYS, STATUS_407 ASKS "Content-Length: 3069\r\n\r\n"},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, TO_PROXY("HEAD", "/", AUTHORIZED(OURS) END_OF_HEAD)},
		  {SAYS, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
		  {HEARS, "200"},
		  {READS, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
		  {WRITES, GET},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"forward",
		 FORWARD,
		 false,
		 {{WRITES, TO_ORIGIN("GET", "/", END_OF_HEAD)},
		  {GETS, GET},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"a short body that the proxy has taken",
		 KNOWS("Basic b2xk"),
		 false,
		 {{WRITES, TO_PROXY("POST", "/", "Content-Length: 3\r\n\r\nabc")},
		  {GETS,
		   TO_PROXY("POST", "/",
			    "Content-Length: 3\r\n" AUTHORIZED("Basic b2xk") "\r\n")},
		  {GETS, "abc"},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept, had Basic b2xk"},
		  {ANSWERS, OURS},
		  {GETS, TO_PROXY("POST", "/",
				  "Content-Length: 3\r\n" AUTHORIZED(OURS) "\r\nabc")},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
	};

	(void)state;
	PLAY(scenes);
}

#define NOT_KEPT(challenge)                                                              \
	{WRITES, GET}, {GETS, GET}, {SAYS, challenge}, {IS_ASKED, "407 new"},            \
		{ANSWERS, OURS}, {GETS_ANOTHER, NULL}, {GETS, GET_OURS}, {SAYS, OK_5},   \
		{HEARS, "200"},                                                          \
	{                                                                                \
		READS, OK_5                                                              \
	}

/* It has to go over another connection. */
static void not_kept(void **state)
{
	static const struct scene scenes[] = {
		{"close", OBSERVE, false, {NOT_KEPT(CLOSING_407)}},
		{"Proxy-Connection",
		 OBSERVE,
		 false,
		 {NOT_KEPT(STATUS_407 ASKS
			   "Proxy-Connection: close\r\nContent-Length: 0\r\n\r\n")}},
		{"HTTP/1.0",
		 OBSERVE,
		 false,
		 {NOT_KEPT("HTTP/1.0 407 x\r\n" ASKS "Content-Length: 0\r\n\r\n")}},
		{"no length", OBSERVE, false, {NOT_KEPT(STATUS_407 ASKS "\r\nbody")}},
		{"more than is drained",
		 OBSERVE,
		 false,
		 {NOT_KEPT(STATUS_407 ASKS "Content-Length: 262145\r\n\r\nbody")}},
		{"two lengths",
		 OBSERVE,
		 false,
		 {NOT_KEPT(STATUS_407 ASKS
			   "Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody")}},
		{"a coding of another kind",
		 OBSERVE,
		 false,
		 {NOT_KEPT(STATUS_407 ASKS "Transfer-Encoding: gzip\r\n\r\nbody")}},
		{"length and coding",
		 OBSERVE,
		 false,
		 {NOT_KEPT(STATUS_407 ASKS
			   "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n")}},
		{"it ends at once",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, CLOSING_407},
		  {SAYS_END, NULL},
		  {IS_ASKED, "407 new"},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"HEAD, with a body",
		 OBSERVE,
		 false,
		 {{WRITES, TO_PROXY("HEAD", "/", END_OF_HEAD)},
		  {GETS, TO_PROXY("HEAD", "/", END_OF_HEAD)},
		  {SAYS, "HTTP/1.0 407 x\r\n" ASKS "Connection: close\r\n\r\nbody"},
		  {SAYS_END, NULL},
		  {IS_ASKED, "407 new"},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, TO_PROXY("HEAD", "/", AUTHORIZED(OURS) END_OF_HEAD)},
		  {SAYS, OK_EMPTY},
		  {HEARS, "200"},
		  {READS, OK_EMPTY}}},
		{"the proxy has gone",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, CLOSING_407},
		  {IS_ASKED, "407 new"},
		  {ANSWERS, OURS},
		  {IS_DOWN, NULL},
		  {FAILED, NULL}}},
		{"the new one ends without a response",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, CLOSING_407},
		  {IS_ASKED, "407 new"},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, GET_OURS},
		  {SAYS_END, NULL},
		  {READS_END, NULL},
		  {OVER, NULL}}},
		{"two in turn",
		 OBSERVE,
		 false,
		 {NOT_KEPT(CLOSING_407),
		  {WRITES, GET},
		  {GETS, GET_OURS},
		  {SAYS, CLOSING_407},
		  {IS_ASKED, "407 new, had " OURS},
		  {ANSWERS, "Basic bmV3"},
		  {GETS_ANOTHER, NULL},
		  {GETS, TO_PROXY("GET", "/", AUTHORIZED("Basic bmV3") END_OF_HEAD)},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
	};

	(void)state;
	PLAY(scenes);
}

/* It says that the connection is kept, and it is not. */
static void kept_in_vain(void **state)
{
#define UNTIL_ANSWER(challenge)                                                          \
	{WRITES, GET}, {GETS, GET}, {SAYS, challenge}, {IS_ASKED, "407 kept"},           \
	{                                                                                \
		ANSWERS, OURS                                                            \
	}
#define ANEW                                                                             \
	{GETS_ANOTHER, NULL}, {GETS, GET_OURS}, {SAYS, OK_5}, {HEARS, "200"},            \
	{                                                                                \
		READS, OK_5                                                              \
	}
	static const struct scene scenes[] = {
		{"it ends within the body",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, STATUS_407 ASKS "Content-Length: 40\r\n\r\nbody"},
		  {SAYS_END, NULL},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  ANEW}},
		{"it ends when the request has come again",
		 OBSERVE,
		 false,
		 {UNTIL_ANSWER(KEPT_407), {GETS, GET_OURS}, {SAYS_END, NULL}, ANEW}},
		{"it is gone when the request comes again",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {IS_GONE, NULL},
		  ANEW}},
		{"a chunk is none",
		 OBSERVE,
		 false,
		 {UNTIL_ANSWER(STATUS_407 ASKS "Transfer-Encoding: chunked\r\n\r\nx\r\n"),
		  ANEW}},
		{"it ends within the response: that may be another's doing",
		 OBSERVE,
		 false,
		 {UNTIL_ANSWER(KEPT_407),
		  {GETS, GET_OURS},
		  {SAYS, "HTTP/1.1 20"},
		  {SAYS_END, NULL},
		  {READS, "HTTP/1.1 20"},
		  {READS_END, NULL},
		  {OVER, NULL}}},
		{"it ends after an interim response",
		 OBSERVE,
		 false,
		 {UNTIL_ANSWER(KEPT_407),
		  {GETS, GET_OURS},
		  {SAYS, CONTINUE_100},
		  {SAYS_END, NULL},
		  {READS, CONTINUE_100},
		  {READS_END, NULL},
		  {OVER, NULL}}},
		{"it is gone when something else comes",
		 OBSERVE,
		 false,
		 {KEPT(KEPT_407), {IS_GONE, NULL}, {WRITES, "\x01"}, {OVER, NULL}}},
		{"HEAD, with a body that comes late",
		 OBSERVE,
		 false,
		 {{WRITES, TO_PROXY("HEAD", "/", END_OF_HEAD)},
		  {GETS, TO_PROXY("HEAD", "/", END_OF_HEAD)},
		  {SAYS, STATUS_407 ASKS "Content-Length: 4\r\n\r\n"},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, TO_PROXY("HEAD", "/", AUTHORIZED(OURS) END_OF_HEAD)},
		  {SAYS, "body"},
		  {GETS_ANOTHER, NULL},
		  {GETS, TO_PROXY("HEAD", "/", AUTHORIZED(OURS) END_OF_HEAD)},
		  {SAYS, OK_EMPTY},
		  {HEARS, "200"},
		  {READS, OK_EMPTY}}},
		{"HEAD, with a body that begins as a response does",
		 OBSERVE,
		 false,
		 {{WRITES, TO_PROXY("HEAD", "/", END_OF_HEAD)},
		  {GETS, TO_PROXY("HEAD", "/", END_OF_HEAD)},
		  {SAYS, STATUS_407 ASKS "Content-Length: 4\r\n\r\n"},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, TO_PROXY("HEAD", "/", AUTHORIZED(OURS) END_OF_HEAD)},
		  {SAYS, "HTML"},
		  {GETS_ANOTHER, NULL},
		  {GETS, TO_PROXY("HEAD", "/", AUTHORIZED(OURS) END_OF_HEAD)}}},
		{"what comes late to others is another's, and is not asked for twice",
		 OBSERVE,
		 false,
		 {UNTIL_ANSWER(KEPT_407),
		  {GETS, GET_OURS},
		  {SAYS, "more body"},
		  {READS, "more body"}}},
		{"and neither is the second one",
		 OBSERVE,
		 false,
		 {UNTIL_ANSWER(KEPT_407),
		  {GETS, GET_OURS},
		  {SAYS_END, NULL},
		  {GETS_ANOTHER, NULL},
		  {GETS, GET_OURS},
		  {SAYS_END, NULL},
		  {READS_END, NULL},
		  {OVER, NULL}}},
	};

	(void)state;
	PLAY(scenes);
}

/* More bytes wait behind the challenge than belong to it: nobody knows what they are. */
static void something_behind(void **state)
{
	static const struct scene scene = {
		"something behind",
		OBSERVE,
		false,
		{UNTIL_ANSWER(KEPT_407 "HTTP/1.1 200 OK\r\n\r\n"), ANEW}};

	(void)state;
	play_scene(&scene, 0, WHOLE);
}

/* --- limits ---------------------------------------------------------------------- */

/* No authority: still an origin that the program speaks to, whose name is in Host. */
static void long_authority(void **state)
{
	static char authority[GP_AUTHORITY_MAX + 2];
	const struct scene scene = {"long",
				    {.authority = authority},
				    false,
				    {{WRITES, TO_ORIGIN("GET", "/", END_OF_HEAD)},
				     {GETS, GET},
				     {SAYS, OK_5},
				     {READS, OK_5},
				     {WRITES, "GET / HTTP/1.0\r\n\r\n"},
				     {TUNNELS, NULL},
				     {GETS, "GET / HTTP/1.0\r\n\r\n"},
				     {OVER, NULL}}};

	(void)state;
	memset(authority, 'a', sizeof(authority) - 1);
	play_scene(&scene, 0, WHOLE);
	play_scene(&scene, 0, 1);
}

/* A challenge may have GP_HEAD_MAX bytes before its body; what is longer is the program's
 * to read. */
static void long_challenges(void **state)
{
	static const struct gp_exchange_way observe = OBSERVE;
	static char head[GP_HEAD_MAX + 100];
	size_t len;

	(void)state;
	for (size_t end = GP_HEAD_MAX - 1; end <= GP_HEAD_MAX + 1; end++) {
		memset(head, 'x', sizeof(head));
		memcpy(head, STATUS_407 ASKS "X: ", strlen(STATUS_407 ASKS "X: "));
		memcpy(head + end - 4, "\r\n\r\n", 4);
		gp_exchange_init(&exchange, &observe);
		gp_exchange_hold(&exchange, GET, strlen(GET));
		gp_exchange_output(&exchange, &len);
		gp_exchange_sent(&exchange, len);
		assert_int_equal(gp_exchange_saw(&exchange, head, sizeof(head)), 0);
		assert_int_equal(gp_exchange_want(&exchange),
				 end <= GP_HEAD_MAX ? GP_EXCHANGE_ASK
						    : GP_EXCHANGE_NOTHING);
		assert_int_equal(gp_exchange_shows(&exchange), end > GP_HEAD_MAX);
		gp_exchange_clear(&exchange);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(observe),        cmocka_unit_test(forward),
		cmocka_unit_test(kept),           cmocka_unit_test(not_kept),
		cmocka_unit_test(kept_in_vain),   cmocka_unit_test(something_behind),
		cmocka_unit_test(long_authority), cmocka_unit_test(long_challenges),
	};

	return cmocka_run_group_tests(tests, play_setup, play_teardown);
}
