/* SPDX-License-Identifier: MIT */
/* Scenarios at work. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "body.h"
#include "conn.h"
#include "log.h"
#include "pump.h"

/* Above every head that gatepass sends, so that a too long one would be seen here. */
#define INPUT_MAX (256 * 1024)

struct conn {
	int fd, peer; /* peer: the relay's other end, or -1 */
	size_t number;
	const struct block *block;
	size_t at; /* the current step */
	bool started;
	bool connecting; /* peer is */
	bool ended;

	const char *out; /* being sent */
	size_t out_len, out_sent;
	size_t split;
	unsigned long delay;
	uint64_t wake;
	bool close_after_out;

	/* The last request. */
	bool in_request; /* its head has been read, and the step is not over */
	bool answered;   /* the challenge has gone out before the body */
	bool authorized;
	bool bodiless;   /* HEAD: no response has a body */
	bool persistent; /* asks for a connection that stays */
	char authorization[64 * 1024];
	struct body body;
	char request[512]; /* its method and path */
	char report[1024]; /* what is said of it */

	/* Of a handshake with the connection. */
	enum { LEG_FIRST, LEG_LAST, LEGS_OVER } leg;

	bool eof;
	bool wants_in, wants_out;
	size_t in_len, in_total, out_total;
	unsigned short port; /* of the last request's authority */
	struct pump *forth, *back;
	char in[INPUT_MAX];
};

/* What a step says: go on with the next one, stay, or come back when something happened.
 */
enum progress { NEXT, STAY, WAIT };

struct conn *conn_new(int fd, size_t number, const struct block *block)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	int on = 1;

	if (!conn)
		abort();
	conn->fd = fd;
	conn->peer = -1;
	conn->number = number;
	conn->block = block;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return conn;
}

static enum progress end(struct conn *conn)
{
	conn->ended = true;
	return WAIT;
}

static enum progress lost(struct conn *conn)
{
	log_event(conn->number, "lost %s", strerror(errno));
	return end(conn);
}

/* Reads once. NEXT: there is more in conn->in, or its end is known. */
static enum progress fill_input(struct conn *conn)
{
	size_t room = sizeof(conn->in) - conn->in_len;
	ssize_t got;

	if (!room) {
		errno = EMSGSIZE;
		return lost(conn);
	}
	got = recv(conn->fd, conn->in + conn->in_len, room, 0);
	if (got < 0 && errno == EAGAIN) {
		conn->wants_in = true;
		return WAIT;
	}
	if (got < 0)
		return lost(conn);
	if (got == 0) {
		log_event(conn->number, "eof");
		conn->eof = true;
	}
	conn->in_len += (size_t)got;
	conn->in_total += (size_t)got;
	return NEXT;
}

static void drop_input(struct conn *conn, size_t len)
{
	memmove(conn->in, conn->in + len, conn->in_len - len);
	conn->in_len -= len;
}

static void log_data(struct conn *conn, size_t len)
{
	if (len)
		log_octets(conn->number, "data", conn->in, len);
	drop_input(conn, len);
}

/* The port of "CONNECT host:port …" or "GET http://host:port/…"; 80 if it names none. */
static void note_port(struct conn *conn, const char *target)
{
	char authority[512] = "";
	char *colon;

	strncpy(authority, target, sizeof(authority) - 1);
	authority[strcspn(authority, "/?# ")] = '\0';
	colon = strrchr(authority, ':');
	conn->port = (unsigned short)(colon ? strtoul(colon + 1, NULL, 10) : 80);
}

static void note_request_line(struct conn *conn, const char *line, size_t len)
{
	char copy[sizeof(conn->request)] = "";
	char *target, *path;

	memcpy(copy, line, len < sizeof(copy) ? len : sizeof(copy) - 1);
	target = copy + strcspn(copy, " ");
	if (!*target)
		return;
	conn->persistent = !memmem(line, len, " HTTP/1.0", 9);
	*target++ = '\0';
	conn->bodiless = !strcmp(copy, "HEAD");
	if (!strncasecmp(target, "http://", 7))
		target += 7;
	note_port(conn, target);
	target[strcspn(target, " ")] = '\0';
	path = strchr(target, '/');
	snprintf(conn->request, sizeof(conn->request), "%s %s", copy,
		 path ? path : target);
}

static bool is_field(const char *line, size_t len, const char *name, const char **value)
{
	size_t size = strlen(name);

	if (len <= size || strncasecmp(line, name, size) || line[size] != ':')
		return false;
	for (*value = line + size + 1; **value == ' '; ++*value)
		;
	return true;
}

