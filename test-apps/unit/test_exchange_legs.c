/* SPDX-License-Identifier: MIT */
/* Requests on a connection to a proxy (gatepass/exchange.h) that is shaken hands with:
 * what goes with which leg, over which connection, and what is left alone after that. */
#include "exchange_play.h"

#define LEGS                                                                             \
	{                                                                                \
		.authorization.scope = GP_SCOPE_CONNECTION                               \
	}
#define LEGS_FORWARD                                                                     \
	{                                                                                \
		.authority = "origin.test:80",                                           \
		.authorization.scope = GP_SCOPE_CONNECTION                               \
	}
#define FIRST_KNOWN                                                                      \
	{                                                                                \
		.authorization = { ONE, GP_SCOPE_CONNECTION, true }                      \
	}

#define ONE   "NTLM one"
#define ONE_B "NTLM one-b"
#define THREE "NTLM three"
#define STAY  "Proxy-Connection: keep-alive\r\n"
#define CLOSE "Connection: close\r\n"

#define GET_ONE   TO_PROXY("GET", "/", STAY AUTHORIZED(ONE) END_OF_HEAD)
#define GET_ONE_B TO_PROXY("GET", "/", STAY AUTHORIZED(ONE_B) END_OF_HEAD)
#define GET_THREE TO_PROXY("GET", "/", AUTHORIZED(THREE) END_OF_HEAD)

#define HEAD(fields)       TO_PROXY("HEAD", "/", fields END_OF_HEAD)
#define GET_CLOSE(fields)  TO_PROXY("GET", "/", CLOSE fields END_OF_HEAD)
#define GET_10(fields)     "GET http://origin.test/ HTTP/1.0\r\n" fields END_OF_HEAD
#define CONNECT_10(fields) "CONNECT origin.test:443 HTTP/1.0\r\n" fields END_OF_HEAD
#define CONNECT_11(fields)                                                               \
	"CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\n" fields END_OF_HEAD

#define POST_THREE    POST_HEAD(AUTHORIZED(THREE)) "0123456789"
#define CHUNKED_THREE CHUNKED_HEAD(AUTHORIZED(THREE)) CHUNKS

#define NTLM(fields) STATUS_407 "Proxy-Authenticate: NTLM" fields "\r\n"
#define BARE         NTLM("") "Content-Length: 4\r\n\r\nbody"
#define BARE_CLOSES  NTLM("") CLOSE "Content-Length: 4\r\n\r\nbody"
#define TWO          NTLM(" two") "Content-Length: 4\r\n\r\nbody"
#define TWO_CHUNKED                                                                      \
	NTLM(" two") "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
#define TWO_CLOSES    NTLM(" two") CLOSE "Content-Length: 4\r\n\r\nbody"
#define TWO_UNFRAMED  NTLM(" two") "\r\nbody"
#define TWO_CUT       NTLM(" two") "Content-Length: 9\r\n\r\nbody"
#define TWO_TOO_LONG  NTLM(" two") "Content-Length: 4\r\n\r\nbodybody"
#define TWO_OF_HEAD   NTLM(" two") "Content-Length: 3069\r\n\r\n"
#define TWO_OF_HEAD_2 NTLM(" two") "\r\n"
#define NOTHING       STATUS_407 CLOSE "Content-Length: 0\r\n\r\n"
#define TUNNELLED     "HTTP/1.1 200 Connection established\r\n\r\n"

#define NEXT_IS_TO_AUTHORIZE                                                             \
	{                                                                                \
		IS_TO_AUTHORIZE, "GET http://origin.test/"                               \
	}
#define CHALLENGES(asked)                                                                \
	{SAYS, BARE},                                                                    \
	{                                                                                \
		IS_ASKED, asked                                                          \
	}
/* The second message, and what the agent makes of it. */
#define GOES_ON                                                                          \
	{SAYS, TWO}, {IS_ASKED, "407 kept, had " ONE},                                   \
	{                                                                                \
		LEG, THREE                                                               \
	}
#define GOES_ON_B                                                                        \
	{SAYS, TWO}, {IS_ASKED, "407 kept, had " ONE_B},                                 \
	{                                                                                \
		LEG, THREE                                                               \
	}
#define IS_DONE                                                                          \
	{SAYS, OK_5}, {HEARS, "200"},                                                    \
	{                                                                                \
		READS, OK_5                                                              \
	}
#define PASSES(request)                                                                  \
	{WRITES, request}, {GETS, request}, {SAYS, OK_5},                                \
	{                                                                                \
		READS, OK_5                                                              \
	}
#define HANDSHAKE                                                                        \
	{WRITES, GET}, NEXT_IS_TO_AUTHORIZE, {LEG_MORE, ONE}, {GETS, GET_ONE}, GOES_ON,  \
		{GETS, GET_THREE}, IS_DONE

