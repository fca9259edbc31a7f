/* SPDX-License-Identifier: MIT */
/* The tunnel handshake of gatepass/tunnel.h against a scripted proxy, whose replies come
 * whole, byte by byte and split at every place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gatepass/tunnel.h>

#include "guard.h"

#define AUTHORITY "example.org:443"

static struct guard guard;
static struct gp_tunnel tunnel;
static enum gp_scope scope; /* of all authorizations */

enum behind { STAYS, CLOSES, BREAKS };

/* What the proxy does with one request: it sends the bytes and leaves the connection open
 * or closes it; or the connection breaks before the request is sent. */
struct reply {
	const char *bytes;
	enum behind behind;
};

struct scene {
	const char *authorization; /* known from the start, or NULL */
	const char *answers[3];    /* the agent's, then it refuses */
	struct reply replies[6];
	const char *trace;  /* all that the machine wants, in order */
	const char *beyond; /* bytes left in the socket when the tunnel stands */
};

/* One run of a scene, with replies in pieces. */
struct play {
	const struct scene *scene;
	size_t first, piece; /* bytes that arrive first, and later each time */
	const struct reply *reply;
	size_t at, next;
	int requests, questions;
	const char *authorization; /* that the next request must carry */
	char trace[1024];
};

__attribute__((format(printf, 2, 3))) static void note(struct play *play,
						       const char *format, ...)
{
	size_t len = strlen(play->trace);
	va_list args;

	va_start(args, format);
	vsnprintf(play->trace + len, sizeof(play->trace) - len, format, args);
	va_end(args);
}

/* Takes the request in small pieces, as a full socket would, and compares it. */
static void play_send(struct play *play)
{
	char expected[512];
	size_t len, sent = 0;
	const char *v = play->authorization;

	play->reply = &play->scene->replies[play->requests++];
	expect(play->requests <= 6, "too many requests: %s", play->trace);
	note(play, v ? "send(%s) " : "send ", v);
	if (play->reply->behind == BREAKS) {
		gp_tunnel_closed(&tunnel);
		return;
	}
	snprintf(expected, sizeof(expected),
		 "CONNECT " AUTHORITY " HTTP/1.1\r\nHost: " AUTHORITY "\r\n"
		 "Proxy-Connection: keep-alive\r\n%s%s%s\r\n",
		 v ? "Proxy-Authorization: " : "", v ? v : "", v ? "\r\n" : "");
	while (gp_tunnel_want(&tunnel) == GP_TUNNEL_SEND) {
		const char *out = gp_tunnel_output(&tunnel, &len);

		expect(len == strlen(expected) - sent, "%zu bytes to send", len);
		assert_memory_equal(out, expected + sent, len);
		len = play->piece < len ? play->piece : len;
		gp_tunnel_sent(&tunnel, len);
		sent += len;
	}
	expect(sent == strlen(expected), "%zu bytes sent", sent);
	play->at = 0;
	play->next = play->first ? play->first : play->piece;
}

/* False when the proxy has nothing more to say. */
static bool play_receive(struct play *play)
{
	size_t left = strlen(play->reply->bytes) - play->at;
	size_t count = left < play->next ? left : play->next;

	if (left == 0 && play->reply->behind == CLOSES) {
		gp_tunnel_closed(&tunnel);
		return true;
	}
	if (left == 0)
		return false;
	char *p = guard_copy(&guard, GUARD_TAIL, play->reply->bytes + play->at, count);
	size_t used = gp_tunnel_received(&tunnel, p, count);

	expect(used <= count, "%zu of %zu bytes used", used, count);
	expect(used == count || gp_tunnel_want(&tunnel) != GP_TUNNEL_RECEIVE,
	       "more is wanted, but %zu of %zu were taken", used, count);
	play->at += used;
	play->next = play->piece;
	return true;
}

