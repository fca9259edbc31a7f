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
		  SENDS(N("3"), OK_N("3")),
		  {READS, OK_N("1") OK_N("2") OK_N("3")}}},
		{"in one piece",
		 OBSERVE,
		 false,
		 {{WRITES, N("1") N("2") N("3")},
		  {GETS, N("1")},
		  {SAYS, OK_N("1")},
		  {GETS, N("2")},
		  {SAYS, OK_N("2")},
		  {GETS, N("3")},
		  {SAYS, OK_N("3")},
		  {READS, OK_N("1") OK_N("2") OK_N("3")}}},
		{"the second one waits for the first one's status",
		 OBSERVE,
		 false,
		 {{WRITES, N("1")},
		  {GETS, N("1")},
		  {IS_HELD, N("2")},
		  {SAYS, OK_N("1")},
		  SENDS(N("2"), OK_N("2")),
		  {READS, OK_N("1") OK_N("2")}}},
		{"no status at all, and the third one does not wait",
		 OBSERVE,
		 false,
		 {SENDS(N("1"), OK_N("1")),
		  {WRITES, N("2")},
		  {GETS, N("2")},
		  {WRITES, N("3")},
		  {GETS, N("3")},
		  {SAYS, OK_N("2") OK_N("3")},
		  {READS, OK_N("1") OK_N("2") OK_N("3")}}},
		{"HEAD, first",
		 OBSERVE,
		 false,
		 {SENDS(HEAD_N("1"), OK_HEAD),
		  SENDS(N("2"), OK_N("2")),
		  SENDS(N("3"), OK_N("3")),
		  {READS, OK_HEAD OK_N("2") OK_N("3")},
		  SENDS(N("4"), OK_N("4")),
		  {READS, OK_N("4")}}},
		{"HEAD, in the middle",
		 OBSERVE,
		 false,
		 {SENDS(N("1"), OK_N("1")),
		  SENDS(HEAD_N("2"), OK_HEAD),
		  SENDS(N("3"), OK_N("3")),
		  {READS, OK_N("1") OK_HEAD OK_N("3")},
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
		{"interim responses before one that is not looked at",
		 OBSERVE,
		 false,
		 {SENDS(N("1"), OK_N("1")),
		  SENDS(N("2"), CONTINUE_100 OK_N("2")),
		  SENDS(N("3"), OK_N("3")),
		  {READS, OK_N("1") CONTINUE_100 OK_N("2") OK_N("3")},
		  SENDS(N("4"), KEPT_407),
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, N_OURS("4")},
		  {SAYS, OK_N("4")},
		  {HEARS, "200"},
		  {READS, OK_N("4")}}},
		{"a body among them",
		 OBSERVE,
		 false,
		 {SENDS(N("1"), OK_N("1")),
		  SENDS(TO_PROXY("POST", "/2", "Content-Length: 1\r\n\r\n2"), OK_N("2")),
		  SENDS(N("3"), OK_N("3")),
		  {READS, OK_N("1") OK_N("2") OK_N("3")}}},
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
		  SENDS(TO_PROXY("POST", "/2", "Content-Length: 3\r\n\r\nabc"), KEPT_407),
		  {READS, OK_N("1")},
		  {READS, OK_N("2")},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, TO_PROXY("POST", "/2",
				  "Content-Length: 3\r\n" AUTHORIZED(OURS) "\r\nabc")},
		  {SAYS, OK_N("2")},
		  {HEARS, "200"}}},
		{"to the second, which the third does not wait for: the program sees it",
		 OBSERVE,
		 false,
		 {SENDS(N("1"), OK_N("1")),
		  SENDS(N("2"), KEPT_407),
		  SENDS(N("3"), KEPT_407),
		  {READS, OK_N("1") KEPT_407 KEPT_407},
		  {WRITES, N("4")},
		  {GETS, N("4")},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, N_OURS("4")},
		  {SAYS, OK_N("4")},
		  {HEARS, "200"},
		  {READS, OK_N("4")}}},
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

/* --- crowds ---------------------------------------------------------------------- */

/* Adds a request, and the response to it, to the scene and to what is read. */
static struct line *add_request(struct line *line, char *all, const char *request,
				const char *response)
{
	*line++ = (struct line){WRITES, request};
	*line++ = (struct line){GETS, request};
	*line++ = (struct line){SAYS, response};
	strcat(all, response);
	return line;
}

static void play_crowd(const struct scene *scene)
{
	play_scene(scene, 0, WHOLE);
	play_scene(scene, 0, 1);
	play_scene(scene, 0, 7);
}

