/* SPDX-License-Identifier: MIT */
/*
 * An exchange over a socket.
 *
 * Theory of operation: everything is in one mapping, as for a handshake. The exchange
 * says what it wants; what cannot be done at once is waited for by whoever touches the
 * socket next, or waits for it. An agent is asked over a link that is open only
 * meanwhile, or until the verdict if it wants to hear that, so that a connection that is
 * kept open for long has no descriptor but the program's own.
 *
 * A response of which too little has come to know whose it is stays in the socket, whose
 * SO_RCVLOWAT is raised, so that nobody wakes up for what has been seen already.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <gatepass/exchange.h>

#include "advice.h"
#include "carrier.h"
#include "errno_of.h"
#include "handshake.h"
#include "libc.h"
#include "log.h"
#include "route.h"
#include "tcp.h"

/* How long a program may say nothing, or nothing that tells, on a connection that
 * requests are forwarded over, until we take it for one of another protocol
 * (milliseconds). */
#define SILENCE_MS 1000

/* How often something is looked for that another process may take, or bring about. */
#define SHARED_MS 20

/* How large a socket's buffer is made for a head. */
#define ROOM_MAX (4 * 1024 * 1024)

struct carrier {
	struct tcp tcp;
	union gp_address destination;
	struct route route; /* its texts are in the exchange */
	unsigned address;   /* the one of route.proxies that is being used */
	unsigned failed;    /* how many have been tried in vain */
	bool connecting;    /* to it, anew */
	bool asking;
	bool inherited;   /* from a parent, and nothing sent since */
	bool held_back;   /* the program has tried to send, in vain */
	bool has_left;    /* the last step has left bytes in the socket */
	bool half_closed; /* the program sends no more; */
	bool shut;        /* and the kernel knows */
	int error;        /* that the next call is to get */
	int last_error;   /* why the connection ended that we had */
	int low_water;    /* that we have set; 0: none */
	int64_t deadline; /* of connecting, asking */
	int64_t silence;  /* when to give up that the program speaks HTTP */
	struct wait wait;
	struct handshake *handshake; /* of a tunnel after all */
	struct advice advice;
	struct link link;
	struct gp_exchange exchange;
	char look[GP_HEAD_MAX];
};

/* Of each connection that carries requests; most of it is never touched. */
_Static_assert(sizeof(struct carrier) < 2 * 1024 * 1024, "a carrier is below 2 MiB");

static const char *authority_of(const struct route *route)
{
	return route->way == WAY_OBSERVE ? NULL : route->authority;
}

