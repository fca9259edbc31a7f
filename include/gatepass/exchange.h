/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1 requests of a program on one connection to a proxy, as a state machine without
 * I/O: edits the heads, finds the 407s, and sends a request again with the answer. The
 * caller has three duties.
 *
 * What the program sends, it offers: gp_exchange_accepts() says whether bytes are to be
 * held (gp_exchange_hold()), sent as they are (gp_exchange_room(), gp_exchange_passed()),
 * or have to wait.
 *
 * What the program receives comes from the socket itself, if gp_exchange_shows(), and is
 * reported by gp_exchange_received(); if gp_exchange_is_bounded(), no more than
 * gp_exchange_bound() of what waits there.
 *
 * Meanwhile it does what the machine wants:
 *
 *   GP_EXCHANGE_SEND
 *     send gp_exchange_output(); then gp_exchange_sent()
 *
 *   GP_EXCHANGE_LOOK
 *     show what waits in the socket (MSG_PEEK, from its beginning) to gp_exchange_saw(),
 *     and take as many bytes as that says; if it still wants to look then, more than
 *     gp_exchange_needs() - 1 have to be there; if they cannot be,
 *     gp_exchange_cannot_wait()
 *
 *   GP_EXCHANGE_ASK
 *     ask the agent: gp_exchange_challenge(); then gp_exchange_answer(), or
 *     gp_exchange_refuse()
 *
 *   GP_EXCHANGE_AUTHORIZE
 *     ask the agent what the request goes out with: gp_exchange_challenge(); then
 *     gp_exchange_authorized()
 *
 *   GP_EXCHANGE_RECONNECT
 *     a new connection of the socket; then gp_exchange_connected()
 *
 *   GP_EXCHANGE_TUNNEL
 *     the program does not speak HTTP that a proxy forwards: CONNECT; then
 *     gp_exchange_tunnelled(), or gp_exchange_untunnelled()
 *
 *   GP_EXCHANGE_OVER
 *     the socket is the program's from here on
 *
 *   GP_EXCHANGE_FAILED
 *     there is no way to send what the program wants to
 *
 * and tells the end of the connection by gp_exchange_closed(). One thread at a time.
 */
#ifndef GATEPASS_EXCHANGE_H
#define GATEPASS_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gatepass/authorization.h>
#include <gatepass/err.h>
#include <gatepass/http.h>
#include <gatepass/limits.h>
#include <gatepass/request.h>
#include <gatepass/response.h>

enum gp_exchange_want {
	GP_EXCHANGE_NOTHING, /* the program's turn */
	GP_EXCHANGE_SEND,
	GP_EXCHANGE_LOOK,
	GP_EXCHANGE_ASK,
	GP_EXCHANGE_AUTHORIZE,
	GP_EXCHANGE_RECONNECT,
	GP_EXCHANGE_TUNNEL,
	GP_EXCHANGE_OVER,
	GP_EXCHANGE_FAILED
};

enum gp_exchange_accept {
	GP_ACCEPT_WAIT, /* until the machine has gone on */
	GP_ACCEPT_HOLD,
	GP_ACCEPT_PASS,
	GP_ACCEPT_OVER /* the machine has no part in it */
};

/* What is known of the way when the connection is made. */
struct gp_exchange_way {
	/* Forward: the "host:port" that the program has connected to. NULL: observe, the
	 * program speaks to the proxy. */
	const char *authority;
	/* The proxy is known to accept this one, or, without a value, one of this scope,
	 * which is asked for before it is needed. */
	struct gp_authorization authorization;
	bool no_tunnel; /* the proxy has refused CONNECT to there */
};

/* Where the connection stands between program and proxy. */
enum gp_exchange_phase {
	GP_PHASE_OPEN, /* `out` and the copy go out, then what the program sends; what
			  comes in, see `inbound` */
	GP_PHASE_ASK,  /* a challenge waits for its answer */
	GP_PHASE_AUTHORIZE, /* a request waits for what it goes out with */
	GP_PHASE_DRAIN,     /* a response that the program is not to see is swallowed */
	GP_PHASE_CONNECT,
	GP_PHASE_TUNNEL,
	GP_PHASE_OVER,
	GP_PHASE_FAILED
};

enum gp_exchange_inbound {
	GP_INBOUND_IDLE,    /* no response is due */
	GP_INBOUND_AWAIT,   /* the status of the next one is not known */
	GP_INBOUND_INTERIM, /* one of 1xx passes */
	GP_INBOUND_PASS     /* the final one passes */
};

