/* SPDX-License-Identifier: MIT */
/*
 * The world around an exchange, in memory, for its tests: does what the library does with
 * a socket, for a program that writes and reads, with a proxy that says what a script
 * tells it. All comes in pieces, and nothing depends on how fast: what the proxy says
 * arrives when it is looked for, or not before the program can do nothing else (`lazy`).
 *
 * REQUIRE(condition) is the including file's.
 */
#ifndef GATEPASS_TEST_EXCHANGE_WORLD_H
#define GATEPASS_TEST_EXCHANGE_WORLD_H

#include <gatepass/exchange.h>

#include "guard.h"

#define WORLD_STEPS_MAX 2000000

struct world;

enum world_tunnel { WORLD_TUNNELS, WORLD_REFUSES, WORLD_BREAKS };

/* What others do. */
struct world_people {
	/* The proxy gets bytes; it may world_say() something at once. */
	void (*gets)(struct world *world, const char *bytes, size_t len);
	/* A new connection to the proxy; false: there is none. */
	bool (*connects)(struct world *world);
	/* CONNECT succeeds, is refused by policy, or fails. */
	enum world_tunnel (*tunnels)(struct world *world);
	/* The agent's answer to a challenge; and what a request goes out with. */
	struct gp_authorization (*answers)(struct world *world,
					   const struct gp_exchange_challenge *challenge);
	struct gp_authorization (*authorizes)(
		struct world *world, const struct gp_exchange_challenge *request);
	void (*hears_verdict)(struct world *world, int status); /* the agent, too */
	/* The program's bytes have been taken, and are held, or have gone out. May be
	 * NULL. */
	void (*took)(struct world *world, enum gp_exchange_accept how, const char *bytes,
		     size_t len);
};

struct world {
	struct gp_exchange *exchange;
	const struct world_people *people;
	void *script; /* theirs */
	struct guard guard;

	/* How many bytes go at a time: the first time of each call, answer or request,
	 * and then. */
	size_t first, piece;
	bool lazy;

	/* The socket: what the proxy has said on this connection, how much of it has
	 * arrived, and how much of that is taken. */
	char *said;
	size_t said_len, said_cap, arrived, taken;
	size_t next, needs;
	bool ended;  /* nothing comes behind what is said, */
	bool reset;  /* but an error */
	bool full;   /* it takes nothing more */
	bool broken; /* sending fails */
	unsigned steps;
};

enum world_rest { WORLD_IDLE, WORLD_WAITS, WORLD_OVER, WORLD_FAILED };

static inline void world_init(struct world *world)
{
	memset(world, 0, sizeof(*world));
	guard_init(&world->guard, GP_HEAD_MAX);
}

static inline void world_release(struct world *world)
{
	guard_release(&world->guard);
	free(world->said);
}

static inline void world_connect(struct world *world)
{
	world->said_len = world->arrived = world->taken = 0;
	world->ended = world->reset = world->full = world->broken = false;
	world->needs = 1;
}

/* A connection, and nothing known of it. */
static inline void world_begin(struct world *world, const struct gp_exchange_way *way,
			       size_t first, size_t piece)
{
	world->first = first ? first : piece;
	world->piece = piece;
	world->steps = 0;
	world_connect(world);
	gp_exchange_init(world->exchange, way);
}

static inline void world_say(struct world *world, const char *bytes, size_t len)
{
	REQUIRE(!world->ended);
	if (world->said_cap < world->said_len + len) {
		world->said_cap = 2 * (world->said_len + len);
		world->said = realloc(world->said, world->said_cap);
		REQUIRE(world->said);
	}
	if (len)
		memcpy(world->said + world->said_len, bytes, len);
	world->said_len += len;
	world->next = world->first;
}

static inline size_t world_waiting(const struct world *world)
{
	return world->arrived - world->taken;
}

/* False if there is nothing that could. */
static inline bool world_arrive(struct world *world)
{
	size_t left = world->said_len - world->arrived;

	if (!left)
		return false;
	world->arrived += left < world->next ? left : world->next;
	world->next = world->piece;
	return true;
}

