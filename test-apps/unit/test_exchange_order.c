/* SPDX-License-Identifier: MIT */
/* Requests on a connection to a proxy (gatepass/exchange.h) that do not wait for the
 * response to the one before: which response is whose. */
#include "exchange_play.h"

#define N(n)      TO_PROXY("GET", "/" n, END_OF_HEAD)
#define N_OURS(n) TO_PROXY("GET", "/" n, AUTHORIZED(OURS) END_OF_HEAD)
#define OK_N(n)   "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" n
#define HEAD_N(n) TO_PROXY("HEAD", "/" n, END_OF_HEAD)
#define OK_HEAD   "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
#define SENDS(request, response)                                                         \
	{WRITES, request}, {GETS, request},                                              \
	{                                                                                \
		SAYS, response                                                           \
	}

/* Each one goes out when the status of the one before is known; that may wait behind a
 * response that the program has not read. */
static void pipelined(void **state)
{
	static const struct scene scenes[] = {
		{"two",
		 OBSERVE,
		 false,
		 {SENDS(N("1"), OK_N("1")),
		  SENDS(N("2"), OK_N("2")),
		  {READS, OK_N("1")},
		  {READS, OK_N("2")}}},
		{"three",
		 OBSERVE,
		 false,
		 {SENDS(N("1"), OK_N("1")),
		  SENDS(N("2"), OK_N("2")),
		  {WRITES, N("3")},
		  {READS, OK_N("1")},
		  {READS, OK_N("2") OK_N("3")},
		  {GETS, N("3")},
		  {SAYS, OK_N("3")}}},
		{"in one piece",
		 OBSERVE,
		 false,
		 {{WRITES, N("1") N("2") N("3")},
		  {GETS, N("1")},
		  {SAYS, OK_N("1")},
		  {GETS, N("2")},
		  {SAYS, OK_N("2")},
		  {IS_NOT_OUT, NULL},
		  {READS, OK_N("1") OK_N("2") OK_N("3")},
		  {GETS, N("3")},
		  {SAYS, OK_N("3")},
		  {IS_OUT, NULL}}},
		{"forward",
		 FORWARD,
		 false,
		 {{WRITES, TO_ORIGIN("GET", "/1", END_OF_HEAD)
				   TO_ORIGIN("GET", "/2", END_OF_HEAD)},
		  {GETS, N("1")},
		  {SAYS, OK_N("1")},
		  {GETS, N("2")},
		  {SAYS, OK_N("2")},
		  {READS, OK_N("1") OK_N("2")}}},
		{"the second one waits for the first one's status",
		 OBSERVE,
		 false,
		 {{WRITES, N("1")},
		  {GETS, N("1")},
		  {WRITES, N("2")},
		  {IS_NOT_OUT, NULL},
		  {SAYS, OK_N("1")},
		  {READS, OK_N("1") OK_N("2")},
		  {GETS, N("2")},
		  {SAYS, OK_N("2")}}},
		{"the third one for the second one's",
		 OBSERVE,
		 false,
		 {SENDS(N("1"), OK_N("1")),
		  {WRITES, N("2")},
		  {GETS, N("2")},
		  {WRITES, N("3")},
		  {READS, OK_N("1")},
		  {READS_NOTHING, NULL},
		  {IS_NOT_OUT, NULL},
		  {SAYS, OK_N("2")},
		  {READS, OK_N("2") OK_N("3")},
		  {GETS, N("3")},
		  {SAYS, OK_N("3")}}},
		{"HEAD, first",
		 OBSERVE,
		 false,
		 {SENDS(HEAD_N("1"), OK_HEAD),
		  SENDS(N("2"), OK_N("2")),
		  {WRITES, N("3")},
		  {READS, OK_HEAD OK_N("2") OK_N("3")},
		  {GETS, N("3")},
		  {SAYS, OK_N("3")},
		  SENDS(N("4"), OK_N("4")),
		  {READS, OK_N("4")}}},
		{"HEAD, in the middle",
		 OBSERVE,
		 false,
		 {SENDS(N("1"), OK_N("1")),
		  SENDS(HEAD_N("2"), OK_HEAD),
		  {WRITES, N("3")},
		  {READS, OK_N("1") OK_HEAD OK_N("3")},
		  {GETS, N("3")},
		  {SAYS, OK_N("3")},
		  SENDS(HEAD_N("4"), OK_HEAD),
		  SENDS(N("5"), OK_N("5")),
		  {READS, OK_HEAD OK_N("5")}}},
		{"head is another method than HEAD",
		 OBSERVE,
		 false,
		 {SENDS(TO_PROXY("head", "/", END_OF_HEAD), KEPT_407),
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, TO_PROXY("head", "/", AUTHORIZED(OURS) END_OF_HEAD)},
		  {SAYS, OK_N("1")},
		  {HEARS, "200"},
		  {READS, OK_N("1")}}},
		{"interim responses behind one that is not read",
		 OBSERVE,
		 false,
		 {SENDS(N("1"), OK_N("1")),
		  SENDS(N("2"), CONTINUE_100 OK_N("2")),
		  {WRITES, N("3")},
		  {READS, OK_N("1") CONTINUE_100 OK_N("2") OK_N("3")},
		  {GETS, N("3")},
		  {SAYS, OK_N("3")}}},
	};

	(void)state;
	PLAY(scenes);
}