static void play_ask(struct play *play)
{
	const struct gp_http_head *head = gp_tunnel_head(&tunnel);
	struct gp_text rest = head->fields, offered = gp_tunnel_offered(&tunnel);
	struct gp_http_field field;
	const struct gp_authorization answer = {
		.value = play->scene->answers[play->questions++],
		.scope = scope,
	};

	if (strlen(play->reply->bytes) > play->at)
		gp_tunnel_not_kept(&tunnel);
	expect(gp_tunnel_authorized(&tunnel) == !!play->authorization, "authorized?");
	expect(gp_text_is(offered, play->authorization ? play->authorization : ""),
	       "offered %.*s", (int)offered.len, offered.p);
	expect(gp_tunnel_status(&tunnel) == head->status, "status %d", head->status);
	note(play, "ask(%d", head->status);
	while (gp_http_field_next(&rest, &field))
		if (gp_text_is(field.name, "proxy-authenticate"))
			note(play, ",%.*s", (int)field.value.len, field.value.p);
	note(play, gp_tunnel_kept(&tunnel) ? ",kept) " : ") ");
	if (answer.value) {
		play->authorization = answer.value;
		assert_int_equal(gp_tunnel_answer(&tunnel, &answer), GP_OK);
	} else {
		gp_tunnel_refuse(&tunnel);
	}
}

static const char *error_name(enum gp_err err)
{
	static const struct {
		enum gp_err err;
		const char *name;
	} names[] = {
		{GP_ERR_HTTP_SYNTAX, "SYNTAX"},      {GP_ERR_HTTP_LONG, "LONG"},
		{GP_ERR_HTTP_FRAMING, "FRAMING"},    {GP_ERR_HEADER_OCTET, "OCTET"},
		{GP_ERR_PROXY_CLOSED, "CLOSED"},     {GP_ERR_PROXY_REFUSED, "REFUSED"},
		{GP_ERR_PROXY_AUTH, "AUTH"},         {GP_ERR_BAD_GATEWAY, "BAD_GATEWAY"},
		{GP_ERR_UNAVAILABLE, "UNAVAILABLE"}, {GP_ERR_GATEWAY_TIMEOUT, "TIMEOUT"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].err == err)
			return names[i].name;
	return "another error";
}

/* One step; false at the end. */
static bool play_step(struct play *play)
{
	switch (gp_tunnel_want(&tunnel)) {
	case GP_TUNNEL_CONNECT:
		note(play, "connect ");
		gp_tunnel_connected(&tunnel);
		return true;
	case GP_TUNNEL_SEND:
		play_send(play);
		return true;
	case GP_TUNNEL_RECEIVE:
		if (play_receive(play))
			return true;
		note(play, "more");
		return false;
	case GP_TUNNEL_ASK:
		play_ask(play);
		return true;
	case GP_TUNNEL_ESTABLISHED:
		note(play, "established %d", gp_tunnel_status(&tunnel));
		assert_string_equal(play->reply->bytes + play->at,
				    play->scene->beyond ? play->scene->beyond : "");
		return false;
	case GP_TUNNEL_FAILED:
		note(play, "%s %d", error_name(gp_tunnel_error(&tunnel)),
		     gp_tunnel_status(&tunnel));
		return false;
	}
	return false;
}

static void play_pieces(const struct scene *scene, size_t first, size_t piece)
{
	struct play play = {.scene = scene,
			    .first = first,
			    .piece = piece,
			    .authorization = scene->authorization};
	const struct gp_authorization authorization = {
		.value = scene->authorization,
		.scope = scope,
	};

	assert_int_equal(gp_tunnel_init(&tunnel, AUTHORITY, &authorization), GP_OK);
	assert_int_equal(gp_tunnel_status(&tunnel), 0);
	assert_false(gp_tunnel_authorized(&tunnel) && !scene->authorization);
	for (int steps = 0; play_step(&play); steps++)
		expect(steps < 10000, "no end: %s", play.trace);
	expect(strcmp(play.trace, scene->trace) == 0,
	       "first %zu, pieces of %zu\nexpected: %s\n but was: %s\nfor %s", first,
	       piece, scene->trace, play.trace, scene->replies[0].bytes);
	gp_tunnel_clear(&tunnel);
}

