/* SPDX-License-Identifier: MIT */
/*
 * The guard against lock-outs: what is known of each credential. Twenty programs that
 * start together with a wrong password must cost one failed logon, so an unknown
 * credential is tried by one conversation at a time, the others wait for the verdict; a
 * rejected one is given to nobody again. Credentials are known by a keyed digest only.
 */
#ifndef GATEPASS_VERDICTS_H
#define GATEPASS_VERDICTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct endpoint;

/* A credential as it is used by one scheme: a proxy may take it by one and refuse it by
 * another. */
struct verdict_id {
	uint8_t bytes[32]; /* HMAC-SHA256 over proxy, user and password, with a key of
			      this process's life */
	uint8_t scheme;    /* below VERDICT_SCHEMES; see struct scheme */
};

#define VERDICT_SCHEMES 8

/* Of scheme 0, which is none. */
void verdict_id_make(const struct endpoint *proxy, const char *user, const char *password,
		     size_t len, struct verdict_id *out);

bool verdict_id_equal(const struct verdict_id *a, const struct verdict_id *b);

enum verdict { VERDICT_UNKNOWN, VERDICT_TRYING, VERDICT_ACCEPTED, VERDICT_REJECTED };

enum verdict verdicts_get(const struct verdict_id *id);
const char *verdict_name(enum verdict verdict); /* NULL for VERDICT_UNKNOWN */

/* `owner` tries an unknown credential, and must end that with accept, reject or release.
 * An owner tries one credential at a time. False if it is not unknown, nor tried by
 * `owner`. */
bool verdicts_try(const struct verdict_id *id, const void *owner);

/* Each of these calls waiters back before it returns. */
void verdicts_accept(const struct verdict_id *id);
void verdicts_reject(const struct verdict_id *id);
void verdicts_release(const struct verdict_id *id, const void *owner); /* no verdict */

/* No effect on a trial under way. */
void verdicts_forget(const struct verdict_id *id);

/* Of the credential, by whatever scheme: accepted by one, else being tried by one, else
 * rejected by one. */
enum verdict verdicts_overall(const struct verdict_id *id);
/* By whatever scheme. The person says: try it again. */
void verdicts_forget_all(const struct verdict_id *id);

bool verdicts_any_rejected(void);

/*
 * Waits for the end of a trial. `done` is called once: with VERDICT_ACCEPTED or
 * VERDICT_REJECTED; with VERDICT_UNKNOWN when the trier left without a verdict and it is
 * the caller's turn to verdicts_try(); with VERDICT_TRYING when the time is over.
 */
struct verdict_wait;
struct verdict_wait *verdicts_wait(const struct verdict_id *id, unsigned seconds,
				   void (*done)(void *data, enum verdict verdict),
				   void *data);
void verdicts_wait_cancel(struct verdict_wait *wait); /* `done` is not called */

void verdicts_clear(void); /* for tests: forgets everything; nobody may be waiting */

#endif
