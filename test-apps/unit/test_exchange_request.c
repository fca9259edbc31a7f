/* SPDX-License-Identifier: MIT */
/* Authorizations that are for one request: each asks for its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <gatepass/exchange.h>

#define GET "GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n"
#define OWN                                                                              \
	"GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\n"                               \
	"Proxy-Authorization: Basic bWluZQ==\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define ASKS                                                                             \
	"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Digest realm=x\r\n"                    \
	"Content-Length: 0\r\n\r\n"

static int set_up(void **state)
{
	*state = malloc(sizeof(struct gp_exchange));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void write_all(struct gp_exchange *exchange, const char *bytes)
{
	assert_int_equal(gp_exchange_accepts(exchange), GP_ACCEPT_HOLD);
	assert_int_equal(gp_exchange_hold(exchange, bytes, strlen(bytes)), strlen(bytes));
}

/* The request that goes out has that authorization; NULL: none. */
static void goes_out_with(struct gp_exchange *exchange, const char *authorization)
{
	char sent[4096];
	const char *out;
	size_t len;

	assert_int_equal(gp_exchange_want(exchange), GP_EXCHANGE_SEND);
	out = gp_exchange_output(exchange, &len);
	assert_true(len < sizeof(sent));
	memcpy(sent, out, len);
	sent[len] = '\0';
	gp_exchange_sent(exchange, len);
	if (authorization)
		assert_non_null(strstr(sent, authorization));
	else
		assert_null(strstr(sent, "Proxy-Authorization"));
	assert_int_equal(gp_exchange_want(exchange), GP_EXCHANGE_LOOK);
}

static void answers(struct gp_exchange *exchange, const char *response)
{
	assert_int_equal(gp_exchange_saw(exchange, response, strlen(response)), 0);
}

static void reads(struct gp_exchange *exchange, const char *response)
{
	answers(exchange, response);
	assert_true(gp_exchange_shows(exchange));
	gp_exchange_received(exchange, response, strlen(response));
}

static void asks_for_request(struct gp_exchange *exchange)
{
	struct gp_exchange_challenge request;

	assert_int_equal(gp_exchange_want(exchange), GP_EXCHANGE_AUTHORIZE);
	assert_int_equal(gp_exchange_accepts(exchange), GP_ACCEPT_WAIT);
	gp_exchange_challenge(exchange, &request);
	assert_int_equal(request.method.len, strlen("GET"));
	assert_memory_equal(request.uri.p, "http://a.test/x", request.uri.len);
}

static void authorizes(struct gp_exchange *exchange, const char *value)
{
	const struct gp_authorization authorization = {
		.value = value,
		.scope = GP_SCOPE_REQUEST,
	};

	gp_exchange_authorized(exchange, &authorization);
}

static void each_request(void **state)
{
	const struct gp_exchange_way way = {.authorization.scope = GP_SCOPE_REQUEST};
	struct gp_exchange *exchange = *state;

	gp_exchange_init(exchange, &way);
	for (int i = 0; i < 3; i++) {
		const char *authorization = i % 2 ? "Digest two" : "Digest one";

		write_all(exchange, GET);
		asks_for_request(exchange);
		authorizes(exchange, authorization);
		goes_out_with(exchange, authorization);
		reads(exchange, OK);
		assert_int_equal(gp_exchange_take_verdict(exchange), 200);
	}
	gp_exchange_clear(exchange);
}

static void without_one(void **state)
{
	const struct gp_exchange_way way = {.authorization.scope = GP_SCOPE_REQUEST};
	struct gp_exchange *exchange = *state;

	gp_exchange_init(exchange, &way);
	write_all(exchange, GET);
	gp_exchange_authorized(exchange, NULL);
	goes_out_with(exchange, NULL);
	reads(exchange, OK);
	write_all(exchange, GET);
	authorizes(exchange, "no\r\nheader: field");
	goes_out_with(exchange, NULL);
	gp_exchange_clear(exchange);
}

static void own_stays(void **state)
{
	const struct gp_exchange_way way = {.authorization.scope = GP_SCOPE_REQUEST};
	struct gp_exchange *exchange = *state;

	gp_exchange_init(exchange, &way);
	write_all(exchange, OWN);
	goes_out_with(exchange, "Basic bWluZQ==");
	gp_exchange_clear(exchange);
}

/* The answer to a challenge is for the request that was challenged; the next one asks. */
static void after_a_challenge(void **state)
{
	const struct gp_exchange_way way = {0};
	struct gp_exchange *exchange = *state;

	gp_exchange_init(exchange, &way);
	write_all(exchange, GET);
	goes_out_with(exchange, NULL);
	answers(exchange, ASKS);
	assert_int_equal(gp_exchange_want(exchange), GP_EXCHANGE_ASK);
	gp_exchange_answer(exchange, &(struct gp_authorization){
					     .value = "Digest first",
					     .scope = GP_SCOPE_REQUEST,
				     });
	assert_int_equal(gp_exchange_saw(exchange, ASKS, strlen(ASKS)), strlen(ASKS));
	goes_out_with(exchange, "Digest first");
	reads(exchange, OK);
	write_all(exchange, GET);
	asks_for_request(exchange);
	authorizes(exchange, "Digest second");
	goes_out_with(exchange, "Digest second");
	gp_exchange_clear(exchange);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_request, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(own_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(after_a_challenge, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