/* Challenges to all but the first are seen, and none of them is taken for another's. */
static void crowds(void **state)
{
	static struct scene scene = {.name = "70 requests"};
	static char all[71 * sizeof(KEPT_407)];
	const int read_before[] = {0, 3, 64, 65, 69};

	(void)state;
	for (size_t i = 0; i < sizeof(read_before) / sizeof(*read_before); i++) {
		struct line *line = scene.lines;

		all[0] = '\0';
		for (int n = 0; n < 70; n++) {
			if (n && n == read_before[i])
				*line++ = (struct line){READS, OK_5};
			line = add_request(line, all, GET, n ? KEPT_407 : OK_5);
		}
		*line++ = (struct line){READS, read_before[i] ? all + strlen(OK_5) : all};
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
	static struct scene scene = {.name = "70 requests, and HEAD among them"};
	static char all[71 * sizeof(KEPT_407)];
	struct line *line = scene.lines;

	(void)state;
	all[0] = '\0';
	for (int n = 1; n <= 70; n++)
		line = n == 3 || n == 67
			       ? add_request(line, all, HEAD_N("x"), OK_HEAD)
			       : add_request(line, all, GET, n == 1 ? OK_5 : KEPT_407);
	*line++ = (struct line){READS, all};
	*line++ = (struct line){WRITES, GET};
	*line++ = (struct line){GETS, GET};
	*line++ = (struct line){SAYS, KEPT_407};
	*line++ = (struct line){READS, KEPT_407};
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
	};

	(void)state;
	PLAY(scenes);
}

/* --- bytes that the program gets out of our sight -------------------------------- */

static void begin_pipeline(const char *requests[], size_t count)
{
	static const struct gp_exchange_way observe = OBSERVE;
	size_t len;

	gp_exchange_init(&exchange, &observe);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(gp_exchange_accepts(&exchange), GP_ACCEPT_HOLD);
		gp_exchange_hold(&exchange, requests[i], strlen(requests[i]));
		gp_exchange_output(&exchange, &len);
		gp_exchange_sent(&exchange, len);
		if (gp_exchange_want(&exchange) == GP_EXCHANGE_LOOK)
			gp_exchange_saw(&exchange, OK_5, strlen(OK_5));
	}
	assert_true(gp_exchange_shows(&exchange));
}

static void expect_look(const char *request)
{
	size_t len;

	assert_int_equal(gp_exchange_accepts(&exchange), GP_ACCEPT_HOLD);
	gp_exchange_hold(&exchange, request, strlen(request));
	gp_exchange_output(&exchange, &len);
	gp_exchange_sent(&exchange, len);
	assert_int_equal(gp_exchange_want(&exchange), GP_EXCHANGE_LOOK);
}

/* A program that waits for each response has read the one before when it goes on. */
static void unseen(void **state)
{
	const char *requests[] = {GET, GET, GET};

	(void)state;
	begin_pipeline(requests, 1);
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
	const char *requests[] = {GET, GET, GET};

	(void)state;
	for (size_t count = 2; count <= 3; count++) {
		begin_pipeline(requests, count);
		assert_int_equal(gp_exchange_is_bounded(&exchange), count == 2);
		gp_exchange_lost(&exchange, 3);
		assert_false(gp_exchange_is_bounded(&exchange));
		gp_exchange_received(&exchange, OK_5, strlen(OK_5));
		gp_exchange_received(&exchange, OK_5, strlen(OK_5));
		for (int i = 0; i < 3; i++) {
			size_t len;

			assert_int_equal(gp_exchange_accepts(&exchange), GP_ACCEPT_HOLD);
			gp_exchange_hold(&exchange, GET, strlen(GET));
			gp_exchange_output(&exchange, &len);
			gp_exchange_sent(&exchange, len);
			assert_int_equal(gp_exchange_want(&exchange),
					 GP_EXCHANGE_NOTHING);
			assert_true(gp_exchange_shows(&exchange));
		}
	}
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pipelined),
		cmocka_unit_test(pipelined_challenges),
		cmocka_unit_test(both_are_full),
		cmocka_unit_test(crowds),
		cmocka_unit_test(crowds_with_head),
		cmocka_unit_test(without_end),
		cmocka_unit_test(unseen),
		cmocka_unit_test(unseen_among_others),
		cmocka_unit_test(unseen_interim),
		cmocka_unit_test(unseen_and_unasked),
	};

	return cmocka_run_group_tests(tests, play_setup, play_teardown);
}
