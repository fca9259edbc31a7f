/* SPDX-License-Identifier: MIT */
/* The guard against lock-outs, and the search through stores, with a store that the test
 * answers for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <glib.h>

#include "credential.h"
#include "credentials.h"
#include "scheme.h"
#include "secret.h"
#include "store.h"
#include "verdicts.h"

static const struct endpoint proxy = {"p.test", 3128};

/* The fake stores: remember who asked; the test calls back. */
static struct store_caller asked;
static unsigned questions;
static bool asked_person;

static void fake_find(const struct store_query *query, const struct store_caller *caller)
{
	assert_true(endpoint_equal(&query->proxy, &proxy));
	asked = *caller;
	questions++;
	asked_person = query->may_prompt;
}

static const struct store fake = {"fake", STORE_IS_KEYRING, true, fake_find};
static const struct store fake_helper = {"helper", STORE_IS_PLAIN, true, fake_find};
static const struct store fake_person = {"person", STORE_IS_PERSON, false, fake_find};
static const struct store *const fakes[] = {&fake, NULL};
static const struct store *const several[] = {&fake, &fake_helper, &fake_person, NULL};

static int reset(void **state)
{
	(void)state;
	verdicts_clear();
	credentials_set_stores(fakes);
	questions = 0;
	return 0;
}

static struct credential *keyring_credential(const char *password)
{
	return credential_new(CREDENTIAL_KEYRING, &proxy, "alice", password,
			      strlen(password));
}

static void store_says(const char *password)
{
	asked.done(asked.data, password ? STORE_FOUND : STORE_ABSENT,
		   password ? keyring_credential(password) : NULL);
}

/* What credentials_find() said. */
struct heard {
	unsigned times;
	char password[32], rejected[32];
	enum store_state keyring, person;
};

static void hear(void *data, const struct credential_answer *answer)
{
	struct heard *heard = data;

	heard->times++;
	g_strlcpy(heard->password,
		  answer->credential ? answer->credential->password->bytes : "",
		  sizeof(heard->password));
	g_strlcpy(heard->rejected,
		  answer->rejected ? answer->rejected->password->bytes : "",
		  sizeof(heard->rejected));
	heard->keyring = answer->keyring;
	heard->person = answer->person;
}

static void find(struct heard *heard, struct credential *url)
{
	const struct credential_query query = {
		.proxy = &proxy, .url = url, .may_prompt = true};
	const struct credential_caller caller = {NULL, hear, heard};

	memset(heard, 0, sizeof(*heard));
	credentials_find(&query, &caller);
}

static void reject(const char *password)
{
	struct verdict_id id;

	verdict_id_make(&proxy, "alice", password, strlen(password), &id);
	verdicts_reject(&id);
}

