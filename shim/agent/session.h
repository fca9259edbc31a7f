/* SPDX-License-Identifier: MIT */
/*
 * One client's connection: reads questions, hands each to the handler of its verb, sends
 * the answer. A session handles one question at a time.
 */
#ifndef GATEPASS_SESSION_H
#define GATEPASS_SESSION_H

#include <stdbool.h>

#include <gatepass/wire.h>

struct session;

/* At once; further connections are closed. */
#define SESSIONS_MAX 1024

void session_start(int fd); /* takes over the connected, non-blocking socket */
unsigned session_count(void);
/* Its client waits for our end, so our end does not wait for it: it counts no more. */
void session_discount(struct session *session);
void sessions_on_end(void (*ended)(void)); /* told whenever one has ended */

/*
 * A handler is given the question and must, now or later, call exactly one of
 * session_send(), session_error() and session_skip(); until then the session exists, even
 * when its client has gone. The question's texts are valid until the handler returns.
 */
bool session_is_closed(const struct session *session);

/* Begins the answer in the one buffer for sending: fill it and call session_send() before
 * control returns to the main loop. */
struct gp_buf *session_reply(struct session *session, const char *verb);
void session_send(struct session *session);
void session_error(struct session *session, const char *reason, const char *text);
void session_skip(struct session *session); /* the question gets no answer */
/* "wait", if it takes longer than was told before */
void session_wait(struct session *session, unsigned seconds);

/* What a conversation keeps from one question to the next. `closed` is called when the
 * client has gone; `release` when nothing refers to the session any more. */
struct conversation {
	void (*closed)(struct conversation *conversation);
	void (*release)(struct conversation *conversation);
};
void session_set_conversation(struct session *session, struct conversation *conversation);
struct conversation *session_conversation(struct session *session);

#endif
