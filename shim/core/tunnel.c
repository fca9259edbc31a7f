/* SPDX-License-Identifier: MIT */
/*
 * The tunnel handshake.
 *
 * Theory of operation: CONNECT -> SEND -> RECEIVE -> ESTABLISHED is the short way. A 407
 * (or a 401 to an authorized request, which is how tinyproxy says "wrong password") leads
 * to ASK, through the rest of its body if the connection can be kept by reading that; the
 * answer leads back to SEND on a kept connection, else to CONNECT. A kept connection may
 * have been closed by the proxy before our answer arrived: when that happens before the
 * first byte of a response, the same request goes once more over a new connection. But a
 * leg of a handshake with the connection is lost with that: what the agent says to this
 * is the next one.
 *
 * The head is collected byte-exactly: as long as it is incomplete, all bytes belong to
 * it, so the caller can take them from the socket at once and never needs to wait for
 * "more than what is there".
 */
#include <string.h>

#include <gatepass/tunnel.h>

#include "head.h"

static void fail(struct gp_tunnel *tunnel, enum gp_err err)
{
	tunnel->err = err;
	tunnel->want = GP_TUNNEL_FAILED;
}

/* Writes the request with its authorization, NULL for none. */
static enum gp_err prepare(struct gp_tunnel *tunnel,
			   const struct gp_authorization *authorization)
{
	const char *value = authorization ? authorization->value : NULL;
	struct gp_buf buf;

	explicit_bzero(tunnel->out, tunnel->out_len);
	tunnel->out_len = tunnel->out_sent = 0;
	tunnel->authorized = value != NULL;
	tunnel->scope = authorization ? authorization->scope : GP_SCOPE_PROXY;
	tunnel->authorization_len = value ? strlen(value) : 0;
	if (value && !head_fits(value))
		return GP_ERR_HEADER_OCTET;
	gp_buf_init(&buf, tunnel->out, sizeof(tunnel->out));
	gp_buf_add_string(&buf, "CONNECT ");
	gp_buf_add_string(&buf, tunnel->authority);
	gp_buf_add_string(&buf, " HTTP/1.1\r\nHost: ");
	gp_buf_add_string(&buf, tunnel->authority);
	gp_buf_add_string(&buf, "\r\nProxy-Connection: keep-alive\r\n");
	if (value) {
		gp_buf_add_string(&buf, "Proxy-Authorization: ");
		gp_buf_add_string(&buf, value);
		gp_buf_add_string(&buf, "\r\n");
	}
	gp_buf_add_string(&buf, "\r\n");
	tunnel->out_len = buf.len;
	return buf.full ? GP_ERR_HTTP_LONG : GP_OK;
}

static enum gp_err set_authority(struct gp_tunnel *tunnel, const char *authority)
{
	if (!gp_text_copy(gp_text(authority), tunnel->authority,
			  sizeof(tunnel->authority)))
		return GP_ERR_HOST_LONG;
	if (!head_fits(authority) || strpbrk(authority, " \t"))
		return GP_ERR_HEADER_OCTET;
	return *authority ? GP_OK : GP_ERR_HOST_SYNTAX;
}

enum gp_err gp_tunnel_init(struct gp_tunnel *tunnel, const char *authority,
			   const struct gp_authorization *authorization)
{
	enum gp_err err;

	/* The two buffers at the end stay untouched: their pages cost nothing until used.
	 */
	memset(tunnel, 0, offsetof(struct gp_tunnel, out));
	err = set_authority(tunnel, authority);
	if (!err)
		err = prepare(tunnel, authorization);
	if (err)
		fail(tunnel, err);
	else
		tunnel->want = GP_TUNNEL_CONNECT;
	return err;
}

enum gp_tunnel_want gp_tunnel_want(const struct gp_tunnel *tunnel)
{
	return tunnel->want;
}

void gp_tunnel_connected(struct gp_tunnel *tunnel)
{
	tunnel->out_sent = 0;
	tunnel->head_len = 0;
	tunnel->reused = false;
	tunnel->want = GP_TUNNEL_SEND;
}

const char *gp_tunnel_output(const struct gp_tunnel *tunnel, size_t *len)
{
	*len = tunnel->out_len - tunnel->out_sent;
	return tunnel->out + tunnel->out_sent;
}

