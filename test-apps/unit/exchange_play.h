/* SPDX-License-Identifier: MIT */
/*
 * Scenes of an exchange, line by line: what the program, the proxy and the agent do, in
 * order. Each scene is played whole, octet by octet, and with every write, answer and
 * request cut at every place; it has to be the same scene each time.
 */
#ifndef GATEPASS_TEST_EXCHANGE_PLAY_H
#define GATEPASS_TEST_EXCHANGE_PLAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#define REQUIRE(condition) expect(condition, "not true: %s", #condition)

#include "exchange_world.h"

#define WHOLE SIZE_MAX

enum does {
	END,
	/* the program */
	WRITES,
	IS_HELD, /* it writes, in vain for now */
	READS,   /* all of this */
	READS_NOTHING,
	READS_END, /* of the connection */
	CLOSES,    /* its side */
	SHARES,    /* the connection with another process */
	IS_OUT,    /* all that it wrote */
	IS_NOT_OUT,
	IS_SILENT, /* for too long */
	IS_HEARD,  /* what it said tells of HTTP, or nothing is to be told */
	/* the proxy */
	GETS,
	GETS_PROBE, /* with this authorization, if any */
	SAYS,
	SAYS_END, /* closes the connection, */
	RESETS,   /* with an error */
	STOPS,    /* taking what comes, */
	TAKES_AGAIN,
	IS_GONE,      /* sending fails */
	GETS_ANOTHER, /* connection, */
	IS_DOWN,      /* or gets none */
	TUNNELS,
	WONT_TUNNEL,
	CANT_TUNNEL,
	/* the agent */
	IS_ASKED, /* "407 kept", "407 new", ", had " with what was rejected, and ", may
		   * close" if it was not asked to stay */
	IS_TO_AUTHORIZE, /* a request, "GET http://origin.test/" */
	ANSWERS,
	LEG,      /* of a handshake with the connection, the last one, */
	LEG_MORE, /* or not; with NULL it is the proxy that is asked again */
	REFUSES,
	HEARS, /* the status of an answered request */
	/* what becomes of it */
	OVER,
	FAILED
};

struct line {
	enum does does;
	const char *text;
};

struct scene {
	const char *name;
	struct gp_exchange_way way;
	bool lazy; /* nothing arrives before the program can do nothing else */
	struct line lines[256];
};

struct play {
	const struct scene *scene;
	const struct line *line;
	size_t at;    /* in its text */
	bool is_over; /* as the scene says */
	struct world world;
};

static struct gp_exchange exchange;
static struct play play;

/* A text without secrets of the terminal's. */
static inline const char *shown(const char *bytes, size_t len)
{
	static char rooms[2][1024];
	static int room;
	char *out = rooms[room ^= 1];
	size_t at = 0;

	for (size_t i = 0; i < len && at < sizeof(rooms[0]) - 8; i++)
		at += (size_t)snprintf(out + at, 8,
				       bytes[i] >= ' ' && bytes[i] < 127 ? "%c"
				       : bytes[i] == '\n'                ? "\\n"
				       : bytes[i] == '\r'                ? "\\r"
									 : "\\x%02x",
				       (unsigned char)bytes[i]);
	out[at] = '\0';
	return out;
}

__attribute__((format(printf, 2, 3))) static inline void
play_expect(bool condition, const char *format, ...)
{
	char what[2048];
	va_list args;

	if (condition)
		return;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	fail_msg("%s (first %zu, then %zu), line %td: %s", play.scene->name,
		 play.world.first, play.world.piece, play.line - play.scene->lines, what);
}

static inline void play_next(void)
{
	play.line++;
	play.at = 0;
}

/* What the proxy does unasked. */
static inline void play_proxy(void)
{
	for (;; play_next()) {
		switch (play.line->does) {
		case SAYS:
			world_say(&play.world, play.line->text, strlen(play.line->text));
			break;
		case SAYS_END:
		case RESETS:
			play.world.ended = true;
			play.world.reset = play.line->does == RESETS;
			break;
		case STOPS:
			play.world.full = true;
			break;
		case TAKES_AGAIN:
			play.world.full = false;
			break;
		case IS_GONE:
			play.world.broken = true;
			break;
		default:
			return;
		}
	}
}

