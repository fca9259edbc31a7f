/* SPDX-License-Identifier: MIT */
/*
 * The blocking handshake.
 *
 * Theory of operation: everything it needs is in one mapping of its own, because the
 * program's allocator may be in any state here (a signal handler, a child of a threaded
 * process) and its stack may be small. The loop in drive() does what the tunnel wants
 * until it stands or has failed. The link to the agent stays open throughout: its end
 * tells the agent that nobody tries the credential any more. The mapping, with the header
 * that went through it, is wiped and gone when the loop ends, also by cancellation.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include <gatepass/tunnel.h>

#include "errno_of.h"
#include "handshake.h"
#include "log.h"
#include "route.h"
#include "tcp.h"

/* A 407 of Squid with its error page is 3.5 KiB. */
#define PEEK 4096

struct handshake {
	const union gp_address *destination;
	struct link link;
	struct patience patience;
	struct tcp tcp;
	struct route route;
	unsigned address; /* the one of route.proxies that is being used */
	bool tcp_ready;   /* tcp has to be released */
	bool done;        /* the tunnel stands */
	bool reopened;    /* a second agent is being asked */
	struct gp_tunnel tunnel;
	char peek[PEEK];
};

static struct handshake *handshake_new(void)
{
	struct handshake *hs = mmap(NULL, sizeof(*hs), PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (hs == MAP_FAILED)
		return NULL;
	hs->link.fd = -1;
	hs->patience = clock_patience();
	return hs;
}

static void handshake_free(void *context)
{
	struct handshake *hs = context;
	int saved_errno = errno;

	if (hs->tcp_ready && !hs->done)
		tcp_disconnect(&hs->tcp);
	if (hs->tcp_ready)
		tcp_release(&hs->tcp);
	link_clear(&hs->link);
	gp_tunnel_clear(&hs->tunnel);
	explicit_bzero(hs->peek, sizeof(hs->peek));
	munmap(hs, sizeof(*hs));
	errno = saved_errno;
}

/* The program's own send timeout is a deadline for connect() too (socket(7)). */
static void respect_send_timeout(struct handshake *hs)
{
	const struct timeval *timeout = &hs->tcp.send_timeout;
	int64_t ms = (int64_t)timeout->tv_sec * 1000 + timeout->tv_usec / 1000;

	if (!hs->tcp.blocking || (!timeout->tv_sec && !timeout->tv_usec))
		return;
	hs->patience.restarts = false;
	if (clock_now() + ms < hs->patience.deadline)
		hs->patience.deadline = clock_now() + ms;
}

/* Connects to the proxy's addresses in order, beginning with the current one. Each may
 * take its share of the time that is left. */
static enum gp_err connect_proxy(struct handshake *hs)
{
	enum gp_err err = GP_ERR_SYSTEM;

	for (; hs->address < hs->route.count; hs->address++) {
		const union gp_address *proxy = &hs->route.proxies[hs->address];
		int64_t now = clock_now();
		int64_t share =
			(hs->patience.deadline - now) / (hs->route.count - hs->address);
		char text[GP_ADDRESS_MAX];

		err = tcp_connect(&hs->tcp, proxy, &hs->patience, now + share);
		if (!err || errno == EINTR)
			return err;
		gp_address_format(proxy, text);
		log_line(LOG_WARN, "proxy %s: %s", text, strerror(errno));
	}
	return err;
}

static enum gp_err do_connect(struct handshake *hs)
{
	enum gp_err err = connect_proxy(hs);