static inline char *world_peek(struct world *world, size_t len)
{
	return guard_copy(&world->guard, GUARD_TAIL, world->said + world->taken, len);
}

static inline size_t world_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* --- what the exchange wants ---------------------------------------------------- */

/* False if nothing can be sent. */
static inline bool world_send(struct world *world)
{
	size_t len, count;
	const char *out = gp_exchange_output(world->exchange, &len);

	REQUIRE(len > 0);
	if (world->full || world->broken)
		return false;
	count = world_min(len, world->piece);
	world->people->gets(world, out, count);
	gp_exchange_sent(world->exchange, count);
	return true;
}

static inline void world_show(struct world *world)
{
	struct gp_exchange *exchange = world->exchange;
	size_t len = world_min(world_waiting(world), GP_HEAD_MAX);
	size_t used = gp_exchange_saw(exchange, world_peek(world, len), len);

	REQUIRE(used <= len);
	world->taken += used;
	world->needs = 1;
	if (!used && gp_exchange_looks(exchange)) {
		world->needs = gp_exchange_needs(exchange);
		REQUIRE(world->needs > len && world->needs <= GP_HEAD_MAX);
	}
}

static inline bool world_look(struct world *world, bool time_passes)
{
	while (world_waiting(world) < world->needs) {
		if (!time_passes)
			return false;
		if (world_arrive(world))
			continue;
		if (!world->ended)
			return false;
		world->needs = 1;
		gp_exchange_closed(world->exchange, world->reset);
		return true;
	}
	world_show(world);
	return true;
}

/* The proxy may have said why it takes nothing. False if that has to be waited for. */
static inline bool world_is_stuck(struct world *world, bool time_passes)
{
	if (gp_exchange_looks(world->exchange) && world_look(world, time_passes))
		return true;
	if (world->broken)
		gp_exchange_closed(world->exchange, true);
	return world->broken;
}

static inline void world_ask(struct world *world)
{
	struct gp_exchange_challenge challenge;
	struct gp_authorization answer;

	gp_exchange_challenge(world->exchange, &challenge);
	answer = world->people->answers(world, &challenge);
	if (answer.value || answer.more)
		gp_exchange_answer(world->exchange, &answer);
	else
		gp_exchange_refuse(world->exchange);
}

static inline void world_authorize(struct world *world)
{
	struct gp_exchange_challenge request;
	struct gp_authorization answer;

	gp_exchange_challenge(world->exchange, &request);
	answer = world->people->authorizes(world, &request);
	gp_exchange_authorized(world->exchange, &answer);
}

static inline void world_reconnect(struct world *world)
{
	world_connect(world);
	if (world->people->connects(world))
		gp_exchange_connected(world->exchange);
	else
		gp_exchange_closed(world->exchange, true);
}

static inline void world_tunnel(struct world *world)
{
	world_connect(world);
	switch (world->people->tunnels(world)) {
	case WORLD_TUNNELS:
		gp_exchange_tunnelled(world->exchange);
		break;
	case WORLD_REFUSES:
		gp_exchange_untunnelled(world->exchange);
		break;
	case WORLD_BREAKS:
		gp_exchange_closed(world->exchange, true);
		break;
	}
}

static inline enum world_rest world_step(struct world *world, bool time_passes)
{
	for (;;) {
		int status = gp_exchange_take_verdict(world->exchange);

		if (status)
			world->people->hears_verdict(world, status);
		REQUIRE(world->steps++ < WORLD_STEPS_MAX);
		switch (gp_exchange_want(world->exchange)) {
		case GP_EXCHANGE_NOTHING:
			return WORLD_IDLE;
		case GP_EXCHANGE_SEND:
			if (!world_send(world) && !world_is_stuck(world, time_passes))
				return WORLD_WAITS;
			break;
		case GP_EXCHANGE_LOOK:
			if (!world_look(world, time_passes))
				return WORLD_WAITS;
			break;
		case GP_EXCHANGE_ASK:
			world_ask(world);
			break;
		case GP_EXCHANGE_AUTHORIZE:
			world_authorize(world);
			break;
		case GP_EXCHANGE_RECONNECT:
			world_reconnect(world);
			break;
		case GP_EXCHANGE_TUNNEL:
			world_tunnel(world);
			break;
		case GP_EXCHANGE_OVER:
			return WORLD_OVER;
		case GP_EXCHANGE_FAILED:
			return WORLD_FAILED;
		}
	}
}

