/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes requests on a connection to a proxy. The input is one octet of flags, and then
 * what the program, the proxy and the agent do: an octet from F0 on, and the bytes that
 * go with it (enum does). However it comes in pieces, the same goes both ways; what the
 * program has got rid of goes out once, whole and in order, a request again only whole;
 * and our authorization goes with requests alone.
 */
#include "replay.h"

#define REQUIRE must
#include "../unit/exchange_world.h"

#define INPUT_MAX 4096

enum flags { FORWARDS = 1, IS_KNOWN = 2, NO_TUNNEL = 4, IS_LAZY = 8, HAS_LEGS = 16 };

enum does {
	WRITES = 0xF0,
	SAYS,
	CLOSES, /* the proxy */
	READS_ALL,
	READS,   /* as many bytes as go with it */
	ANSWERS, /* with these bytes, if there are any, from here on; '+': and more */
	REFUSES, /* to answer */
	IS_DOWN, /* the proxy, from here on, */
	IS_UP,   /* and again */
	WONT_TUNNEL,
	LETS_GO, /* of half a head */
	IS_SILENT,
	IS_FULL, /* the connection, */
	TAKES,   /* and again */
	SPLICES, /* as many bytes as go with it, out of our sight */
	BREAKS
};

#define OURS "Basic OURSECRET"

/* What the program has got rid of, how much of that can have left the machine as it came,
 * and what of it is the request's body; and what the machine makes of it. */
struct model {
	char written[INPUT_MAX], body[INPUT_MAX];
	size_t written_len, gone, body_len;
	char sent[sizeof(((struct gp_exchange *)0)->out) + INPUT_MAX];
	size_t sent_len, due;
	bool is_raw, is_ours, over;
	char authorization[INPUT_MAX + 1];
	/* Of the last leg: the number of the connection that it is for, and whether it
	 * has gone out. */
	int made_for;
	bool spent;
};

struct result {
	uint64_t to_proxy, to_program; /* hashes */
	int connections, asks, verdicts;
	enum gp_exchange_want want;
};

static struct gp_exchange exchange;
static struct world world;
static struct model model;
static struct result result;

static char queue[INPUT_MAX]; /* what the program could not write yet */
static size_t queue_len;
static char answer[INPUT_MAX + 1];
static enum gp_scope scope;
static bool refuses, is_down, wont_tunnel;
static bool is_unclear; /* it makes a difference how things come in pieces */

static void hash(uint64_t *sum, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		*sum = (*sum ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001B3);
}

/* How many Proxy-Authorization fields are there, and how many of them have this value? */
static size_t count_fields(const char *head, size_t len, const char *value)
{
	struct gp_text expected = gp_text_trim(gp_text(value));
	static char copy[sizeof(model.sent)];
	struct gp_text rest = {copy, len}, line;
	struct gp_http_field field;
	size_t count = 0;

	memcpy(copy, head, len);
	line = gp_text_cut(&rest, "\n");
	must(line.p);
	while (gp_http_field_next(&rest, &field))
		if (gp_text_is(field.name, "proxy-authorization") &&
		    (!value || (field.value.len == expected.len &&
				!memcmp(field.value.p, expected.p, expected.len))))
			count++;
	return count;
}

/* --- what goes out --------------------------------------------------------------- */

static void check_request(void)
{
	size_t head = exchange.out_len;

	must(head > 4 && !memcmp(model.sent + head - 4, "\r\n\r\n", 4));
	if (model.is_ours)
		must(count_fields(model.sent, head, model.authorization) == 1 &&
		     count_fields(model.sent, head, NULL) == 1);
	if (exchange.leg == GP_LEG_PROBE) {
		must(model.sent_len == head);
		return;
	}
	must(model.sent_len - head == model.body_len);
	must(!memcmp(model.sent + head, model.body, model.body_len));
}

static void check_raw(const char *bytes, size_t len)
{
	const char *left = model.written + model.gone;
	const char *at = memmem(left, model.written_len - model.gone, bytes, len);

	must(at);
	model.gone = (size_t)(at - model.written) + len;
}

static void has_body(const char *bytes, size_t len)
{
	memcpy(model.body + model.body_len, bytes, len);
	model.body_len += len;
}

/* What had to wait for its turn. */
static void sends_queued(const char *bytes, size_t len)
{
	check_raw(bytes, len);
	if (exchange.leg == GP_LEG_REQUEST)
		has_body(bytes, len);
}

static void check_leg(void)
{
	must(model.made_for == result.connections && !model.spent);
	/* A response may come before a request that cannot go out yet. */
	must(!exchange.bound || is_unclear);
	model.spent = true;
}