/* What the bytes in `out` are. */
enum gp_exchange_leg {
	GP_LEG_REQUEST, /* the program's */
	GP_LEG_PROBE,   /* ours, which goes before it */
	GP_LEG_LAST     /* what is still to be sent; then it is over */
};

/* About 1.6 MiB, of which only what is used costs memory; members are the machine's own.
 * Holds Proxy-Authorization values: gp_exchange_clear() it. */
struct gp_exchange {
	enum gp_exchange_phase phase;
	enum gp_exchange_inbound inbound;
	enum gp_exchange_leg leg;
	bool forwards, no_tunnel;
	bool gave_up; /* that the program speaks HTTP, once */
	char authority[GP_AUTHORITY_MAX + 1];

	/* the request in `head` */
	bool has_request; /* complete */
	struct gp_request request;
	bool in_body; /* more of its body is to come */
	uint64_t body_left;
	struct gp_chunked body_chunked;
	bool unanswered; /* its status is not known */
	bool sent_ours;  /* it went out with `authorization`, */
	bool persistent; /* and asked for a connection that stays */
	bool reused;     /* it went where another has been answered; if that connection
			  * ends without a word, it goes over another one */
	bool continued;  /* the program has seen a 100 (Continue) */
	bool was_reset;  /* the connection under it, and a probe has gone out for it */
	bool discards;   /* it has its answer, and its body goes nowhere */
	bool copy_lost;  /* its body is longer than the copy */
	bool probed;     /* a probe for it was let pass, or got no response */
	bool unaided;    /* it goes without us, and whatever comes of that is shown */
	unsigned rounds; /* of challenges to it */

	/* what is known of the proxy */
	bool authorized; /* `authorization` holds one */
	bool more;       /* see struct gp_authorization; also without any */
	bool used;       /* it has gone out */
	bool bound; /* handshakes are with a connection, and this one has it behind */
	bool replace_own; /* it has rejected the program's own */
	enum gp_scope scope;
	bool lets_pass; /* it asks nothing, or is known to accept what it gets */
	bool answered;  /* the program has got a final response */
	bool ends; /* the last one that it gets: it has asked for that, and we have not */

	/* the responses */
	unsigned unread;   /* how many the program has not read to their end */
	uint64_t bodiless; /* which of them have no body: the lowest bit is the next one's
			    */
	bool blind;        /* nobody knows where they end */
	bool last;         /* the connection ends with the one that was shown last, */
	bool endless;      /* and that one with the connection */
	size_t interim_left;
	int status;
	bool verdict; /* `status` answers a request with our authorization */
	bool kept;    /* the connection can take the answer to the challenge */
	size_t needs;
	uint64_t drained;
	struct gp_http_head challenge; /* of `challenge_bytes` */

	/* what the program has sent behind the request in `head` */
	size_t queue_at, queue_end;
	size_t queue_left; /* of it, as part of a body, to be sent now */
	bool hurry;        /* the program does not wait for answers */
	bool shared;       /* another process may read them */

	size_t head_len, out_len, copy_len;
	size_t out_left, copy_left; /* to be sent, at their ends */
	/* of what to wipe */
	size_t head_used, out_used, copy_used, challenge_used, queue_used;
	char authorization[GP_AUTHORIZATION_MAX + 1];
	char challenge_bytes[GP_HEAD_MAX];
	char head[GP_HEAD_MAX]; /* of the program's request */
	/* Holds every edit: a line "x" LF, or "x," in a list, becomes three octets. */
	char out[GP_HEAD_MAX * 3 / 2 + GP_AUTHORIZATION_MAX + 4 * GP_AUTHORITY_MAX];
	struct gp_response response; /* that passes, or is swallowed */
	char copy[GP_COPY_MAX];
	char queue[GP_QUEUE_MAX]; /* of the head as it came, until the request goes out;
				   then of its body */
};

void gp_exchange_init(struct gp_exchange *exchange, const struct gp_exchange_way *way);
enum gp_exchange_want gp_exchange_want(const struct gp_exchange *exchange);

/* --- what the program sends */

enum gp_exchange_accept gp_exchange_accepts(const struct gp_exchange *exchange);
/* Takes bytes of a request's head, or of requests that have to wait; returns how many, at
 * least one of `len` > 0. */
size_t gp_exchange_hold(struct gp_exchange *exchange, const char *bytes, size_t len);
/* How many of these bytes of a request's body can be sent now, at least one; and that
 * `len` of them were. */
size_t gp_exchange_room(const struct gp_exchange *exchange, const char *bytes,
			size_t len);
