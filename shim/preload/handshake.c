/* SPDX-License-Identifier: MIT */
/*
 * The handshake in steps.
 *
 * Theory of operation: everything it needs is in one mapping of its own, because the
 * program's allocator may be in any state here (a signal handler, a child of a threaded
 * process) and its stack may be small. It asks the agent for the way, connects, and then
 * does what the tunnel wants until that stands or has failed; each time something is not
 * there yet it returns, and is called again when handshake_wait() is over.
 *
 * The link to the agent stays open while the agent wants to hear how it ends: its end
 * tells that nobody tries the credential any more. When all is settled it is closed with
 * the answer, so that a usual handshake has no descriptor but the program's own. Should
 * the proxy ask after all, or the agent have ended meanwhile, the way is asked again
 * before the challenge is shown.
 *
 * The mapping is shared with forked children, as the socket is: they see how far it is,
 * and one of them can go on when the process that took the steps has ended or has closed
 * the socket. What went through it is wiped at the end.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include <gatepass/tunnel.h>

#include "advice.h"
#include "errno_of.h"
#include "handshake.h"
#include "libc.h"
#include "log.h"
#include "process.h"
#include "route.h"
#include "tcp.h"

/* A 407 of Squid with its error page is 3.5 KiB. */
#define PEEK 4096

/* How long a connection to this machine waits for a descriptor or an agent with a full
 * queue (milliseconds). */
#define LOCAL_OPEN_MS 1000

enum phase {
	ASK_WAY,  /* the first question */
	KNOW_WAY, /* answered, and the socket not touched yet */
	TRAVEL,   /* what the tunnel wants */
	CONNECT,  /* the kernel is connecting */
	ASK_ANSWER,
	OVER
};

/* Instead of a process id: it has closed the socket; and what the end is, each may read.
 */
#define NOBODY    0
#define EVERYBODY -1

struct handshake {
	atomic_int driver; /* the process that takes the steps, NOBODY, or EVERYBODY */
	enum phase phase;
	enum handshake_state end; /* of OVER */
	int error;                /* of HANDSHAKE_FAILED */
	int64_t deadline;         /* of the whole */
	struct wait wait;
	union gp_address destination;
	struct tcp tcp;
	unsigned address; /* the one of route.proxies that is being used */
	bool wants_tunnel;
	bool forwards; /* a connection to the proxy is all that is needed */
	bool refused;  /* it refuses the tunnel by policy */
	char authority[GP_AUTHORITY_MAX + 1]; /* the link's packet does not keep it */
	struct advice advice;
	struct route route;
	struct link link;
	struct gp_tunnel tunnel;
	char peek[PEEK];
	char authorization[GP_AUTHORIZATION_MAX + 1]; /* of a tunnel that was refused */
};

struct handshake *handshake_new(int fd, const union gp_address *destination, bool tunnel)
{
	const struct route_question question = {
		.destination = destination,
		.tunnel = tunnel,
	};
	struct handshake *hs = mmap(NULL, sizeof(*hs), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (hs == MAP_FAILED)
		return NULL;
	atomic_init(&hs->driver, process_id());
	hs->tcp.fd = fd;
	hs->destination = *destination;
	hs->deadline = clock_now() + GP_DEADLINE * 1000;
	hs->wants_tunnel = tunnel;
	link_init(&hs->link);
	route_ask(&hs->link, &question);
	/* The server may be the program itself, and wait for us meanwhile. */
	if (gp_address_is_loopback(destination))
		hs->link.give_up = clock_now() + LOCAL_OPEN_MS;
	return hs;
}

bool handshake_is_elsewhere(struct handshake *hs)
{
	int driver = atomic_load(&hs->driver);
	int saved_errno = errno;
	bool lives;

	if (driver == process_id() || driver == EVERYBODY)
		return false;
	lives = driver != NOBODY && (!kill(driver, 0) || errno == EPERM);
	errno = saved_errno;
	return lives ||
	       !atomic_compare_exchange_strong(&hs->driver, &driver, process_id());
}

void handshake_after_fork(struct handshake *hs)
{
	link_after_fork(&hs->link);
}

void handshake_free(struct handshake *hs)
{
	int driver = process_id();
	int saved_errno = errno;

	if (atomic_load(&hs->driver) == driver) {
		link_close(&hs->link);
		atomic_store(&hs->driver, NOBODY);
	} else if (hs->phase == OVER) {
		link_clear(&hs->link);
	}
	munmap(hs, sizeof(*hs));
	errno = saved_errno;
}

struct wait handshake_wait(const struct handshake *hs)
{
	struct wait wait = hs->wait;