struct carrier *carrier_new(int fd, const union gp_address *destination,
			    const struct route *route)
{
	struct carrier *carrier =
		mmap(NULL, sizeof(*carrier), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	const struct gp_exchange_way way = {
		.authority = authority_of(route),
		.authorization = route->authorization,
		.no_tunnel = route->way == WAY_TUNNEL,
	};

	if (carrier == MAP_FAILED)
		return NULL;
	tcp_adopt(&carrier->tcp, fd);
	carrier->destination = *destination;
	carrier->route = *route;
	carrier->silence = clock_now() + SILENCE_MS;
	carrier->last_error = way.no_tunnel ? EACCES : 0;
	link_init(&carrier->link);
	gp_exchange_init(&carrier->exchange, &way);
	return carrier;
}

void carrier_free(struct carrier *carrier)
{
	int saved_errno = errno;

	if (carrier->handshake)
		handshake_free(carrier->handshake);
	link_clear(&carrier->link);
	gp_exchange_clear(&carrier->exchange);
	explicit_bzero(carrier->look, sizeof(carrier->look));
	munmap(carrier, sizeof(*carrier));
	errno = saved_errno;
}

void carrier_after_fork(struct carrier *carrier, bool in_child)
{
	gp_exchange_share(&carrier->exchange);
	if (!in_child)
		return;
	carrier->inherited = true;
	link_after_fork(&carrier->link);
	if (carrier->handshake)
		handshake_after_fork(carrier->handshake);
}

void carrier_use(struct carrier *carrier, int fd)
{
	if (carrier->wait.fd == carrier->tcp.fd)
		carrier->wait.fd = fd;
	carrier->tcp.fd = fd;
	if (carrier->handshake)
		handshake_use(carrier->handshake, fd);
}

int carrier_error(const struct carrier *carrier)
{
	return carrier->error;
}

struct wait carrier_wait(const struct carrier *carrier)
{
	struct handshake *handshake = carrier->handshake;

	return handshake && !handshake_is_elsewhere(handshake) ? handshake_wait(handshake)
							       : carrier->wait;
}

short carrier_hidden(const struct carrier *carrier)
{
	const struct gp_exchange *exchange = &carrier->exchange;
	bool waits = gp_exchange_accepts(exchange) == GP_ACCEPT_WAIT;
	short hidden = 0;

	if (gp_exchange_is_undecided(exchange) || !gp_exchange_shows(exchange))
		hidden |= POLLIN;
	/* A program that has nothing to send need not know that it could not. */
	if (waits &&
	    (carrier->held_back || gp_exchange_want(exchange) != GP_EXCHANGE_LOOK))
		hidden |= POLLOUT;
	return hidden;
}

/* --- what the exchange wants ---------------------------------------------------------
 */

static enum progress wait_for(struct carrier *carrier, short events, int64_t until)
{
	carrier->wait =
		(struct wait){.fd = carrier->tcp.fd, .events = events, .until = until};
	return PROGRESS_WAIT;
}

static void set_low_water(struct carrier *carrier, int bytes)
{
	int value = bytes ? bytes : carrier->tcp.receive_low_water;

	if (bytes == carrier->low_water)
		return;
	carrier->low_water = bytes;
	real_setsockopt(carrier->tcp.fd, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value));
}

static bool consume(struct carrier *carrier, size_t len)
{
	while (len) {
		ssize_t taken =
			real_recv(carrier->tcp.fd, carrier->look, len, MSG_DONTWAIT);

		if (taken > 0)
			len -= (size_t)taken;
		else if (!taken || errno != EINTR)
			return false;
	}
	return true;
}

/* `error`: what the program is to get if nothing else comes of it. */
static enum progress connection_ended(struct carrier *carrier, int error)
{
	struct gp_exchange *exchange = &carrier->exchange;

	set_low_water(carrier, 0);
	carrier->last_error = error;
	gp_exchange_closed(exchange, error != 0);
	if (exchange->phase == GP_PHASE_OVER)
		carrier->error = error;
	return PROGRESS_DONE;
}

static int buffer_size(int fd)
{
	int size = 0;
	socklen_t len = sizeof(size);

	real_getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len);
	return size;
}

/*
 * What waits unread fills the socket's buffer, if only because the octets before it are
 * freed together with it: the kernel takes no more. It enlarges the buffer for a low
 * water mark, or by SO_RCVBUF where the program has set that; the next look tells the
 * proxy. False: it is large enough, or cannot be larger.
 */
static bool make_room(struct carrier *carrier)
{
	int fd = carrier->tcp.fd, size = buffer_size(fd), needs = carrier->low_water;

	if (size >= ROOM_MAX)
		return false;
	set_low_water(carrier, 2 * size);
	set_low_water(carrier, needs);
	if (buffer_size(fd) == size)
		real_setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return buffer_size(fd) > size;
}

/* Nothing comes before what is there is taken. */
static enum progress is_full(struct carrier *carrier)
{
	if (make_room(carrier))
		return PROGRESS_DONE;
	set_low_water(carrier, 0);
	gp_exchange_cannot_wait(&carrier->exchange);
	return PROGRESS_DONE;
}

/* Too little for a decision: waits for more, unless that cannot come any more. The end
 * may have come behind the rest, since we looked. */
static enum progress need_more(struct carrier *carrier, size_t seen)
{
	bool shared = carrier->exchange.shared;
	struct pollfd pollfd = {.fd = carrier->tcp.fd, .events = POLLRDHUP};
	int there = 0;