/* Whatever the probe says, it must ask the same proxy for the same origin, and have no
 * body, and no authorization but the one of the line. */
static inline void play_is_probe(const char *probe, const char *authorization)
{
	static const char line[] = "OPTIONS http://origin.test/ HTTP/1.1\r\n";
	const char *field = strstr(probe, "\r\nProxy-Authorization: ");
	size_t len = authorization ? strlen(authorization) : 0;
	bool is_right;

	if (field)
		field += strlen("\r\nProxy-Authorization: ");
	is_right = authorization ? field && !strncmp(field, authorization, len) &&
					   !strncmp(field + len, "\r\n", 2)
				 : !field;
	play_expect(is_right && !strncmp(probe, line, strlen(line)) &&
			    strstr(probe, "\r\nContent-Length: 0\r\n") &&
			    strstr(probe, "\r\nHost: origin.test\r\n") &&
			    strstr(probe, "\r\nProxy-Connection: keep-alive\r\n"),
		    "not the probe: %s", shown(probe, strlen(probe)));
}

static inline size_t play_probe(const char *bytes, size_t len)
{
	static char probe[4096];
	size_t taken = 0;

	while (taken < len && play.at < sizeof(probe) - 1) {
		probe[play.at++] = bytes[taken++];
		probe[play.at] = '\0';
		if (play.at < 4 || strcmp(probe + play.at - 4, "\r\n\r\n") != 0)
			continue;
		play_is_probe(probe, play.line->text);
		play_next();
		break;
	}
	return taken;
}

static inline void play_gets(struct world *world, const char *bytes, size_t len)
{
	(void)world;
	while (len) {
		const char *text = play.line->text + play.at;
		size_t taken;

		if (play.line->does == GETS_PROBE) {
			taken = play_probe(bytes, len);
		} else {
			play_expect(play.line->does == GETS, "the proxy gets %s",
				    shown(bytes, len));
			taken = world_min(len, strlen(text));
			play_expect(!memcmp(bytes, text, taken),
				    "the proxy gets %s\ninstead of %s",
				    shown(bytes, taken), shown(text, strlen(text)));
			play.at += taken;
			if (!play.line->text[play.at])
				play_next();
		}
		bytes += taken;
		len -= taken;
		play_proxy();
	}
}

static inline bool play_connects(struct world *world)
{
	bool is_down = play.line->does == IS_DOWN;

	(void)world;
	play_expect(is_down || play.line->does == GETS_ANOTHER, "a new connection");
	play_next();
	play_proxy();
	return !is_down;
}

static inline enum world_tunnel play_tunnels(struct world *world)
{
	enum does does = play.line->does;

	(void)world;
	play_expect(does == TUNNELS || does == WONT_TUNNEL || does == CANT_TUNNEL,
		    "a tunnel");
	play_next();
	play_proxy();
	return does == TUNNELS       ? WORLD_TUNNELS
	       : does == WONT_TUNNEL ? WORLD_REFUSES
				     : WORLD_BREAKS;
}

/* What the agent says to the question of this line. */
static inline struct gp_authorization play_agent(enum does question, const char *asked)
{
	struct gp_authorization answer = {0};
	enum does does;

	play_expect(play.line->does == question && !strcmp(play.line->text, asked),
		    "the agent is asked: %s", asked);
	play_next();
	does = play.line->does;
	play_expect(does >= ANSWERS && does <= REFUSES, "no answer");
	answer.value = play.line->text;
	answer.more = does == LEG_MORE;
	if (does == LEG || does == LEG_MORE)
		answer.scope = GP_SCOPE_CONNECTION;
	play_next();
	play_proxy();
	return answer;
}

static inline struct gp_authorization
play_answers(struct world *world, const struct gp_exchange_challenge *challenge)
{
	char asked[512];

	(void)world;
	snprintf(asked, sizeof(asked), "%d %s%s%.400s%s", challenge->status,
		 challenge->kept ? "kept" : "new", challenge->offered ? ", had " : "",
		 challenge->offered ? challenge->offered : "",
		 challenge->persistent ? "" : ", may close");
	play_expect(challenge->head->status == challenge->status, "status");
	return play_agent(IS_ASKED, asked);
}