#define POST_2 TO_PROXY("POST", "/2", "Content-Length: 3\r\n\r\nabc")
#define POST_2_OURS                                                                      \
	TO_PROXY("POST", "/2", "Content-Length: 3\r\n" AUTHORIZED(OURS) "\r\nabc")
#define CHUNKED_2(parts)                                                                 \
	TO_PROXY("POST", "/2", "Transfer-Encoding: chunked\r\n\r\n" parts)

static void pipelined_bodies(void **state)
{
	static const struct scene scenes[] = {
		{"behind a response that is not read",
		 OBSERVE,
		 false,
		 {SENDS(N("1"), OK_N("1")),
		  SENDS(POST_2, OK_N("2")),
		  {WRITES, N("3")},
		  {READS, OK_N("1") OK_N("2") OK_N("3")},
		  {GETS, N("3")},
		  {SAYS, OK_N("3")}}},
		{"in the queue",
		 OBSERVE,
		 false,
		 {{WRITES, N("1") POST_2 N("3")},
		  {GETS, N("1")},
		  {SAYS, OK_N("1")},
		  {GETS, POST_2},
		  {SAYS, OK_N("2")},
		  {READS, OK_N("1") OK_N("2") OK_N("3")},
		  {GETS, N("3")},
		  {SAYS, OK_N("3")}}},
		{"in the queue, and the rest comes later",
		 OBSERVE,
		 false,
		 {{WRITES, N("1")},
		  {GETS, N("1")},
		  {WRITES, CHUNKED_2("3\r\nab")},
		  {IS_NOT_OUT, NULL},
		  {SAYS, OK_N("1")},
		  {READS, OK_N("1")},
		  {GETS, CHUNKED_2("3\r\nab")},
		  {WRITES, "c\r\n0\r\n\r\n" N("3")},
		  {GETS, "c\r\n0\r\n\r\n"},
		  {SAYS, OK_N("2")},
		  {GETS, N("3")},
		  {SAYS, OK_N("3")},
		  {READS, OK_N("2") OK_N("3")}}},
		{"in the queue, and the proxy takes it later",
		 OBSERVE,
		 true,
		 {{WRITES, N("1") POST_2},
		  {GETS, N("1")},
		  {STOPS, NULL},
		  {SAYS, OK_N("1")},
		  {READS, OK_N("1")},
		  {IS_NOT_OUT, NULL},
		  {TAKES_AGAIN, NULL},
		  {READS, OK_N("2")},
		  {GETS, POST_2},
		  {SAYS, OK_N("2")}}},
		{"of a request that is challenged early",
		 OBSERVE,
		 false,
		 {SENDS(N("1"), KEPT_407),
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {WRITES, TO_PROXY("POST", "/2", "Content-Length: 6\r\n\r\nabc")},
		  {GETS, TO_PROXY("POST", "/2", "Content-Length: 6\r\n\r\nabc")},
		  {SAYS, CLOSING_407},
		  {SAYS_END, NULL},
		  {READS, KEPT_407},
		  {WRITES, "def" N("3")},
		  {IS_ASKED, "407 new"},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, TO_PROXY("POST", "/2",
				  "Content-Length: 6\r\n" AUTHORIZED(OURS) "\r\nabc")},
		  {GETS, "def"},
		  {SAYS, OK_N("2")},
		  {HEARS, "200"},
		  {GETS, N_OURS("3")},
		  {SAYS, OK_N("3")},
		  {READS, OK_N("2") OK_N("3")},
		  {HEARS, "200"}}},
	};

	(void)state;
	PLAY(scenes);
}