	if (hs->deadline < wait.until)
		wait.until = hs->deadline;
	return wait;
}

bool handshake_waits_for_person(const struct handshake *hs)
{
	return hs->link.extended > 0;
}

int handshake_error(const struct handshake *hs)
{
	return hs->error;
}

const struct route *handshake_route(const struct handshake *hs)
{
	return &hs->route;
}

bool handshake_was_refused(const struct handshake *hs)
{
	return hs->refused;
}

void handshake_use(struct handshake *hs, int fd)
{
	if (hs->wait.fd == hs->tcp.fd)
		hs->wait.fd = fd;
	hs->tcp.fd = fd;
}

void handshake_set_low_water(struct handshake *hs, int bytes)
{
	hs->tcp.receive_low_water = bytes;
}

int handshake_low_water(const struct handshake *hs)
{
	return hs->tcp.receive_low_water;
}

/* --- how it ends ---------------------------------------------------------------------
 */

static enum progress end(struct handshake *hs, enum handshake_state state, int error)
{
	hs->phase = OVER;
	hs->end = state;
	hs->error = error;
	if (state == HANDSHAKE_ESTABLISHED || state == HANDSHAKE_FAILED)
		link_clear(&hs->link);
	else
		link_close(&hs->link); /* the way's texts are in it */
	gp_tunnel_clear(&hs->tunnel);
	explicit_bzero(hs->peek, sizeof(hs->peek));
	atomic_store(&hs->driver, EVERYBODY);
	return PROGRESS_DONE;
}

static void tell_outcome(struct handshake *hs, enum gp_err err, int error)
{
	struct gp_buf *out = &hs->link.out;

	link_begin(&hs->link, "outcome");
	gp_wire_add_uint(out, "status", (unsigned)gp_tunnel_status(&hs->tunnel));
	gp_wire_add_uint(out, "authorized", gp_tunnel_authorized(&hs->tunnel));
	if (err)
		gp_wire_add(out, "error",
			    err == GP_ERR_SYSTEM ? strerror(error) : gp_strerror(err));
	else
		advice_add_info(&hs->link, gp_tunnel_head(&hs->tunnel)->fields);
	link_tell(&hs->link);
}

/* The tunnel failed; `error` is the errno of GP_ERR_SYSTEM. */
static enum progress fail(struct handshake *hs, enum gp_err err, int error)
{
	int error_for_program = errno_of(err, error);

	log_line(LOG_WARN, "no tunnel to %s: %s", hs->authority,
		 err == GP_ERR_SYSTEM ? strerror(error) : gp_strerror(err));
	tell_outcome(hs, err, error);
	tcp_disconnect(&hs->tcp);
	tcp_release(&hs->tcp);
	return end(hs, HANDSHAKE_FAILED, error_for_program);
}

static enum progress succeed(struct handshake *hs)
{
	log_line(LOG_DEBUG, "tunnel to %s stands", hs->authority);
	tell_outcome(hs, GP_OK, 0);
	tcp_release(&hs->tcp);
	return end(hs, HANDSHAKE_ESTABLISHED, 0);
}

void handshake_disconnect(struct handshake *hs)
{
	int saved_errno = errno;

	if (hs->phase >= TRAVEL && hs->phase < OVER) {
		tcp_disconnect(&hs->tcp);
		tcp_release(&hs->tcp);
	}
	errno = saved_errno;
}

/* Without an agent the program does what it would do without us. A stand-in address leads
 * nowhere then, and says so at once. */
static enum progress without_agent(struct handshake *hs)
{
	if (gp_fake_number(&hs->destination))
		return end(hs, HANDSHAKE_FAILED, ENETUNREACH);
	return end(hs, HANDSHAKE_DIRECT, 0);
}

/* --- the agent -----------------------------------------------------------------------
 */

static void heed_link(struct handshake *hs, enum progress progress)
{
	if (hs->link.extended > hs->deadline)
		hs->deadline = hs->link.extended;
	if (progress == PROGRESS_WAIT)
		hs->wait = link_wait(&hs->link);
}

static void close_settled(struct handshake *hs)
{
	if (hs->route.settled)
		link_close(&hs->link);
}

static enum progress ask_way(struct handshake *hs)
{
	struct gp_wire answer;
	enum progress progress = link_step(&hs->link, &answer);
	enum gp_err err;