/* Called before the machine hears of it. */
static void sends(const char *bytes, size_t len)
{
	if (!exchange.out_left && !exchange.copy_left) {
		sends_queued(bytes, len);
		return;
	}
	if (!model.due || (exchange.out_left && exchange.out_left == exchange.out_len)) {
		model.is_raw = !exchange.out_left;
		model.is_ours = exchange.sent_ours;
		if (!model.is_raw && model.is_ours && scope == GP_SCOPE_CONNECTION)
			check_leg();
		strcpy(model.authorization, exchange.authorization);
		/* Behind a challenge that was swallowed, has it arrived or not? */
		is_unclear |= exchange.reused && world.said_len > world.taken;
		model.sent_len = 0;
		if (!exchange.copy_len) /* for the first time */
			model.body_len = 0;
	}
	must(model.sent_len + len <= sizeof(model.sent));
	memcpy(model.sent + model.sent_len, bytes, len);
	model.sent_len += len;
	model.due = exchange.out_left + exchange.copy_left - len;
	if (model.due)
		return;
	if (model.is_raw)
		check_raw(model.sent, model.sent_len);
	else
		check_request();
}

static void gets(struct world *w, const char *bytes, size_t len)
{
	(void)w;
	must(!world.full);
	hash(&result.to_proxy, bytes, len);
	if (gp_exchange_want(&exchange) == GP_EXCHANGE_SEND)
		sends(bytes, len);
}

static void took(struct world *w, enum gp_exchange_accept how, const char *bytes,
		 size_t len)
{
	(void)w;
	memcpy(model.written + model.written_len, bytes, len);
	model.written_len += len;
	if (how == GP_ACCEPT_PASS)
		has_body(bytes, len);
}

/* --- the others ------------------------------------------------------------------ */

static bool connects(struct world *w)
{
	(void)w;
	/* For a request that has no response yet, and behind none. */
	must(exchange.unread == !!exchange.head_len);
	must(exchange.unanswered || !exchange.head_len);
	result.connections++;
	hash(&result.to_proxy, "another connection", 18);
	return !is_down;
}

static enum world_tunnel tunnels(struct world *w)
{
	(void)w;
	must(!exchange.unread);
	hash(&result.to_proxy, "a tunnel", 8);
	return is_down ? WORLD_BREAKS : wont_tunnel ? WORLD_REFUSES : WORLD_TUNNELS;
}

static struct gp_authorization make_answer(int connection)
{
	struct gp_authorization made = {.value = answer, .scope = scope};

	model.made_for = connection;
	model.spent = false;
	if (refuses)
		made.value = NULL;
	else if (*answer == '+')
		made.more = true, made.value = answer[1] ? answer + 1 : NULL;
	return made;
}

static struct gp_authorization answers(struct world *w,
				       const struct gp_exchange_challenge *challenge)
{
	(void)w;
	must(challenge->status == 407 ||
	     (challenge->status == 401 && challenge->offered) ||
	     (challenge->status == 0 && challenge->offered && !challenge->kept &&
	      scope == GP_SCOPE_CONNECTION && !challenge->head->fields.len));
	must(challenge->head->status == challenge->status);
	must(challenge->method.len && challenge->uri.len);
	must(exchange.rounds >= 1 && exchange.rounds <= GP_ROUNDS_MAX);
	result.asks++;
	return make_answer(result.connections + !challenge->kept);
}

static struct gp_authorization authorizes(struct world *w,
					  const struct gp_exchange_challenge *request)
{
	(void)w;
	must(request->method.len && request->uri.len);
	must(scope == GP_SCOPE_CONNECTION && !exchange.bound);
	result.asks++;
	return make_answer(result.connections);
}

static void hears(struct world *w, int status)
{
	(void)w;
	must(status >= 100 && status <= 999 && status != 407);
	result.verdicts++;
}

/* --- the program ----------------------------------------------------------------- */

static void check_state(void)
{
	must(exchange.head_len <= sizeof(exchange.head));
	must(exchange.out_len <= sizeof(exchange.out));
	must(exchange.copy_len <= sizeof(exchange.copy));
	must(exchange.out_left <= exchange.out_len);
	must(exchange.copy_left <= exchange.copy_len);
	must(memchr(exchange.authorization, '\0', sizeof(exchange.authorization)));
	must(!model.over || exchange.phase == GP_PHASE_OVER);
	model.over = exchange.phase == GP_PHASE_OVER;
}

static void write_queue(void)
{
	size_t taken = world_write(&world, queue, queue_len);

	must(taken <= queue_len);
	memmove(queue, queue + taken, queue_len - taken);
	queue_len -= taken;
}

static void writes(const char *bytes, size_t len)
{
	must(queue_len + len <= sizeof(queue));
	is_unclear |= exchange.hurry; /* nobody writes after that */
	memcpy(queue + queue_len, bytes, len);
	queue_len += len;
	write_queue();
}

/* What nobody has asked for, behind the last response on a connection, is the program's
 * if it comes with that. */
static void leaves_connection(void)
{
	is_unclear |= gp_exchange_want(&exchange) == GP_EXCHANGE_RECONNECT &&
		      world.said_len > world.taken;
}

