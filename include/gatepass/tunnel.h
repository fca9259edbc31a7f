/* SPDX-License-Identifier: MIT */
/*
 * The tunnel handshake: CONNECT (RFC 9110 9.3.6) through a proxy that may answer 407, as
 * a state machine without I/O. The caller asks what the machine wants, does it, and tells
 * what came of it:
 *
 *   GP_TUNNEL_CONNECT
 *     connect the socket to the proxy, after disconnecting it if it was connected;
 *     then gp_tunnel_connected()
 *
 *   GP_TUNNEL_SEND
 *     send gp_tunnel_output(); then gp_tunnel_sent(), or gp_tunnel_closed()
 *
 *   GP_TUNNEL_RECEIVE
 *     look at the bytes that wait in the socket (MSG_PEEK), show them to
 *     gp_tunnel_received(), and take exactly as many as it says; at the end of file,
 *     gp_tunnel_closed()
 *
 *   GP_TUNNEL_ASK
 *     ask the agent how to answer the challenge: gp_tunnel_status(), gp_tunnel_head(),
 *     gp_tunnel_kept(), gp_tunnel_offered(); then gp_tunnel_answer(), or
 *     gp_tunnel_refuse(). Status 0, without a head: the connection has ended that a leg
 *     of GP_SCOPE_CONNECTION was made for, and there was no response to it
 *
 *   GP_TUNNEL_ESTABLISHED
 *     the socket is the program's; what waits in it is from beyond
 *
 *   GP_TUNNEL_FAILED
 *     gp_tunnel_error() says why
 *
 * Nothing in it waits, so a blocking caller and an event loop can both drive it. Safe
 * everywhere; one thread at a time.
 */
#ifndef GATEPASS_TUNNEL_H
#define GATEPASS_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gatepass/authorization.h>
#include <gatepass/err.h>
#include <gatepass/http.h>
#include <gatepass/limits.h>
#include <gatepass/text.h>

enum gp_tunnel_want {
	GP_TUNNEL_CONNECT,
	GP_TUNNEL_SEND,
	GP_TUNNEL_RECEIVE,
	GP_TUNNEL_ASK,
	GP_TUNNEL_ESTABLISHED,
	GP_TUNNEL_FAILED
};

/* About 130 KiB; members are the machine's own. Holds the Proxy-Authorization value while
 * it lives: gp_tunnel_clear() it. */
struct gp_tunnel {
	enum gp_tunnel_want want;
	enum gp_err err;
	char authority[GP_AUTHORITY_MAX + 1];

	bool authorized;     /* the request in `out` carries an authorization, */
	enum gp_scope scope; /* of this scope */
	bool reused;         /* the request went out on a connection kept after a 407 */
	bool kept;           /* the connection can take another request */
	unsigned rounds;     /* challenges so far */
	unsigned informational; /* 1xx responses in a row */
	uint64_t drain_left;
	struct gp_http_framing framing;
	struct gp_chunked chunked;
	bool draining; /* the head is complete, the body is not */
	int status;    /* of the last final response */

	size_t out_len, out_sent;
	size_t authorization_len; /* at the end of `out` */
	size_t head_len;
	size_t head_used; /* bytes of head_bytes that ever held something */
	struct gp_http_head head;
	char out[GP_AUTHORIZATION_MAX + 4 * GP_AUTHORITY_MAX];
	char head_bytes[GP_HEAD_MAX];
};

/* `authority` is the "host:port" to reach; `authorization` goes with the first request,
 * NULL: none. GP_ERR_HOST_LONG, GP_ERR_HEADER_OCTET when they cannot stand in a header:
 * the machine has then FAILED with that error too. Of an authorization, `more` makes no
 * difference here: a CONNECT has no body, and asks for a connection that stays. */
enum gp_err gp_tunnel_init(struct gp_tunnel *tunnel, const char *authority,
			   const struct gp_authorization *authorization) GP_MUST_CHECK;

enum gp_tunnel_want gp_tunnel_want(const struct gp_tunnel *tunnel);

void gp_tunnel_connected(struct gp_tunnel *tunnel);

const char *gp_tunnel_output(const struct gp_tunnel *tunnel, size_t *len);
void gp_tunnel_sent(struct gp_tunnel *tunnel, size_t count);

/* Returns how many of the bytes belong to the proxy's response: all while it is
 * incomplete, and never one that comes after it. `len` > 0. */
size_t gp_tunnel_received(struct gp_tunnel *tunnel, const char *bytes, size_t len);

/* The proxy closed or reset the connection, or sending failed. */
void gp_tunnel_closed(struct gp_tunnel *tunnel);

/* More bytes wait behind the answered response: the connection cannot be used again. */
void gp_tunnel_not_kept(struct gp_tunnel *tunnel);

/* While GP_TUNNEL_ASK: the head that challenges, and whether the connection is kept: then
 * the answer is for that one, else for a new one. */
const struct gp_http_head *gp_tunnel_head(const struct gp_tunnel *tunnel);
bool gp_tunnel_kept(const struct gp_tunnel *tunnel);
bool gp_tunnel_authorized(const struct gp_tunnel *tunnel);

/* The authorization in the request that was last sent, or was to be; p is NULL if it had
 * none. What it is good for. */
struct gp_text gp_tunnel_offered(const struct gp_tunnel *tunnel);
enum gp_scope gp_tunnel_scope(const struct gp_tunnel *tunnel);

/* GP_ERR_HEADER_OCTET as gp_tunnel_init(). */
enum gp_err gp_tunnel_answer(struct gp_tunnel *tunnel,
			     const struct gp_authorization *authorization) GP_MUST_CHECK;
void gp_tunnel_refuse(struct gp_tunnel *tunnel);

/* The last final status, 0 before any; the reason of GP_TUNNEL_FAILED. */
int gp_tunnel_status(const struct gp_tunnel *tunnel);
enum gp_err gp_tunnel_error(const struct gp_tunnel *tunnel);

/* Wipes everything. */
void gp_tunnel_clear(struct gp_tunnel *tunnel);

#endif