	heed_link(hs, progress);
	if (progress == PROGRESS_WAIT)
		return progress;
	err = progress == PROGRESS_FAILED ? hs->link.err
					  : route_answer(&hs->route, &answer);
	if (err) {
		log_line(LOG_WARN, "no answer from the agent: %s",
			 err == GP_ERR_SYSTEM ? strerror(hs->link.error)
					      : gp_strerror(err));
		return without_agent(hs);
	}
	switch (hs->route.way) {
	case WAY_DIRECT:
		return end(hs, HANDSHAKE_DIRECT, 0);
	case WAY_OBSERVE:
		return end(hs, HANDSHAKE_OBSERVE, 0);
	case WAY_UNREACHABLE:
		return end(hs, HANDSHAKE_FAILED, hs->route.error);
	case WAY_TUNNEL:
	case WAY_FORWARD:
		break;
	}
	if (!gp_text_copy(gp_text(hs->route.authority), hs->authority,
			  sizeof(hs->authority)))
		return end(hs, HANDSHAKE_FAILED, EHOSTUNREACH);
	hs->route.authority = hs->authority;
	hs->phase = KNOW_WAY;
	return PROGRESS_DONE;
}

/* The socket becomes ours. */
static enum progress set_out(struct handshake *hs)
{
	enum gp_err err;

	if (hs->wants_tunnel)
		tcp_take_over(&hs->tcp, hs->tcp.fd);
	else if (tcp_init(&hs->tcp, hs->tcp.fd))
		return end(hs, HANDSHAKE_DIRECT, 0);
	hs->phase = TRAVEL;
	hs->forwards = hs->route.way == WAY_FORWARD;
	if (hs->forwards)
		return PROGRESS_DONE;
	err = gp_tunnel_init(&hs->tunnel, hs->route.authority, &hs->route.authorization);
	close_settled(hs);
	return err ? fail(hs, err, 0) : PROGRESS_DONE;
}

static void describe_challenge(const struct handshake *hs, struct challenge *out)
{
	const struct gp_tunnel *tunnel = &hs->tunnel;

	*out = (struct challenge){
		.status = gp_tunnel_status(tunnel),
		.kept = gp_tunnel_kept(tunnel),
		.persistent = true,
		.bodiless = true,
		.method = gp_text("CONNECT"),
		.uri = gp_text(hs->authority),
		.fields = gp_tunnel_head(tunnel)->fields,
		.offered = gp_tunnel_offered(tunnel),
		.destination = &hs->destination,
		.tunnel = hs->wants_tunnel,
	};
}

/* A challenge has come. */
static enum progress begin_ask(struct handshake *hs)
{
	struct challenge challenge;

	describe_challenge(hs, &challenge);
	advice_begin(&hs->advice, &hs->link, &challenge);
	hs->phase = ASK_ANSWER;
	return PROGRESS_DONE;
}

static enum progress ask_answer(struct handshake *hs)
{
	struct challenge challenge;
	struct gp_authorization answer;
	enum gp_err err = GP_OK;
	enum progress progress;