	/* One who reads in another process would wait for what we want. */
	if (!shared) {
		set_low_water(carrier, (int)gp_exchange_needs(&carrier->exchange));
		pollfd.events |= POLLIN;
	}
	if (real_poll(&pollfd, 1, 0) > 0) {
		real_ioctl(carrier->tcp.fd, FIONREAD, &there);
		if ((size_t)there > seen)
			return PROGRESS_DONE;
		return pollfd.revents == POLLIN ? is_full(carrier)
						: connection_ended(carrier, 0);
	}
	if (shared)
		return wait_for(carrier, 0, clock_now() + SHARED_MS);
	return wait_for(carrier, POLLIN, CLOCK_NEVER);
}

static enum progress look(struct carrier *carrier)
{
	struct gp_exchange *exchange = &carrier->exchange;
	ssize_t seen = real_recv(carrier->tcp.fd, carrier->look, sizeof(carrier->look),
				 MSG_PEEK | MSG_DONTWAIT);
	size_t used;

	if (seen < 0 && errno == EAGAIN)
		return wait_for(carrier, POLLIN, CLOCK_NEVER);
	if (seen < 0 && errno == EINTR)
		return PROGRESS_DONE;
	if (seen <= 0)
		return connection_ended(carrier, seen ? errno : 0);
	used = gp_exchange_saw(exchange, carrier->look, (size_t)seen);
	carrier->has_left = (size_t)seen > used;
	if (!used && gp_exchange_looks(exchange))
		return need_more(carrier, (size_t)seen);
	set_low_water(carrier, 0);
	return consume(carrier, used) ? PROGRESS_DONE
				      : connection_ended(carrier, ECONNRESET);
}

static enum progress send_output(struct carrier *carrier)
{
	struct gp_exchange *exchange = &carrier->exchange;
	size_t len;
	const char *bytes = gp_exchange_output(exchange, &len);
	ssize_t sent =
		real_send(carrier->tcp.fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	int error = errno;

	if (sent >= 0)
		gp_exchange_sent(exchange, (size_t)sent);
	if (sent >= 0 || error == EINTR)
		return PROGRESS_DONE;
	/* The proxy may have said why it takes nothing more. */
	if (gp_exchange_looks(exchange) && look(carrier) == PROGRESS_DONE)
		return PROGRESS_DONE;
	if (error == EAGAIN)
		return wait_for(carrier,
				gp_exchange_looks(exchange) ? POLLIN | POLLOUT : POLLOUT,
				CLOCK_NEVER);
	return connection_ended(carrier, error);
}

/* --- the agent -----------------------------------------------------------------------
 */

static void describe_challenge(const struct carrier *carrier, struct challenge *out)
{
	struct gp_exchange_challenge challenge;

	gp_exchange_challenge(&carrier->exchange, &challenge);
	*out = (struct challenge){
		.status = challenge.status,
		.kept = challenge.kept,
		.persistent = challenge.persistent,
		.bodiless = challenge.bodiless,
		.method = challenge.method,
		.uri = challenge.uri,
		.fields = challenge.head->fields,
		.offered = gp_text(challenge.offered),
		.destination = &carrier->destination,
	};
}

static void begin_ask(struct carrier *carrier, const struct challenge *challenge)
{
	carrier->asking = true;
	carrier->advice = (struct advice){0};
	carrier->deadline = clock_now() + GP_DEADLINE * 1000;
	advice_begin(&carrier->advice, &carrier->link, challenge);
}

static enum progress wait_for_agent(struct carrier *carrier)
{
	if (carrier->link.extended > carrier->deadline)
		carrier->deadline = carrier->link.extended;
	carrier->wait = link_wait(&carrier->link);
	if (carrier->deadline < carrier->wait.until)
		carrier->wait.until = carrier->deadline;
	return PROGRESS_WAIT;
}

static enum progress ask(struct carrier *carrier)
{
	struct challenge challenge;
	struct gp_authorization answer;
	enum progress progress;