static void play_all(const struct scene *scenes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t longest = 0;

		for (size_t r = 0; r < 6 && scenes[i].replies[r].bytes; r++)
			if (strlen(scenes[i].replies[r].bytes) > longest)
				longest = strlen(scenes[i].replies[r].bytes);
		play_pieces(&scenes[i], 0, 1);
		play_pieces(&scenes[i], 0, 7);
		for (size_t split = 0; split <= longest; split++)
			play_pieces(&scenes[i], split, 1000000);
	}
}

#define PLAY(scenes) play_all(scenes, sizeof(scenes) / sizeof(*(scenes)))

#define OK_HEAD  "HTTP/1.1 200 Connection established\r\n\r\n"
#define ASKS     "Proxy-Authenticate: Basic\r\n"
#define HEAD_407 "HTTP/1.1 407 Proxy Authentication Required\r\n" ASKS
#define KEPT_407 HEAD_407 "Content-Length: 4\r\n\r\nbody"

static void success(void **state)
{
#define ESTABLISHED "connect send established "
	static const struct scene scenes[] = {
		{NULL, {0}, {{OK_HEAD, STAYS}}, ESTABLISHED "200", ""},
		{NULL,
		 {0},
		 {{"HTTP/1.1 200 OK\r\n\r\nSSH-2.0-x\r\n", STAYS}},
		 ESTABLISHED "200",
		 "SSH-2.0-x\r\n"},
		{NULL,
		 {0},
		 {{"HTTP/1.0 200 OK\n\n\n\nx", STAYS}},
		 ESTABLISHED "200",
		 "\n\nx"},
		{NULL,
		 {0},
		 {{"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 407 x\r\n\r\n", CLOSES}},
		 ESTABLISHED "200",
		 "HTTP/1.1 407 x\r\n\r\n"},
		{NULL,
		 {0},
		 {{"HTTP/1.1 204 No Content\r\n\r\n", STAYS}},
		 ESTABLISHED "204",
		 ""},
		{NULL,
		 {0},
		 {{"HTTP/1.1 299\r\n\r\n220 x\r\n", STAYS}},
		 ESTABLISHED "299",
		 "220 x\r\n"},
		/* RFC 9110 9.3.6: a 2xx to CONNECT has no body, whatever its fields say
		 */
		{NULL,
		 {0},
		 {{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", STAYS}},
		 ESTABLISHED "200",
		 "body"},
		{NULL,
		 {0},
		 {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		   STAYS}},
		 ESTABLISHED "200",
		 "0\r\n\r\n"},
		{NULL,
		 {0},
		 {{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: x\r\n\r\n",
		   STAYS}},
		 ESTABLISHED "200",
		 ""},
		{NULL,
		 {0},
		 {{"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nx", STAYS}},
		 ESTABLISHED "200",
		 "x"},
		{"Basic eDp5",
		 {0},
		 {{OK_HEAD "x", STAYS}},
		 "connect send(Basic eDp5) established 200",
		 "x"},
	};

	(void)state;
	PLAY(scenes);
}

static void interim_responses_are_skipped(void **state)
{
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
	static const struct scene scenes[] = {
		{NULL, {0}, {{CONTINUE OK_HEAD "SSH", STAYS}}, ESTABLISHED "200", "SSH"},
		{NULL,
		 {0},
		 {{CONTINUE CONTINUE "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
				     "HTTP/1.1 102 x\r\nContent-Length: 4\r\n\r\n" OK_HEAD
				     "SSH",
		   STAYS}},
		 ESTABLISHED "200",
		 "SSH"},
		{NULL,
		 {"B"},
		 {{CONTINUE KEPT_407, STAYS}, {CONTINUE OK_HEAD "x", STAYS}},
		 "connect send ask(407,Basic,kept) send(B) established 200",
		 "x"},
		{NULL, {0}, {{CONTINUE, CLOSES}}, "connect send CLOSED 0", NULL},
		{NULL, {0}, {{CONTINUE, STAYS}}, "connect send more", NULL},
		{NULL, {0}, {{CONTINUE "SSH-2.0", STAYS}}, "connect send SYNTAX 0", NULL},
	};
	static char many[64 * sizeof(CONTINUE)];
	char *p = many;

	(void)state;
	PLAY(scenes);
	for (int i = 0; i < 50; i++)
		p = stpcpy(p, CONTINUE);
	strcpy(p, OK_HEAD "x");
	play_all(&(struct scene){NULL, {0}, {{many, STAYS}}, ESTABLISHED "200", "x"}, 1);
}

/* The body is taken, not a byte more, and the same connection carries the answer. */
static void challenge_on_a_kept_connection(void **state)
{
#define KEPT "connect send ask(407,Basic,kept) send(Basic eDp5) established 200"
#define THEN_OK                                                                          \
	{                                                                                \
		OK_HEAD "SSH", STAYS                                                     \
	}
#define CHUNKED HEAD_407 "Transfer-Encoding: chunked\r\n\r\n"
	static const struct scene scenes[] = {
		{NULL, {"Basic eDp5"}, {{KEPT_407, STAYS}, THEN_OK}, KEPT, "SSH"},
		{NULL,
		 {"Basic eDp5"},
		 {{HEAD_407 "Content-Length: 0\r\n\r\n", STAYS}, THEN_OK},
		 KEPT,
		 "SSH"},
		{NULL,
		 {"Basic eDp5"},
		 {{HEAD_407 "Content-Length: 2, 2\r\n\r\n\r\n", STAYS}, THEN_OK},
		 KEPT,
		 "SSH"},
		{NULL,
		 {"Basic eDp5"},
		 {{CHUNKED "0\r\n\r\n", STAYS}, THEN_OK},
		 KEPT,
		 "SSH"},
		{NULL,
		 {"Basic eDp5"},
		 {{CHUNKED "5;a=\"b;c\"\r\nhello\r\nA\r\n0\r\n\r\n01234\r\n0;x\r\n"
			   "Trailer: x\r\nProxy-Authenticate: NTLM\r\n\r\n",
		   STAYS},
		  THEN_OK},
		 KEPT,
		 "SSH"},
		{NULL,
		 {"Basic eDp5"},
		 {{"HTTP/1.0 407 x\r\n" ASKS "Proxy-Connection: keep-alive\r\n"
		   "Content-Length: 4\r\n\r\nbody",
		   STAYS},
		  THEN_OK},
		 KEPT,
		 "SSH"},
		{NULL,
		 {"Basic eDp5"},
		 {{"HTTP/1.1 407 x\n" ASKS "Content-Length: 4\n\nbody", STAYS}, THEN_OK},
		 KEPT,
		 "SSH"},
		{NULL,
		 {"NTLM a", "NTLM b"},
		 {{"HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: "
		   "Basic\r\n"
		   "Content-Length: 1\r\n\r\nx",
		   STAYS},
		  {"HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM T2\r\nContent-Length: "
		   "0\r\n\r\n",
		   STAYS},
		  THEN_OK},
		 "connect send ask(407,NTLM,Basic,kept) send(NTLM a) ask(407,NTLM "
		 "T2,kept) "
		 "send(NTLM b) established 200",
		 "SSH"},
	};

	(void)state;
	PLAY(scenes);
}

static void challenge_and_reconnect(void **state)
{
#define ANEW "connect send ask(407,Basic) connect send(Basic eDp5) established 200"
#define CHUNKED_AND_LENGTH                                                               \
	HEAD_407 "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
	static const struct scene scenes[] = {
		/* tinyproxy: HTTP/1.0, closes */
		{NULL,
		 {"Basic eDp5"},
		 {{"HTTP/1.0 407 Proxy Authentication Required\r\n" ASKS
		   "Connection: close\r\nContent-Type: text/html\r\n\r\n<html></html>",
		   CLOSES},
		  THEN_OK},
		 ANEW,
		 "SSH"},
		{NULL, {"Basic eDp5"}, {{HEAD_407 "\r\n", CLOSES}, THEN_OK}, ANEW, "SSH"},
		{NULL,
		 {"Basic eDp5"},
		 {{HEAD_407 "\r\nbody", CLOSES}, THEN_OK},
		 ANEW,
		 "SSH"},
		/* no framing, but open all the same: nothing to wait for */
		{NULL, {"Basic eDp5"}, {{HEAD_407 "\r\n", STAYS}, THEN_OK}, ANEW, "SSH"},
		{NULL,
		 {"Basic eDp5"},
		 {{HEAD_407 "\r\nbody", STAYS}, THEN_OK},
		 ANEW,
		 "SSH"},
		{NULL,
		 {"Basic eDp5"},
		 {{HEAD_407 "Connection: keep-alive\r\n\r\nbody", STAYS}, THEN_OK},
		 ANEW,
		 "SSH"},
		{NULL,
		 {"Basic eDp5"},
		 {{HEAD_407 "Connection: close\r\nContent-Length: 4\r\n\r\nbody", CLOSES},
		  THEN_OK},
		 ANEW,
		 "SSH"},
		{NULL,
		 {"Basic eDp5"},
		 {{HEAD_407 "Proxy-Connection: close\r\nContent-Length: 4\r\n\r\nbody",
		   STAYS},
		  THEN_OK},
		 ANEW,
		 "SSH"},
		{NULL,
		 {"Basic eDp5"},
		 {{"HTTP/1.0 407 x\r\n" ASKS "Content-Length: 4\r\n\r\nbody", CLOSES},
		  THEN_OK},
		 ANEW,
		 "SSH"},
		{NULL,
		 {"Basic eDp5"},
		 {{HEAD_407 "Transfer-Encoding: gzip\r\n\r\nbody", CLOSES}, THEN_OK},
		 ANEW,
		 "SSH"},
		/* both framings: the connection is not to be trusted (RFC 9112 6.3) */
		{NULL,
		 {"Basic eDp5"},
		 {{CHUNKED_AND_LENGTH "0\r\n\r\n", STAYS}, THEN_OK},
		 ANEW,
		 "SSH"},
		/* bytes behind the body: what would the next response be? */
		{NULL, {"Basic eDp5"}, {{KEPT_407 "x", STAYS}, THEN_OK}, ANEW, "SSH"},
		{NULL,
		 {"Basic eDp5"},
		 {{CHUNKED "0\r\n\r\n" OK_HEAD, STAYS}, THEN_OK},
		 ANEW,
		 "SSH"},
		/* closed or reset in the body: that was its end */
		{NULL,
		 {"Basic eDp5"},
		 {{HEAD_407 "Content-Length: 9\r\n\r\nbody", CLOSES}, THEN_OK},
		 ANEW,
		 "SSH"},
		{NULL,
		 {"Basic eDp5"},
		 {{HEAD_407 "Content-Length: 9\r\n\r\n", CLOSES}, THEN_OK},
		 ANEW,
		 "SSH"},
		{NULL,
		 {"Basic eDp5"},
		 {{CHUNKED "5\r\nhel", CLOSES}, THEN_OK},
		 ANEW,
		 "SSH"},
	};

	(void)state;
	PLAY(scenes);
}

static void challenge_to_an_authorized_request(void **state)
{
	static const struct scene scenes[] = {
		{"Basic bad",
		 {"Basic good"},
		 {{KEPT_407, STAYS}, THEN_OK},
		 "connect send(Basic bad) ask(407,Basic,kept) send(Basic good) "
		 "established 200",
		 "SSH"},
		{"Basic bad",
		 {0},
		 {{KEPT_407, STAYS}},
		 "connect send(Basic bad) "
		 "ask(407,Basic,kept) AUTH 407",
		 NULL},
		/* tinyproxy says "wrong password" so */
		{"Basic bad",
		 {"Basic good"},
		 {{"HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\nx",
		   CLOSES},
		  THEN_OK},
		 "connect send(Basic bad) ask(401) connect send(Basic good) established "
		 "200",
		 "SSH"},
		{NULL,
		 {"B"},
		 {{KEPT_407, STAYS},
		  {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", STAYS}},
		 "connect send ask(407,Basic,kept) send(B) ask(401,kept) AUTH 401",
		 NULL},
		{NULL,
		 {0},
		 {{"HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\nx",
		   CLOSES}},
		 "connect send REFUSED 401",
		 NULL},
		{NULL,
		 {"B", "C"},
		 {{KEPT_407, STAYS}, {HEAD_407 "\r\n", CLOSES}, {KEPT_407, STAYS}},
		 "connect send ask(407,Basic,kept) send(B) ask(407,Basic) connect "
		 "send(C) "
		 "ask(407,Basic,kept) AUTH 407",
		 NULL},
	};

	(void)state;
	PLAY(scenes);
}

static void refusals(void **state)
{
	static const struct {
		int status;
		const char *error;
	} cases[] = {
		{300, "REFUSED"}, {301, "REFUSED"},     {302, "REFUSED"},
		{304, "REFUSED"}, {307, "REFUSED"},     {400, "REFUSED"},
		{401, "REFUSED"}, {402, "REFUSED"},     {403, "REFUSED"},
		{404, "REFUSED"}, {405, "REFUSED"},     {408, "REFUSED"},
		{429, "REFUSED"}, {451, "REFUSED"},     {500, "BAD_GATEWAY"},
		{501, "REFUSED"}, {502, "BAD_GATEWAY"}, {503, "UNAVAILABLE"},
		{504, "TIMEOUT"}, {505, "REFUSED"},     {511, "REFUSED"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char bytes[128], trace[64];
		struct scene scene = {NULL, {0}, {{bytes, STAYS}}, trace, NULL};

		snprintf(bytes, sizeof(bytes),
			 "HTTP/1.1 %d x\r\nContent-Length: 9\r\n\r\nbody",
			 cases[i].status);
		snprintf(trace, sizeof(trace), "connect send %s %d", cases[i].error,
			 cases[i].status);
		play_all(&scene, 1);
	}
	static const struct scene scenes[] = {
		{NULL,
		 {0},
		 {{KEPT_407, STAYS}},
		 "connect send ask(407,Basic,kept) AUTH 407",
		 0},
		{NULL,
		 {0},
		 {{HEAD_407 "\r\n", CLOSES}},
		 "connect send ask(407,Basic) AUTH 407",
		 0},
		{NULL,
		 {0},
		 {{"HTTP/1.1 101 x\r\n\r\n", STAYS}},
		 "connect send REFUSED 101",
		 0},
		{"B",
		 {0},
		 {{"HTTP/1.1 403 Forbidden\r\n\r\n", CLOSES}},
		 "connect send(B) REFUSED 403",
		 NULL},
	};

	PLAY(scenes);
}

static void closed_connections(void **state)
{
#define REUSED "connect send ask(407,Basic,kept) send(B) "
	static const struct scene scenes[] = {
		{NULL, {0}, {{"", CLOSES}}, "connect send CLOSED 0", NULL},
		{NULL, {0}, {{"", BREAKS}}, "connect send CLOSED 0", NULL},
		{"B", {0}, {{"", CLOSES}}, "connect send(B) CLOSED 0", NULL},
		{NULL,
		 {0},
		 {{"HTTP/1.1 200 OK\r\n", CLOSES}},
		 "connect send CLOSED 0",
		 NULL},
		{NULL, {0}, {{HEAD_407, CLOSES}}, "connect send CLOSED 0", NULL},
		/* RFC 9112 9.3.1: an idle connection may close under the second request
		 */
		{NULL,
		 {"B"},
		 {{KEPT_407, STAYS}, {"", CLOSES}, THEN_OK},
		 REUSED "connect send(B) established 200",
		 "SSH"},
		{NULL,
		 {"B"},
		 {{KEPT_407, STAYS}, {"", BREAKS}, THEN_OK},
		 REUSED "connect send(B) established 200",
		 "SSH"},
		/* but once, and not when it had begun to answer */
		{NULL,
		 {"B"},
		 {{KEPT_407, STAYS}, {"", CLOSES}, {"", CLOSES}},
		 REUSED "connect send(B) CLOSED 407",
		 NULL},
		{NULL,
		 {"B"},
		 {{KEPT_407, STAYS}, {"", BREAKS}, {"", BREAKS}},
		 REUSED "connect send(B) CLOSED 407",
		 NULL},
		{NULL,
		 {"B"},
		 {{KEPT_407, STAYS}, {"HTTP/1.1 2", CLOSES}},
		 REUSED "CLOSED 407",
		 NULL},
		/* a new connection is not a reused one */
		{NULL,
		 {"B"},
		 {{HEAD_407 "\r\n", CLOSES}, {"", CLOSES}},
		 "connect send ask(407,Basic) connect send(B) CLOSED 407",
		 NULL},
	};

	(void)state;
	PLAY(scenes);
}

/* A leg of a handshake with the connection goes out once, and nowhere else. */
static void handshakes(void **state)
{
#define NTLM(fields)     "HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM" fields "\r\n"
#define BARE             NTLM("\r\nContent-Length: 4") "\r\nbody"
#define BARE_CLOSES      NTLM("\r\nConnection: close\r\nContent-Length: 0") "\r\n"
#define TWO              NTLM(" T2\r\nContent-Length: 4") "\r\nbody"
#define TWO_CHUNKED      NTLM(" T2\r\nTransfer-Encoding: chunked") "\r\n0\r\n\r\n"
#define TWO_CLOSES       NTLM(" T2\r\nConnection: close\r\nContent-Length: 4") "\r\nbody"
#define TWO_UNFRAMED     NTLM(" T2") "\r\nbody"
#define TOLD             "connect send ask(407,NTLM,kept) send(1) "
#define TOLD_AND_DONE    "ask(407,NTLM T2,kept) send(3) established 200"
#define BEGUN(challenge) "connect send(1) ask(407,NTLM T2" challenge ") "
	static const struct scene scenes[] = {
		{NULL,
		 {"1", "3"},
		 {{BARE, STAYS}, {TWO, STAYS}, THEN_OK},
		 TOLD TOLD_AND_DONE,
		 "SSH"},
		{NULL,
		 {"1", "3"},
		 {{BARE_CLOSES, CLOSES}, {TWO_CHUNKED, STAYS}, THEN_OK},
		 "connect send ask(407,NTLM) connect send(1) " TOLD_AND_DONE,
		 "SSH"},
		/* the first leg is known */
		{"1",
		 {"3"},
		 {{TWO, STAYS}, THEN_OK},
		 "connect send(1) " TOLD_AND_DONE,
		 "SSH"},
		{"1", {0}, {THEN_OK}, "connect send(1) established 200", "SSH"},
		{NULL, {"1"}, {{BARE, STAYS}, THEN_OK}, TOLD "established 200", "SSH"},
		/* T2 and the end: the next one is for a new connection */
		{"1",
		 {"1b", "3"},
		 {{TWO_CLOSES, CLOSES}, {TWO, STAYS}, THEN_OK},
		 BEGUN("") "connect send(1b) " TOLD_AND_DONE,
		 "SSH"},
		{"1", {0}, {{TWO_CLOSES, CLOSES}}, BEGUN("") "AUTH 407", NULL},
		{"1",
		 {"1b", "3"},
		 {{TWO_UNFRAMED, STAYS}, {TWO, STAYS}, THEN_OK},
		 BEGUN("") "connect send(1b) " TOLD_AND_DONE,
		 "SSH"},
		/* the connection ends under a leg, first or last, sent or not */
		{NULL,
		 {"1", "1b", "3"},
		 {{BARE, STAYS}, {"", CLOSES}, {TWO, STAYS}, THEN_OK},
		 TOLD "ask(0) connect send(1b) " TOLD_AND_DONE,
		 "SSH"},
		{NULL,
		 {"1", "1b", "3"},
		 {{BARE, STAYS}, {"", BREAKS}, {TWO, STAYS}, THEN_OK},
		 TOLD "ask(0) connect send(1b) " TOLD_AND_DONE,
		 "SSH"},
		{"1",
		 {"3", "1b", "3b"},
		 {{TWO, STAYS}, {"", CLOSES}, {TWO, STAYS}, THEN_OK},
		 BEGUN(",kept") "send(3) ask(0) connect send(1b) "
				"ask(407,NTLM T2,kept) send(3b) established 200",
		 "SSH"},
		{"1",
		 {"3"},
		 {{TWO, STAYS}, {"", BREAKS}},
		 BEGUN(",kept") "send(3) ask(0) AUTH 0",
		 NULL},
		/* nothing makes up for a new one that ends */
		{"1", {0}, {{"", CLOSES}}, "connect send(1) CLOSED 0", NULL},
		{"1",
		 {"3", "1b"},
		 {{TWO, STAYS}, {"", CLOSES}, {"", CLOSES}},
		 BEGUN(",kept") "send(3) ask(0) connect send(1b) CLOSED 0",
		 NULL},
		/* nor for one that had begun to answer */
		{"1",
		 {"3"},
		 {{TWO, STAYS}, {"HTTP/1.1 2", CLOSES}},
		 BEGUN(",kept") "send(3) CLOSED 407",
		 NULL},
		/* rejected */
		{"1",
		 {"3"},
		 {{TWO, STAYS}, {BARE, STAYS}},
		 BEGUN(",kept") "send(3) ask(407,NTLM,kept) AUTH 407",
		 NULL},
	};

	(void)state;
	scope = GP_SCOPE_CONNECTION;
	PLAY(scenes);
	scope = GP_SCOPE_PROXY;
}

static void garbage(void **state)
{
	static const struct scene scenes[] = {
		{NULL, {0}, {{"S", STAYS}}, "connect send SYNTAX 0", NULL},
		{NULL,
		 {0},
		 {{"SSH-2.0-OpenSSH\r\n", STAYS}},
		 "connect send SYNTAX 0",
		 NULL},
		{NULL,
		 {0},
		 {{"\r\nHTTP/1.1 200 OK\r\n\r\n", STAYS}},
		 "connect send SYNTAX 0",
		 0},
		{NULL, {0}, {{"HTTP/2", STAYS}}, "connect send SYNTAX 0", NULL},
		{NULL, {0}, {{"HTTP/0", STAYS}}, "connect send SYNTAX 0", NULL},
		{NULL,
		 {0},
		 {{"HTTP/1.1 2x0 OK\r\n\r\n", STAYS}},
		 "connect send SYNTAX 0",
		 NULL},
		{NULL,
		 {0},
		 {{"HTTP/1.1 20 OK\r\n\r\n", STAYS}},
		 "connect send SYNTAX 0",
		 NULL},
		{NULL,
		 {"B"},
		 {{KEPT_407, STAYS}, {"bodyHTTP/1.1 200 OK\r\n\r\n", STAYS}},
		 REUSED "SYNTAX 407",
		 NULL},
	};

	(void)state;
	PLAY(scenes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(success),
		cmocka_unit_test(interim_responses_are_skipped),
		cmocka_unit_test(challenge_on_a_kept_connection),
		cmocka_unit_test(challenge_and_reconnect),
		cmocka_unit_test(challenge_to_an_authorized_request),
		cmocka_unit_test(refusals),
		cmocka_unit_test(closed_connections),
		cmocka_unit_test(handshakes),
		cmocka_unit_test(garbage),
	};

	guard_init(&guard, 64 * 1024);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	guard_release(&guard);
	return failed;
}