/* --- the program ---------------------------------------------------------------- */

static inline void world_took(struct world *world, enum gp_exchange_accept how,
			      const char *bytes, size_t len)
{
	if (world->people->took)
		world->people->took(world, how, bytes, len);
}

static inline size_t world_hold(struct world *world, const char *bytes, size_t len)
{
	char *copy = guard_copy(&world->guard, GUARD_TAIL, bytes, len);
	size_t taken = gp_exchange_hold(world->exchange, copy, len);

	REQUIRE(taken > 0 && taken <= len);
	world_took(world, GP_ACCEPT_HOLD, bytes, taken);
	return taken;
}

/* Of a body. Returns 0 if they have to wait. */
static inline size_t world_pass(struct world *world, const char *bytes, size_t len)
{
	char *copy = guard_copy(&world->guard, GUARD_TAIL, bytes, len);
	size_t room = gp_exchange_room(world->exchange, copy, len);
	bool discards = gp_exchange_discards(world->exchange);

	REQUIRE(room > 0 && room <= len);
	if (!discards && (world->full || world->broken))
		return 0;
	if (!discards)
		world->people->gets(world, bytes, room);
	gp_exchange_passed(world->exchange, copy, room);
	world_took(world, GP_ACCEPT_PASS, bytes, room);
	return room;
}

/* As send(2) of a program that does not block, so often as it makes a difference. Returns
 * how many bytes were taken. */
static inline size_t world_write(struct world *world, const char *bytes, size_t len)
{
	size_t done = 0, count = world->first, passed;

	while (done < len) {
		enum world_rest rest = world_step(world, !world->lazy);

		if (rest == WORLD_FAILED)
			break;
		count = world_min(world_min(count, len - done), GP_HEAD_MAX);
		switch (gp_exchange_accepts(world->exchange)) {
		case GP_ACCEPT_HOLD:
			done += world_hold(world, bytes + done, count);
			break;
		case GP_ACCEPT_PASS:
			passed = world_pass(world, bytes + done, count);
			if (!passed)
				return done;
			done += passed;
			break;
		case GP_ACCEPT_WAIT:
			world_step(world, true);
			if (gp_exchange_accepts(world->exchange) == GP_ACCEPT_WAIT)
				return done;
			break;
		case GP_ACCEPT_OVER:
			if (world->full || world->broken)
				return done;
			world->people->gets(world, bytes + done, count);
			world_took(world, GP_ACCEPT_OVER, bytes + done, count);
			done += count;
			break;
		}
		count = world->piece;
	}
	world_step(world, !world->lazy);
	return done;
}

/* As recv(2): the program gets some of what waits, at most `len`, into `out`. 0: there is
 * nothing, and nothing will come but after what the program does. */
static inline size_t world_read(struct world *world, char *out, size_t len)
{
	struct gp_exchange *exchange = world->exchange;

	len = world_min(len, world->piece);
	for (;;) {
		enum world_rest rest = world_step(world, true);
		size_t count =
			world_min(world_min(world_waiting(world), len), GP_HEAD_MAX);

		if (rest == WORLD_FAILED ||
		    (rest != WORLD_OVER && !gp_exchange_shows(exchange)))
			return 0;
		if (!count && world_arrive(world))
			continue;
		if (!count)
			return 0;
		if (rest != WORLD_OVER && gp_exchange_is_bounded(exchange)) {
			size_t bound = gp_exchange_bound(exchange,
							 world_peek(world, count), count);

			REQUIRE(bound > 0 && bound <= count);
			count = bound;
		}
		memcpy(out, world->said + world->taken, count);
		world->taken += count;
		if (rest != WORLD_OVER)
			gp_exchange_received(exchange, out, count);
		world->ended |= gp_exchange_take_end(exchange);
		return count;
	}
}

#endif
