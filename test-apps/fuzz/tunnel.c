/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the tunnel handshake. The input is what the proxy sends, one connection after
 * the other, each ended by an octet FE. However it comes in pieces, the handshake ends
 * the same way, and at the same byte.
 */
#include <gatepass/tunnel.h>

#include "replay.h"

struct proxy {
	const char *at, *end; /* of this connection */
	const char *all_end;
};

struct result {
	enum gp_tunnel_want want;
	enum gp_err err;
	int status, connects, sends, asks;
	const char *at;
};

static void open_at(struct proxy *proxy, const char *from)
{
	proxy->at = proxy->end = from;
	while (proxy->end < proxy->all_end && (uint8_t)*proxy->end < 0xFD)
		proxy->end++;
}

static void next_connection(struct proxy *proxy)
{
	size_t left = (size_t)(proxy->all_end - proxy->end);
	const char *end = left ? memchr(proxy->end, 0xFE, left) : NULL;

	open_at(proxy, end ? end + 1 : proxy->all_end);
}

static void reconnect(struct gp_tunnel *tunnel, struct proxy *proxy, bool again)
{
	if (again)
		next_connection(proxy);
	gp_tunnel_connected(tunnel);
	must(gp_tunnel_want(tunnel) == GP_TUNNEL_SEND);
}

static void send_all(struct gp_tunnel *tunnel, size_t piece)
{
	while (gp_tunnel_want(tunnel) == GP_TUNNEL_SEND) {
		size_t len;
		const char *out = gp_tunnel_output(tunnel, &len);

		must(len > 0 && out[len - 1] == '\n');
		gp_tunnel_sent(tunnel, piece < len ? piece : len);
	}
}

static void receive(struct gp_tunnel *tunnel, struct proxy *proxy, size_t piece)
{
	size_t left = (size_t)(proxy->end - proxy->at);
	size_t len = piece < left ? piece : left;

	if (len == 0) {
		gp_tunnel_closed(tunnel);
		must(gp_tunnel_want(tunnel) != GP_TUNNEL_RECEIVE);
		return;
	}
	size_t used = gp_tunnel_received(tunnel, fuzz_copy(proxy->at, len, 0), len);

	must(used <= len);
	must(used == len || gp_tunnel_want(tunnel) != GP_TUNNEL_RECEIVE);
	proxy->at += used;
}

static void answer(struct gp_tunnel *tunnel, struct proxy *proxy, enum gp_scope scope)
{
	const struct gp_authorization answer = {.value = "Basic eDp5", .scope = scope};

	must(gp_tunnel_status(tunnel) ||
	     (scope == GP_SCOPE_CONNECTION && gp_tunnel_authorized(tunnel) &&
	      !gp_tunnel_kept(tunnel)));
	must(gp_tunnel_head(tunnel)->status == gp_tunnel_status(tunnel));
	if (proxy->at < proxy->end)
		gp_tunnel_not_kept(tunnel);
	bool kept = gp_tunnel_kept(tunnel);

	must(gp_tunnel_answer(tunnel, &answer) == GP_OK);
	if (kept && proxy->end < proxy->all_end && (uint8_t)*proxy->end == 0xFD)
		open_at(proxy, proxy->end + 1);
	must(gp_tunnel_want(tunnel) == (kept ? GP_TUNNEL_SEND : GP_TUNNEL_CONNECT));
}

static struct result run(const char *data, size_t size, size_t piece, enum gp_scope scope)
{
	static struct gp_tunnel tunnel;
	struct proxy proxy = {.all_end = data + size};
	struct result result = {0};

	open_at(&proxy, data);
	must(gp_tunnel_init(&tunnel, "example.org:443", NULL) == GP_OK);
	while ((result.want = gp_tunnel_want(&tunnel)) < GP_TUNNEL_ESTABLISHED) {
		must(result.asks <= GP_ROUNDS_MAX);
		if (result.want == GP_TUNNEL_CONNECT)
			reconnect(&tunnel, &proxy, result.connects++ > 0);
		else if (result.want == GP_TUNNEL_SEND)
			result.sends++, send_all(&tunnel, piece);
		else if (result.want == GP_TUNNEL_RECEIVE)
			receive(&tunnel, &proxy, piece);
		else
			result.asks++, answer(&tunnel, &proxy, scope);
	}
	result.err = gp_tunnel_error(&tunnel);
	result.status = gp_tunnel_status(&tunnel);
	result.at = proxy.at;
	gp_tunnel_clear(&tunnel);
	return result;
}

static void check(const char *data, size_t size, enum gp_scope scope)
{
	static const size_t pieces[] = {1, 3, 61};
	struct result whole = run(data, size, FUZZ_INPUT_MAX, scope);

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct result result = run(data, size, pieces[i], scope);

		must(result.want == whole.want && result.err == whole.err);
		must(result.status == whole.status && result.asks == whole.asks);
		must(result.connects == whole.connects && result.sends == whole.sends);
		must(result.want == GP_TUNNEL_FAILED || result.at == whole.at);
	}
	must((whole.err == GP_OK) == (whole.want == GP_TUNNEL_ESTABLISHED));
	must(whole.want == GP_TUNNEL_FAILED || whole.status / 100 == 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > FUZZ_INPUT_MAX)
		return 0;
	check((const char *)data, size, GP_SCOPE_PROXY);
	check((const char *)data, size, GP_SCOPE_CONNECTION);
	return 0;
}
