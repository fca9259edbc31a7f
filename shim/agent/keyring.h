/* SPDX-License-Identifier: MIT */
/*
 * What the agent's uses of the Secret Service have in common: the bus, time limits,
 * errors, changes, and the search with its prompt. Nothing here blocks.
 */
#ifndef GATEPASS_KEYRING_H
#define GATEPASS_KEYRING_H

#include <stdbool.h>

#include <libsecret/secret.h>

#include "store.h"

/* A hung keyring daemon answers nothing; a person needs a minute; where nobody can be
 * asked, a keyring with a blank password still unlocks, and fast. */
#define KEYRING_CALL_SECONDS    5
#define KEYRING_PROMPT_SECONDS  60
#define KEYRING_UNASKED_SECONDS 3
/* What a search waits for a daemon that owes another one an answer. */
#define KEYRING_SILENCE_SECONDS 1

/* Is there a session bus? Never starts one. Sets DBUS_SESSION_BUS_ADDRESS if it is unset
 * and $XDG_RUNTIME_DIR/bus is there. */
bool keyring_has_bus(void);
bool keyring_has_display(void); /* can somebody be asked? */

/* One step of an operation, with a time limit; embedded in the operation. */
struct keyring_call {
	GCancellable *cancellable;
	guint timer;
	bool expired;
	void (*on_expired)(struct keyring_call *call);
};

/* Starts the time of the next step; hand call->cancellable to libsecret. `on_expired`
 * answers the operation's caller but does not free it: the step's callback still comes.
 */
void keyring_call_arm(struct keyring_call *call, unsigned seconds,
		      void (*on_expired)(struct keyring_call *call));
/* First thing in the step's callback. False: the caller was answered already; only free.
 */
bool keyring_call_returned(struct keyring_call *call);
/* For on_expired: ends the step, and closes the prompt that it may have opened. */
void keyring_call_cancel(struct keyring_call *call);
void keyring_call_release(struct keyring_call *call);

enum store_state keyring_state_of(const GError *error);

/* For each service that was got: hears of changes, and forgets the service when it ends.
 */
void keyring_watch(SecretService *service);

/* The keyring was dismissed or could not be unlocked: nobody asks again until it changes.
 * STORE_NOT_ASKED: not so. */
enum store_state keyring_refusal(void);
void keyring_set_refusal(enum store_state refusal);

/* A daemon that owes an answer, which a search waited for in vain, is not asked again
 * until it gives that answer (or D-Bus gives up, after 25 s): one program waits for a
 * hung daemon, and not each of them. */
bool keyring_is_silent(void);
void keyring_note_overdue(bool is);

/* The attributes of a proxy's entry; port and user are left out when NULL. Owned by the
 * caller: g_hash_table_unref(). */
GHashTable *keyring_attributes(const char *server, const uint16_t *port,
			       const char *user);

struct keyring_search {
	struct endpoint proxy;
	char *user; /* or NULL; owned by the search */
	bool may_prompt;
	bool exact; /* only entries of this very proxy and port */
	bool load_secrets;
	void (*prompting)(void *data, unsigned seconds); /* or NULL */
	/* Once: STORE_FOUND with unlocked SecretItems, which are borrowed, or another
	 * state. */
	void (*done)(void *data, enum store_state state, GList *items);
	void *data;
};

/* Copies the request, but takes over `user`. May call back before it returns. */
void keyring_search(const struct keyring_search *request);

#endif