	describe_challenge(hs, &challenge);
	progress = advice_step(&hs->advice, &hs->link, &challenge, &answer);
	heed_link(hs, progress);
	if (progress == PROGRESS_WAIT)
		return progress;
	if (progress == PROGRESS_FAILED)
		return fail(hs, hs->link.err, hs->link.error);
	hs->phase = TRAVEL;
	if (answer.value)
		err = gp_tunnel_answer(&hs->tunnel, &answer);
	else
		gp_tunnel_refuse(&hs->tunnel);
	return err ? fail(hs, err, 0) : PROGRESS_DONE;
}

/* --- the proxy -----------------------------------------------------------------------
 */

static enum progress wait_for(struct handshake *hs, short events, int64_t until)
{
	hs->wait = (struct wait){.fd = hs->tcp.fd, .events = events, .until = until};
	return PROGRESS_WAIT;
}

/* Each address may take its share of the time that is left. */
static int64_t share(const struct handshake *hs)
{
	int64_t now = clock_now();

	return now + (hs->deadline - now) / (hs->route.count - hs->address);
}

static enum progress next_address(struct handshake *hs, int error)
{
	char text[GP_ADDRESS_MAX];

	gp_address_format(&hs->route.proxies[hs->address], text);
	log_line(LOG_WARN, "proxy %s: %s", text, strerror(error));
	hs->phase = TRAVEL;
	if (++hs->address < hs->route.count)
		return PROGRESS_DONE;
	return fail(hs, GP_ERR_SYSTEM, error);
}

static enum progress connected(struct handshake *hs)
{
	if (hs->forwards) {
		route_prefer(&hs->route, hs->address);
		tcp_release(&hs->tcp);
		return end(hs, HANDSHAKE_FORWARD, 0);
	}
	gp_tunnel_connected(&hs->tunnel);
	hs->phase = TRAVEL;
	return PROGRESS_DONE;
}

static enum progress begin_connect(struct handshake *hs)
{
	switch (tcp_connect(&hs->tcp, &hs->route.proxies[hs->address])) {
	case PROGRESS_DONE:
		return connected(hs);
	case PROGRESS_FAILED:
		return next_address(hs, errno);
	case PROGRESS_WAIT:
		break;
	}
	hs->phase = CONNECT;
	return wait_for(hs, POLLOUT, share(hs));
}

static enum progress go_on_connecting(struct handshake *hs)
{
	switch (tcp_connected(&hs->tcp)) {
	case PROGRESS_DONE:
		return connected(hs);
	case PROGRESS_FAILED:
		return next_address(hs, errno);
	case PROGRESS_WAIT:
		break;
	}
	if (clock_now() >= hs->wait.until)
		return next_address(hs, ETIMEDOUT);
	return PROGRESS_WAIT;
}

static enum progress send_request(struct handshake *hs)
{
	size_t len;
	const char *bytes = gp_tunnel_output(&hs->tunnel, &len);
	ssize_t sent = real_send(hs->tcp.fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent > 0)
		gp_tunnel_sent(&hs->tunnel, (size_t)sent);
	else if (errno == EAGAIN)
		return wait_for(hs, POLLOUT, CLOCK_NEVER);
	else if (errno != EINTR)
		gp_tunnel_closed(&hs->tunnel);
	return PROGRESS_DONE;
}

/* Takes what was seen before and belongs to the proxy out of the socket. */
static bool consume(struct handshake *hs, size_t len)
{
	while (len) {
		ssize_t taken = real_recv(hs->tcp.fd, hs->peek, len, MSG_DONTWAIT);

		if (taken > 0)
			len -= (size_t)taken;
		else if (!taken || errno != EINTR)
			return false; /* another thread took it: not ours to mend */
	}
	return true;
}

static enum progress receive_reply(struct handshake *hs)
{
	struct gp_tunnel *tunnel = &hs->tunnel;
	ssize_t seen = real_recv(hs->tcp.fd, hs->peek, sizeof(hs->peek),
				 MSG_PEEK | MSG_DONTWAIT);
	size_t used;