	if (carrier->shut)
		gp_exchange_not_kept(&carrier->exchange);
	describe_challenge(carrier, &challenge);
	if (!carrier->asking)
		begin_ask(carrier, &challenge);
	progress = advice_step(&carrier->advice, &carrier->link, &challenge, &answer);
	if (progress == PROGRESS_WAIT && clock_now() < carrier->deadline)
		return wait_for_agent(carrier);
	carrier->asking = false;
	if (progress == PROGRESS_DONE && (answer.value || answer.more)) {
		gp_exchange_answer(&carrier->exchange, &answer);
	} else {
		gp_exchange_refuse(&carrier->exchange);
		link_clear(&carrier->link);
	}
	return PROGRESS_DONE;
}

static void ask_for_request(struct carrier *carrier)
{
	struct gp_exchange_challenge request;
	struct route_question question = {.destination = &carrier->destination};

	gp_exchange_challenge(&carrier->exchange, &request);
	question.method = request.method;
	question.uri = request.uri;
	question.bodiless = request.bodiless;
	carrier->asking = true;
	carrier->deadline = clock_now() + GP_DEADLINE * 1000;
	link_close(&carrier->link); /* of a handshake that came to nothing */
	route_ask(&carrier->link, &question);
}

/* Does the agent want to hear what comes of it? */
static bool is_settled(const struct route *route)
{
	return route->settled || !route->authorization.value;
}

/* What a request goes out with. */
static enum progress authorize(struct carrier *carrier)
{
	struct gp_wire answer;
	struct route route;
	enum progress progress;

	if (!carrier->asking)
		ask_for_request(carrier);
	progress = link_step(&carrier->link, &answer);
	if (progress == PROGRESS_WAIT && clock_now() < carrier->deadline)
		return wait_for_agent(carrier);
	carrier->asking = false;
	if (progress != PROGRESS_DONE || route_answer(&route, &answer))
		route = (struct route){.settled = true};
	gp_exchange_authorized(&carrier->exchange, &route.authorization);
	if (is_settled(&route))
		link_clear(&carrier->link);
	return PROGRESS_DONE;
}

/* The agent waits for what becomes of an answer. */
static void tell_verdict(struct carrier *carrier)
{
	int status = gp_exchange_take_verdict(&carrier->exchange);
	struct link *link = &carrier->link;

	if (!status || link->state == LINK_CLOSED)
		return;
	link_begin(link, "outcome");
	gp_wire_add_uint(&link->out, "status", (unsigned)status);
	gp_wire_add_uint(&link->out, "authorized", 1);
	advice_add_info(link, gp_exchange_verdict_fields(&carrier->exchange));
	link_tell(link);
	link_clear(link);
}

/* --- connections ---------------------------------------------------------------------
 */

static enum progress lost(struct carrier *carrier, int error)
{
	log_line(LOG_WARN, "the connection to the proxy is lost: %s", strerror(error));
	carrier->connecting = false;
	return connection_ended(carrier, error);
}

static enum progress connected(struct carrier *carrier)
{
	carrier->connecting = carrier->shut = carrier->has_left = false;
	gp_exchange_connected(&carrier->exchange);
	return PROGRESS_DONE;
}

static void pass_over(struct carrier *carrier, int error)
{
	carrier->last_error = error;
	carrier->failed++;
	carrier->address = (carrier->address + 1) % carrier->route.count;
}

/* Each address may take its share of the time that is left. */
static int64_t share(const struct carrier *carrier)
{
	int64_t now = clock_now();

	return now + (carrier->deadline - now) / (carrier->route.count - carrier->failed);
}

static enum progress try_address(struct carrier *carrier)
{
	while (carrier->failed < carrier->route.count) {
		switch (tcp_connect(&carrier->tcp,
				    &carrier->route.proxies[carrier->address])) {
		case PROGRESS_DONE:
			return connected(carrier);
		case PROGRESS_WAIT:
			return wait_for(carrier, POLLOUT, share(carrier));
		case PROGRESS_FAILED:
			pass_over(carrier, errno);
			break;
		}
	}
	return lost(carrier, carrier->last_error);
}

/* The address that we had is the first to be tried. */
static enum progress reconnect(struct carrier *carrier)
{
	set_low_water(carrier, 0);
	if (!carrier->connecting) {
		carrier->connecting = true;
		carrier->failed = 0;
		carrier->deadline = clock_now() + GP_DEADLINE * 1000;
		return try_address(carrier);
	}
	switch (tcp_connected(&carrier->tcp)) {
	case PROGRESS_DONE:
		return connected(carrier);
	case PROGRESS_FAILED:
		pass_over(carrier, errno);
		break;
	case PROGRESS_WAIT:
		if (clock_now() < carrier->wait.until)
			return PROGRESS_WAIT;
		pass_over(carrier, ETIMEDOUT);
		break;
	}
	return try_address(carrier);
}

static enum progress tunnel(struct carrier *carrier)
{
	struct gp_exchange *exchange = &carrier->exchange;
	enum handshake_state state;

