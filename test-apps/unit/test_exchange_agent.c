/* SPDX-License-Identifier: MIT */
/* Requests on a connection to a proxy (gatepass/exchange.h): what the agent is asked, and
 * whose authorization goes out. */
#include "exchange_play.h"

#define OLD     "Basic b2xk"
#define GET_OLD TO_PROXY("GET", "/", AUTHORIZED(OLD) END_OF_HEAD)
#define ITS_OWN "Basic b3du"
#define GET_OWN TO_PROXY("GET", "/", AUTHORIZED(ITS_OWN) END_OF_HEAD)

/* --- refused: the program is shown the challenge ------------------------------- */

static void refused(void **state)
{
#define REFUSED(challenge, asked)                                                        \
	{WRITES, GET}, {GETS, GET}, {SAYS, challenge}, {IS_ASKED, asked},                \
		{REFUSES, NULL},                                                         \
	{                                                                                \
		READS, challenge                                                         \
	}
	static const struct scene scenes[] = {
		{"kept, and the next one is asked about again",
		 OBSERVE,
		 false,
		 {REFUSED(KEPT_407, "407 kept"),
		  REFUSED(KEPT_407, "407 kept"),
		  {WRITES, GET},
		  {GETS, GET},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"chunked, folded",
		 OBSERVE,
		 false,
		 {REFUSED(STATUS_407
			  "Proxy-Authenticate:\r\n Basic\r\n"
			  "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
			  "407 kept"),
		  {WRITES, GET},
		  {GETS, GET},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"it ends",
		 OBSERVE,
		 false,
		 {REFUSED(CLOSING_407, "407 new"), {SAYS_END, NULL}, {READS_END, NULL}}},
		{"no length",
		 OBSERVE,
		 false,
		 {REFUSED(STATUS_407 ASKS "\r\nbody", "407 new"),
		  {SAYS_END, NULL},
		  {READS_END, NULL}}},
		{"HEAD",
		 OBSERVE,
		 false,
		 {{WRITES, TO_PROXY("HEAD", "/", END_OF_HEAD)},
		  {GETS, TO_PROXY("HEAD", "/", END_OF_HEAD)},
		  {SAYS, STATUS_407 ASKS "Content-Length: 3069\r\n\r\n"},
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {READS, STATUS_407 ASKS "Content-Length: 3069\r\n\r\n"},
		  {WRITES, GET},
		  {GETS, GET},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"nothing to answer: the agent is not asked",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, STATUS_407 "Content-Length: 0\r\n\r\n"},
		  {READS, STATUS_407 "Content-Length: 0\r\n\r\n"},
		  {WRITES, GET},
		  {GETS, GET},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"a head that is none",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, "HTTP/1.1 4071 x\r\n" ASKS "\r\n"},
		  {READS, "HTTP/1.1 4071 x\r\n" ASKS "\r\n"}}},
		{"ours was rejected, and is dropped",
		 KNOWS(OLD),
		 false,
		 {{WRITES, GET},
		  {GETS, GET_OLD},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept, had " OLD},
		  {REFUSES, NULL},
		  {READS, KEPT_407},
		  {WRITES, GET},
		  {GETS, GET},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {READS, KEPT_407}}},
		{"after an answer",
		 OBSERVE,
		 false,
		 {{WRITES, GET},
		  {GETS, GET},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, GET_OURS},
		  {SAYS, CLOSING_407},
		  {IS_ASKED, "407 new, had " OURS},
		  {REFUSES, NULL},
		  {READS, CLOSING_407}}},
	};

	(void)state;
	PLAY(scenes);
}

/* An answer that cannot stand in a field is none. */
static void unusable_answers(void **state)
{
	static char too_long[GP_AUTHORIZATION_MAX + 2];
	const char *const answers[] = {too_long, "Basic x\r\nX: y", "Basic \x01", "a\nb"};
	struct scene scene = {"unusable",
			      OBSERVE,
			      false,
			      {{WRITES, GET},
			       {GETS, GET},
			       {SAYS, KEPT_407},
			       {IS_ASKED, "407 kept"},
			       {ANSWERS, NULL},
			       {READS, KEPT_407},
			       {WRITES, GET},
			       {GETS, GET},
			       {SAYS, OK_5},
			       {READS, OK_5}}};

	(void)state;
	memset(too_long, 'a', sizeof(too_long) - 1);
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		scene.lines[4].text = answers[i];
		play_scene(&scene, 0, WHOLE);
	}
}