void gp_tunnel_sent(struct gp_tunnel *tunnel, size_t count)
{
	tunnel->out_sent += count;
	if (tunnel->out_sent == tunnel->out_len)
		tunnel->want = GP_TUNNEL_RECEIVE;
}

static void ask(struct gp_tunnel *tunnel)
{
	tunnel->draining = false;
	tunnel->want = GP_TUNNEL_ASK;
}

static void ask_elsewhere(struct gp_tunnel *tunnel)
{
	tunnel->kept = false;
	ask(tunnel);
}

static bool begin_round(struct gp_tunnel *tunnel)
{
	if (++tunnel->rounds > GP_ROUNDS_MAX)
		fail(tunnel, GP_ERR_PROXY_AUTH);
	return tunnel->rounds <= GP_ROUNDS_MAX;
}

/* A challenge has arrived: what becomes of its body, and of the connection? */
static void challenged(struct gp_tunnel *tunnel)
{
	struct gp_http_framing *framing = &tunnel->framing;

	if (!begin_round(tunnel))
		return;
	if (gp_http_framing(&tunnel->head, framing) || !framing->keep_alive ||
	    (framing->body == GP_BODY_LENGTH && framing->length > GP_DRAIN_MAX)) {
		ask_elsewhere(tunnel);
		return;
	}
	tunnel->kept = true;
	tunnel->chunked = (struct gp_chunked){0};
	tunnel->drain_left =
		framing->body == GP_BODY_LENGTH ? framing->length : GP_DRAIN_MAX;
	tunnel->draining = framing->body != GP_BODY_NONE && tunnel->drain_left > 0;
	if (!tunnel->draining)
		ask(tunnel);
}

static enum gp_err error_of_status(int status)
{
	switch (status) {
	case 500: /* tinyproxy, when it cannot connect or resolve */
	case 502:
		return GP_ERR_BAD_GATEWAY;
	case 503:
		return GP_ERR_UNAVAILABLE;
	case 504:
		return GP_ERR_GATEWAY_TIMEOUT;
	default:
		return GP_ERR_PROXY_REFUSED;
	}
}

static void head_complete(struct gp_tunnel *tunnel)
{
	enum gp_err err =
		gp_http_head_parse(tunnel->head_bytes, tunnel->head_len, &tunnel->head);
	int status = tunnel->head.status;

	if (err) {
		fail(tunnel, err);
		return;
	}
	if (status < 200 && status != 101) {
		tunnel->head_len = 0;
		if (++tunnel->informational > GP_INFORMATIONAL_MAX)
			fail(tunnel, GP_ERR_HTTP_SYNTAX);
		return;
	}
	tunnel->status = status;
	if (status / 100 == 2) /* its Content-Length means nothing, RFC 9110 9.3.6 */
		tunnel->want = GP_TUNNEL_ESTABLISHED;
	else if (status == 407 || (status == 401 && tunnel->authorized))
		challenged(tunnel);
	else
		fail(tunnel, error_of_status(status));
}

static size_t collect_head(struct gp_tunnel *tunnel, const char *bytes, size_t len)
{
	size_t room = sizeof(tunnel->head_bytes) - tunnel->head_len;
	size_t copied = tunnel->head_len + (len < room ? len : room);
	size_t used;
	enum gp_scan scan =
		head_collect(tunnel->head_bytes, &tunnel->head_len, bytes, len, &used);

	if (tunnel->head_used < copied)
		tunnel->head_used = copied;
	if (scan == GP_SCAN_DONE)
		head_complete(tunnel);
	else if (scan == GP_SCAN_BAD)
		fail(tunnel, tunnel->head_len == sizeof(tunnel->head_bytes)
				     ? GP_ERR_HTTP_LONG
				     : GP_ERR_HTTP_SYNTAX);
	return used;
}

static size_t drain_length(struct gp_tunnel *tunnel, size_t len)
{
	size_t taken = len < tunnel->drain_left ? len : (size_t)tunnel->drain_left;

	tunnel->drain_left -= taken;
	if (!tunnel->drain_left)
		ask(tunnel);
	return taken;
}