	set_low_water(carrier, 0);
	if (!carrier->handshake)
		carrier->handshake =
			handshake_new(carrier->tcp.fd, &carrier->destination, true);
	if (!carrier->handshake)
		return lost(carrier, ENOBUFS);
	/* A fork has given it to two carriers. */
	if (handshake_is_elsewhere(carrier->handshake))
		return wait_for(carrier, 0, clock_now() + SHARED_MS);
	state = handshake_step(carrier->handshake, false);
	if (state == HANDSHAKE_ASKING_WAY || state == HANDSHAKE_UNDER_WAY)
		return PROGRESS_WAIT;
	carrier->last_error = state == HANDSHAKE_FAILED
				      ? handshake_error(carrier->handshake)
				      : ECONNRESET;
	if (state == HANDSHAKE_ESTABLISHED) {
		gp_exchange_tunnelled(exchange);
	} else if (handshake_was_refused(carrier->handshake)) {
		gp_exchange_untunnelled(exchange);
	} else {
		gp_exchange_closed(exchange, false);
	}
	handshake_free(carrier->handshake);
	carrier->handshake = NULL;
	return PROGRESS_DONE;
}

/* --- the steps -----------------------------------------------------------------------
 */

static enum progress rest(struct carrier *carrier)
{
	if (!gp_exchange_is_undecided(&carrier->exchange))
		return wait_for(carrier, 0, CLOCK_NEVER);
	if (clock_now() < carrier->silence)
		return wait_for(carrier, 0, carrier->silence);
	gp_exchange_give_up(&carrier->exchange);
	return PROGRESS_DONE;
}

static enum progress step(struct carrier *carrier)
{
	switch (gp_exchange_want(&carrier->exchange)) {
	case GP_EXCHANGE_NOTHING:
		return rest(carrier);
	case GP_EXCHANGE_SEND:
		return send_output(carrier);
	case GP_EXCHANGE_LOOK:
		return look(carrier);
	case GP_EXCHANGE_ASK:
		return ask(carrier);
	case GP_EXCHANGE_AUTHORIZE:
		return authorize(carrier);
	case GP_EXCHANGE_RECONNECT:
		return reconnect(carrier);
	case GP_EXCHANGE_TUNNEL:
		return tunnel(carrier);
	case GP_EXCHANGE_OVER:
	case GP_EXCHANGE_FAILED:
		break;
	}
	return PROGRESS_FAILED;
}

static void shut_if_due(struct carrier *carrier)
{
	if (!carrier->half_closed || carrier->shut ||
	    !gp_exchange_is_flushed(&carrier->exchange))
		return;
	carrier->shut = true;
	real_shutdown(carrier->tcp.fd, SHUT_WR);
}

enum carrier_state carrier_step(struct carrier *carrier)
{
	int saved_errno = errno;
	enum progress progress;