static void reads(size_t count)
{
	char room[512];
	size_t got = 1;

	while (count && got) {
		got = world_read(&world, room, world_min(count, sizeof(room)));
		hash(&result.to_program, room, got);
		count -= got;
		leaves_connection();
	}
}

/* The library reads no more than it may, and says how much it was. */
static void splices(size_t count)
{
	enum world_rest rest = world_step(&world, true);

	if (rest == WORLD_FAILED || (rest != WORLD_OVER && !gp_exchange_shows(&exchange)))
		return;
	while (world_arrive(&world))
		;
	count = world_min(count, world_waiting(&world));
	if (!count)
		return;
	if (rest != WORLD_OVER && gp_exchange_is_bounded(&exchange))
		count = gp_exchange_bound(&exchange, world_peek(&world, count), count);
	hash(&result.to_program, world.said + world.taken, count);
	world.taken += count;
	if (rest != WORLD_OVER)
		gp_exchange_lost(&exchange, count);
	leaves_connection();
}

static void says(const char *bytes, size_t len)
{
	if (!world.ended)
		world_say(&world, bytes, len);
}

static void learns(const char *bytes, size_t len)
{
	refuses = false;
	if (len) {
		memcpy(answer, bytes, len);
		answer[len] = '\0';
	}
}

static void does(enum does what, const char *bytes, size_t len)
{
	switch (what) {
	case WRITES:
		writes(bytes, len);
		break;
	case SAYS:
		says(bytes, len);
		break;
	case CLOSES:
		world.ended = true;
		break;
	case READS_ALL:
		reads(SIZE_MAX);
		break;
	case READS:
		reads(len);
		break;
	case ANSWERS:
		learns(bytes, len);
		break;
	case REFUSES:
		refuses = true;
		break;
	case IS_DOWN:
	case IS_UP:
		is_down = what == IS_DOWN;
		break;
	case WONT_TUNNEL:
		wont_tunnel = true;
		break;
	case LETS_GO:
		gp_exchange_let_go(&exchange);
		break;
	case IS_SILENT:
		gp_exchange_give_up(&exchange);
		break;
	case IS_FULL:
	case TAKES:
		is_unclear = true; /* who notices when */
		world.full = what == IS_FULL;
		break;
	case SPLICES:
		splices(len);
		break;
	case BREAKS:
		is_unclear = true;
		world.broken = true;
		break;
	}
}

static bool is_op(uint8_t octet)
{
	return octet >= WRITES;
}

static void begin(uint8_t flags, size_t piece)
{
	static const struct world_people people = {
		.gets = gets,
		.connects = connects,
		.tunnels = tunnels,
		.answers = answers,
		.authorizes = authorizes,
		.hears_verdict = hears,
		.took = took,
	};
	const struct gp_exchange_way way = {
		.authority = flags & FORWARDS ? "10.0.0.1:80" : NULL,
		.authorization.value = flags & IS_KNOWN ? OURS : NULL,
		.authorization.scope =
			flags & HAS_LEGS ? GP_SCOPE_CONNECTION : GP_SCOPE_PROXY,
		.no_tunnel = flags & NO_TUNNEL,
	};

	world.exchange = &exchange;
	world.people = &people;
	world.lazy = flags & IS_LAZY;
	model.written_len = model.gone = model.body_len = 0;
	model.sent_len = model.due = 0;
	model.over = model.spent = false;
	model.made_for = 0;
	scope = way.authorization.scope;
	result = (struct result){0};
	queue_len = 0;
	strcpy(answer, OURS);
	refuses = is_down = wont_tunnel = false;
	world_begin(&world, &way, 0, piece);
}

static struct result run(const uint8_t *data, size_t size, size_t piece)
{
	begin(data[0], piece);
	for (size_t at = 1, end; at < size; at = end) {
		for (end = at + 1; end < size && !is_op(data[end]); end++)
			;
		if (!is_op(data[at]))
			continue;
		does(data[at], (const char *)data + at + 1, end - at - 1);
		check_state();
		write_queue();
		check_state();
	}
	result.want = gp_exchange_want(&exchange);
	gp_exchange_clear(&exchange);
	must(!memmem(exchange.out, sizeof(exchange.out), "OURSECRET", 9));
	must(!exchange.authorization[0]);
	return result;
}

static bool is_same(const struct result *a, const struct result *b)
{
	return a->to_proxy == b->to_proxy && a->to_program == b->to_program &&
	       a->connections == b->connections && a->asks == b->asks &&
	       a->verdicts == b->verdicts && a->want == b->want;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = {1, 3, 61};
	struct result whole;

	if (!size || size > INPUT_MAX)
		return 0;
	if (!world.guard.map)
		world_init(&world);
	is_unclear = data[0] & IS_LAZY;
	whole = run(data, size, SIZE_MAX);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct result other = run(data, size, pieces[i]);

		must(is_same(&whole, &other) || is_unclear);
	}
	return 0;
}
