/* SPDX-License-Identifier: MIT */
/*
 * Places where credentials are kept, as credentials.c asks them one after the other.
 */
#ifndef GATEPASS_STORE_H
#define GATEPASS_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "endpoint.h"

struct credential;
struct secret;

enum store_state {
	STORE_NOT_ASKED,
	STORE_FOUND,
	STORE_ABSENT,
	STORE_LOCKED,
	STORE_DISMISSED, /* the person closed the prompt, or did not see it */
	STORE_NO_BUS,
	STORE_NO_SERVICE,
	STORE_ERROR,
	STORE_FINAL /* there is none, and no further store is to be asked */
};

struct store_query {
	struct endpoint proxy;
	char *user; /* this user's, or NULL: any */
	bool may_prompt;
};

/* What to call back. A store has a time limit for everything, so `done` always comes. */
struct store_caller {
	/* Before a person is asked, with the seconds that it may take. */
	void (*prompting)(void *data, unsigned seconds);
	/* Once; the credential's reference is transferred, NULL unless STORE_FOUND. */
	void (*done)(void *data, enum store_state state, struct credential *credential);
	void *data;
};

/* Whose state is told as that of what. */
enum store_kind { STORE_IS_PLAIN, STORE_IS_KEYRING, STORE_IS_PERSON };

struct store {
	const char *name;
	enum store_kind kind; /* only a plain one does without may_prompt */
	bool is_remembered;   /* finding takes time: credentials.c keeps what was found */
	/* Copies what it needs of `query`. May call back before it returns. */
	void (*find)(const struct store_query *query, const struct store_caller *caller);
};

extern const struct store store_session;
extern const struct store store_secret;
extern const struct store store_helper;
extern const struct store store_askpass;

/* Agent memory. */
void store_session_put(const struct endpoint *proxy, const char *user,
		       const char *password, size_t len);
void store_session_keep(const struct endpoint *proxy, struct credential *credential);
unsigned store_session_remove(const struct endpoint *proxy, const char *user); /* count */
bool store_session_is_empty(void);

/*
 * The Secret Service. `done` is called once: STORE_FOUND is success, with `count` entries
 * removed; `text`, else NULL, is a sentence for STORE_ERROR. Takes over `password`.
 */
struct store_writer {
	void (*prompting)(void *data, unsigned seconds);
	void (*done)(void *data, enum store_state state, unsigned count,
		     const char *text);
	void *data;
};
void store_secret_put(const struct endpoint *proxy, const char *user,
		      struct secret *password, const struct store_writer *writer);
void store_secret_remove(const struct endpoint *proxy, const char *user,
			 const struct store_writer *writer);

/*
 * The user's credential helper, and the program by which a person is asked. Both want to
 * know what the proxy thought of the credential that they gave; for any other one these
 * have no effect.
 */
struct verdict_id;
void store_helper_accepted(const struct verdict_id *id);
void store_helper_rejected(const struct verdict_id *id);
/* A program has got through to the proxy, or has not; the verdicts on the way are known.
 */
void store_helper_settled(const struct endpoint *proxy);
void store_askpass_accepted(const struct verdict_id *id);
void store_askpass_rejected(const struct verdict_id *id);
/* Of the proxy: what was typed and is not accepted yet, and that nobody wanted to type.
 */
void store_askpass_forget(const struct endpoint *proxy);

/* What is wrong with the programs, a sentence for `status`; or NULL. */
const char *store_helper_problem(void);
const char *store_askpass_problem(void);

#endif