	carrier->has_left = false;
	do {
		progress = step(carrier);
		tell_verdict(carrier);
	} while (progress == PROGRESS_DONE);
	shut_if_due(carrier);
	if (gp_exchange_accepts(&carrier->exchange) != GP_ACCEPT_WAIT)
		carrier->held_back = false;
	errno = saved_errno;
	if (carrier->exchange.phase == GP_PHASE_FAILED) {
		carrier->error = carrier->last_error ? carrier->last_error : ECONNRESET;
		return CARRIER_FAILED;
	}
	if (carrier->exchange.phase == GP_PHASE_OVER)
		return carrier->error ? CARRIER_FAILED : CARRIER_OVER;
	return CARRIER_OPEN;
}

/* --- the program's bytes -------------------------------------------------------------
 */

/* -1 with errno if nothing could be sent. */
static ssize_t pass(struct carrier *carrier, const char *bytes, size_t len, int flags)
{
	struct gp_exchange *exchange = &carrier->exchange;
	size_t room = gp_exchange_room(exchange, bytes, len);
	ssize_t sent = (ssize_t)room;

	if (!gp_exchange_discards(exchange))
		sent = real_send(carrier->tcp.fd, bytes, room, flags | MSG_DONTWAIT);
	if (sent > 0)
		gp_exchange_passed(exchange, bytes, (size_t)sent);
	return sent;
}

ssize_t carrier_send(struct carrier *carrier, const char *bytes, size_t len, int flags,
		     bool *over)
{
	struct gp_exchange *exchange = &carrier->exchange;
	size_t done = 0;
	ssize_t sent = -1;

	*over = false;
	carrier->inherited = false;
	errno = EAGAIN;
	while (done < len && !*over) {
		*over = carrier_step(carrier) != CARRIER_OPEN;
		switch (gp_exchange_accepts(exchange)) {
		case GP_ACCEPT_HOLD:
			done += gp_exchange_hold(exchange, bytes + done, len - done);
			carrier->silence = clock_now() + SILENCE_MS;
			continue;
		case GP_ACCEPT_PASS:
			sent = pass(carrier, bytes + done, len - done, flags);
			if (sent > 0) {
				done += (size_t)sent;
				continue;
			}
			return done ? (ssize_t)done : sent;
		case GP_ACCEPT_WAIT:
			carrier->held_back = true;
			errno = EAGAIN;
			return done ? (ssize_t)done : -1;
		case GP_ACCEPT_OVER:
			*over = true;
			break;
		}
	}
	return (ssize_t)done;
}

bool carrier_shows(const struct carrier *carrier)
{
	return gp_exchange_shows(&carrier->exchange) &&
	       !gp_exchange_is_undecided(&carrier->exchange);
}

bool carrier_is_readable(const struct carrier *carrier)
{
	return carrier->has_left && carrier_shows(carrier) &&
	       carrier->tcp.receive_low_water <= 1;
}

bool carrier_is_bounded(const struct carrier *carrier)
{
	return gp_exchange_is_bounded(&carrier->exchange);
}

size_t carrier_bound(struct carrier *carrier, char *room, size_t len)
{
	struct gp_exchange *exchange = &carrier->exchange;
	ssize_t seen;

	if (!carrier_is_bounded(carrier))
		return len;
	seen = real_recv(carrier->tcp.fd, room, len, MSG_PEEK | MSG_DONTWAIT);
	return seen > 0 ? gp_exchange_bound(exchange, room, (size_t)seen) : len;
}

void carrier_received(struct carrier *carrier, const char *bytes, size_t len)
{
	if (bytes)
		gp_exchange_received(&carrier->exchange, bytes, len);
	else
		gp_exchange_lost(&carrier->exchange, len);
	if (gp_exchange_take_end(&carrier->exchange))
		real_shutdown(carrier->tcp.fd, SHUT_RD);
}

void carrier_give_up(struct carrier *carrier)
{
	gp_exchange_give_up(&carrier->exchange);
}

void carrier_disconnect(struct carrier *carrier)
{
	tcp_disconnect(&carrier->tcp);
}

void carrier_close(struct carrier *carrier)
{
	if (carrier->inherited)
		return;
	gp_exchange_let_go(&carrier->exchange);
	carrier_step(carrier);
}

bool carrier_shutdown(struct carrier *carrier)
{
	carrier_close(carrier);
	carrier->half_closed = true;
	shut_if_due(carrier);
	return !carrier->shut;
}

bool carrier_set_low_water(struct carrier *carrier, int bytes)
{
	if (bytes > 0)
		carrier->tcp.receive_low_water = bytes;
	return carrier->low_water != 0;
}

int carrier_low_water(const struct carrier *carrier)
{
	return carrier->tcp.receive_low_water;
}