static size_t drain_chunked(struct gp_tunnel *tunnel, const char *bytes, size_t len)
{
	size_t taken;
	enum gp_scan scan = gp_chunked_feed(&tunnel->chunked, bytes, len, &taken);

	if (scan == GP_SCAN_DONE)
		ask(tunnel);
	else if (scan == GP_SCAN_BAD || taken >= tunnel->drain_left)
		ask_elsewhere(tunnel);
	else
		tunnel->drain_left -= taken;
	return taken;
}

size_t gp_tunnel_received(struct gp_tunnel *tunnel, const char *bytes, size_t len)
{
	size_t used = 0;

	while (used < len && tunnel->want == GP_TUNNEL_RECEIVE) {
		if (!tunnel->draining)
			used += collect_head(tunnel, bytes + used, len - used);
		else if (tunnel->framing.body == GP_BODY_LENGTH)
			used += drain_length(tunnel, len - used);
		else
			used += drain_chunked(tunnel, bytes + used, len - used);
	}
	return used;
}

/* The connection that our leg was made for has ended. */
static void lose_leg(struct gp_tunnel *tunnel)
{
	tunnel->status = 0;
	tunnel->head = (struct gp_http_head){0};
	if (begin_round(tunnel))
		ask_elsewhere(tunnel);
}

static void closed_before_response(struct gp_tunnel *tunnel)
{
	tunnel->reused = false;
	if (tunnel->authorized && tunnel->scope == GP_SCOPE_CONNECTION)
		lose_leg(tunnel);
	else
		tunnel->want = GP_TUNNEL_CONNECT;
}

void gp_tunnel_closed(struct gp_tunnel *tunnel)
{
	if (tunnel->draining) {
		/* A reset behind a complete head is no more than an end of file. */
		ask_elsewhere(tunnel);
	} else if (tunnel->reused && !tunnel->head_len) {
		closed_before_response(tunnel);
	} else {
		fail(tunnel, GP_ERR_PROXY_CLOSED);
	}
}

void gp_tunnel_not_kept(struct gp_tunnel *tunnel)
{
	tunnel->kept = false;
}

const struct gp_http_head *gp_tunnel_head(const struct gp_tunnel *tunnel)
{
	return &tunnel->head;
}

bool gp_tunnel_kept(const struct gp_tunnel *tunnel)
{
	return tunnel->kept;
}

bool gp_tunnel_authorized(const struct gp_tunnel *tunnel)
{
	return tunnel->authorized;
}

struct gp_text gp_tunnel_offered(const struct gp_tunnel *tunnel)
{
	size_t tail = tunnel->authorization_len + strlen("\r\n\r\n");

	if (!tunnel->authorized)
		return (struct gp_text){0};
	return (struct gp_text){tunnel->out + tunnel->out_len - tail,
				tunnel->authorization_len};
}

enum gp_scope gp_tunnel_scope(const struct gp_tunnel *tunnel)
{
	return tunnel->scope;
}

enum gp_err gp_tunnel_answer(struct gp_tunnel *tunnel,
			     const struct gp_authorization *authorization)
{
	enum gp_err err = prepare(tunnel, authorization);

	if (err) {
		fail(tunnel, err);
		return err;
	}
	tunnel->head_len = 0;
	tunnel->informational = 0;
	tunnel->reused = tunnel->kept;
	tunnel->want = tunnel->kept ? GP_TUNNEL_SEND : GP_TUNNEL_CONNECT;
	return GP_OK;
}

void gp_tunnel_refuse(struct gp_tunnel *tunnel)
{
	fail(tunnel, GP_ERR_PROXY_AUTH);
}

int gp_tunnel_status(const struct gp_tunnel *tunnel)
{
	return tunnel->status;
}

enum gp_err gp_tunnel_error(const struct gp_tunnel *tunnel)
{
	return tunnel->err;
}

void gp_tunnel_clear(struct gp_tunnel *tunnel)
{
	explicit_bzero(tunnel->out, tunnel->out_len);
	explicit_bzero(tunnel->head_bytes, tunnel->head_used);
	explicit_bzero(tunnel, offsetof(struct gp_tunnel, out));
}