/* --- it succeeds, and the connection needs nothing more -------------------------- */

static void three_messages(void **state)
{
	static const struct scene scenes[] = {
		{"nothing was known",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  CHALLENGES("407 kept"),
		  {LEG_MORE, ONE},
		  {GETS, GET_ONE},
		  GOES_ON,
		  {GETS, GET_THREE},
		  IS_DONE,
		  PASSES(GET),
		  PASSES(CHUNKED),
		  PASSES(GET_CLOSE(""))}},
		{"the proxy closes before the first", /* as Squid with keep_alive off */
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, BARE_CLOSES},
		  {IS_ASKED, "407 new"},
		  {LEG_MORE, ONE},
		  {GETS_ANOTHER, NULL},
		  {GETS, GET_ONE},
		  GOES_ON,
		  {GETS, GET_THREE},
		  IS_DONE,
		  PASSES(GET)}},
		{"it is known how", LEGS, false, {HANDSHAKE, PASSES(GET), PASSES(POST)}},
		{"the first message is known",
		 FIRST_KNOWN,
		 false,
		 {{WRITES, GET},
		  {GETS, GET_ONE},
		  GOES_ON,
		  {GETS, GET_THREE},
		  IS_DONE,
		  PASSES(GET)}},
		{"forward",
		 LEGS_FORWARD,
		 false,
		 {{WRITES, TO_ORIGIN("GET", "/", CLOSE "\r\n")},
		  {IS_TO_AUTHORIZE, "GET /"},
		  {LEG_MORE, ONE},
		  {GETS, GET_ONE},
		  GOES_ON,
		  {GETS, GET_CLOSE(AUTHORIZED(THREE))},
		  IS_DONE}},
		{"the second message is chunked",
		 FIRST_KNOWN,
		 false,
		 {{WRITES, GET},
		  {GETS, GET_ONE},
		  {SAYS, TWO_CHUNKED},
		  {IS_ASKED, "407 kept, had " ONE},
		  {LEG, THREE},
		  {GETS, GET_THREE},
		  IS_DONE}},
		{"pipelined",
		 LEGS,
		 false,
		 {{WRITES, GET GET},
		  NEXT_IS_TO_AUTHORIZE,
		  {LEG_MORE, ONE},
		  {GETS, GET_ONE},
		  GOES_ON,
		  {GETS, GET_THREE},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {GETS, GET},
		  {SAYS, OK_EMPTY},
		  {READS, OK_5 OK_EMPTY}}},
	};

	(void)state;
	PLAY(scenes);
}

static void one_message(void **state)
{
	static const struct scene scenes[] = {
		{"Kerberos",
		 LEGS,
		 false,
		 {{WRITES, GET_10("")},
		  NEXT_IS_TO_AUTHORIZE,
		  {LEG, ONE},
		  {GETS, GET_10(AUTHORIZED(ONE))},
		  IS_DONE,
		  PASSES(GET)}},
		{"which needs another one",
		 LEGS,
		 false,
		 {{WRITES, POST},
		  {IS_TO_AUTHORIZE, "POST http://origin.test/"},
		  {LEG, ONE},
		  {GETS, POST_HEAD(AUTHORIZED(ONE)) "0123456789"},
		  GOES_ON,
		  {GETS, POST_THREE},
		  IS_DONE,
		  PASSES(GET)}},
		{"for each request",
		 LEGS,
		 false,
		 {{WRITES, GET},
		  NEXT_IS_TO_AUTHORIZE,
		  {LEG, ONE},
		  {GETS, TO_PROXY("GET", "/", AUTHORIZED(ONE) "\r\n")},
		  IS_DONE,
		  {WRITES, GET},
		  {GETS, GET},
		  CHALLENGES("407 kept"),
		  {LEG, THREE},
		  {GETS, GET_THREE},
		  IS_DONE}},
		{"the first one is enough: the address is known to the proxy",
		 LEGS,
		 false,
		 {{WRITES, GET_CLOSE("")},
		  NEXT_IS_TO_AUTHORIZE,
		  {LEG_MORE, ONE},
		  {GETS, GET_ONE},
		  IS_DONE,
		  {READS_END, NULL}}},
		{"and the connection stays",
		 LEGS,
		 false,
		 {{WRITES, GET},
		  NEXT_IS_TO_AUTHORIZE,
		  {LEG_MORE, ONE},
		  {GETS, GET_ONE},
		  IS_DONE,
		  PASSES(GET),
		  PASSES(POST)}},
		{"the agent has none, and none is needed",
		 LEGS,
		 false,
		 {{WRITES, GET},
		  NEXT_IS_TO_AUTHORIZE,
		  {REFUSES, NULL},
		  {GETS, GET},
		  {SAYS, OK_5},
		  {READS, OK_5},
		  PASSES(GET)}},
		{"the agent has none, or another one",
		 LEGS,
		 false,
		 {{WRITES, GET},
		  NEXT_IS_TO_AUTHORIZE,
		  {REFUSES, NULL},
		  {GETS, GET},
		  CHALLENGES("407 kept"),
		  {REFUSES, NULL},
		  {READS, BARE},
		  {WRITES, GET},
		  NEXT_IS_TO_AUTHORIZE,
		  {ANSWERS, OURS},
		  {GETS, GET_OURS},
		  IS_DONE,
		  {WRITES, GET},
		  {GETS, GET_OURS},
		  IS_DONE}},
	};

	(void)state;
	PLAY(scenes);
}