static void pipelined_challenges(void **state)
{
	static const struct scene scenes[] = {
		{"to the first: the second is not there yet",
		 OBSERVE,
		 false,
		 {{WRITES, N("1") N("2")},
		  {GETS, N("1")},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, N_OURS("1")},
		  {SAYS, OK_N("1")},
		  {HEARS, "200"},
		  {GETS, N_OURS("2")},
		  {SAYS, OK_N("2")},
		  {READS, OK_N("1")},
		  {READS, OK_N("2")},
		  {HEARS, "200"}}},
		{"to the second, behind a first that is not read",
		 OBSERVE,
		 false,
		 {SENDS(N("1"), OK_N("1")),
		  SENDS(N("2"), KEPT_407),
		  {READS, OK_N("1")},
		  {READS, OK_N("2")},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, N_OURS("2")},
		  {SAYS, OK_N("2")},
		  {HEARS, "200"}}},
		{"to the second, behind a HEAD, and not kept",
		 OBSERVE,
		 false,
		 {SENDS(HEAD_N("1"), OK_HEAD),
		  SENDS(N("2"), CLOSING_407),
		  {SAYS_END, NULL},
		  {READS, OK_HEAD},
		  {READS, OK_N("2")},
		  {IS_ASKED, "407 new"},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, N_OURS("2")},
		  {SAYS, OK_N("2")},
		  {HEARS, "200"}}},
		{"to the second, and refused",
		 OBSERVE,
		 false,
		 {SENDS(N("1"), OK_N("1")),
		  SENDS(N("2"), KEPT_407),
		  {READS, OK_N("1")},
		  {READS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  SENDS(N("3"), OK_N("3")),
		  {READS, OK_N("3")}}},
		{"to the second, with a body",
		 OBSERVE,
		 false,
		 {SENDS(N("1"), OK_N("1")),
		  SENDS(POST_2, KEPT_407),
		  {READS, OK_N("1")},
		  {READS, OK_N("2")},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, POST_2_OURS},
		  {SAYS, OK_N("2")},
		  {HEARS, "200"}}},
		{"to the third of five: only that one goes again",
		 OBSERVE,
		 false,
		 {{WRITES, N("1") N("2") N("3") N("4") N("5")},
		  {GETS, N("1")},
		  {SAYS, OK_N("1")},
		  {GETS, N("2")},
		  {SAYS, OK_N("2")},
		  {READS, OK_N("1") OK_N("2")},
		  {GETS, N("3")},
		  {SAYS, KEPT_407},
		  {READS, OK_N("3") OK_N("4") OK_N("5")},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, N_OURS("3")},
		  {SAYS, OK_N("3")},
		  {HEARS, "200"},
		  {GETS, N_OURS("4")},
		  {SAYS, OK_N("4")},
		  {HEARS, "200"},
		  {GETS, N_OURS("5")},
		  {SAYS, OK_N("5")},
		  {HEARS, "200"},
		  {IS_OUT, NULL}}},
		{"to the third of four, which closes: the fourth goes where the third "
		 "went",
		 OBSERVE,
		 false,
		 {{WRITES, N("1") N("2") POST_2 N("4")},
		  {GETS, N("1")},
		  {SAYS, OK_N("1")},
		  {GETS, N("2")},
		  {SAYS, OK_N("2")},
		  {READS, OK_N("1") OK_N("2")},
		  {GETS, POST_2},
		  {SAYS, CLOSING_407},
		  {SAYS_END, NULL},
		  {READS, OK_N("3") OK_N("4")},
		  {IS_ASKED, "407 new"},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, POST_2_OURS},
		  {SAYS, OK_N("3")},
		  {HEARS, "200"},
		  {GETS, N_OURS("4")},
		  {SAYS, OK_N("4")},
		  {HEARS, "200"}}},
		{"to the third, and refused: the fourth is asked about",
		 OBSERVE,
		 false,
		 {{WRITES, N("1") N("2") N("3") N("4")},
		  {GETS, N("1")},
		  {SAYS, OK_N("1")},
		  {GETS, N("2")},
		  {SAYS, OK_N("2")},
		  {READS, OK_N("1") OK_N("2")},
		  {GETS, N("3")},
		  {SAYS, KEPT_407},
		  {READS, KEPT_407 OK_N("4")},
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {GETS, N("4")},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, N_OURS("4")},
		  {SAYS, OK_N("4")},
		  {HEARS, "200"}}},
	};

	(void)state;
	PLAY(scenes);
}

/* A proxy whose buffers are full of responses takes no request before they are read. */
static void both_are_full(void **state)
{
	static const struct scene scene = {"both are full",
					   OBSERVE,
					   false,
					   {SENDS(N("1"), OK_N("1")),
					    {STOPS, NULL},
					    {WRITES, N("2")},
					    {READS, OK_N("1")},
					    {TAKES_AGAIN, NULL},
					    {READS, OK_N("2")},
					    {GETS, N("2")},
					    {SAYS, OK_N("2")}}};

	(void)state;
	play_all(&scene, 1);
}