/* What the proxy has to know of a field. */
static void note_field(struct conn *conn, const char *line, size_t len)
{
	const char *value;
	size_t size;

	if (is_field(line, len, "Content-Length", &value)) {
		body_begin_length(&conn->body, strtoull(value, NULL, 10));
	} else if (is_field(line, len, "Transfer-Encoding", &value)) {
		body_begin_chunked(&conn->body);
	} else if (is_field(line, len, "Connection", &value) ||
		   is_field(line, len, "Proxy-Connection", &value)) {
		conn->persistent = strncasecmp(value, "close", 5) != 0;
	} else if (is_field(line, len, "Proxy-Authorization", &value)) {
		size = (size_t)(line + len - value);
		if (size >= sizeof(conn->authorization))
			size = sizeof(conn->authorization) - 1;
		memcpy(conn->authorization, value, size);
		conn->authorization[size] = '\0';
	}
}

/* The scheme's name is in any case, what follows it is not. */
static bool begins_with(const char *authorization, const char *awaited)
{
	size_t scheme = strcspn(awaited, " ");

	return !strncasecmp(authorization, awaited, scheme) &&
	       !strncmp(authorization + scheme, awaited + scheme,
			strlen(awaited + scheme));
}

/* Takes the step of the handshake that the request makes, if it makes one. */
static void note_leg(struct conn *conn, const struct step *step)
{
	bool is_due = conn->leg == LEG_LAST;

	conn->authorized = conn->leg == LEGS_OVER && !step->each && !*conn->authorization;
	if (conn->authorized)
		return;
	conn->leg = LEG_FIRST;
	if (is_due && begins_with(conn->authorization, step->text)) {
		conn->leg = LEGS_OVER;
		conn->authorized = true;
	} else if (begins_with(conn->authorization, step->first) &&
		   (conn->persistent || !step->strict)) {
		conn->leg = LEG_LAST;
	}
}

static void note_authorization(struct conn *conn, const struct step *step)
{
	if (step->kind == STEP_LEGS)
		note_leg(conn, step);
	else if (step->kind == STEP_AUTH)
		conn->authorized = begins_with(conn->authorization, step->text) &&
				   strlen(conn->authorization) == strlen(step->text);
}

/* Logs the head of `len` octets, and takes it out of the input. */
static void note_head(struct conn *conn, size_t len)
{
	const char *line = conn->in, *end = conn->in + len, *stop;
	size_t size;

	conn->authorized = false;
	conn->authorization[0] = '\0';
	conn->body = (struct body){0};
	for (bool first = true; line < end; line = stop + 2, first = false) {
		stop = memmem(line, (size_t)(end - line), "\r\n", 2);
		size = (size_t)(stop - line);
		if (!size)
			break;
		log_octets(conn->number, first ? "request" : "header", line, size);
		if (first)
			note_request_line(conn, line, size);
		else
			note_field(conn, line, size);
	}
	drop_input(conn, len);
}

static void begin_output(struct conn *conn, const char *octets, size_t len)
{
	conn->out = octets;
	conn->out_len = len;
	conn->out_sent = 0;
}

static enum progress read_head(struct conn *conn, const struct step *step)
{
	char *end_of_head = memmem(conn->in, conn->in_len, "\r\n\r\n", 4);

	if (end_of_head) {
		note_head(conn, (size_t)(end_of_head - conn->in) + 4);
		note_authorization(conn, step);
		return NEXT;
	}
	if (!conn->eof)
		return fill_input(conn) == NEXT ? STAY : WAIT;
	log_data(conn, conn->in_len);
	return end(conn);
}

/* The body of the last request, if it has one. */
static enum progress read_body(struct conn *conn)
{
	if (conn->body.part == BODY_OVER)
		return NEXT;
	drop_input(conn, body_feed(&conn->body, conn->in, conn->in_len));
	if (conn->body.part != BODY_OVER && !conn->eof)
		return fill_input(conn) == NEXT ? STAY : WAIT;
	log_event(conn->number, "body %llu %08x%s", (unsigned long long)conn->body.total,
		  conn->body.sum, conn->body.part != BODY_OVER ? " cut" : "");
	return NEXT;
}

/* A 200 whose body tells what the request was. */
static enum progress do_report(struct conn *conn)
{
	char text[600];

	snprintf(text, sizeof(text), "%s %llu %08x\n", conn->request,
		 (unsigned long long)conn->body.total, conn->body.sum);
	snprintf(conn->report, sizeof(conn->report),
		 "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
		 "Content-Length: %zu\r\n\r\n%s",
		 strlen(text), conn->bodiless ? "" : text);
	begin_output(conn, conn->report, strlen(conn->report));
	return NEXT;
}

static void reply_407(struct conn *conn, const char *reply, size_t len, bool closes)
{
	const char *head_end = memmem(reply, len, "\r\n\r\n", 4);

	if (conn->bodiless && head_end)
		len = (size_t)(head_end - reply) + 4;
	log_event(conn->number, "challenged");
	begin_output(conn, reply, len);
	conn->close_after_out = closes;
	conn->answered = true;
}