static void test_identity(void **state)
{
	const struct endpoint other = {"p.test", 3129};
	struct verdict_id a, b;

	(void)state;
	verdict_id_make(&proxy, "alice", "pw", 2, &a);
	verdict_id_make(&proxy, "alice", "pw", 2, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	verdict_id_make(&proxy, "alice", "pw2", 3, &b);
	assert_memory_not_equal(&a, &b, sizeof(a));
	verdict_id_make(&proxy, "alic", "epw", 3, &b);
	assert_memory_not_equal(&a, &b, sizeof(a));
	verdict_id_make(&other, "alice", "pw", 2, &b);
	assert_memory_not_equal(&a, &b, sizeof(a));
}

static void assert_account(const char *domain, const char *user, const char *account)
{
	struct credential *credential = credential_new_in_domain(
		CREDENTIAL_KEYRING, &proxy, domain, user, "pw", 2);
	struct verdict_id id;

	assert_string_equal(credential->user, user);
	assert_string_equal(credential->account, account);
	verdict_id_make(&proxy, account, "pw", 2, &id);
	assert_true(verdict_id_equal(&credential->id, &id));
	credential_unref(credential);
}

static void test_domain(void **state)
{
	(void)state;
	assert_account(NULL, "alice", "alice");
	assert_account("", "alice", "alice");
	assert_account("CORP", "alice", "CORP\\alice");
	assert_account("CORP", "LAB\\alice", "LAB\\alice");
	assert_account("CORP", "alice@corp.example", "alice@corp.example");
}

static void test_search_is_shared(void **state)
{
	struct heard one = {0}, two = {0}, three = {0};

	(void)state;
	find(&one, NULL);
	find(&two, NULL);
	assert_int_equal(questions, 1);
	assert_int_equal(one.times, 0);
	store_says("pw");
	assert_int_equal(one.times, 1);
	assert_int_equal(two.times, 1);
	assert_string_equal(two.password, "pw");
	find(&three, NULL);
	assert_int_equal(questions, 1);
	assert_string_equal(three.password, "pw");
	assert_int_equal(three.keyring, STORE_FOUND);
}

static void test_absence_is_not_remembered(void **state)
{
	struct heard heard = {0};

	(void)state;
	find(&heard, NULL);
	store_says(NULL);
	assert_int_equal(heard.times, 1);
	assert_int_equal(heard.keyring, STORE_ABSENT);
	find(&heard, NULL);
	assert_int_equal(questions, 2);
	store_says("pw");
	assert_string_equal(heard.password, "pw");
}

static void test_refresh(void **state)
{
	struct heard heard = {0};

	(void)state;
	find(&heard, NULL);
	/* The store changes while it answers: the answer may be old already. */
	credentials_refresh();
	store_says("old");
	assert_string_equal(heard.password, "old");
	find(&heard, NULL);
	assert_int_equal(questions, 2);
	store_says("new");
	credentials_refresh();
	find(&heard, NULL);
	assert_int_equal(questions, 3);
	store_says("newer");
}

static void test_rejected_asks_again(void **state)
{
	struct heard heard = {0};

	(void)state;
	find(&heard, NULL);
	store_says("old");
	reject("old");
	find(&heard, NULL);
	assert_int_equal(questions, 2);
	store_says("old");
	assert_string_equal(heard.password, "");
	assert_string_equal(heard.rejected, "old");
	find(&heard, NULL);
	assert_int_equal(questions, 3);
	store_says("new");
	assert_string_equal(heard.password, "new");
}

static void test_url_comes_first(void **state)
{
	struct credential *url =
		credential_new(CREDENTIAL_URL, &proxy, "alice", "url", 3);
	struct heard heard = {0};

	(void)state;
	find(&heard, url);
	assert_string_equal(heard.password, "url");
	assert_int_equal(questions, 0);
	assert_int_equal(heard.keyring, STORE_NOT_ASKED);
	reject("url");
	find(&heard, url);
	store_says("pw");
	assert_string_equal(heard.password, "pw");
	assert_string_equal(heard.rejected, "url");
	/* The same password from elsewhere is the same credential. */
	credentials_refresh();
	find(&heard, url);
	store_says("url");
	assert_string_equal(heard.password, "");
	credential_unref(url);
}

static void test_session_store(void **state)
{
	static const struct store *const both[] = {&store_session, &fake, NULL};
	struct heard heard = {0};

	(void)state;
	credentials_set_stores(both);
	assert_true(store_session_is_empty());
	store_session_put(&proxy, "alice", "one", 3);
	store_session_put(&proxy, "alice", "two", 3);
	find(&heard, NULL);
	assert_string_equal(heard.password, "two");
	reject("two");
	find(&heard, NULL);
	store_says("pw");
	assert_string_equal(heard.password, "pw");
	assert_int_equal(store_session_remove(&proxy, "bob"), 0);
	assert_int_equal(store_session_remove(&proxy, NULL), 1);
	assert_true(store_session_is_empty());
}

/* Keyring, helper, person: what each says is told as what it is. */
static void test_store_after_store(void **state)
{
	struct heard heard = {0};

	(void)state;
	credentials_set_stores(several);
	find(&heard, NULL);
	asked.done(asked.data, STORE_LOCKED, NULL);
	asked.done(asked.data, STORE_ERROR, NULL);
	assert_true(asked_person);
	asked.done(asked.data, STORE_DISMISSED, NULL);
	assert_int_equal(heard.times, 1);
	assert_int_equal(heard.keyring, STORE_LOCKED);
	assert_int_equal(heard.person, STORE_DISMISSED);
	/* The helper says that nobody else is to be asked. */
	find(&heard, NULL);
	store_says(NULL);
	questions = 0;
	asked.done(asked.data, STORE_FINAL, NULL);
	assert_int_equal(heard.times, 1);
	assert_int_equal(questions, 0);
	assert_int_equal(heard.person, STORE_NOT_ASKED);
}

static void test_one_window(void **state)
{
	struct heard heard = {0};

	(void)state;
	credentials_set_stores(several);
	find(&heard, NULL);
	asked.done(asked.data, STORE_DISMISSED, NULL);
	store_says(NULL);
	assert_false(asked_person);
	store_says(NULL);
	assert_int_equal(heard.keyring, STORE_DISMISSED);
}

/* What the helper gave is remembered past the keyring, which has nothing. */
static void test_memory_of_later_stores(void **state)
{
	struct credential *credential = keyring_credential("pw");
	struct heard heard = {0};

	(void)state;
	credentials_set_stores(several);
	find(&heard, NULL);
	store_says(NULL);
	asked.done(asked.data, STORE_FOUND, credential_ref(credential));
	assert_string_equal(heard.password, "pw");
	questions = 0;
	find(&heard, NULL);
	assert_string_equal(heard.password, "pw");
	assert_int_equal(questions, 0);
	assert_int_equal(heard.keyring, STORE_NOT_ASKED);
	/* Until it expires. */
	credential->expires = 1;
	find(&heard, NULL);
	assert_int_equal(questions, 1);
	store_says("new");
	assert_string_equal(heard.password, "new");
	credential_unref(credential);
}

/* What was typed stays when it has been accepted, and is told as typed. */
static void test_typed_is_kept(void **state)
{
	static const struct store *const both[] = {&store_session, &fake, NULL};
	struct credential *typed =
		credential_new(CREDENTIAL_ASKPASS, &proxy, "alice", "typed", 5);
	struct heard heard = {0};

	(void)state;
	credentials_set_stores(both);
	store_session_put(&proxy, "alice", "old", 3);
	store_session_keep(&proxy, typed);
	credential_unref(typed);
	find(&heard, NULL);
	assert_string_equal(heard.password, "typed");
	assert_int_equal(store_session_remove(&proxy, NULL), 1);
}

struct waiter {
	unsigned times;
	enum verdict verdict;
	const struct verdict_id *id;
	bool tries; /* takes its turn */
};

static void verdict_came(void *data, enum verdict verdict)
{
	struct waiter *waiter = data;

	waiter->times++;
	waiter->verdict = verdict;
	if (waiter->tries && verdict == VERDICT_UNKNOWN)
		assert_true(verdicts_try(waiter->id, waiter));
}

static void wait_for(struct waiter *waiter, const struct verdict_id *id)
{
	waiter->id = id;
	verdicts_wait(id, 60, verdict_came, waiter);
}

static struct verdict_id make_id(void)
{
	struct verdict_id id;

	verdict_id_make(&proxy, "alice", "pw", 2, &id);
	return id;
}

static void test_one_tries(void **state)
{
	const struct verdict_id id = make_id();
	struct waiter a = {0}, b = {0};

	(void)state;
	assert_int_equal(verdicts_get(&id), VERDICT_UNKNOWN);
	assert_true(verdicts_try(&id, &a));
	assert_true(verdicts_try(&id, &a));
	assert_false(verdicts_try(&id, &b));
	assert_int_equal(verdicts_get(&id), VERDICT_TRYING);
	/* Only its owner ends a trial without verdict. */
	verdicts_release(&id, &b);
	assert_int_equal(verdicts_get(&id), VERDICT_TRYING);
	verdicts_release(&id, &a);
	assert_int_equal(verdicts_get(&id), VERDICT_UNKNOWN);
	assert_true(verdicts_try(&id, &b));
}

static void test_verdict_for_all(void **state)
{
	const struct verdict_id id = make_id();
	struct waiter trier = {0}, b = {0}, c = {0};

	(void)state;
	assert_true(verdicts_try(&id, &trier));
	wait_for(&b, &id);
	wait_for(&c, &id);
	verdicts_reject(&id);
	assert_int_equal(b.times, 1);
	assert_int_equal(c.times, 1);
	assert_int_equal(c.verdict, VERDICT_REJECTED);
	assert_true(verdicts_any_rejected());
	assert_false(verdicts_try(&id, &b));
	/* The person says: again. */
	verdicts_forget(&id);
	assert_false(verdicts_any_rejected());
	assert_true(verdicts_try(&id, &b));
	wait_for(&c, &id);
	verdicts_accept(&id);
	assert_int_equal(c.verdict, VERDICT_ACCEPTED);
}

static void test_next_in_turn(void **state)
{
	const struct verdict_id id = make_id();
	struct waiter trier = {0}, b = {0}, c = {.tries = true}, d = {.tries = true};

	(void)state;
	assert_true(verdicts_try(&id, &trier));
	wait_for(&b, &id);
	wait_for(&c, &id);
	wait_for(&d, &id);
	/* b does not want it, c takes it, d goes on waiting. */
	verdicts_release(&id, &trier);
	assert_int_equal(b.verdict, VERDICT_UNKNOWN);
	assert_int_equal(b.times, 1);
	assert_int_equal(c.times, 1);
	assert_int_equal(d.times, 0);
	assert_int_equal(verdicts_get(&id), VERDICT_TRYING);
	verdicts_release(&id, &c);
	assert_int_equal(d.times, 1);
	verdicts_accept(&id);
	assert_int_equal(d.times, 1);
}

static void test_cancelled_wait(void **state)
{
	const struct verdict_id id = make_id();
	struct waiter trier = {0}, b = {0};
	struct verdict_wait *wait;

	(void)state;
	assert_true(verdicts_try(&id, &trier));
	wait = verdicts_wait(&id, 60, verdict_came, &b);
	verdicts_wait_cancel(wait);
	verdicts_reject(&id);
	assert_int_equal(b.times, 0);
}

static void test_time_over(void **state)
{
	const struct verdict_id id = make_id();
	struct waiter trier = {0}, b = {0};

	(void)state;
	assert_true(verdicts_try(&id, &trier));
	verdicts_wait(&id, 0, verdict_came, &b);
	while (!b.times)
		g_main_context_iteration(NULL, TRUE);
	assert_int_equal(b.verdict, VERDICT_TRYING);
	verdicts_release(&id, &trier);
	assert_int_equal(b.times, 1);
}

static void assert_basic(const char *user, const char *password, const char *wanted)
{
	struct credential *credential =
		credential_new(CREDENTIAL_URL, &proxy, user, password, strlen(password));
	const struct scheme_request request = {.proxy = &proxy};
	const char *text = NULL;
	char storage[8192];
	struct gp_buf buf;
	enum scheme_result result;

	gp_buf_init(&buf, storage, sizeof(storage) - 1);
	result = scheme_basic.authorize(credential, &request, &buf, &text);
	storage[buf.len] = '\0';
	assert_int_equal(result, wanted ? SCHEME_OK : SCHEME_INVALID);
	if (wanted) {
		assert_string_equal(storage, wanted);
		assert_true(scheme_basic.matches(credential, &request, storage));
		storage[buf.len - 1] ^= 1;
		assert_false(scheme_basic.matches(credential, &request, storage));
	} else {
		assert_non_null(text);
	}
	credential_unref(credential);
}

static void test_basic(void **state)
{
	char longest[GP_PASSWORD_MAX + 2];

	(void)state;
	assert_basic("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	assert_basic("test", "123\xc2\xa3", "Basic dGVzdDoxMjPCow==");
	assert_basic("", "foobar", "Basic OmZvb2Jhcg==");
	assert_basic("", "", "Basic Og==");
	assert_basic("a:b", "c", NULL);
	assert_basic("a\rb", "c", NULL);
	assert_basic("a", "b\nc", NULL);
	memset(longest, 'x', sizeof(longest));
	longest[GP_PASSWORD_MAX + 1] = '\0';
	assert_basic("a", longest, NULL);
}

/* More than are kept, of one page and of several: what was in one is in none later. */
static void test_secrets_are_wiped(void **state)
{
	static const char zeros[10000];
	char *given[16];

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 16; i++) {
			size_t size = i % 3 ? 20 * i : 10000;

			given[i] = secret_alloc(size);
			assert_memory_equal(given[i], zeros, size);
			memset(given[i], 'x', size);
		}
		for (unsigned i = 0; i < 16; i++)
			secret_dealloc(given[i], i % 3 ? 20 * i : 10000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_identity, reset),
		cmocka_unit_test_setup(test_domain, reset),
		cmocka_unit_test_setup(test_search_is_shared, reset),
		cmocka_unit_test_setup(test_absence_is_not_remembered, reset),
		cmocka_unit_test_setup(test_refresh, reset),
		cmocka_unit_test_setup(test_rejected_asks_again, reset),
		cmocka_unit_test_setup(test_url_comes_first, reset),
		cmocka_unit_test_setup(test_session_store, reset),
		cmocka_unit_test_setup(test_store_after_store, reset),
		cmocka_unit_test_setup(test_one_window, reset),
		cmocka_unit_test_setup(test_memory_of_later_stores, reset),
		cmocka_unit_test_setup(test_typed_is_kept, reset),
		cmocka_unit_test_setup(test_one_tries, reset),
		cmocka_unit_test_setup(test_verdict_for_all, reset),
		cmocka_unit_test_setup(test_next_in_turn, reset),
		cmocka_unit_test_setup(test_cancelled_wait, reset),
		cmocka_unit_test_setup(test_time_over, reset),
		cmocka_unit_test_setup(test_basic, reset),
		cmocka_unit_test(test_secrets_are_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
