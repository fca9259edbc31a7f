/* SPDX-License-Identifier: MIT */
/* Responses that the connection ends with (gatepass/exchange.h): what follows them must
 * not have our authorization there, because it might reach the origin. */
#include "exchange_play.h"

#define KNOWN KNOWS(OURS)
#define KNOWN_FORWARD                                                                    \
	{                                                                                \
		.authority = "origin.test:80", .authorization.value = OURS               \
	}

#define N(n)            TO_PROXY("GET", "/" n, END_OF_HEAD)
#define N_OURS(n)       TO_PROXY("GET", "/" n, AUTHORIZED(OURS) END_OF_HEAD)
#define LAST(fields, n) "HTTP/1.1 200 OK\r\n" fields "Content-Length: 1\r\n\r\n" n
#define TINYPROXY       "Via: 1.1 squid (squid/5.7), 1.1 host (tinyproxy/1.11.1)\r\n"
#define ENDLESS(n)      "HTTP/1.0 200 OK\r\n\r\n" n

/* The next one goes over another connection, and has everything there. */
static void another_connection(void **state)
{
#define THEN(name, status, response)                                                     \
	{                                                                                \
		name, KNOWN, false,                                                      \
		{                                                                        \
			{WRITES, N("1")}, {GETS, N_OURS("1")}, {SAYS, response},         \
				{HEARS, status}, {READS, response}, {WRITES, N("2")},    \
				{GETS_ANOTHER, NULL}, {GETS, N_OURS("2")}, {SAYS, OK_5}, \
				{HEARS, "200"}, {READS, OK_5}, {WRITES, N("3")},         \
				{GETS, N_OURS("3")}, {SAYS, OK_5}, {HEARS, "200"},       \
			{                                                                \
				READS, OK_5                                              \
			}                                                                \
		}                                                                        \
	}
	static const struct scene scenes[] = {
		THEN("close", "200", LAST("Connection: close\r\n", "a")),
		THEN("HTTP/1.0", "200", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na"),
		THEN("tinyproxy", "200", LAST(TINYPROXY, "a")),
		THEN("chunked", "200",
		     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" TINYPROXY
		     "\r\n1\r\na\r\n0\r\n\r\n"),
		THEN("without a body", "304",
		     "HTTP/1.1 304 x\r\nConnection: close\r\n\r\n"),
		{"after HEAD",
		 KNOWN,
		 false,
		 {{WRITES, TO_PROXY("HEAD", "/", END_OF_HEAD)},
		  {GETS, TO_PROXY("HEAD", "/", AUTHORIZED(OURS) END_OF_HEAD)},
		  {SAYS, LAST(TINYPROXY, "")},
		  {HEARS, "200"},
		  {READS, LAST(TINYPROXY, "")},
		  {WRITES, POST},
		  {GETS_ANOTHER, NULL},
		  {GETS, POST_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"forward",
		 KNOWN_FORWARD,
		 false,
		 {{WRITES, TO_ORIGIN("GET", "/1", END_OF_HEAD)},
		  {GETS, N_OURS("1")},
		  {SAYS, LAST(TINYPROXY, "a")},
		  {HEARS, "200"},
		  {READS, LAST(TINYPROXY, "a")},
		  {WRITES, TO_ORIGIN("GET", "/2", END_OF_HEAD)},
		  {GETS_ANOTHER, NULL},
		  {GETS, N_OURS("2")},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"challenged before",
		 OBSERVE,
		 false,
		 {{WRITES, N("1")},
		  {GETS, N("1")},
		  {SAYS, CLOSING_407},
		  {SAYS_END, NULL},
		  {IS_ASKED, "407 new"},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, N_OURS("1")},
		  {SAYS, LAST(TINYPROXY, "a")},
		  {HEARS, "200"},
		  {READS, LAST(TINYPROXY, "a")},
		  {WRITES, N("2")},
		  {GETS_ANOTHER, NULL},
		  {GETS, N_OURS("2")},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"none is to be had",
		 KNOWN,
		 false,
		 {{WRITES, N("1")},
		  {GETS, N_OURS("1")},
		  {SAYS, LAST(TINYPROXY, "a")},
		  {HEARS, "200"},
		  {READS, LAST(TINYPROXY, "a")},
		  {WRITES, N("2")},
		  {IS_DOWN, NULL},
		  {FAILED, NULL}}},
	};

	(void)state;
	PLAY(scenes);
}

/* It waits until the program has read the last one. */
static void pipelined(void **state)
{
	static const struct scene scenes[] = {
		{"in one piece",
		 KNOWN,
		 false,
		 {{WRITES, N("1") N("2")},
		  {GETS, N_OURS("1")},
		  {SAYS, LAST(TINYPROXY, "a")},
		  {HEARS, "200"},
		  {IS_NOT_OUT, NULL},
		  {READS, LAST(TINYPROXY, "a") LAST(TINYPROXY, "b")},
		  {GETS_ANOTHER, NULL},
		  {GETS, N_OURS("2")},
		  {SAYS, LAST(TINYPROXY, "b")},
		  {HEARS, "200"}}},
		{"with a body, after the status",
		 KNOWN,
		 false,
		 {{WRITES, N("1")},
		  {GETS, N_OURS("1")},
		  {SAYS, LAST(TINYPROXY, "a")},
		  {HEARS, "200"},
		  {WRITES, POST},
		  {IS_NOT_OUT, NULL},
		  {READS, LAST(TINYPROXY, "a") OK_5},
		  {GETS_ANOTHER, NULL},
		  {GETS, POST_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"}}},
		{"behind one that is not the last",
		 KNOWN,
		 false,
		 {{WRITES, N("1") N("2") N("3")},
		  {GETS, N_OURS("1")},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {GETS, N_OURS("2")},
		  {SAYS, LAST("Connection: close\r\n", "b")},
		  {READS, OK_5 LAST("Connection: close\r\n", "b") OK_5},
		  {HEARS, "200"},
		  {GETS_ANOTHER, NULL},
		  {GETS, N_OURS("3")},
		  {SAYS, OK_5},
		  {HEARS, "200"}}},
	};

	(void)state;
	PLAY(scenes);
}

/* What cannot be answered any more goes out as the program says it. */
static void as_it_came(void **state)
{
	static const struct scene scenes[] = {
		{"the response ends with the connection",
		 KNOWN,
		 false,
		 {{WRITES, N("1")},
		  {GETS, N_OURS("1")},
		  {SAYS, ENDLESS("a")},
		  {HEARS, "200"},
		  {READS, ENDLESS("a")},
		  {WRITES, N("2") N("3")},
		  {GETS, N("2") N("3")},
		  {SAYS, "b"},
		  {OVER, NULL},
		  {READS, "b"}}},
		{"in one piece",
		 KNOWN_FORWARD,
		 false,
		 {{WRITES, TO_ORIGIN("GET", "/1", END_OF_HEAD)
				   TO_ORIGIN("GET", "/2", END_OF_HEAD)},
		  {GETS, N_OURS("1")},
		  {SAYS, ENDLESS("a")},
		  {HEARS, "200"},
		  {GETS, TO_ORIGIN("GET", "/2", END_OF_HEAD)},
		  {SAYS_END, NULL},
		  {READS, ENDLESS("a")},
		  {READS_END, NULL},
		  {OVER, NULL}}},
		{"nonsense",
		 KNOWN,
		 false,
		 {{WRITES, N("1")},
		  {GETS, N_OURS("1")},
		  {SAYS, "what?\n"},
		  {READS, "what?\n"},
		  {WRITES, N("2")},
		  {GETS, N("2")},
		  {SAYS, "what?\n"},
		  {OVER, NULL},
		  {READS, "what?\n"}}},
		{"the program does not wait",
		 KNOWN,
		 false,
		 {{WRITES, N("1") N("2")},
		  {GETS, N_OURS("1")},
		  {SAYS, LAST(TINYPROXY, "a")},
		  {HEARS, "200"},
		  {IS_NOT_OUT, NULL},
		  {CLOSES, NULL},
		  {GETS, N("2")},
		  {OVER, NULL},
		  {READS, LAST(TINYPROXY, "a")}}},
	};

	(void)state;
	PLAY(scenes);
}

/* Without an authorization of ours nobody has to be asked what may follow. */
static void without_ours(void **state)
{
	static const struct scene scenes[] = {
		{"tinyproxy",
		 OBSERVE,
		 false,
		 {{WRITES, N("1")},
		  {GETS, N("1")},
		  {SAYS, "HTTP/1.1 200 OK\r\n"},
		  {READS, "HTTP/1.1 200 OK\r\n"},
		  {SAYS, TINYPROXY "Content-Length: 1\r\n\r\na"},
		  {READS, TINYPROXY "Content-Length: 1\r\n\r\na"},
		  {WRITES, N("2")},
		  {GETS, N("2")},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
	};

	(void)state;
	PLAY(scenes);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_connection),
		cmocka_unit_test(pipelined),
		cmocka_unit_test(as_it_came),
		cmocka_unit_test(without_ours),
	};

	return cmocka_run_group_tests(tests, play_setup, play_teardown);
}
