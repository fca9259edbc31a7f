/* SPDX-License-Identifier: MIT */
/*
 * Kerberos as a proxy wants it under the scheme Negotiate (RFC 4559): SPNEGO tokens
 * (RFC 4178) with krb5 in them and nothing else, by a ticket that the user has or by one
 * that is got with a password. One thread, the main loop's; what may wait for the KDC, or
 * for a slow file, runs in others.
 */
#ifndef GATEPASS_KERBEROS_H
#define GATEPASS_KERBEROS_H

#include <stdbool.h>

struct secret;

struct kerberos_question {
	const char *host;   /* the proxy's name as configured; for an address there is no
			       ticket */
	const char *ccache; /* KRB5CCNAME of the process that asks; NULL: the agent's */
	/* "user", "user@REALM" or "REALM\user", to get a ticket for; both NULL: a ticket
	 * is there, or is not. */
	const char *user;
	const struct secret *password;
	const char *token; /* the proxy's, in base64; NULL: the handshake begins. Without
			      a handshake it is ignored. */
};

enum kerberos_state {
	KERBEROS_TOKEN,
	KERBEROS_NONE,    /* no library, no ticket, or none for such a host or user */
	KERBEROS_REFUSED, /* the KDC refuses user and password */
	KERBEROS_FAILED   /* for another reason; user and password may be right */
};

struct kerberos_answer {
	enum kerberos_state state;
	/* With KERBEROS_TOKEN: */
	const char *token;     /* in base64 */
	bool complete;         /* the proxy's next token would be too many; false: it may
				  send one or let the request pass */
	const char *principal; /* whose ticket it is */
	const char *identity;  /* other letters for another ticket */
	/* Otherwise, a line for people: */
	const char *text;
};

/* A handshake with one connection. */
struct kerberos;

struct kerberos *kerberos_new(void);

/* Is the library there? */
bool kerberos_is_possible(void);

/*
 * Asks for the handshake's next token, or with no token of the proxy's for the first one
 * of a new handshake. Copies the question. `done` is called once, from the main loop and
 * within KERBEROS_SECONDS; the answer is valid during the call, which may free
 * `kerberos`. One question at a time.
 *
 * What failed at the KDC is remembered for a while, as long as the ticket is the same:
 * fifty programs do not wait, but who has run kinit is served at once. A password is
 * used once for all proxies, until its ticket has expired.
 */
void kerberos_ask(struct kerberos *kerberos, const struct kerberos_question *question,
		  void (*done)(void *data, const struct kerberos_answer *answer),
		  void *data);
/* `done` is not called; the next question begins a new handshake. */
void kerberos_cancel(struct kerberos *kerberos);
void kerberos_free(struct kerberos *kerberos); /* cancels; NULL is fine */

/* Forgets what failed, and the tickets that were got with passwords: the person says
 * that a password is new, or is to be forgotten. */
void kerberos_forget(void);

/* Whoever asks has other schemes to fall back to, and a program waits. */
#define KERBEROS_SECONDS 10

void kerberos_set_seconds(unsigned seconds); /* instead, for tests */

#endif