void gp_exchange_passed(struct gp_exchange *exchange, const char *bytes, size_t len);
/* They are taken, but do not go to the proxy. */
bool gp_exchange_discards(const struct gp_exchange *exchange);
/* Forward: does nothing that the program has sent tell yet whether it speaks HTTP? If
 * that lasts, a server may be meant that speaks first, or another protocol:
 * gp_exchange_give_up(). A program that has said nothing is waited for after all where
 * the proxy wants no tunnel for it. */
bool gp_exchange_is_undecided(const struct gp_exchange *exchange);
void gp_exchange_give_up(struct gp_exchange *exchange);
/* The program sends no more: what is held of it goes out as it is. */
void gp_exchange_let_go(struct gp_exchange *exchange);
/* From here on other processes use the connection too, out of our sight: nothing that the
 * program sends waits for an answer that another one may get. */
void gp_exchange_share(struct gp_exchange *exchange);
/* Is nothing of the program's held back? */
bool gp_exchange_is_flushed(const struct gp_exchange *exchange);

/* --- what the program receives */

/* May it see what waits in the socket? */
bool gp_exchange_shows(const struct gp_exchange *exchange);
bool gp_exchange_is_bounded(const struct gp_exchange *exchange);
size_t gp_exchange_bound(struct gp_exchange *exchange, const char *bytes, size_t len);
void gp_exchange_received(struct gp_exchange *exchange, const char *bytes, size_t len);
/* `len` bytes that we have not seen went to it. */
void gp_exchange_lost(struct gp_exchange *exchange, size_t len);

/* Once: is the program to see the end of the connection, behind what it has received? It
 * has asked for that, but the proxy was asked for a connection that stays. */
bool gp_exchange_take_end(struct gp_exchange *exchange);

/* --- what the machine wants */

const char *gp_exchange_output(const struct gp_exchange *exchange, size_t *len);
void gp_exchange_sent(struct gp_exchange *exchange, size_t count);

/* Is a response looked for? Also while something is to be sent: if that has to wait, or
 * fails, the reason may have come already. */
bool gp_exchange_looks(const struct gp_exchange *exchange);
size_t gp_exchange_saw(struct gp_exchange *exchange, const char *bytes, size_t len);
size_t gp_exchange_needs(const struct gp_exchange *exchange);
/* What it needs does not fit beside what waits: that is the program's. */
void gp_exchange_cannot_wait(struct gp_exchange *exchange);

/* The challenge's head; method and target of the request that it answers. */
struct gp_exchange_challenge {
	/* 407, or the 401 by which tinyproxy says the same; 0, with an empty head: the
	 * connection has ended that a leg of GP_SCOPE_CONNECTION was made for, and there
	 * was no response to it. */
	int status;
	const struct gp_http_head *head;
	struct gp_text method, uri;
	const char *offered; /* our authorization, if the request carried it; or NULL */
	bool kept;           /* the answer is for this connection, else for a new one */
	bool persistent;     /* the request asked for a connection that stays */
	bool bodiless;       /* the program's request has no body */
};
void gp_exchange_challenge(const struct gp_exchange *exchange,
			   struct gp_exchange_challenge *out);
void gp_exchange_not_kept(struct gp_exchange *exchange); /* by us */
/* No value, but more: the proxy is asked again, over a connection that stays, because it
 * may not have told everything to a request that did not ask for one. Neither, or a value
 * that cannot stand in a field: as gp_exchange_refuse(). */
void gp_exchange_answer(struct gp_exchange *exchange,
			const struct gp_authorization *authorization);

/* The program sees the challenge; if that has status 0, what the proxy says to the
 * request without any authorization. */
void gp_exchange_refuse(struct gp_exchange *exchange);

/* NULL, or no value: the agent has none, and the proxy will have to ask. */
void gp_exchange_authorized(struct gp_exchange *exchange,
			    const struct gp_authorization *authorization);

void gp_exchange_connected(struct gp_exchange *exchange);
void gp_exchange_tunnelled(struct gp_exchange *exchange);
void gp_exchange_untunnelled(struct gp_exchange *exchange); /* refused by policy */

/* The connection has ended, or sending failed; `reset`: with an error. */
void gp_exchange_closed(struct gp_exchange *exchange, bool reset);

/* Once for each final status of a request that carried our authorization, else 0. */
int gp_exchange_take_verdict(struct gp_exchange *exchange);
/* The field lines of the response that it has just told of. */
struct gp_text gp_exchange_verdict_fields(const struct gp_exchange *exchange);

/* Wipes what was used. */
void gp_exchange_clear(struct gp_exchange *exchange);

#endif