/* --- what the legs go with ------------------------------------------------------- */

static void other_requests(void **state)
{
	static const struct scene scenes[] = {
		{"close",
		 LEGS,
		 false,
		 {{WRITES, TO_PROXY("GET", "/", "Connection: te, close\r\nX: y\r\n\r\n")},
		  NEXT_IS_TO_AUTHORIZE,
		  {LEG_MORE, ONE},
		  {GETS,
		   TO_PROXY("GET", "/",
			    "Connection: te\r\nX: y\r\n" STAY AUTHORIZED(ONE) "\r\n")},
		  GOES_ON,
		  {GETS, TO_PROXY("GET", "/",
				  "Connection: te, close\r\nX: y\r\n" AUTHORIZED(
					  THREE) "\r\n")},
		  IS_DONE}},
		{"HTTP/1.0",
		 LEGS,
		 false,
		 {{WRITES, GET_10("X: y\r\n")},
		  NEXT_IS_TO_AUTHORIZE,
		  {LEG_MORE, ONE},
		  {GETS_PROBE, ONE},
		  GOES_ON,
		  {GETS, GET_10("X: y\r\n" AUTHORIZED(THREE))},
		  {SAYS, "HTTP/1.1 200 OK\r\n\r\nhello"},
		  {SAYS_END, NULL},
		  {HEARS, "200"},
		  {READS, "HTTP/1.1 200 OK\r\n\r\nhello"},
		  {READS_END, NULL}}},
		{"HTTP/1.0, and the first one is enough",
		 LEGS,
		 false,
		 {{WRITES, GET_10("")},
		  NEXT_IS_TO_AUTHORIZE,
		  {LEG_MORE, ONE},
		  {GETS_PROBE, ONE},
		  {SAYS, OK_EMPTY},
		  {HEARS, "200"},
		  {GETS, GET_10("")},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"HEAD",
		 LEGS,
		 false,
		 {{WRITES, HEAD("")},
		  {IS_TO_AUTHORIZE, "HEAD http://origin.test/"},
		  {LEG_MORE, ONE},
		  {GETS, HEAD(STAY AUTHORIZED(ONE))},
		  {SAYS, TWO_OF_HEAD},
		  {IS_ASKED, "407 kept, had " ONE},
		  {LEG, THREE},
		  {GETS, HEAD(AUTHORIZED(THREE))},
		  {SAYS, TWO_OF_HEAD_2},
		  {IS_ASKED, "407 kept, had " THREE},
		  {LEG, ONE},
		  {GETS, HEAD(AUTHORIZED(ONE))},
		  {SAYS, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
		  {HEARS, "200"},
		  {READS, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
		  PASSES(GET)}},
		{"HEAD of HTTP/1.0",
		 LEGS,
		 false,
		 {{WRITES, "HEAD http://origin.test/ HTTP/1.0\r\n\r\n"},
		  {IS_TO_AUTHORIZE, "HEAD http://origin.test/"},
		  {LEG_MORE, ONE},
		  {GETS, HEAD(STAY AUTHORIZED(ONE))},
		  {SAYS, TWO_OF_HEAD},
		  {IS_ASKED, "407 kept, had " ONE},
		  {LEG, THREE},
		  {GETS,
		   "HEAD http://origin.test/ HTTP/1.0\r\n" AUTHORIZED(THREE) "\r\n"},
		  {SAYS, "HTTP/1.1 200 OK\r\n\r\n"},
		  {HEARS, "200"},
		  {READS, "HTTP/1.1 200 OK\r\n\r\n"}}},
		{"CONNECT",
		 LEGS,
		 false,
		 {{WRITES, CONNECT_10("")},
		  {IS_TO_AUTHORIZE, "CONNECT origin.test:443"},
		  {LEG_MORE, ONE},
		  {GETS, CONNECT_11(STAY AUTHORIZED(ONE))},
		  GOES_ON,
		  {GETS, CONNECT_10(AUTHORIZED(THREE))},
		  {SAYS, TUNNELLED "SSH"},
		  {HEARS, "200"},
		  {READS, TUNNELLED "SSH"},
		  {OVER, NULL}}},
		{"CONNECT, and the first one is enough",
		 LEGS,
		 false,
		 {{WRITES, CONNECT_10("")},
		  {IS_TO_AUTHORIZE, "CONNECT origin.test:443"},
		  {LEG_MORE, ONE},
		  {GETS, CONNECT_11(STAY AUTHORIZED(ONE))},
		  {SAYS, TUNNELLED "SSH"},
		  {HEARS, "200"},
		  {READS, TUNNELLED "SSH"},
		  {OVER, NULL}}},
		{"the program says that it sends no more",
		 LEGS,
		 false,
		 {{WRITES, GET},
		  NEXT_IS_TO_AUTHORIZE,
		  {LEG_MORE, ONE},
		  {GETS, GET_ONE},
		  {CLOSES, NULL},
		  {IS_NOT_OUT, NULL},
		  {SAYS, TWO},
		  {CLOSES, NULL},
		  {IS_ASKED, "407 kept, had " ONE},
		  {LEG, THREE},
		  {GETS, GET_THREE},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {IS_OUT, NULL},
		  {READS, OK_5}}},
	};

	(void)state;
	PLAY(scenes);
}

static void bodies(void **state)
{
#define TO_POST                                                                          \
	{                                                                                \
		IS_TO_AUTHORIZE, "POST http://origin.test/"                              \
	}
	static const struct scene scenes[] = {
		{"short",
		 LEGS,
		 false,
		 {{WRITES, POST},
		  TO_POST,
		  {LEG_MORE, ONE},
		  {GETS_PROBE, ONE},
		  GOES_ON,
		  {GETS, POST_THREE},
		  IS_DONE,
		  PASSES(POST)}},
		{"short, and sent before anything was known",
		 OBSERVE,
		 false,
		 {{WRITES, POST},
		  {GETS, POST},
		  CHALLENGES("407 kept"),
		  {LEG_MORE, ONE},
		  {GETS_PROBE, ONE},
		  GOES_ON,
		  {GETS, POST_THREE},
		  IS_DONE,
		  PASSES(CHUNKED)}},
		{"and that closes the connection",
		 OBSERVE,
		 false,
		 {{WRITES, POST},
		  {GETS, POST},
		  {SAYS, BARE_CLOSES},
		  {IS_ASKED, "407 new"},
		  {LEG_MORE, ONE},
		  {GETS_ANOTHER, NULL},
		  {GETS_PROBE, ONE},
		  GOES_ON,
		  {GETS, POST_THREE},
		  IS_DONE}},
		{"or resets it",
		 OBSERVE,
		 false,
		 {{WRITES, POST},
		  {GETS, POST},
		  {RESETS, NULL},
		  {GETS_ANOTHER, NULL},
		  {GETS_PROBE, NULL},
		  CHALLENGES("407 kept"),
		  {LEG_MORE, ONE},
		  {GETS_PROBE, ONE},
		  GOES_ON,
		  {GETS, POST_THREE},
		  IS_DONE}},
		{"long",
		 OBSERVE,
		 false,
		 {{WRITES, CHUNKED},
		  {GETS_PROBE, NULL},
		  CHALLENGES("407 kept"),
		  {LEG_MORE, ONE},
		  {GETS_PROBE, ONE},
		  GOES_ON,
		  {GETS_PROBE, THREE},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {GETS, CHUNKED},
		  {SAYS, OK_5},
		  {READS, OK_5},
		  PASSES(CHUNKED)}},
		{"long, and it is known how",
		 LEGS,
		 false,
		 {{WRITES, CHUNKED_HEAD("Expect: 100-continue\r\n")},
		  TO_POST,
		  {LEG_MORE, ONE},
		  {GETS_PROBE, ONE},
		  GOES_ON,
		  {GETS_PROBE, THREE},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {GETS, CHUNKED_HEAD("Expect: 100-continue\r\n")},
		  {SAYS, CONTINUE_100},
		  {READS, CONTINUE_100},
		  {WRITES, CHUNKS},
		  {GETS, CHUNKS},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"long, with Kerberos",
		 LEGS,
		 false,
		 {{WRITES, CHUNKED},
		  TO_POST,
		  {LEG, ONE},
		  {GETS_PROBE, ONE},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {GETS, CHUNKED},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"long, and the agent has none",
		 LEGS,
		 false,
		 {{WRITES, CHUNKED},
		  TO_POST,
		  {REFUSES, NULL},
		  {GETS_PROBE, NULL},
		  {SAYS, OK_5},
		  {GETS, CHUNKED},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"the probe's connection does not stay",
		 LEGS,
		 false,
		 {{WRITES, CHUNKED},
		  TO_POST,
		  {LEG, ONE},
		  {GETS_PROBE, ONE},
		  {SAYS, "HTTP/1.1 200 OK\r\n" CLOSE "\r\n"},
		  {HEARS, "200"},
		  {GETS_ANOTHER, NULL},
		  TO_POST,
		  {LEG, THREE},
		  {GETS, CHUNKED_THREE},
		  IS_DONE}},
		{"nor gives any response",
		 LEGS,
		 false,
		 {{WRITES, POST},
		  TO_POST,
		  {LEG_MORE, ONE},
		  {GETS_PROBE, ONE},
		  {SAYS_END, NULL},
		  {GETS_ANOTHER, NULL},
		  TO_POST,
		  {LEG_MORE, ONE_B},
		  {GETS, POST_HEAD(STAY AUTHORIZED(ONE_B)) "0123456789"},
		  GOES_ON_B,
		  {GETS, POST_THREE},
		  IS_DONE}},
		{"the first one is enough",
		 LEGS,
		 false,
		 {{WRITES, POST},
		  TO_POST,
		  {LEG_MORE, ONE},
		  {GETS_PROBE, ONE},
		  {SAYS, OK_EMPTY},
		  {HEARS, "200"},
		  {GETS, POST},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"for the probe, but not for the request",
		 LEGS,
		 false,
		 {{WRITES, POST},
		  TO_POST,
		  {LEG_MORE, ONE},
		  {GETS_PROBE, ONE},
		  {SAYS, OK_EMPTY},
		  {HEARS, "200"},
		  {GETS, POST},
		  CHALLENGES("407 kept"),
		  {LEG_MORE, ONE_B},
		  {GETS, POST_HEAD(STAY AUTHORIZED(ONE_B)) "0123456789"},
		  GOES_ON_B,
		  {GETS, POST_THREE},
		  IS_DONE}},
		{"a target that no probe can ask for",
		 LEGS,
		 false,
		 {{WRITES, "POST http:///x HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"},
		  {IS_TO_AUTHORIZE, "POST http:///x"},
		  {LEG_MORE, ONE},
		  {GETS,
		   "POST http:///x HTTP/1.1\r\nContent-Length: 1\r\n" STAY AUTHORIZED(
			   ONE) "\r\nx"},
		  GOES_ON,
		  {GETS, "POST http:///x HTTP/1.1\r\nContent-Length: 1\r\n" AUTHORIZED(
				 THREE) "\r\nx"},
		  IS_DONE}},
	};

	(void)state;
	PLAY(scenes);
}

/* --- it fails -------------------------------------------------------------------- */

static void rejected(void **state)
{
	static const struct scene scenes[] = {
		{"the last one, and the next request begins anew",
		 LEGS,
		 false,
		 {{WRITES, GET},
		  NEXT_IS_TO_AUTHORIZE,
		  {LEG_MORE, ONE},
		  {GETS, GET_ONE},
		  GOES_ON,
		  {GETS, GET_THREE},
		  CHALLENGES("407 kept, had " THREE),
		  {REFUSES, NULL},
		  {READS, BARE},
		  HANDSHAKE}},
		{"the first one, which a probe carried: that stands for the request",
		 LEGS,
		 false,
		 {{WRITES, GET_10("")},
		  NEXT_IS_TO_AUTHORIZE,
		  {LEG_MORE, ONE},
		  {GETS_PROBE, ONE},
		  CHALLENGES("407 kept, had " ONE),
		  {REFUSES, NULL},
		  {READS, BARE},
		  {READS_END, NULL}}},
		{"and its body goes nowhere",
		 LEGS,
		 false,
		 {{WRITES, POST},
		  {IS_TO_AUTHORIZE, "POST http://origin.test/"},
		  {LEG_MORE, ONE},
		  {GETS_PROBE, ONE},
		  CHALLENGES("407 kept, had " ONE),
		  {REFUSES, NULL},
		  {READS, BARE},
		  HANDSHAKE}},
		{"another scheme takes over, on the same connection",
		 LEGS,
		 false,
		 {{WRITES, GET},
		  NEXT_IS_TO_AUTHORIZE,
		  {LEG_MORE, ONE},
		  {GETS, GET_ONE},
		  CHALLENGES("407 kept, had " ONE),
		  {ANSWERS, OURS},
		  {GETS, GET_OURS},
		  IS_DONE,
		  {WRITES, GET},
		  {GETS, GET_OURS},
		  IS_DONE}},
	};

	(void)state;
	PLAY(scenes);
}

static void begun_anew(void **state)
{
#define ANEW_B                                                                           \
	{LEG_MORE, ONE_B}, {GETS_ANOTHER, NULL}, {GETS, GET_ONE_B}, GOES_ON_B,           \
		{GETS, GET_THREE}, IS_DONE, PASSES(GET)
#define ENDS_AT_TWO(two)                                                                 \
	{WRITES, GET}, {GETS, GET_ONE}, {SAYS, two}, {IS_ASKED, "407 new, had " ONE},    \
		ANEW_B
#define LOST_THREE                                                                       \
	{                                                                                \
		IS_ASKED, "0 new, had " THREE                                            \
	}
	static const struct scene scenes[] = {
		{"the second message closes",
		 FIRST_KNOWN,
		 false,
		 {ENDS_AT_TWO(TWO_CLOSES)}},
		{"it has no end", FIRST_KNOWN, false, {ENDS_AT_TWO(TWO_UNFRAMED)}},
		{"in the midst of a connection",
		 LEGS,
		 false,
		 {HANDSHAKE,
		  PASSES(GET),
		  {WRITES, GET},
		  {GETS, GET},
		  CHALLENGES("407 kept"),
		  {LEG_MORE, ONE},
		  {GETS, GET_ONE},
		  GOES_ON,
		  {GETS, GET_THREE},
		  IS_DONE,
		  PASSES(GET)}},
		{"in the midst of a connection, which closes",
		 LEGS,
		 false,
		 {HANDSHAKE,
		  {WRITES, GET},
		  {GETS, GET},
		  {SAYS, BARE_CLOSES},
		  {IS_ASKED, "407 new"},
		  ANEW_B}},
		{"the connection ends under the last leg",
		 FIRST_KNOWN,
		 false,
		 {{WRITES, GET},
		  {GETS, GET_ONE},
		  GOES_ON,
		  {GETS, GET_THREE},
		  {SAYS_END, NULL},
		  LOST_THREE,
		  ANEW_B}},
		{"or is reset, under one with a body",
		 OBSERVE,
		 false,
		 {{WRITES, POST},
		  {GETS, POST},
		  CHALLENGES("407 kept"),
		  {LEG_MORE, ONE},
		  {GETS_PROBE, ONE},
		  GOES_ON,
		  {GETS, POST_THREE},
		  {RESETS, NULL},
		  LOST_THREE,
		  {LEG_MORE, ONE_B},
		  {GETS_ANOTHER, NULL},
		  {GETS_PROBE, ONE_B},
		  GOES_ON_B,
		  {GETS, POST_THREE},
		  IS_DONE}},
		{"it cannot be sent",
		 FIRST_KNOWN,
		 false,
		 {{WRITES, GET},
		  {GETS, GET_ONE},
		  {SAYS, TWO},
		  {IS_ASKED, "407 kept, had " ONE},
		  {LEG, THREE},
		  {IS_GONE, NULL},
		  LOST_THREE,
		  ANEW_B}},
		{"the second message is cut short",
		 FIRST_KNOWN,
		 false,
		 {{WRITES, GET},
		  {GETS, GET_ONE},
		  {SAYS, TWO_CUT},
		  {SAYS_END, NULL},
		  {IS_ASKED, "407 kept, had " ONE},
		  {LEG, THREE},
		  LOST_THREE,
		  ANEW_B}},
		{"the first leg, by a probe",
		 OBSERVE,
		 false,
		 {{WRITES, GET_10("")},
		  {GETS, GET_10("")},
		  {SAYS, BARE},
		  {IS_ASKED, "407 kept, may close"},
		  {LEG_MORE, ONE},
		  {GETS_PROBE, ONE},
		  {SAYS_END, NULL},
		  {IS_ASKED, "0 new, had " ONE},
		  {LEG_MORE, ONE_B},
		  {GETS_ANOTHER, NULL},
		  {GETS_PROBE, ONE_B},
		  GOES_ON_B,
		  {GETS, GET_10(AUTHORIZED(THREE))},
		  IS_DONE}},
		{"the agent gives up: without us, then",
		 FIRST_KNOWN,
		 false,
		 {{WRITES, POST},
		  {GETS_PROBE, ONE},
		  GOES_ON,
		  {GETS, POST_THREE},
		  {SAYS_END, NULL},
		  LOST_THREE,
		  {REFUSES, NULL},
		  {GETS_ANOTHER, NULL},
		  {GETS, POST},
		  {SAYS, BARE},
		  {READS, BARE},
		  HANDSHAKE}},
		{"and the proxy lets it pass",
		 FIRST_KNOWN,
		 false,
		 {{WRITES, GET},
		  {GETS, GET_ONE},
		  GOES_ON,
		  {GETS, GET_THREE},
		  {SAYS_END, NULL},
		  LOST_THREE,
		  {REFUSES, NULL},
		  {GETS_ANOTHER, NULL},
		  {GETS, GET},
		  {SAYS, OK_5},
		  {READS, OK_5},
		  PASSES(GET)}},
		{"nothing makes up for a new one that ends",
		 FIRST_KNOWN,
		 false,
		 {{WRITES, GET},
		  {GETS, GET_ONE},
		  {SAYS_END, NULL},
		  {READS_END, NULL},
		  {OVER, NULL}}},
		{"nor for one that has begun to answer",
		 FIRST_KNOWN,
		 false,
		 {{WRITES, GET},
		  {GETS, GET_ONE},
		  GOES_ON,
		  {GETS, GET_THREE},
		  {SAYS, "HTTP/1.1 2"},
		  {SAYS_END, NULL},
		  {READS, "HTTP/1.1 2"},
		  {READS_END, NULL},
		  {OVER, NULL}}},
	};

	(void)state;
	PLAY(scenes);
}

/* Bytes behind the second message: which connection takes the third is not the same when
 * they come late, so this is played whole. */
static void more_than_it_says(void **state)
{
	static const struct scene scene = {"more bytes",
					   FIRST_KNOWN,
					   false,
					   {{WRITES, GET},
					    {GETS, GET_ONE},
					    {SAYS, TWO_TOO_LONG},
					    {IS_ASKED, "407 kept, had " ONE},
					    {LEG, THREE},
					    {IS_ASKED, "0 new, had " THREE},
					    {LEG_MORE, ONE_B},
					    {GETS_ANOTHER, NULL},
					    {GETS, GET_ONE_B},
					    GOES_ON_B,
					    {GETS, GET_THREE},
					    IS_DONE}};

	(void)state;
	play_scene(&scene, 0, WHOLE);
}

static void add(struct line **line, const struct line *lines, size_t count)
{
	memcpy(*line, lines, count * sizeof(*lines));
	*line += count;
}

#define ADD(line, lines) add(line, lines, sizeof(lines) / sizeof(*(lines)))

/* A proxy that drops each connection with the last leg. After GP_ROUNDS_MAX challenges
 * and losses, the program sees the challenge, or the request goes without us. */
static void endless_losses(void **state)
{
	static const struct line told[] = {
		{WRITES, GET}, {GETS, GET}, CHALLENGES("407 kept"), {LEG_MORE, ONE}};
	static const struct line untold[] = {
		{WRITES, GET}, NEXT_IS_TO_AUTHORIZE, {LEG_MORE, ONE}};
	static const struct line loss[] = {{GETS, GET_ONE},
					   GOES_ON,
					   {GETS, GET_THREE},
					   {SAYS_END, NULL},
					   {IS_ASKED, "0 new, had " THREE},
					   {LEG_MORE, ONE},
					   {GETS_ANOTHER, NULL}};
	static const struct line refused[] = {{GETS, GET_ONE}, {SAYS, TWO}, {READS, TWO}};
	static const struct line unaided[] = {
		{GETS, GET_ONE},      GOES_ON,     {GETS, GET_THREE}, {SAYS_END, NULL},
		{GETS_ANOTHER, NULL}, {GETS, GET}, {SAYS, BARE},      {READS, BARE}};
	static struct scene scenes[2] = {{.name = "even", .way = LEGS},
					 {.name = "odd", .way = OBSERVE}};
	struct line *even = scenes[0].lines, *odd = scenes[1].lines;

	(void)state;
	_Static_assert(GP_ROUNDS_MAX % 2 == 0, "each loss comes with a challenge");
	ADD(&even, untold);
	for (int rounds = 0; rounds < GP_ROUNDS_MAX; rounds += 2)
		ADD(&even, loss);
	ADD(&even, refused);
	ADD(&odd, told);
	for (int rounds = 1; rounds < GP_ROUNDS_MAX - 1; rounds += 2)
		ADD(&odd, loss);
	ADD(&odd, unaided);
	PLAY(scenes);
}

/* --- the proxy is asked again ---------------------------------------------------- */

static void asked_again(void **state)
{
#define AGAIN                                                                            \
	{IS_ASKED, "407 new, may close"}, {LEG_MORE, NULL},                              \
	{                                                                                \
		GETS_ANOTHER, NULL                                                       \
	}
	static const struct scene scenes[] = {
		{"HTTP/1.0",
		 OBSERVE,
		 false,
		 {{WRITES, GET_10("")},
		  {GETS, GET_10("")},
		  {SAYS, CLOSING_407},
		  AGAIN,
		  {GETS_PROBE, NULL},
		  CHALLENGES("407 kept"),
		  {LEG_MORE, ONE},
		  {GETS_PROBE, ONE},
		  GOES_ON,
		  {GETS, GET_10(AUTHORIZED(THREE))},
		  IS_DONE}},
		{"close, and the proxy has said nothing at all",
		 OBSERVE,
		 false,
		 {{WRITES, GET_CLOSE("")},
		  {GETS, GET_CLOSE("")},
		  {SAYS, NOTHING},
		  AGAIN,
		  {GETS, TO_PROXY("GET", "/", STAY "\r\n")},
		  CHALLENGES("407 kept"),
		  {LEG_MORE, ONE},
		  {GETS, GET_ONE},
		  GOES_ON,
		  {GETS, GET_CLOSE(AUTHORIZED(THREE))},
		  IS_DONE}},
		{"and says nothing then",
		 OBSERVE,
		 false,
		 {{WRITES, GET_CLOSE("")},
		  {GETS, GET_CLOSE("")},
		  {SAYS, NOTHING},
		  AGAIN,
		  {GETS, TO_PROXY("GET", "/", STAY "\r\n")},
		  {SAYS, NOTHING},
		  {READS, NOTHING}}},
		{"and lets it pass then",
		 OBSERVE,
		 false,
		 {{WRITES, GET_CLOSE("")},
		  {GETS, GET_CLOSE("")},
		  {SAYS, NOTHING},
		  AGAIN,
		  {GETS, TO_PROXY("GET", "/", STAY "\r\n")},
		  {SAYS, OK_5},
		  {READS, OK_5},
		  {READS_END, NULL}}},
		{"CONNECT of HTTP/1.0",
		 OBSERVE,
		 false,
		 {{WRITES, CONNECT_10("")},
		  {GETS, CONNECT_10("")},
		  {SAYS, NOTHING},
		  AGAIN,
		  {GETS, CONNECT_11(STAY)},
		  CHALLENGES("407 kept"),
		  {LEG_MORE, ONE},
		  {GETS, CONNECT_11(STAY AUTHORIZED(ONE))},
		  GOES_ON,
		  {GETS, CONNECT_10(AUTHORIZED(THREE))},
		  {SAYS, TUNNELLED},
		  {HEARS, "200"},
		  {READS, TUNNELLED},
		  {OVER, NULL}}},
		{"a body",
		 OBSERVE,
		 false,
		 {{WRITES, POST_HEAD(CLOSE) "0123456789"},
		  {GETS, POST_HEAD(CLOSE) "0123456789"},
		  {SAYS, NOTHING},
		  AGAIN,
		  {GETS_PROBE, NULL},
		  CHALLENGES("407 kept"),
		  {ANSWERS, OURS},
		  {GETS, POST_HEAD(CLOSE AUTHORIZED(OURS)) "0123456789"},
		  IS_DONE}},
	};

	(void)state;
	PLAY(scenes);
}

/* --- the program's own ----------------------------------------------------------- */

static void its_own(void **state)
{
#define OWN     "Basic b3du"
#define GET_OWN TO_PROXY("GET", "/", AUTHORIZED(OWN) END_OF_HEAD)
	static const struct scene scenes[] = {
		{"it stays until it is rejected, and then nothing goes in its place",
		 LEGS,
		 false,
		 {{WRITES, GET_OWN},
		  {GETS, GET_OWN},
		  CHALLENGES("407 kept"),
		  {LEG_MORE, ONE},
		  {GETS, GET_ONE},
		  GOES_ON,
		  {GETS, GET_THREE},
		  IS_DONE,
		  {WRITES, GET_OWN},
		  {GETS, GET},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"it is enough",
		 FIRST_KNOWN,
		 false,
		 {PASSES(GET_OWN), PASSES(GET), PASSES(GET_OWN)}},
		{"it is not sent when the proxy is asked again",
		 OBSERVE,
		 false,
		 {{WRITES, GET_CLOSE(AUTHORIZED(OWN))},
		  {GETS, GET_CLOSE(AUTHORIZED(OWN))},
		  {SAYS, NOTHING},
		  AGAIN,
		  {GETS, TO_PROXY("GET", "/", STAY "\r\n")},
		  CHALLENGES("407 kept"),
		  {REFUSES, NULL},
		  {READS, BARE}}},
	};

	(void)state;
	PLAY(scenes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_messages),    cmocka_unit_test(one_message),
		cmocka_unit_test(other_requests),    cmocka_unit_test(bodies),
		cmocka_unit_test(rejected),          cmocka_unit_test(begun_anew),
		cmocka_unit_test(more_than_it_says), cmocka_unit_test(endless_losses),
		cmocka_unit_test(asked_again),       cmocka_unit_test(its_own),
	};

	return cmocka_run_group_tests(tests, play_setup, play_teardown);
}