static inline struct gp_authorization
play_authorizes(struct world *world, const struct gp_exchange_challenge *request)
{
	char asked[512];

	(void)world;
	snprintf(asked, sizeof(asked), "%.*s %.*s", (int)request->method.len,
		 request->method.p, (int)request->uri.len, request->uri.p);
	return play_agent(IS_TO_AUTHORIZE, asked);
}

static inline void play_hears(struct world *world, int status)
{
	(void)world;
	play_expect(play.line->does == HEARS && atoi(play.line->text) == status,
		    "the agent hears of %d", status);
	play_next();
}

static inline void play_reads(const char *text)
{
	static char room[GP_HEAD_MAX];
	size_t left = strlen(text);

	while (left) {
		size_t got = world_read(&play.world, room, world_min(left, sizeof(room)));

		play_expect(got, "nothing to read; %zu still to come: %s", left,
			    shown(text, left));
		play_expect(!memcmp(room, text, got),
			    "the program reads %s\ninstead of %s", shown(room, got),
			    shown(text, left));
		text += got;
		left -= got;
	}
}

static inline void play_reads_nothing(bool at_end)
{
	char room[64];
	size_t got = world_read(&play.world, room, sizeof(room));

	play_expect(!got, "the program reads %s", shown(room, got));
	play_expect(at_end == (play.world.ended && !world_waiting(&play.world)),
		    at_end ? "no end" : "the end");
}

static inline void play_writes(const char *text, bool is_held)
{
	size_t left = strlen(text), taken = world_write(&play.world, text, left);

	play_expect(taken == (is_held ? 0 : left) ||
			    gp_exchange_want(&exchange) == GP_EXCHANGE_FAILED,
		    "%zu of %zu bytes are taken", taken, left);
}

static inline void play_line(const struct line *line)
{
	switch (line->does) {
	case WRITES:
	case IS_HELD:
		play_writes(line->text, line->does == IS_HELD);
		break;
	case READS:
		play_reads(line->text);
		break;
	case READS_NOTHING:
	case READS_END:
		play_reads_nothing(line->does == READS_END);
		break;
	case CLOSES:
		gp_exchange_let_go(&exchange);
		world_step(&play.world, true);
		break;
	case SHARES:
		gp_exchange_share(&exchange);
		break;
	case IS_OUT:
	case IS_NOT_OUT:
		play_expect(gp_exchange_is_flushed(&exchange) == (line->does == IS_OUT),
			    line->does == IS_OUT ? "something is held" : "all is out");
		break;
	case IS_HEARD:
		play_expect(!gp_exchange_is_undecided(&exchange), "undecided");
		break;
	case IS_SILENT:
		play_expect(gp_exchange_is_undecided(&exchange), "something was said");
		gp_exchange_give_up(&exchange);
		world_step(&play.world, true);
		break;
	case OVER:
		play.is_over = true;
		play_expect(gp_exchange_want(&exchange) == GP_EXCHANGE_OVER, "not over");
		break;
	case FAILED:
		play.is_over = true;
		play_expect(world_step(&play.world, true) == WORLD_FAILED, "no failure");
		break;
	default:
		play_expect(false, "this does not happen");
	}
}

/* Of the last line: the answer that never came, and bytes that nobody has read. */
static inline void play_end(void)
{
	enum gp_exchange_want want = gp_exchange_want(&exchange);

	play_expect(want != GP_EXCHANGE_OVER || play.is_over, "it is over");
	play_expect(want != GP_EXCHANGE_FAILED || play.is_over, "it has failed");
	play_expect(want == GP_EXCHANGE_FAILED || play.world.said_len == play.world.taken,
		    "%zu bytes are not read", play.world.said_len - play.world.taken);
}

static inline void play_forgets(const char *secret)
{
	play_expect(!secret ||
			    !memmem(&exchange, sizeof(exchange), secret, strlen(secret)),
		    "%s is still there", secret);
}

static inline void play_wiped(const struct scene *scene)
{
	play_forgets(scene->way.authorization.value);
	for (const struct line *line = scene->lines; line->does != END; line++)
		if (line->does >= ANSWERS && line->does < REFUSES)
			play_forgets(line->text);
}