static void challenge(struct conn *conn, const struct step *step)
{
	static const char nothing[] = "HTTP/1.1 407 Proxy Authentication Required\r\n"
				      "Connection: close\r\nContent-Length: 0\r\n\r\n";

	if (step->kind == STEP_LEGS && conn->leg == LEG_LAST)
		reply_407(conn, step->second, step->second_len, step->drops);
	else if (step->strict && !conn->persistent)
		reply_407(conn, nothing, strlen(nothing), true);
	else
		reply_407(conn, step->reply, step->reply_len, step->closes);
}

/* A request as a whole: STEP_AUTH and STEP_LEGS stay until one is authorized. */
static enum progress do_request(struct conn *conn, const struct step *step)
{
	enum progress progress;

	if (!conn->in_request) {
		progress = read_head(conn, step);
		if (progress != NEXT)
			return progress;
		conn->in_request = true;
		conn->answered = step->kind == STEP_EXPECT || conn->authorized;
		if (!conn->answered && step->early) {
			challenge(conn, step);
			return STAY;
		}
	}
	progress = step->bodies_stay ? NEXT : read_body(conn);
	if (progress != NEXT)
		return progress;
	conn->in_request = false;
	if (step->kind == STEP_EXPECT || conn->authorized)
		return NEXT;
	if (!conn->answered)
		challenge(conn, step);
	return STAY;
}

/* Is a 407 the first final response in it? */
static bool is_challenge(const char *text, size_t len)
{
	const char *end = text + len;

	while (text && end - text > 12 && !memcmp(text, "HTTP/1.", 7)) {
		if (text[9] != '1')
			return !memcmp(text + 8, " 407", 4);
		text = memmem(text, (size_t)(end - text), "\r\n\r\n", 4);
		text = text ? text + 4 : NULL;
	}
	return false;
}

static enum progress do_send(struct conn *conn, const struct step *step)
{
	if (is_challenge(step->text, step->len))
		log_event(conn->number, "challenged");
	begin_output(conn, step->text, step->len);
	return NEXT;
}

static enum progress do_read(struct conn *conn, const struct step *step)
{
	if (step->number > sizeof(conn->in)) {
		errno = EMSGSIZE;
		return lost(conn);
	}
	if (conn->in_len < step->number && !conn->eof)
		return fill_input(conn) == NEXT ? STAY : WAIT;
	log_data(conn, conn->in_len < step->number ? conn->in_len : step->number);
	return NEXT;
}

static enum progress do_hold(struct conn *conn)
{
	log_data(conn, conn->in_len);
	if (conn->eof)
		return end(conn);
	return fill_input(conn) == NEXT ? STAY : WAIT;
}

static enum progress do_wait(struct conn *conn, const struct step *step, uint64_t now)
{
	if (!conn->started)
		conn->wake = now + step->number;
	conn->started = true;
	if (now < conn->wake)
		return WAIT;
	conn->wake = 0;
	return NEXT;
}

static enum progress do_reset(struct conn *conn)
{
	struct linger hard = {.l_onoff = 1};

	setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	return end(conn);
}

static struct pump *start_pump(int from, int to, const char *first, size_t len)
{
	struct pump *pump = malloc(sizeof(*pump));

	if (!pump)
		abort();
	pump_init(pump, from, to, first, len);
	return pump;
}

/* What has been read beyond the request goes first; a head's buffer is larger than a
 * pump's but nobody pipelines that much into a tunnel before it stands. */
static bool start_forth(struct conn *conn, int to)
{
	if (conn->in_len > sizeof(conn->forth->bytes)) {
		errno = EMSGSIZE;
		return false;
	}
	conn->forth = start_pump(conn->fd, to, conn->in, conn->in_len);
	conn->forth->eof = conn->eof;
	conn->in_total -= conn->in_len;
	conn->in_len = 0;
	return true;
}

static enum progress run_pumps(struct conn *conn)
{
	if (!pump_run(conn->forth) || (conn->back && !pump_run(conn->back)))
		return lost(conn);
	if (conn->forth->done && (!conn->back || conn->back->done))
		return end(conn);
	return WAIT;
}

static enum progress do_echo(struct conn *conn)
{
	if (!conn->forth && !start_forth(conn, conn->fd))
		return lost(conn);
	return run_pumps(conn);
}

static bool connect_peer(struct conn *conn)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(conn->port)};

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	log_event(conn->number, "relay %u", conn->port);
	conn->peer = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	conn->connecting = true;
	return conn->peer >= 0 &&
	       (!connect(conn->peer, (struct sockaddr *)&to, sizeof(to)) ||
		errno == EINPROGRESS);
}