/* --- bytes behind the last request ----------------------------------------------- */

/* They go out as they came, and all is the program's from there on. */
static void last_in_the_queue(void **state)
{
#define BAD_CHUNK "3\r\nabcx\r\nand the rest"
	static const struct scene scenes[] = {
		{"garbage",
		 OBSERVE,
		 false,
		 {{WRITES, N("1") "\x01 garbage"},
		  {GETS, N("1")},
		  {SAYS, OK_N("1")},
		  {GETS, "\x01 garbage"},
		  {OVER, NULL},
		  {READS, OK_N("1")}}},
		{"garbage, and more of it",
		 OBSERVE,
		 false,
		 {{WRITES, N("1") N("2") "\x01 garbage"},
		  {GETS, N("1")},
		  {SAYS, OK_N("1")},
		  {GETS, N("2")},
		  {SAYS, OK_N("2")},
		  {WRITES, " and more" GET},
		  {READS, OK_N("1")},
		  {READS, OK_N("2")},
		  {GETS, "\x01 garbage and more" GET},
		  {OVER, NULL},
		  {WRITES, GET},
		  {GETS, GET}}},
		{"a request that is none to a proxy",
		 OBSERVE,
		 false,
		 {{WRITES, N("1") "GET / HTTP/1.1\r\n\r\n" N("2")},
		  {GETS, N("1")},
		  {SAYS, OK_N("1")},
		  {GETS, "GET / HTTP/1.1\r\n\r\n" N("2")},
		  {OVER, NULL},
		  {READS, OK_N("1")}}},
		{"a chunk that is none",
		 OBSERVE,
		 false,
		 {{WRITES, N("1") CHUNKED_2(BAD_CHUNK) N("3")},
		  {GETS, N("1")},
		  {SAYS, OK_N("1")},
		  {GETS, CHUNKED_2(BAD_CHUNK) N("3")},
		  {OVER, NULL},
		  {SAYS, KEPT_407},
		  {READS, OK_N("1") KEPT_407}}},
		{"garbage behind what was forwarded: the proxy's to refuse",
		 FORWARD,
		 false,
		 {{WRITES, TO_ORIGIN("GET", "/1", END_OF_HEAD)},
		  {GETS, N("1")},
		  {WRITES, "\x01 garbage"},
		  {SAYS, OK_N("1")},
		  {READS, OK_N("1")},
		  {GETS, "\x01 garbage"},
		  {OVER, NULL}}},
	};

	(void)state;
	PLAY(scenes);
}

/* --- a program that does not wait ------------------------------------------------ */