/* And neither is one that is known from the start. */
static void unusable_from_the_start(void **state)
{
	static const struct scene scene = {
		"unusable",
		KNOWS("Basic x\r\n"),
		false,
		{{WRITES, GET}, {GETS, GET}, {SAYS, OK_5}, {READS, OK_5}}};

	(void)state;
	play_scene(&scene, 0, WHOLE);
}

/* --- rounds ---------------------------------------------------------------------- */

static void several_rounds(void **state)
{
	static const struct scene scene = {
		"three",
		KNOWS(OLD),
		false,
		{{WRITES, GET},
		 {GETS, GET_OLD},
		 {SAYS, KEPT_407},
		 {IS_ASKED, "407 kept, had " OLD},
		 {ANSWERS, "Basic QTpB"},
		 {GETS, TO_PROXY("GET", "/", AUTHORIZED("Basic QTpB") END_OF_HEAD)},
		 {SAYS, KEPT_407},
		 {IS_ASKED, "407 kept, had Basic QTpB"},
		 {ANSWERS, "Basic QjpC"},
		 {GETS, TO_PROXY("GET", "/", AUTHORIZED("Basic QjpC") END_OF_HEAD)},
		 {SAYS, CLOSING_407},
		 {IS_ASKED, "407 new, had Basic QjpC"},
		 {ANSWERS, OURS},
		 {GETS_ANOTHER, NULL},
		 {GETS, GET_OURS},
		 {SAYS, OK_5},
		 {HEARS, "200"},
		 {READS, OK_5}}};

	(void)state;
	play_all(&scene, 1);
}

/* After GP_ROUNDS_MAX of them, the program sees what the proxy says; and each request has
 * as many. */
static void endless_rounds(void **state)
{
	static struct scene scene = {.name = "endless"};
	static const struct line round[] = {{SAYS, KEPT_407},
					    {IS_ASKED, "407 kept, had " OURS},
					    {ANSWERS, OURS},
					    {GETS, GET_OURS}};
	struct line *line = scene.lines;

	(void)state;
	assert_true(4 * GP_ROUNDS_MAX + 8 <= sizeof(scene.lines) / sizeof(*scene.lines));
	scene.way.authorization.value = OURS;
	*line++ = (struct line){WRITES, GET};
	*line++ = (struct line){GETS, GET_OURS};
	for (int i = 0; i < GP_ROUNDS_MAX; i++, line += 4)
		memcpy(line, round, sizeof(round));
	*line++ = (struct line){SAYS, KEPT_407};
	*line++ = (struct line){READS, KEPT_407};
	*line++ = (struct line){WRITES, GET};
	*line++ = (struct line){GETS, GET_OURS};
	memcpy(line, round, sizeof(round));
	play_all(&scene, 1);
}

/* The agent is asked at the nth request, whatever that is. */
static void at_any_request(void **state)
{
	static struct scene scene = {.name = "the nth"};
	static const struct line passes[] = {
		{WRITES, GET}, {GETS, GET}, {SAYS, OK_5}, {READS, OK_5}};
	static const struct line asked[] = {{WRITES, GET},       {GETS, GET},
					    {SAYS, CLOSING_407}, {IS_ASKED, "407 new"},
					    {ANSWERS, OURS},     {GETS_ANOTHER, NULL},
					    {GETS, GET_OURS},    {SAYS, OK_5},
					    {HEARS, "200"},      {READS, OK_5}};
	const int all[] = {1, 2, 3, 50};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct line *line = scene.lines;

		for (int n = 1; n < all[i]; n++, line += 4)
			memcpy(line, passes, sizeof(passes));
		memcpy(line, asked, sizeof(asked));
		play_all(&scene, 1);
	}
}

/* --- what the agent is told ------------------------------------------------------ */

static struct gp_authorization
expect_challenge(struct world *world, const struct gp_exchange_challenge *challenge)
{
	struct gp_text rest = challenge->head->fields;
	struct gp_http_field field;
	const struct line *line = play.line;

	assert_true(gp_http_field_next(&rest, &field));
	assert_true(gp_text_is(field.name, "proxy-authenticate"));
	assert_true(gp_text_is(field.value, "Basic realm=\"x\""));
	assert_true(gp_text_is(challenge->method, "PUT"));
	assert_true(gp_text_is(challenge->uri, "/a?b"));
	assert_true(challenge->persistent && challenge->bodiless);
	play.line = line;
	return play_answers(world, challenge);
}

