/* SPDX-License-Identifier: MIT */
/* Requests on a connection to a proxy (gatepass/exchange.h) of which it is asked first
 * whether it lets them pass: before a long body, and after a connection that was reset.
 */
#include "exchange_play.h"

#define NOT_ALLOWED                                                                      \
	"HTTP/1.1 405 Method Not Allowed\r\nServer: proxy\r\nContent-Length: "           \
	"2\r\n\r\nno"
#define NOTHING_TO_ANSWER STATUS_407 "Content-Length: 0\r\n\r\n"
#define OWN               AUTHORIZED("Basic b3du")

/* A request that passes as it is. */
#define PASSES(request, response)                                                        \
	{WRITES, request}, {GETS, request}, {SAYS, response},                            \
	{                                                                                \
		READS, response                                                          \
	}
#define PROBED(response)                                                                 \
	{WRITES, CHUNKED}, {GETS_PROBE, NULL},                                           \
	{                                                                                \
		SAYS, response                                                           \
	}

/* --- before a long body ---------------------------------------------------------- */

static void challenged(void **state)
{
	static const struct scene scenes[] = {
		{"kept",
		 OBSERVE,
		 false,
		 {PROBED(KEPT_407),
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, CHUNKED_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5},
		  {WRITES, CHUNKED},
		  {GETS, CHUNKED_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"not kept",
		 OBSERVE,
		 false,
		 {PROBED(CLOSING_407),
		  {IS_ASKED, "407 new"},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, CHUNKED_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"forward",
		 FORWARD,
		 false,
		 {{WRITES,
		   TO_ORIGIN("POST", "/", "Transfer-Encoding: chunked\r\n\r\n") CHUNKS},
		  {GETS_PROBE, NULL},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, CHUNKED_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"and again, with what it rejects",
		 OBSERVE,
		 false,
		 {PROBED(KEPT_407),
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, "Basic QTpB"},
		  {GETS, CHUNKED_HEAD(AUTHORIZED("Basic QTpB")) CHUNKS},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept, had Basic QTpB"},
		  {ANSWERS, OURS},
		  {GETS, CHUNKED_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
	};

	(void)state;
	PLAY(scenes);
}

static void passes(void **state)
{
	static const struct scene scenes[] = {
		{"neither it nor what follows is challenged",
		 OBSERVE,
		 false,
		 {PROBED(NOT_ALLOWED),
		  {GETS, CHUNKED},
		  {SAYS, OK_5},
		  {READS, OK_5},
		  PASSES(CHUNKED, OK_5)}},
		{"interim responses to it are nobody's",
		 OBSERVE,
		 false,
		 {PROBED(CONTINUE_100 "HTTP/1.1 102 x\r\nX: y\r\n\r\n" NOT_ALLOWED),
		  {GETS, CHUNKED},
		  {SAYS, CONTINUE_100 OK_5},
		  {READS, CONTINUE_100 OK_5}}},
		{"a 401 is no challenge to it",
		 OBSERVE,
		 false,
		 {PROBED("HTTP/1.1 401 x\r\nServer: tinyproxy\r\n"
			 "Content-Length: 0\r\n\r\n"),
		  {GETS, CHUNKED},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
	};

	(void)state;
	PLAY(scenes);
}

/* What cannot be answered over the same connection is not waited for either. */
static void passes_anew(void **state)
{
#define ANEW                                                                             \
	{GETS_ANOTHER, NULL}, {GETS, CHUNKED}, {SAYS, OK_5},                             \
	{                                                                                \
		READS, OK_5                                                              \
	}
	static const struct scene scenes[] = {
		{"the connection ends",
		 OBSERVE,
		 false,
		 {{WRITES, CHUNKED}, {GETS_PROBE, NULL}, {SAYS_END, NULL}, ANEW}},
		{"or is reset",
		 OBSERVE,
		 false,
		 {{WRITES, CHUNKED}, {GETS_PROBE, NULL}, {RESETS, NULL}, ANEW}},
		{"it cannot be sent",
		 OBSERVE,
		 false,
		 {{IS_GONE, NULL}, {WRITES, CHUNKED}, ANEW}},
		{"what is no response", OBSERVE, false, {PROBED("what?"), ANEW}},
		{"a response that ends with the connection",
		 OBSERVE,
		 false,
		 {PROBED("HTTP/1.1 200 OK\r\nAllow: GET\r\n\r\n"), ANEW}},
		{"a response that closes it",
		 OBSERVE,
		 false,
		 {PROBED("HTTP/1.0 501 x\r\nContent-Length: 9999\r\n\r\nlong"), ANEW}},
		{"another protocol",
		 OBSERVE,
		 false,
		 {PROBED("HTTP/1.1 101 x\r\nUpgrade: y\r\n\r\n"), ANEW}},
	};

	(void)state;
	PLAY(scenes);
}

static void needs_none(void **state)
{
#define HEAD_CHUNKED                                                                     \
	TO_PROXY("HEAD", "/", "Transfer-Encoding: chunked\r\n\r\n") "0\r\n\r\n"
#define HEAD_407 STATUS_407 ASKS "Content-Length: 4\r\n\r\n"
	static const struct scene scenes[] = {
		{"a short body: the request goes again",
		 OBSERVE,
		 false,
		 {{WRITES, POST},
		  {GETS, POST},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, POST_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"no body",
		 OBSERVE,
		 false,
		 {PASSES(TO_PROXY("POST", "/", "Content-Length: 0\r\n\r\n"), OK_5)}},
		{"something has passed",
		 OBSERVE,
		 false,
		 {PASSES(GET, OK_5), PASSES(CHUNKED, OK_5)}},
		{"an answer is known",
		 KNOWS(OURS),
		 false,
		 {{WRITES, CHUNKED},
		  {GETS, CHUNKED_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"the program has one of its own",
		 OBSERVE,
		 false,
		 {PASSES(CHUNKED_HEAD(OWN) CHUNKS, OK_5)}},
		{"the program waits for 100",
		 OBSERVE,
		 false,
		 {{WRITES, CHUNKED_HEAD("Expect: 100-continue\r\n")},
		  {GETS, CHUNKED_HEAD("Expect: 100-continue\r\n")},
		  {SAYS, CONTINUE_100},
		  {READS, CONTINUE_100},
		  {WRITES, CHUNKS},
		  {GETS, CHUNKS},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"behind a response that is not read: nothing else may come there",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {WRITES, CHUNKED},
		  {GETS, CHUNKED},
		  {SAYS, OK_5},
		  {READS, KEPT_407 OK_5}}},
		{"HEAD: the answer to the probe would not do for it",
		 OBSERVE,
		 false,
		 {{WRITES, HEAD_CHUNKED},
		  {GETS, HEAD_CHUNKED},
		  {SAYS, HEAD_407},
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {READS, HEAD_407},
		  PASSES(GET, OK_5)}},
	};

	(void)state;
	PLAY(scenes);
}

/* A target that has no authority cannot be asked about. */
static void impossible(void **state)
{
#define NOWHERE "POST http:///x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
	static const struct scene scene = {
		"nowhere", OBSERVE, false, {PASSES(NOWHERE, OK_5), {OVER, NULL}}};

	(void)state;
	play_all(&scene, 1);
}

#define UNPROBED_MAX 65535

static char body[UNPROBED_MAX + 2], head[256], head_ours[256];

static void make_long(size_t len)
{
	static const char format[] =
		TO_PROXY("POST", "/", "Content-Length: %zu\r\n%s\r\n");

	snprintf(head, sizeof(head), format, len, "");
	snprintf(head_ours, sizeof(head_ours), format, len, AUTHORIZED(OURS));
	memset(body, 'x', len);
	body[len] = '\0';
}

static void play_long(const struct scene *scene)
{
	play_scene(scene, 0, WHOLE);
	play_scene(scene, 0, 1000);
	play_scene(scene, 1, WHOLE);
}

/* The longest body that goes without, and the shortest that does not. */
static void long_bodies(void **state)
{
	static const struct scene without = {"65535",
					     OBSERVE,
					     false,
					     {{WRITES, head},
					      {GETS, head},
					      {WRITES, body},
					      {GETS, body},
					      {SAYS, KEPT_407},
					      {IS_ASKED, "407 kept"},
					      {ANSWERS, OURS},
					      {GETS, head_ours},
					      {GETS, body},
					      {SAYS, OK_5},
					      {HEARS, "200"},
					      {READS, OK_5}}};
	static const struct scene with = {"65536",
					  OBSERVE,
					  false,
					  {{WRITES, head},
					   {GETS_PROBE, NULL},
					   {SAYS, KEPT_407},
					   {IS_ASKED, "407 kept"},
					   {ANSWERS, OURS},
					   {GETS, head_ours},
					   {WRITES, body},
					   {GETS, body},
					   {SAYS, OK_5},
					   {HEARS, "200"},
					   {READS, OK_5}}};
	static const struct scene refused = {"65536, refused",
					     OBSERVE,
					     false,
					     {{WRITES, head},
					      {GETS_PROBE, NULL},
					      {SAYS, KEPT_407},
					      {IS_ASKED, "407 kept"},
					      {REFUSES, NULL},
					      {WRITES, body},
					      {READS, KEPT_407},
					      PASSES(GET, OK_5)}};

	(void)state;
	make_long(UNPROBED_MAX);
	play_long(&without);
	make_long(UNPROBED_MAX + 1);
	play_long(&with);
	play_long(&refused);
}

/* --- refused: the program is shown what the probe got ---------------------------- */

static void refused(void **state)
{
	static const struct scene scenes[] = {
		{"the body goes nowhere, and the agent is asked again then",
		 OBSERVE,
		 false,
		 {PROBED(KEPT_407),
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {IS_OUT, NULL},
		  {READS, KEPT_407},
		  {WRITES, CHUNKED},
		  {GETS_PROBE, NULL},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, CHUNKED_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"it is read before the body is written",
		 OBSERVE,
		 false,
		 {{WRITES, CHUNKED_HEAD("")},
		  {GETS_PROBE, NULL},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {READS, KEPT_407},
		  {READS_NOTHING, NULL},
		  {WRITES, CHUNKS},
		  PASSES(GET, OK_5)}},
		{"before it is read, the next one is written",
		 OBSERVE,
		 false,
		 {PROBED(KEPT_407),
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {WRITES, GET},
		  {GETS, GET},
		  {SAYS, OK_5},
		  {READS, KEPT_407 OK_5}}},
		{"no length, and the connection ends",
		 OBSERVE,
		 false,
		 {PROBED(STATUS_407 ASKS "\r\nbody"),
		  {SAYS_END, NULL},
		  {IS_ASKED, "407 new"},
		  {REFUSES, NULL},
		  {READS, STATUS_407 ASKS "\r\nbody"},
		  {READS_END, NULL}}},
		{"nobody could answer",
		 OBSERVE,
		 false,
		 {PROBED(NOTHING_TO_ANSWER),
		  {READS, NOTHING_TO_ANSWER},
		  PASSES(GET, OK_5)}},
		{"the proxy takes nothing any more, and need not",
		 OBSERVE,
		 false,
		 {{WRITES, CHUNKED_HEAD("")},
		  {GETS_PROBE, NULL},
		  {STOPS, NULL},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {WRITES, CHUNKS},
		  {READS, KEPT_407}}},
		{"what is no chunk, and all that follows, goes nowhere either",
		 OBSERVE,
		 false,
		 {{WRITES, CHUNKED_HEAD("")},
		  {GETS_PROBE, NULL},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {WRITES, "3\r\nabcdef\r\n0\r\n\r\n" GET},
		  {WRITES, GET},
		  {READS, KEPT_407}}},
	};

	(void)state;
	PLAY(scenes);
}

/* --- after a reset --------------------------------------------------------------- */

/* tinyproxy's 407 is lost when the connection is reset under the body. */
static void reset(void **state)
{
#define RESET(request)                                                                   \
	{WRITES, request}, {GETS, request}, {RESETS, NULL}, {GETS_ANOTHER, NULL},        \
	{                                                                                \
		GETS_PROBE, NULL                                                         \
	}
#define RESET_IN_QUEUE                                                                   \
	{WRITES, GET}, {GETS, GET}, {WRITES, POST}, {SAYS, KEPT_407}, {READS, KEPT_407}, \
		{IS_ASKED, "407 kept"}, {REFUSES, NULL}, {GETS, POST_HEAD("")},          \
		{STOPS, NULL},                                                           \
	{                                                                                \
		RESETS, NULL                                                             \
	}
#define SENT_AGAIN                                                                       \
	{SAYS, OK_5}, {HEARS, "200"},                                                    \
	{                                                                                \
		READS, OK_5                                                              \
	}
	static const struct scene scenes[] = {
		{"it had asked",
		 OBSERVE,
		 false,
		 {RESET(POST),
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, POST_OURS},
		  SENT_AGAIN}},
		{"it had asked, and closes again",
		 OBSERVE,
		 false,
		 {RESET(POST),
		  {SAYS, CLOSING_407},
		  {SAYS_END, NULL},
		  {IS_ASKED, "407 new"},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, POST_OURS},
		  SENT_AGAIN}},
		{"within its answer",
		 OBSERVE,
		 false,
		 {{WRITES, POST},
		  {GETS, POST},
		  {SAYS, "HTTP/1.0 40"},
		  {RESETS, NULL},
		  {GETS_ANOTHER, NULL},
		  {GETS_PROBE, NULL},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, POST_OURS},
		  SENT_AGAIN}},
		{"forward",
		 FORWARD,
		 false,
		 {{WRITES,
		   TO_ORIGIN("POST", "/", "Content-Length: 10\r\n\r\n0123456789")},
		  {GETS, POST},
		  {RESETS, NULL},
		  {GETS_ANOTHER, NULL},
		  {GETS_PROBE, NULL},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, POST_OURS},
		  SENT_AGAIN}},
		{"the rest of the body follows",
		 OBSERVE,
		 false,
		 {RESET(POST_HEAD("") "01234"),
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, POST_HEAD(AUTHORIZED(OURS)) "01234"},
		  {WRITES, "56789"},
		  {GETS, "56789"},
		  SENT_AGAIN}},
		{"after an interim response",
		 OBSERVE,
		 false,
		 {{WRITES, POST},
		  {GETS, POST},
		  {SAYS, CONTINUE_100},
		  {READS, CONTINUE_100},
		  {RESETS, NULL},
		  {READS, OK_5},
		  {GETS_ANOTHER, NULL},
		  {GETS_PROBE, NULL},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, POST_OURS},
		  {SAYS, CONTINUE_100 OK_5},
		  {HEARS, "200"}}},
		{"nothing of it could be sent",
		 OBSERVE,
		 false,
		 {{IS_GONE, NULL},
		  {WRITES, POST},
		  {GETS_ANOTHER, NULL},
		  {GETS_PROBE, NULL},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, POST_OURS},
		  SENT_AGAIN}},
		{"its body is still to be sent, from the queue",
		 OBSERVE,
		 false,
		 {RESET_IN_QUEUE,
		  {READS, OK_5},
		  {GETS_ANOTHER, NULL},
		  {GETS_PROBE, NULL},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, POST_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"}}},
		{"a probe before the body was in vain, another one is not",
		 OBSERVE,
		 false,
		 {{WRITES, CHUNKED},
		  {GETS_PROBE, NULL},
		  {RESETS, NULL},
		  {GETS_ANOTHER, NULL},
		  {GETS, CHUNKED},
		  {RESETS, NULL},
		  {GETS_ANOTHER, NULL},
		  {GETS_PROBE, NULL},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, CHUNKED_OURS},
		  SENT_AGAIN}},
	};

	(void)state;
	PLAY(scenes);
}

static void reset_and_refused(void **state)
{
	static const struct scene scenes[] = {
		{"the program sees that",
		 OBSERVE,
		 false,
		 {RESET(POST),
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {READS, KEPT_407},
		  PASSES(GET, OK_5)}},
		{"the rest of the body goes nowhere",
		 OBSERVE,
		 false,
		 {RESET(POST_HEAD("") "01234"),
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {READS, KEPT_407},
		  {WRITES, "56789"},
		  PASSES(GET, OK_5)}},
		{"the rest of the body in the queue goes nowhere",
		 OBSERVE,
		 false,
		 {RESET_IN_QUEUE,
		  {READS, KEPT_407},
		  {GETS_ANOTHER, NULL},
		  {GETS_PROBE, NULL},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {IS_OUT, NULL},
		  PASSES(GET, OK_5)}},
		{"nobody could answer",
		 OBSERVE,
		 false,
		 {RESET(POST),
		  {SAYS, NOTHING_TO_ANSWER},
		  {READS, NOTHING_TO_ANSWER},
		  PASSES(GET, OK_5)}},
	};

	(void)state;
	PLAY(scenes);
}

/* The proxy had not asked, and may have done what the request says. */
static void reset_for_another_reason(void **state)
{
	static const struct scene scenes[] = {
		{"it lets the probe pass",
		 OBSERVE,
		 false,
		 {RESET(POST), {SAYS, NOT_ALLOWED}, {FAILED, NULL}}},
		{"it says something else",
		 OBSERVE,
		 false,
		 {RESET(POST), {SAYS, "what?"}, {FAILED, NULL}}},
		{"or what would be a challenge, with our authorization",
		 OBSERVE,
		 false,
		 {RESET(POST),
		  {SAYS, "HTTP/1.0 401 x\r\nServer: tinyproxy\r\n\r\n"},
		  {FAILED, NULL}}},
		{"it ends",
		 OBSERVE,
		 false,
		 {RESET(POST), {SAYS_END, NULL}, {FAILED, NULL}}},
		{"it resets again",
		 OBSERVE,
		 false,
		 {RESET(POST), {RESETS, NULL}, {FAILED, NULL}}},
		{"it has gone",
		 OBSERVE,
		 false,
		 {{WRITES, POST},
		  {GETS, POST},
		  {RESETS, NULL},
		  {IS_DOWN, NULL},
		  {FAILED, NULL}}},
	};

	(void)state;
	PLAY(scenes);
}

/* There can be no other one: it is over, and the program sees how. */
static void no_reason_to_ask(void **state)
{
#define OVER_AFTER(way, request, ...)                                                    \
	{                                                                                \
#way ": " request, way, false,                                           \
		{                                                                        \
			{WRITES, request}, {GETS, request}, __VA_ARGS__,                 \
				{READS_END, NULL},                                       \
			{                                                                \
				OVER, NULL                                               \
			}                                                                \
		}                                                                        \
	}
	static const struct scene scenes[] = {
		OVER_AFTER(OBSERVE, POST, {SAYS_END, NULL}),
		OVER_AFTER(OBSERVE, GET, {RESETS, NULL}),
		OVER_AFTER(OBSERVE, TO_PROXY("PUT", "/", "Content-Length: 0\r\n\r\n"),
			   {RESETS, NULL}),
		OVER_AFTER(OBSERVE, POST_HEAD(OWN) "0123456789", {RESETS, NULL}),
		OVER_AFTER(OBSERVE, HEAD_CHUNKED, {RESETS, NULL}),
		OVER_AFTER(OBSERVE, GET, {SAYS, OK_5}, {READS, OK_5}, {WRITES, POST},
			   {GETS, POST}, {RESETS, NULL}),
		{"an answer is known",
		 KNOWS(OURS),
		 false,
		 {{WRITES, POST},
		  {GETS, POST_OURS},
		  {RESETS, NULL},
		  {READS_END, NULL},
		  {OVER, NULL}}},
		{"it would cost a response",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {IS_GONE, NULL},
		  {WRITES, POST_HEAD("")},
		  {OVER, NULL},
		  {READS, KEPT_407}}},
		{"it would cost half an interim response",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {WRITES, POST},
		  {SAYS, KEPT_407},
		  {READS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {GETS, POST_HEAD("")},
		  {STOPS, NULL},
		  {SAYS, CONTINUE_100},
		  {READS, "HTTP/1.1 100"},
		  {IS_GONE, NULL},
		  {READS, " Continue\r\n\r\n"},
		  {OVER, NULL}}},
		{"it has been sent with the answer",
		 OBSERVE,
		 false,
		 {RESET(POST),
		  {SAYS, CLOSING_407},
		  {IS_ASKED, "407 new"},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, POST_OURS},
		  {RESETS, NULL},
		  {READS_END, NULL},
		  {OVER, NULL}}},
	};

	(void)state;
	PLAY(scenes);
}

/* Interim responses without end that the program does not see: it would wait in us. */
static void endless_interim(void **state)
{
	static const struct gp_exchange_way observe = OBSERVE;
	const char *interim = "HTTP/1.1 102 x\r\n\r\n";
	size_t taken = 0, used;

	(void)state;
	gp_exchange_init(&exchange, &observe);
	gp_exchange_hold(&exchange, CHUNKED, strlen(CHUNKED));
	gp_exchange_sent(&exchange, exchange.out_left);
	do {
		assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_LOOK);
		used = gp_exchange_saw(&exchange, interim, strlen(interim));
		taken += used;
	} while (used && taken < 2 * (size_t)GP_DRAIN_MAX);
	assert_true(taken <= GP_DRAIN_MAX);
	assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_RECONNECT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(challenged),
		cmocka_unit_test(passes),
		cmocka_unit_test(passes_anew),
		cmocka_unit_test(needs_none),
		cmocka_unit_test(impossible),
		cmocka_unit_test(long_bodies),
		cmocka_unit_test(refused),
		cmocka_unit_test(reset),
		cmocka_unit_test(reset_and_refused),
		cmocka_unit_test(reset_for_another_reason),
		cmocka_unit_test(no_reason_to_ask),
		cmocka_unit_test(endless_interim),
	};

	return cmocka_run_group_tests(tests, play_setup, play_teardown);
}