static void hurries(void **state)
{
	static const struct scene scenes[] = {
		{"all goes out, and the responses are the program's",
		 OBSERVE,
		 true,
		 {{WRITES, N("1") N("2") N("3")},
		  {GETS, N("1")},
		  {IS_NOT_OUT, NULL},
		  {CLOSES, NULL},
		  {GETS, N("2") N("3")},
		  {IS_OUT, NULL},
		  {SAYS, KEPT_407 KEPT_407 KEPT_407},
		  {READS, KEPT_407 KEPT_407 KEPT_407}}},
		{"of two, the second is still looked after",
		 OBSERVE,
		 true,
		 {{WRITES, N("1") N("2")},
		  {GETS, N("1")},
		  {CLOSES, NULL},
		  {GETS, N("2")},
		  {SAYS, KEPT_407 KEPT_407},
		  {READS, KEPT_407 OK_N("2")},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, N_OURS("2")},
		  {SAYS, OK_N("2")},
		  {HEARS, "200"}}},
		{"HEAD among them",
		 OBSERVE,
		 true,
		 {{WRITES, HEAD_N("1") N("2")},
		  {GETS, HEAD_N("1")},
		  {CLOSES, NULL},
		  {GETS, N("2")},
		  {SAYS, OK_HEAD KEPT_407},
		  {READS, OK_HEAD OK_N("2")},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, N_OURS("2")},
		  {SAYS, OK_N("2")},
		  {HEARS, "200"}}},
		{"within an interim response",
		 OBSERVE,
		 false,
		 {{WRITES, N("1")},
		  {GETS, N("1")},
		  {WRITES, N("2")},
		  {SAYS, CONTINUE_100 KEPT_407},
		  {READS, "HTTP/1.1 100"},
		  {CLOSES, NULL},
		  {GETS, N("2")},
		  {SAYS, KEPT_407},
		  {READS, " Continue\r\n\r\n" KEPT_407 OK_N("2")},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, N_OURS("2")},
		  {SAYS, OK_N("2")},
		  {HEARS, "200"}}},
		{"a body, and half a head, as they are",
		 OBSERVE,
		 true,
		 {{WRITES, N("1") POST_2 "GET htt"},
		  {GETS, N("1")},
		  {CLOSES, NULL},
		  {GETS, POST_2 "GET htt"},
		  {OVER, NULL},
		  {SAYS, KEPT_407 KEPT_407},
		  {READS, KEPT_407 KEPT_407}}},
		{"when the proxy takes it",
		 OBSERVE,
		 true,
		 {{WRITES, N("1")},
		  {GETS, N("1")},
		  {WRITES, N("2") "GET htt"},
		  {STOPS, NULL},
		  {CLOSES, NULL},
		  {IS_NOT_OUT, NULL},
		  {TAKES_AGAIN, NULL},
		  {SAYS, OK_N("1")},
		  {READS, OK_N("1")},
		  {GETS, N("2") "GET htt"},
		  {OVER, NULL},
		  {SAYS, OK_N("2")},
		  {READS, OK_N("2")}}},
		{"but not before the answer to a challenge",
		 OBSERVE,
		 true,
		 {{WRITES, CHUNKED_2("1\r\nx\r\n0\r\n\r\n")},
		  {GETS_PROBE, NULL},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, TO_PROXY("POST", "/2",
				  "Transfer-Encoding: chunked\r\n" AUTHORIZED(
					  OURS) "\r\n"
						"1\r\nx\r\n0\r\n\r\n")},
		  {WRITES, N("3")},
		  {CLOSES, NULL},
		  {GETS, N_OURS("3")},
		  {SAYS, OK_N("2") OK_N("3")},
		  {READS, OK_N("2") OK_N("3")},
		  {HEARS, "200"}}},
	};

	(void)state;
	PLAY(scenes);
}

/* --- a program that shares the connection with another ---------------------------- */

static void shares(void **state)
{
#define HALF_407   "HTTP/1.1 407 Proxy Auth"
#define OTHER_HALF "entication Required\r\n" ASKS "Content-Length: 4\r\n\r\nbody"
	static const struct scene scenes[] = {
		{"nothing waits, and the last request is looked after",
		 OBSERVE,
		 true,
		 {{WRITES, N("1")},
		  {GETS, N("1")},
		  {SHARES, NULL},
		  {WRITES, N("2")},
		  {GETS, N("2")},
		  {IS_OUT, NULL},
		  {SAYS, KEPT_407 KEPT_407},
		  {READS, KEPT_407 OK_N("2")},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, N_OURS("2")},
		  {SAYS, OK_N("2")},
		  {HEARS, "200"}}},
		{"half a head, while half a challenge is there",
		 OBSERVE,
		 false,
		 {{WRITES, N("1")},
		  {GETS, N("1")},
		  {SAYS, HALF_407},
		  {READS_NOTHING, NULL},
		  {SHARES, NULL},
		  {WRITES, "GET htt"},
		  {SAYS, OTHER_HALF},
		  {READS, HALF_407 OTHER_HALF},
		  {WRITES, "p://origin.test/2 HTTP/1.1\r\nHost: origin.test\r\n\r\n"},
		  {GETS, N("2")},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, N_OURS("2")},
		  {SAYS, OK_N("2")},
		  {HEARS, "200"},
		  {READS, OK_N("2")}}},
	};

	(void)state;
	PLAY(scenes);
}

/* --- crowds ---------------------------------------------------------------------- */

/* With 64 of them the queue is full. */
#define CROWD_LEN  (GP_QUEUE_MAX / 64)
#define CROWD      70
#define CROWD_FULL 65 /* the two that went out, and the queue */

static char crowd[2][CROWD_LEN + 1]; /* GET, HEAD */
static char crowd_response[CROWD * sizeof(KEPT_407)];

static void make_crowd(void)
{
	const char *const starts[] = {
		"GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\nX: ",
		"HEAD http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\nX: "};

	for (int i = 0; i < 2; i++) {
		memset(crowd[i], 'x', CROWD_LEN);
		memcpy(crowd[i], starts[i], strlen(starts[i]));
		memcpy(crowd[i] + CROWD_LEN - 4, "\r\n\r\n", 4);
	}
	crowd_response[0] = '\0';
}