/* The challenge itself, and the request as the program made it. */
static void the_question(void **state)
{
	static const struct scene scene = {
		"question",
		FORWARD,
		false,
		{{WRITES, TO_ORIGIN("PUT", "/a?b", "Content-Length: 0\r\n\r\n")},
		 {GETS, TO_PROXY("PUT", "/a?b", "Content-Length: 0\r\n\r\n")},
		 {SAYS, KEPT_407},
		 {IS_ASKED, "407 kept"},
		 {REFUSES, NULL},
		 {READS, KEPT_407}}};
	struct world_people people = play_people;

	(void)state;
	people.answers = expect_challenge;
	play_among(&people, &scene, 0, 1);
}

static struct gp_authorization do_not_keep(struct world *world,
					   const struct gp_exchange_challenge *challenge)
{
	struct gp_exchange_challenge again;

	(void)challenge;
	gp_exchange_not_kept(world->exchange);
	gp_exchange_challenge(world->exchange, &again);
	return play_answers(world, &again);
}

/* The caller may have reasons of its own to take a new connection. */
static void not_kept_by_us(void **state)
{
	static const struct scene scene = {"by us",
					   OBSERVE,
					   false,
					   {{WRITES, GET},
					    {GETS, GET},
					    {SAYS, KEPT_407},
					    {IS_ASKED, "407 new"},
					    {ANSWERS, OURS},
					    {GETS_ANOTHER, NULL},
					    {GETS, GET_OURS},
					    {SAYS, OK_5},
					    {HEARS, "200"},
					    {READS, OK_5}}};
	struct world_people people = play_people;

	(void)state;
	people.answers = do_not_keep;
	play_among(&people, &scene, 0, 1);
}

/* --- the program's own ----------------------------------------------------------- */