	if (!err)
		gp_tunnel_connected(&hs->tunnel);
	return err;
}

static enum gp_err do_send(struct handshake *hs)
{
	size_t len;
	const char *bytes = gp_tunnel_output(&hs->tunnel, &len);
	ssize_t sent = send(hs->tcp.fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent > 0)
		gp_tunnel_sent(&hs->tunnel, (size_t)sent);
	else if (errno == EAGAIN)
		return clock_wait(&hs->patience, hs->tcp.fd, POLLOUT);
	else if (errno != EINTR)
		gp_tunnel_closed(&hs->tunnel);
	return GP_OK;
}

/* Takes what was seen before and belongs to the proxy out of the socket. */
static enum gp_err consume(struct handshake *hs, size_t len)
{
	while (len) {
		ssize_t taken = recv(hs->tcp.fd, hs->peek, len, MSG_DONTWAIT);

		if (taken > 0)
			len -= (size_t)taken;
		else if (!taken || errno != EINTR)
			return GP_ERR_SYSTEM; /* another thread took it: not ours to mend
					       */
	}
	return GP_OK;
}

static enum gp_err do_receive(struct handshake *hs)
{
	ssize_t seen =
		recv(hs->tcp.fd, hs->peek, sizeof(hs->peek), MSG_PEEK | MSG_DONTWAIT);
	size_t used;

	if (seen > 0) {
		used = gp_tunnel_received(&hs->tunnel, hs->peek, (size_t)seen);
		if (used < (size_t)seen && gp_tunnel_want(&hs->tunnel) == GP_TUNNEL_ASK)
			gp_tunnel_not_kept(&hs->tunnel);
		return consume(hs, used);
	}
	if (seen < 0 && errno == EAGAIN)
		return clock_wait(&hs->patience, hs->tcp.fd, POLLIN);
	if (!seen || errno != EINTR)
		gp_tunnel_closed(&hs->tunnel);
	return GP_OK;
}

static void write_challenge(struct handshake *hs)
{
	const struct gp_tunnel *tunnel = &hs->tunnel;
	struct gp_text rest = gp_tunnel_head(tunnel)->fields;
	struct gp_buf *out = &hs->link.out;
	struct gp_http_field field;

	link_begin(&hs->link, "challenge");
	gp_wire_add_uint(out, "status", (unsigned)gp_tunnel_status(tunnel));
	gp_wire_add_uint(out, "kept", gp_tunnel_kept(tunnel));
	gp_wire_add_uint(out, "authorized", gp_tunnel_authorized(tunnel));
	gp_wire_add(out, "method", "CONNECT");
	gp_wire_add(out, "uri", tunnel->authority);
	while (gp_http_field_next(&rest, &field))
		if (gp_text_is(field.name, "proxy-authenticate"))
			gp_wire_add_text(out, "challenge", field.value);
}

/*
 * The agent ended between route and challenge: its successor is told where this goes. Not
 * once an authorization was sent, because the successor does not know which one that was,
 * and might offer it again.
 */
static bool may_reopen(const struct handshake *hs, enum gp_err err)
{
	return err == GP_ERR_SYSTEM && errno == ECONNRESET && !hs->reopened &&
	       !gp_tunnel_authorized(&hs->tunnel);
}

static enum gp_err reopen(struct handshake *hs)
{
	struct route route;
	enum gp_err err;

	hs->reopened = true;
	link_close(&hs->link);
	err = link_open(&hs->link);
	if (!err)
		err = route_ask(&route, &hs->link, hs->destination, &hs->patience);
	if (!err && route.way != WAY_TUNNEL)
		err = GP_ERR_PROXY_AUTH;
	return err;
}

static enum gp_err ask_challenge(struct handshake *hs, struct gp_wire *answer)
{
	write_challenge(hs);
	return link_ask(&hs->link, &hs->patience, answer);
}

static enum gp_err do_ask(struct handshake *hs)
{
	const char *key, *value, *authorization = NULL;
	struct gp_wire answer;
	enum gp_err err = ask_challenge(hs, &answer);