/* Is the nth request HEAD, and what is the response to it? */
static struct line *add_gets(struct line *line, int n, bool is_head)
{
	const char *response = is_head ? OK_HEAD : n ? KEPT_407 : OK_5;

	*line++ = (struct line){GETS, crowd[is_head]};
	*line++ = (struct line){SAYS, response};
	strcat(crowd_response, response);
	return line;
}

static struct line *add_crowd(struct line *line, const int heads[2])
{
	make_crowd();
	for (int n = 0; n < CROWD; n++) {
		bool is_head = n == heads[0] || n == heads[1];

		*line++ = (struct line){WRITES, crowd[is_head]};
		if (n < 2 || n > CROWD_FULL)
			line = add_gets(line, n, is_head);
		for (int queued = 2; n == CROWD_FULL && queued <= n; queued++)
			line = add_gets(line, queued,
					queued == heads[0] || queued == heads[1]);
	}
	return line;
}

static void play_crowd(const struct scene *scene)
{
	play_scene(scene, 0, WHOLE);
	play_scene(scene, 0, 61);
	play_scene(scene, 1, CROWD_LEN);
	play_scene(scene, CROWD_LEN - 1, CROWD_LEN);
}

/* A program that fills the queue without reading gets its way, and the challenges. None
 * of them is taken for another's, whenever the first response is read. */
static void crowds(void **state)
{
	static struct scene scene = {.name = "a crowd"};

	(void)state;
	for (int read = 0; read < 2; read++) {
		struct line *line = add_crowd(scene.lines, (int[]){-1, -1});

		if (read) {
			*line++ = (struct line){READS, OK_5};
			line = add_gets(
				(*line = (struct line){WRITES, crowd[0]}, line + 1),
				CROWD, false);
		}
		*line++ =
			(struct line){READS, crowd_response + (read ? strlen(OK_5) : 0)};
		*line++ = (struct line){WRITES, GET};
		*line++ = (struct line){GETS, GET};
		*line++ = (struct line){SAYS, KEPT_407};
		*line++ = (struct line){IS_ASKED, "407 kept"};
		*line++ = (struct line){REFUSES, NULL};
		*line++ = (struct line){READS, KEPT_407};
		*line = (struct line){END, NULL};
		play_crowd(&scene);
	}
}

/* Among so many we lose count of those that have no body: from there on, everything is
 * the program's. */
static void crowds_with_head(void **state)
{
	static struct scene scene = {.name = "a crowd, and HEAD in it"};
	struct line *line = add_crowd(scene.lines, (int[]){3, 67});

	(void)state;
	*line++ = (struct line){READS, crowd_response};
	*line++ = (struct line){WRITES, GET};
	*line++ = (struct line){GETS, GET};
	*line++ = (struct line){SAYS, KEPT_407};
	*line++ = (struct line){READS, KEPT_407};
	play_crowd(&scene);
}

/* Before anything is answered, nothing goes ahead, however much there is. */
static void a_full_queue(void **state)
{
	static char all[(CROWD_FULL + 1) * CROWD_LEN + 1], rest[CROWD_LEN + 1];
	static const struct scene scene = {"full",
					   OBSERVE,
					   false,
					   {{WRITES, all},
					    {GETS, crowd[0]},
					    {IS_HELD, GET},
					    {IS_NOT_OUT, NULL},
					    {SAYS, OK_5},
					    {READS, OK_5},
					    {GETS, crowd[0]},
					    {WRITES, rest},
					    {IS_HELD, GET},
					    {SAYS, KEPT_407},
					    {READS, KEPT_407},
					    {IS_ASKED, "407 kept"},
					    {REFUSES, NULL},
					    {GETS, crowd[0]},
					    {IS_NOT_OUT, NULL}}};

	(void)state;
	make_crowd();
	for (int n = 0; n < CROWD_FULL; n++)
		memcpy(all + n * CROWD_LEN, crowd[0], CROWD_LEN + 1);
	memcpy(rest, crowd[0], sizeof(rest));
	play_crowd(&scene);
}

/* A body that is longer than the queue waits in the program. */
static void a_full_queue_of_body(void **state)
{
	static char body[GP_QUEUE_MAX + 1000], head[256];
	static const struct scene scene = {"full of a body",
					   OBSERVE,
					   false,
					   {{WRITES, N("1")},
					    {GETS, N("1")},
					    {WRITES, head},
					    {IS_NOT_OUT, NULL},
					    {SAYS, OK_N("1")},
					    {WRITES, body},
					    {GETS, head},
					    {GETS, body},
					    {SAYS, OK_N("2")},
					    {READS, OK_N("1") OK_N("2")}}};

	(void)state;
	memset(body, 'x', sizeof(body) - 1);
	snprintf(head, sizeof(head),
		 TO_PROXY("POST", "/2", "Content-Length: %zu\r\n\r\n"), sizeof(body) - 1);
	play_crowd(&scene);
}