static enum progress do_relay(struct conn *conn)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(int);
	int err = 0;

	if (conn->peer < 0)
		return connect_peer(conn) ? WAIT : lost(conn);
	if (conn->connecting) {
		getsockopt(conn->peer, SOL_SOCKET, SO_ERROR, &err, &len);
		errno = err;
		if (err)
			return lost(conn);
		len = sizeof(peer);
		if (getpeername(conn->peer, (struct sockaddr *)&peer, &len))
			return WAIT;
		conn->connecting = false;
		if (!start_forth(conn, conn->peer))
			return lost(conn);
		conn->back = start_pump(conn->peer, conn->fd, "", 0);
	}
	return run_pumps(conn);
}

static enum progress do_step(struct conn *conn, const struct step *step, uint64_t now)
{
	switch (step->kind) {
	case STEP_EXPECT:
	case STEP_AUTH:
	case STEP_LEGS:
		return do_request(conn, step);
	case STEP_HEAD:
		return read_head(conn, step);
	case STEP_PAYLOAD:
		return read_body(conn);
	case STEP_READ:
		return do_read(conn, step);
	case STEP_SEND:
		return do_send(conn, step);
	case STEP_REPORT:
		return do_report(conn);
	case STEP_SPLIT:
		conn->split = step->number;
		return NEXT;
	case STEP_DELAY:
		conn->delay = step->number;
		return NEXT;
	case STEP_WAIT:
		return do_wait(conn, step, now);
	case STEP_FINISH:
		shutdown(conn->fd, SHUT_WR);
		return do_hold(conn);
	case STEP_HOLD:
		return do_hold(conn);
	case STEP_RESET:
		return do_reset(conn);
	case STEP_ECHO:
		return do_echo(conn);
	case STEP_RELAY:
		return do_relay(conn);
	case STEP_LOOP:
		conn->at = (size_t)-1;
		return NEXT;
	case STEP_CLOSE:
		break;
	}
	return end(conn);
}

/* Sends the next piece; STAY while there are more. */
static enum progress do_output(struct conn *conn, uint64_t now)
{
	size_t piece = conn->out_len - conn->out_sent;
	ssize_t put;

	if (now < conn->wake)
		return WAIT;
	conn->wake = 0;
	if (conn->split && piece > conn->split)
		piece = conn->split;
	put = send(conn->fd, conn->out + conn->out_sent, piece, MSG_NOSIGNAL);
	if (put < 0 && errno == EAGAIN) {
		conn->wants_out = true;
		return WAIT;
	}
	if (put < 0)
		return lost(conn);
	conn->out_sent += (size_t)put;
	conn->out_total += (size_t)put;
	if (conn->out_sent < conn->out_len) {
		conn->wake = conn->delay ? now + conn->delay : 0;
		return STAY;
	}
	return conn->close_after_out ? end(conn) : STAY;
}

bool conn_run(struct conn *conn, uint64_t now)
{
	enum progress progress = STAY;

	conn->wants_in = conn->wants_out = false;
	while (!conn->ended && progress != WAIT) {
		if (conn->out_sent < conn->out_len) {
			progress = do_output(conn, now);
			continue;
		}
		if (conn->at == conn->block->count)
			return false;
		progress = do_step(conn, &conn->block->steps[conn->at], now);
		if (progress == NEXT) {
			conn->at++;
			conn->started = false;
		}
	}
	return !conn->ended;
}

uint64_t conn_wait(const struct conn *conn, struct pollfd fds[static 2])
{
	const struct pump *forth = conn->forth, *back = conn->back;
	bool in = conn->wants_in || (forth && pump_wants_input(forth));
	bool out = conn->wants_out || (back && pump_wants_output(back)) ||
		   (forth && forth->to == conn->fd && pump_wants_output(forth));

	fds[0] = (struct pollfd){.fd = -1};
	fds[1] = (struct pollfd){.fd = -1};
	/* An fd that waits for nothing would still report its hang-up, again and again.
	 */
	if (in || out) {
		fds[0].fd = conn->fd;
		fds[0].events = (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0));
	}
	in = back && pump_wants_input(back);
	out = conn->connecting ||
	      (forth && forth->to == conn->peer && pump_wants_output(forth));
	if (in || out) {
		fds[1].fd = conn->peer;
		fds[1].events = (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0));
	}
	return conn->wake;
}

void conn_free(struct conn *conn)
{
	size_t in = conn->in_total + (conn->forth ? conn->forth->total : 0);
	size_t out = conn->out_total + (conn->back ? conn->back->total : 0);

	close(conn->fd);
	if (conn->peer >= 0)
		close(conn->peer);
	log_event(conn->number, "close in=%zu out=%zu", in, out);
	free(conn->forth);
	free(conn->back);
	free(conn);
}