	if (may_reopen(hs, err)) {
		err = reopen(hs);
		if (!err)
			err = ask_challenge(hs, &answer);
	}
	if (err)
		return err;
	while (gp_wire_next(&answer, &key, &value)) {
		if (!strcmp(key, "authorization"))
			authorization = value;
		else if (!strcmp(key, "text"))
			log_line(LOG_WARN, "agent: %s", value);
	}
	if (strcmp(answer.verb, "answer") != 0 || !authorization) {
		gp_tunnel_refuse(&hs->tunnel);
		return GP_OK;
	}
	return gp_tunnel_answer(&hs->tunnel, authorization);
}

static enum gp_err drive(struct handshake *hs)
{
	enum gp_err err = GP_OK;

	while (!err && clock_now() < hs->patience.deadline) {
		switch (gp_tunnel_want(&hs->tunnel)) {
		case GP_TUNNEL_CONNECT:
			err = do_connect(hs);
			break;
		case GP_TUNNEL_SEND:
			err = do_send(hs);
			break;
		case GP_TUNNEL_RECEIVE:
			err = do_receive(hs);
			break;
		case GP_TUNNEL_ASK:
			err = do_ask(hs);
			break;
		case GP_TUNNEL_ESTABLISHED:
			return GP_OK;
		case GP_TUNNEL_FAILED:
			return gp_tunnel_error(&hs->tunnel);
		}
	}
	return err ? err : GP_ERR_TIMEOUT;
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
	link_tell(&hs->link);
}

static enum handshake_result tunnel(struct handshake *hs, int fd)
{
	enum gp_err err = tcp_init(&hs->tcp, fd);
	int error;

	if (err)
		return HANDSHAKE_DIRECT;
	hs->tcp_ready = true;
	respect_send_timeout(hs);
	err = gp_tunnel_init(&hs->tunnel, hs->route.authority, hs->route.authorization);
	if (!err)
		err = drive(hs);
	error = errno_of(err, errno);
	if (err == GP_ERR_TIMEOUT && !hs->patience.restarts)
		error = EINPROGRESS; /* what a send timeout gives, socket(7) */
	tell_outcome(hs, err, error);
	hs->done = !err;
	if (!err) {
		log_line(LOG_DEBUG, "tunnel to %s stands", hs->tunnel.authority);
		return HANDSHAKE_DONE;
	}
	log_line(LOG_WARN, "no tunnel to %s: %s", hs->tunnel.authority,
		 err == GP_ERR_SYSTEM ? strerror(error) : gp_strerror(err));
	errno = error;
	return HANDSHAKE_FAILED;
}

/* Without an agent the program does what it would do without us. A stand-in address leads
 * nowhere then, and says so at once. */
static enum handshake_result without_agent(const union gp_address *destination)
{
	if (!gp_fake_number(destination))
		return HANDSHAKE_DIRECT;
	errno = ENETUNREACH;
	return HANDSHAKE_FAILED;
}

static enum handshake_result run(struct handshake *hs, int fd,
				 const union gp_address *destination)
{
	enum gp_err err;

	hs->destination = destination;
	if (link_open(&hs->link))
		return without_agent(destination);
	err = route_ask(&hs->route, &hs->link, destination, &hs->patience);
	if (err == GP_ERR_TIMEOUT || (err && errno == EINTR)) {
		errno = errno_of(err, errno);
		return HANDSHAKE_FAILED;
	}
	if (err) {
		log_line(LOG_WARN, "the agent's answer: %s", gp_strerror(err));
		return without_agent(destination);
	}
	if (hs->route.way == WAY_DIRECT)
		return HANDSHAKE_DIRECT;
	if (hs->route.way == WAY_TUNNEL)
		return tunnel(hs, fd);
	errno = hs->route.error;
	return HANDSHAKE_FAILED;
}

enum handshake_result handshake_run(int fd, const union gp_address *destination)
{
	struct handshake *hs = handshake_new();
	enum handshake_result result;

	if (!hs)
		return without_agent(destination);
	pthread_cleanup_push(handshake_free, hs);
	result = run(hs, fd, destination);
	pthread_cleanup_pop(1);
	return result;
}