/* --- responses whose end is not known -------------------------------------------- */

static void without_end(void **state)
{
	static const struct scene scenes[] = {
		{"the next request is not answered any more",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, "HTTP/1.1 200 OK\r\n\r\nhello"},
		  {READS, "HTTP/1.1 200 OK\r\n\r\nhel"},
		  {WRITES, GET},
		  {GETS, GET},
		  {SAYS, "HTTP/1.1 407 x\r\n" ASKS "\r\n"},
		  {SAYS_END, NULL},
		  {READS, "lo"
			  "HTTP/1.1 407 x\r\n" ASKS "\r\n"},
		  {READS_END, NULL}}},
		{"a chunk is none",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"},
		  {READS, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"},
		  {SAYS, "more"},
		  {READS, "more"}}},
		{"a chunk is none, and others wait behind",
		 OBSERVE,
		 false,
		 {{WRITES, N("1") N("2") N("3")},
		  {GETS, N("1")},
		  {SAYS, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"},
		  {GETS, N("2")},
		  {SAYS, KEPT_407},
		  {READS, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx"},
		  {READS, "\r\n" KEPT_407},
		  {GETS, N("3")}}},
	};

	(void)state;
	PLAY(scenes);
}

/* --- bytes that the program gets out of our sight -------------------------------- */

static void sends(const char *request)
{
	size_t len;

	assert_int_equal(gp_exchange_accepts(&exchange), GP_ACCEPT_HOLD);
	gp_exchange_hold(&exchange, request, strlen(request));
	assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_SEND);
	gp_exchange_output(&exchange, &len);
	gp_exchange_sent(&exchange, len);
}

static void begin_pipeline(size_t count)
{
	static const struct gp_exchange_way observe = OBSERVE;

	gp_exchange_init(&exchange, &observe);
	for (size_t i = 0; i < count; i++) {
		sends(GET);
		if (gp_exchange_want(&exchange) == GP_EXCHANGE_LOOK)
			gp_exchange_saw(&exchange, OK_5, strlen(OK_5));
	}
	assert_true(gp_exchange_shows(&exchange));
}

static void expect_look(const char *request)
{
	sends(request);
	assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_LOOK);
}

/* A program that waits for each response has read the one before when it goes on. */
static void unseen(void **state)
{
	(void)state;
	begin_pipeline(1);
	gp_exchange_received(&exchange, OK_5, strlen(OK_5) - 5);
	gp_exchange_lost(&exchange, 3);
	assert_true(gp_exchange_shows(&exchange));
	assert_false(gp_exchange_is_bounded(&exchange));
	expect_look(GET);
}

/* Of one that does not, nobody knows which response it reads: the bytes of none of them
 * are taken for a challenge. */
static void unseen_among_others(void **state)
{
	(void)state;
	begin_pipeline(2);
	assert_true(gp_exchange_is_bounded(&exchange));
	gp_exchange_lost(&exchange, 3);
	assert_false(gp_exchange_is_bounded(&exchange));
	gp_exchange_received(&exchange, OK_5, strlen(OK_5));
	gp_exchange_received(&exchange, OK_5, strlen(OK_5));
	for (int i = 0; i < 3; i++) {
		sends(GET);
		assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_NOTHING);
		assert_true(gp_exchange_shows(&exchange));
	}
}

/* What waits for a status that nobody will know waits in vain. */
static void unseen_before_the_queue(void **state)
{
	size_t len;

	(void)state;
	begin_pipeline(2);
	assert_int_equal(gp_exchange_hold(&exchange, GET, strlen(GET)), strlen(GET));
	assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_NOTHING);
	assert_false(gp_exchange_is_flushed(&exchange));
	gp_exchange_lost(&exchange, 3);
	assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_SEND);
	gp_exchange_output(&exchange, &len);
	gp_exchange_sent(&exchange, len);
	assert_true(gp_exchange_is_flushed(&exchange));
}

/* A thread may have been waiting for more of the response before: what it gets of the
 * next one is the program's, and so is the rest. */
static void faster_than_we(void **state)
{
	const size_t len = strlen(KEPT_407);

	(void)state;
	for (size_t early = 1; early <= len; early++) {
		begin_pipeline(2);
		gp_exchange_received(&exchange, OK_5 KEPT_407, strlen(OK_5) + early);
		assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_NOTHING);
		assert_true(gp_exchange_shows(&exchange));
		gp_exchange_received(&exchange, KEPT_407 + early, len - early);
		expect_look(GET);
	}
}