static void its_own(void **state)
{
	static const struct scene scenes[] = {
		{"it stays, although we know one",
		 KNOWS(OURS),
		 false,
		 {{WRITES, GET_OWN}, {GETS, GET_OWN}, {SAYS, OK_5}, {READS, OK_5}}},
		{"until it is rejected; then ours takes its place, whatever it sends",
		 OBSERVE,
		 false,
		 {{WRITES, GET_OWN}, {GETS, GET_OWN},        {SAYS, OK_5},
		  {READS, OK_5},     {WRITES, GET_OWN},      {GETS, GET_OWN},
		  {SAYS, KEPT_407},  {IS_ASKED, "407 kept"}, {ANSWERS, OURS},
		  {GETS, GET_OURS},  {SAYS, OK_5},           {HEARS, "200"},
		  {READS, OK_5},     {WRITES, GET_OWN},      {GETS, GET_OURS},
		  {SAYS, OK_5},      {HEARS, "200"},         {READS, OK_5},
		  {WRITES, GET},     {GETS, GET_OURS},       {SAYS, OK_5},
		  {HEARS, "200"},    {READS, OK_5}}},
		{"two of them",
		 OBSERVE,
		 false,
		 {{WRITES, TO_PROXY("GET", "/",
				    AUTHORIZED("Basic QTpB") "X: y\r\n" AUTHORIZED(
					    "Basic QjpC") "\r\n")},
		  {GETS, TO_PROXY("GET", "/",
				  AUTHORIZED("Basic QTpB") "X: y\r\n" AUTHORIZED(
					  "Basic QjpC") "\r\n")},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, TO_PROXY("GET", "/", "X: y\r\n" AUTHORIZED(OURS) "\r\n")},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"it stays if there is no answer",
		 OBSERVE,
		 false,
		 {{WRITES, GET_OWN},
		  {GETS, GET_OWN},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {REFUSES, NULL},
		  {READS, KEPT_407},
		  {WRITES, GET_OWN},
		  {GETS, GET_OWN},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"it comes back when ours is rejected as well",
		 OBSERVE,
		 false,
		 {{WRITES, GET_OWN},
		  {GETS, GET_OWN},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept"},
		  {ANSWERS, OURS},
		  {GETS, GET_OURS},
		  {SAYS, KEPT_407},
		  {IS_ASKED, "407 kept, had " OURS},
		  {REFUSES, NULL},
		  {READS, KEPT_407},
		  {WRITES, GET_OWN},
		  {GETS, GET_OWN},
		  {SAYS, OK_5},
		  {READS, OK_5}}},
		{"a 401 of the proxy's makes no difference to it",
		 OBSERVE,
		 false,
		 {{WRITES, GET_OWN},
		  {GETS, GET_OWN},
		  {SAYS, "HTTP/1.0 401 x\r\nServer: tinyproxy/1.11\r\n\r\n"},
		  {READS, "HTTP/1.0 401 x\r\nServer: tinyproxy/1.11\r\n\r\n"}}},
	};

	(void)state;
	PLAY(scenes);
}

/* --- 401 ------------------------------------------------------------------------- */

static void unauthorized(void **state)
{
#define ORIGINS                                                                          \
	"HTTP/1.1 401 x\r\nServer: nginx\r\nWWW-Authenticate: Basic\r\nContent-Length: " \
	"2\r\n\r\nno"
#define TINYS                                                                            \
	"HTTP/1.0 401 x\r\nServer: tinyproxy/1.11.1\r\nWWW-Authenticate: "               \
	"Basic\r\n\r\nno"
	static const struct scene scenes[] = {
		{"an origin's, without ours",
		 OBSERVE,
		 false,
		 {{WRITES, GET}, {GETS, GET}, {SAYS, ORIGINS}, {READS, ORIGINS}}},
		{"an origin's, with ours",
		 KNOWS(OURS),
		 false,
		 {{WRITES, GET},
		  {GETS, GET_OURS},
		  {SAYS, ORIGINS},
		  {HEARS, "401"},
		  {READS, ORIGINS},
		  {WRITES, GET},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"tinyproxy's: ours was rejected",
		 KNOWS(OLD),
		 false,
		 {{WRITES, GET},
		  {GETS, GET_OLD},
		  {SAYS, TINYS},
		  {SAYS_END, NULL},
		  {IS_ASKED, "401 new, had " OLD},
		  {ANSWERS, OURS},
		  {GETS_ANOTHER, NULL},
		  {GETS, GET_OURS},
		  {SAYS, OK_5},
		  {HEARS, "200"},
		  {READS, OK_5}}},
		{"tinyproxy's, and there is no other",
		 KNOWS(OLD),
		 false,
		 {{WRITES, GET},
		  {GETS, GET_OLD},
		  {SAYS, TINYS},
		  {SAYS_END, NULL},
		  {IS_ASKED, "401 new, had " OLD},
		  {REFUSES, NULL},
		  {READS, TINYS},
		  {READS_END, NULL}}},
		{"its Server in a head that never ends",
		 KNOWS(OLD),
		 false,
		 {{WRITES, GET},
		  {GETS, GET_OLD},
		  {SAYS, "HTTP/1.0 401 x\r\nServer: tinyproxy"},
		  {SAYS_END, NULL},
		  {READS, "HTTP/1.0 401 x\r\nServer: tinyproxy"},
		  {READS_END, NULL},
		  {OVER, NULL}}},
	};

	(void)state;
	PLAY(scenes);
}

/* A shorter one that comes after a longer one leaves nothing of it. */
static void nothing_is_left(void **state)
{
	static const struct scene scene = {
		"wiped",
		KNOWS("Basic bG9uZ2VyIGFuZCBsb25nZXI="),
		false,
		{{WRITES, GET},
		 {GETS, TO_PROXY("GET", "/",
				 AUTHORIZED("Basic bG9uZ2VyIGFuZCBsb25nZXI=") "\r\n")},
		 {SAYS, KEPT_407},
		 {IS_ASKED, "407 kept, had Basic bG9uZ2VyIGFuZCBsb25nZXI="},
		 {ANSWERS, OURS},
		 {GETS, GET_OURS},
		 {SAYS, OK_5},
		 {HEARS, "200"},
		 {READS, OK_5}}};

	(void)state;
	memset(&exchange, 0, sizeof(exchange));
	play_scene(&scene, 0, WHOLE);
	for (size_t i = 0; i < sizeof(exchange.authorization); i++)
		assert_int_equal(exchange.authorization[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(unusable_answers),
		cmocka_unit_test(unusable_from_the_start),
		cmocka_unit_test(nothing_is_left),
		cmocka_unit_test(several_rounds),
		cmocka_unit_test(endless_rounds),
		cmocka_unit_test(at_any_request),
		cmocka_unit_test(the_question),
		cmocka_unit_test(not_kept_by_us),
		cmocka_unit_test(its_own),
		cmocka_unit_test(unauthorized),
	};

	return cmocka_run_group_tests(tests, play_setup, play_teardown);
}