	if (seen < 0 && errno == EAGAIN)
		return wait_for(hs, POLLIN, CLOCK_NEVER);
	if (seen < 0 && errno == EINTR)
		return PROGRESS_DONE;
	if (seen <= 0) {
		gp_tunnel_closed(tunnel);
		return PROGRESS_DONE;
	}
	used = gp_tunnel_received(tunnel, hs->peek, (size_t)seen);
	if (used < (size_t)seen && gp_tunnel_want(tunnel) == GP_TUNNEL_ASK)
		gp_tunnel_not_kept(tunnel);
	return consume(hs, used) ? PROGRESS_DONE : fail(hs, GP_ERR_SYSTEM, ECONNRESET);
}

/* The link's packet is another one now, and the tunnel's is wiped. What was good for the
 * CONNECT, or for its connection, tells at least that such a one has to be asked for. */
static void keep_authorization(struct handshake *hs)
{
	struct gp_text offered = gp_tunnel_offered(&hs->tunnel);
	struct gp_authorization *kept = &hs->route.authorization;

	*kept = (struct gp_authorization){.scope = gp_tunnel_scope(&hs->tunnel)};
	if (offered.p && kept->scope == GP_SCOPE_PROXY &&
	    gp_text_copy(offered, hs->authorization, sizeof(hs->authorization)))
		kept->value = hs->authorization;
}

/* A proxy that lets nobody through to that port may forward requests to it. */
static enum progress refused(struct handshake *hs)
{
	hs->refused = true;
	if (!hs->route.forward_if_refused)
		return fail(hs, GP_ERR_PROXY_REFUSED, 0);
	log_line(LOG_INFO, "no tunnel to %s: HTTP requests are forwarded", hs->authority);
	tell_outcome(hs, GP_ERR_PROXY_REFUSED, 0);
	keep_authorization(hs);
	hs->forwards = true;
	return PROGRESS_DONE;
}

static enum progress travel(struct handshake *hs)
{
	if (hs->forwards)
		return begin_connect(hs);
	switch (gp_tunnel_want(&hs->tunnel)) {
	case GP_TUNNEL_CONNECT:
		return begin_connect(hs);
	case GP_TUNNEL_SEND:
		return send_request(hs);
	case GP_TUNNEL_RECEIVE:
		return receive_reply(hs);
	case GP_TUNNEL_ASK:
		return begin_ask(hs);
	case GP_TUNNEL_ESTABLISHED:
		return succeed(hs);
	case GP_TUNNEL_FAILED:
		break;
	}
	if (gp_tunnel_error(&hs->tunnel) == GP_ERR_PROXY_REFUSED)
		return refused(hs);
	return fail(hs, gp_tunnel_error(&hs->tunnel), 0);
}

/* --- the steps -----------------------------------------------------------------------
 */

static enum progress step(struct handshake *hs)
{
	switch (hs->phase) {
	case ASK_WAY:
		return ask_way(hs);
	case KNOW_WAY:
		return set_out(hs);
	case TRAVEL:
		return travel(hs);
	case CONNECT:
		return go_on_connecting(hs);
	case ASK_ANSWER:
		return ask_answer(hs);
	case OVER:
		break;
	}
	return PROGRESS_DONE;
}

static void time_out(struct handshake *hs)
{
	if (hs->phase != ASK_WAY) {
		fail(hs, GP_ERR_TIMEOUT, 0);
	} else {
		log_line(LOG_WARN, "the agent does not answer");
		end(hs, HANDSHAKE_FAILED, ETIMEDOUT);
	}
}

static enum handshake_state state_of(const struct handshake *hs)
{
	if (hs->phase == OVER)
		return hs->end;
	return hs->phase == ASK_WAY ? HANDSHAKE_ASKING_WAY : HANDSHAKE_UNDER_WAY;
}

enum handshake_state handshake_step(struct handshake *hs, bool way_only)
{
	int saved_errno = errno;

	while (hs->phase != OVER && !(way_only && hs->phase == KNOW_WAY)) {
		if (step(hs) != PROGRESS_WAIT)
			continue;
		if (clock_now() < hs->deadline)
			break;
		time_out(hs);
	}
	errno = saved_errno;
	return state_of(hs);
}