/* So it is with a response that nobody has read before, seen or not, and with the answer
 * to a probe. */
static void faster_and_unseen(void **state)
{
	const char *const requests[] = {GET, CHUNKED_HEAD("")};

	(void)state;
	for (int i = 0; i < 4; i++) {
		begin_pipeline(0);
		expect_look(requests[i / 2]);
		if (i % 2)
			gp_exchange_received(&exchange, KEPT_407, 3);
		else
			gp_exchange_lost(&exchange, 3);
		assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_NOTHING);
		assert_true(gp_exchange_shows(&exchange));
		assert_int_equal(gp_exchange_discards(&exchange), i / 2);
	}
}

/* What is missing of a challenge then costs its connection. */
static void unseen_challenge(void **state)
{
	const size_t len = strlen(KEPT_407);

	(void)state;
	begin_pipeline(0);
	expect_look(GET);
	assert_int_equal(gp_exchange_saw(&exchange, KEPT_407, len), 0);
	gp_exchange_lost(&exchange, 3);
	assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_ASK);
	gp_exchange_answer(&exchange, &(struct gp_authorization){.value = OURS});
	gp_exchange_saw(&exchange, KEPT_407 + 3, len - 3);
	assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_RECONNECT);
}

/* An interim response is counted, seen or not. */
static void unseen_interim(void **state)
{
	const size_t len = strlen(CONTINUE_100);

	(void)state;
	for (size_t lost = 1; lost <= len + 1; lost++) {
		static const struct gp_exchange_way observe = OBSERVE;

		gp_exchange_init(&exchange, &observe);
		expect_look(GET);
		assert_int_equal(gp_exchange_saw(&exchange, CONTINUE_100, len), 0);
		assert_true(gp_exchange_is_bounded(&exchange));
		gp_exchange_lost(&exchange, lost);
		if (lost < len) {
			assert_int_equal(gp_exchange_bound(&exchange, CONTINUE_100, len),
					 len - lost);
			gp_exchange_received(&exchange, CONTINUE_100, len - lost);
		}
		assert_int_equal(gp_exchange_want(&exchange),
				 lost <= len ? GP_EXCHANGE_LOOK : GP_EXCHANGE_NOTHING);
		if (lost <= len)
			continue;
		assert_true(gp_exchange_shows(&exchange)); /* what has begun already */
		assert_false(gp_exchange_is_bounded(&exchange));
		expect_look(GET);
	}
}

/* Nothing is expected. */
static void unseen_and_unasked(void **state)
{
	static const struct gp_exchange_way observe = OBSERVE;

	(void)state;
	gp_exchange_init(&exchange, &observe);
	gp_exchange_lost(&exchange, 5);
	expect_look(GET);
}

/* The rest of a head that cannot come is not waited for. */
static void cannot_wait(void **state)
{
	static const char *const heads[] = {KEPT_407, CONTINUE_100};
	static const struct gp_exchange_way observe = OBSERVE;

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		gp_exchange_init(&exchange, &observe);
		expect_look(GET);
		assert_int_equal(gp_exchange_saw(&exchange, heads[i], 20), 0);
		assert_false(gp_exchange_shows(&exchange));
		gp_exchange_cannot_wait(&exchange);
		assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_NOTHING);
		assert_true(gp_exchange_shows(&exchange));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pipelined),
		cmocka_unit_test(pipelined_challenges),
		cmocka_unit_test(pipelined_bodies),
		cmocka_unit_test(both_are_full),
		cmocka_unit_test(last_in_the_queue),
		cmocka_unit_test(hurries),
		cmocka_unit_test(shares),
		cmocka_unit_test(crowds),
		cmocka_unit_test(crowds_with_head),
		cmocka_unit_test(a_full_queue),
		cmocka_unit_test(a_full_queue_of_body),
		cmocka_unit_test(without_end),
		cmocka_unit_test(unseen),
		cmocka_unit_test(unseen_among_others),
		cmocka_unit_test(unseen_before_the_queue),
		cmocka_unit_test(faster_than_we),
		cmocka_unit_test(faster_and_unseen),
		cmocka_unit_test(unseen_challenge),
		cmocka_unit_test(unseen_interim),
		cmocka_unit_test(unseen_and_unasked),
		cmocka_unit_test(cannot_wait),
	};

	return cmocka_run_group_tests(tests, play_setup, play_teardown);
}
