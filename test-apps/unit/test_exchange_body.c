/* SPDX-License-Identifier: MIT */
/* Requests on a connection to a proxy (gatepass/exchange.h) that have a body: the copy
 * of it, and responses that do not wait for its end. */
#include "exchange_play.h"

#define OLD "Basic b2xk"

#define EXPECTING(fields) POST_HEAD("Expect: 100-continue\r\n" fields)

/* --- the copy -------------------------------------------------------------------- */

/* The first authorization is known, and wrong. */
static void sent_again(void **state)
{
#define KNOWN    KNOWS(OLD)
#define POST_OLD POST_HEAD(AUTHORIZED(OLD)) "0123456789"
	static const struct scene scenes[] = {
		{"over the same connection",
		 KNOWN,
		 true,
		 {{WRITES, POST},
		  {GETS, POST_OLD},
		  {SAYS, KEPT_407},
		  {READS, OK_5},
		  {IS_ASKED, "407 kept, had " OLD},
		  {ANSWERS, OURS},
		  {GETS, POST_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"}}},
		{"over another one",
		 KNOWN,
		 true,
		 {{WRITES, POST},
		  {GETS, POST_OLD},
		  {SAYS, CLOSING_407},
		  {SAYS_END, NULL},
		  {READS, OK_5},
		  {IS_ASKED, "407 new, had " OLD},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, POST_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"}}},
		{"chunked",
		 KNOWN,
		 true,
		 {{WRITES, CHUNKED},
		  {GETS, CHUNKED_HEAD(AUTHORIZED(OLD)) CHUNKS},
		  {SAYS, KEPT_407},
		  {READS, OK_5},
		  {IS_ASKED, "407 kept, had " OLD},
		  {ANSWERS, OURS},
		  {GETS, CHUNKED_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"}}},
		{"as far as the proxy let it come",
		 KNOWN,
		 false,
		 {{WRITES, POST_HEAD("") "01234"},
		  {GETS, POST_HEAD(AUTHORIZED(OLD)) "01234"},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 new, had " OLD},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, POST_HEAD(AUTHORIZED(OURS)) "01234"},
		  {WRITES, "567"},
		  {GETS, "567"},
		  {WRITES, "89"},
		  {GETS, "89"},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"the connection ends before the answer, and the copy is not asked for",
		 KNOWN,
		 true,
		 {{WRITES, POST},
		  {GETS, POST_OLD},
		  {SAYS_END, NULL},
		  {READS_END, NULL},
		  {OVER, NULL}}},
		{"it ends after a challenge",
		 KNOWN,
		 true,
		 {{WRITES, POST},
		  {GETS, POST_OLD},
		  {SAYS, KEPT_407},
		  {READS, OK_5},
		  {IS_ASKED, "407 kept, had " OLD},
		  {ANSWERS, OURS},
		  {GETS, POST_OURS},
		  {SAYS_END, NULL},
		  {GETS_ANOTHER, NULL},
		  {GETS, POST_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"}}},
		{"what is no chunk passes, and all that follows",
		 KNOWN,
		 true,
		 {{WRITES, CHUNKED_HEAD("") "x\r\n" GET},
		  {GETS, CHUNKED_HEAD(AUTHORIZED(OLD)) "x\r\n" GET},
		  {SAYS, KEPT_407},
		  {READS, KEPT_407},
		  {OVER, NULL}}},
	};

	(void)state;
	PLAY(scenes);
}

/* --- bodies that are longer than the copy ---------------------------------------- */

#define LONG (GP_COPY_MAX + 5)

static char long_body[LONG + 1], long_head[256], long_head_old[256], long_head_ours[256];

static void make_head(char out[static 256], size_t len, const char *fields)
{
	snprintf(out, 256, TO_PROXY("POST", "/", "Content-Length: %zu\r\n%s\r\n"), len,
		 fields);
}

static int make_long(void **state)
{
	for (int i = 0; i < LONG; i++)
		long_body[i] = (char)('a' + i % 23);
	make_head(long_head, LONG, "");
	make_head(long_head_old, LONG, AUTHORIZED(OLD));
	make_head(long_head_ours, LONG, AUTHORIZED(OURS));
	return play_setup(state);
}

/* It is never sent again: the program sees the challenge, and the agent's answer goes out
 * with the next request. */
static void longer_than_the_copy(void **state)
{
	static const struct scene scenes[] = {
		{"challenged at its end",
		 KNOWN,
		 true,
		 {{WRITES, long_head},
		  {GETS, long_head_old},
		  {WRITES, long_body},
		  {GETS, long_body},
		  {SAYS, KEPT_407},
		  {READS, KEPT_407},
		  {IS_ASKED, "407 new, had " OLD},
		  {ANSWERS, OURS},
		  {WRITES, GET},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {READS, OK_5},
		  {HEARS, "200"}}},
		{"challenged, and refused",
		 KNOWN,
		 true,
		 {{WRITES, long_head},
		  {GETS, long_head_old},
		  {WRITES, long_body},
		  {GETS, long_body},
		  {SAYS, KEPT_407},
		  {READS, KEPT_407},
		  {IS_ASKED, "407 new, had " OLD},
		  {REFUSES, NULL},
		  {WRITES, GET},
		  {GETS, GET},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"challenged at its beginning, with the rest to come",
		 KNOWN,
		 false,
		 {{WRITES, long_head},
		  {GETS, long_head_old},
		  {SAYS, CLOSING_407},
		  {IS_ASKED, "407 new, had " OLD},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, long_head_ours},
		  {WRITES, long_body},
		  {GETS, long_body},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"lost with the connection that was kept for it",
		 OBSERVE,
		 true,
		 {{WRITES, long_head},
		  {GETS_PROBE, NULL},
		  {SAYS, KEPT_407},
		  {WRITES, long_body},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, long_head_ours},
		  {GETS, long_body},
		  {SAYS_END, NULL},
		  {READS_END, NULL},
		  {OVER, NULL}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++) {
		play_scene(&scenes[i], 0, WHOLE);
		play_scene(&scenes[i], 0, 4096);
		play_scene(&scenes[i], 0, 60000);
	}
}

/* After a challenge to a body above 64 KiB, Squid does not answer on the connection. */
static void too_long_for_the_connection(void **state)
{
	static const struct {
		size_t len;
		const char *asked;
	} cases[] = {{65535, "407 kept, had " OLD}, {65536, "407 new, had " OLD}};
	static char body[65537], head[256], head_ours[256];
	struct scene scene = {"64 KiB",
			      KNOWN,
			      true,
			      {{WRITES, head},
			       {GETS, head_ours},
			       {WRITES, body},
			       {GETS, body},
			       {SAYS, KEPT_407},
			       {READS, KEPT_407},
			       {IS_ASKED, NULL},
			       {REFUSES, NULL}}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len = cases[i].len;

		make_head(head, len, "");
		make_head(head_ours, len, AUTHORIZED(OLD));
		memset(body, 'x', len);
		body[len] = '\0';
		scene.lines[6].text = cases[i].asked;
		play_scene(&scene, 0, WHOLE);
		play_scene(&scene, 0, 1000);
	}
}

/* The copy goes out again; the proxy does not take it, for it has answered. */
static void answered_before_the_copy(void **state)
{
#define AGAIN                                                                            \
	{WRITES, POST}, {GETS, POST_OLD}, {SAYS, CLOSING_407}, {READS, OK_5},            \
		{IS_ASKED, "407 new, had " OLD}, {ANSWERS, "Basic QTpB"},                \
		{GETS_ANOTHER, NULL},                                                    \
	{                                                                                \
		GETS, POST_HEAD(AUTHORIZED("Basic QTpB"))                                \
	}
	static const struct scene scenes[] = {
		{"by another challenge",
		 KNOWN,
		 true,
		 {AGAIN,
		  {STOPS, NULL},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 new, had Basic QTpB"},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, POST_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"}}},
		{"by a response",
		 KNOWN,
		 true,
		 {AGAIN, {STOPS, NULL}, {SAYS, OK_5}, {HEARS, "200"}}},
		{"by its going away",
		 KNOWN,
		 true,
		 {{WRITES, POST},
		  {GETS, POST_OLD},
		  {SAYS, CLOSING_407},
		  {READS_END, NULL},
		  {IS_ASKED, "407 new, had " OLD},
		  {ANSWERS, "Basic QTpB"},
		  {GETS_ANOTHER, NULL},
		  {GETS, POST_HEAD(AUTHORIZED("Basic QTpB"))},
		  {STOPS, NULL},
		  {SAYS_END, NULL},
		  {OVER, NULL}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++) {
		/* Whatever is sent at once must not be more than the head. */
		play_scene(&scenes[i], 0, 1);
	}
}

/* --- Expect ---------------------------------------------------------------------- */

static void expect_continue(void **state)
{
	static const struct scene scenes[] = {
		{"100",
		 OBSERVE,
		 false,
		 {{WRITES, EXPECTING("")},
		  {GETS, EXPECTING("")},
		  {SAYS, CONTINUE_100},
		  {READS, CONTINUE_100},
		  {WRITES, "0123456789"},
		  {GETS, "0123456789"},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"407 instead of 100: never over the same connection",
		 OBSERVE,
		 false,
		 {{WRITES, EXPECTING("")},
		  {GETS, EXPECTING("")},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 new"},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, EXPECTING(AUTHORIZED(OURS))},
		  {SAYS, CONTINUE_100},
		  {READS, CONTINUE_100},
		  {WRITES, "0123456789"},
		  {GETS, "0123456789"},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"407 instead of 100, and refused",
		 OBSERVE,
		 false,
		 {{WRITES, EXPECTING("")},
		  {GETS, EXPECTING("")},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 new"},
		  {REFUSES, NULL},
		  {READS, KEPT_407}}},
		{"417",
		 OBSERVE,
		 false,
		 {{WRITES, EXPECTING("")},
		  {GETS, EXPECTING("")},
		  {SAYS, "HTTP/1.1 417 x\r\nContent-Length: 0\r\n\r\n"},
		  {READS, "HTTP/1.1 417 x\r\nContent-Length: 0\r\n\r\n"}}},
		{"407 after 100, which the program sees once",
		 OBSERVE,
		 false,
		 {{WRITES, EXPECTING("")},
		  {GETS, EXPECTING("")},
		  {SAYS, CONTINUE_100},
		  {READS, CONTINUE_100},
		  {WRITES, "0123456789"},
		  {GETS, "0123456789"},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, EXPECTING(AUTHORIZED(OURS)) "0123456789"},
		  {SAYS, CONTINUE_100 "HTTP/1.1 103 Early Hints\r\n\r\n" OK_5},
		  {READS, "HTTP/1.1 103 Early Hints\r\n\r\n" OK_5},
		  {HEARS, "200"}}},
		{"407 after 100, while the body is on its way",
		 OBSERVE,
		 false,
		 {{WRITES, EXPECTING("")},
		  {GETS, EXPECTING("")},
		  {SAYS, CONTINUE_100},
		  {READS, CONTINUE_100},
		  {WRITES, "01234"},
		  {GETS, "01234"},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 new"},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, EXPECTING(AUTHORIZED(OURS)) "01234"},
		  {WRITES, "56789"},
		  {GETS, "56789"},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"100 that nobody asked for, and the program writes on",
		 KNOWS(OURS),
		 true,
		 {{WRITES, POST_HEAD("") "01234"},
		  {GETS, POST_HEAD(AUTHORIZED(OURS)) "01234"},
		  {SAYS, CONTINUE_100},
		  {WRITES, "56789"},
		  {GETS, "56789"},
		  {SAYS, CONTINUE_100 OK_5},
		  {READS, CONTINUE_100},
		  {READS, CONTINUE_100 OK_5},
		  {HEARS, "200"}}},
	};

	(void)state;
	PLAY(scenes);
}

/* --- early responses ------------------------------------------------------------- */

static void early(void **state)
{
	static const struct scene scenes[] = {
		{"the rest of the body passes, and the next request",
		 KNOWS(OURS),
		 false,
		 {{WRITES, POST_HEAD("") "01234"},
		  {GETS, POST_HEAD(AUTHORIZED(OURS)) "01234"},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5},
		  {WRITES, "567"},
		  {GETS, "567"},
		  {READS_NOTHING, NULL},
		  {WRITES, "89"},
		  {GETS, "89"},
		  {WRITES, GET},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"read between the pieces",
		 OBSERVE,
		 false,
		 {{WRITES, POST_HEAD("") "01234"},
		  {GETS, POST_HEAD("") "01234"},
		  {SAYS, "HTTP/1.1 200 OK\r\nContent-Le"},
		  {READS, "HTTP/1.1 200 OK\r\nConten"},
		  {WRITES, "56789"},
		  {GETS, "56789"},
		  {SAYS, "ngth: 5\r\n\r\nhello"},
		  {WRITES, GET},
		  {GETS, GET},
		  {SAYS, OK_5},
		  {READS, "t-Length: 5\r\n\r\nhello"},
		  {READS, OK_5}}},
		{"the program gives the body up",
		 KNOWS(OURS),
		 false,
		 {{WRITES, POST_HEAD("") "01234"},
		  {GETS, POST_HEAD(AUTHORIZED(OURS)) "01234"},
		  {SAYS, "HTTP/1.1 413 x\r\nConnection: close\r\n\r\n"},
		  {SAYS_END, NULL},
		  {HEARS, "413"},
		  {READS, "HTTP/1.1 413 x\r\nConnection: close\r\n\r\n"},
		  {READS_END, NULL},
		  {CLOSES, NULL}}},
	};

	(void)state;
	PLAY(scenes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sent_again),
		cmocka_unit_test(longer_than_the_copy),
		cmocka_unit_test(too_long_for_the_connection),
		cmocka_unit_test(answered_before_the_copy),
		cmocka_unit_test(expect_continue),
		cmocka_unit_test(early),
	};

	return cmocka_run_group_tests(tests, make_long, play_teardown);
}