static const struct world_people play_people = {
	.gets = play_gets,
	.connects = play_connects,
	.tunnels = play_tunnels,
	.answers = play_answers,
	.authorizes = play_authorizes,
	.hears_verdict = play_hears,
};

static inline void play_among(const struct world_people *people,
			      const struct scene *scene, size_t first, size_t piece)
{
	play.scene = scene;
	play.line = scene->lines;
	play.at = 0;
	play.is_over = false;
	play.world.exchange = &exchange;
	play.world.people = people;
	play.world.lazy = scene->lazy;
	world_begin(&play.world, &scene->way, first, piece);
	play_proxy();
	while (play.line->does != END) {
		const struct line *line = play.line;

		play_next();
		play_line(line);
		play_proxy();
	}
	play_end();
	gp_exchange_clear(&exchange);
	if (piece == WHOLE)
		play_wiped(scene);
}

static inline void play_scene(const struct scene *scene, size_t first, size_t piece)
{
	play_among(&play_people, scene, first, piece);
}

static inline size_t longest_text(const struct scene *scene)
{
	size_t longest = 0;

	for (const struct line *line = scene->lines; line->does != END; line++)
		if (line->text && strlen(line->text) > longest)
			longest = strlen(line->text);
	return longest;
}

static inline void play_all(const struct scene *scenes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t longest = longest_text(&scenes[i]);

		play_scene(&scenes[i], 0, WHOLE);
		play_scene(&scenes[i], 0, 1);
		play_scene(&scenes[i], 0, 7);
		for (size_t split = 1; split < longest; split++)
			play_scene(&scenes[i], split, WHOLE);
	}
}

#define PLAY(scenes) play_all(scenes, sizeof(scenes) / sizeof(*(scenes)))

static inline int play_setup(void **state)
{
	(void)state;
	world_init(&play.world);
	return 0;
}

static inline int play_teardown(void **state)
{
	(void)state;
	world_release(&play.world);
	return 0;
}

/* --- what they say -------------------------------------------------------------- */

#define OBSERVE                                                                          \
	{                                                                                \
		.authority = NULL                                                        \
	}
#define FORWARD                                                                          \
	{                                                                                \
		.authority = "origin.test:80"                                            \
	}
#define KNOWS(known)                                                                     \
	{                                                                                \
		.authorization.value = known                                             \
	}

#define OURS "Basic eDp5"

/* What a program sends to a proxy, and to an origin. */
#define TO_PROXY(method, path, fields)                                                   \
	method " http://origin.test" path " HTTP/1.1\r\nHost: origin.test\r\n" fields
#define TO_ORIGIN(method, path, fields)                                                  \
	method " " path " HTTP/1.1\r\nHost: origin.test\r\n" fields
#define AUTHORIZED(value) "Proxy-Authorization: " value "\r\n"
#define END_OF_HEAD       "\r\n"

#define GET      TO_PROXY("GET", "/", END_OF_HEAD)
#define GET_OURS TO_PROXY("GET", "/", AUTHORIZED(OURS) END_OF_HEAD)

#define POST_HEAD(fields) TO_PROXY("POST", "/", "Content-Length: 10\r\n" fields "\r\n")
#define POST              POST_HEAD("") "0123456789"
#define POST_OURS         POST_HEAD(AUTHORIZED(OURS)) "0123456789"

#define CHUNKS "3;x\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
#define CHUNKED_HEAD(fields)                                                             \
	TO_PROXY("POST", "/", "Transfer-Encoding: chunked\r\n" fields "\r\n")
#define CHUNKED      CHUNKED_HEAD("") CHUNKS
#define CHUNKED_OURS CHUNKED_HEAD(AUTHORIZED(OURS)) CHUNKS

#define OK_EMPTY     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define OK_5         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define STATUS_407   "HTTP/1.1 407 Proxy Authentication Required\r\n"
#define ASKS         "Proxy-Authenticate: Basic realm=\"x\"\r\n"
#define KEPT_407     STATUS_407 ASKS "Content-Length: 4\r\n\r\nbody"
#define CLOSING_407  STATUS_407 ASKS "Connection: close\r\nContent-Length: 4\r\n\r\nbody"
#define CONTINUE_100 "HTTP/1.1 100 Continue\r\n\r\n"

#endif
