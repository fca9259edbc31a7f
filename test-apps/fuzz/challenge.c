/* SPDX-License-Identifier: MIT */
/* Fuzzes Proxy-Authenticate values: the walk ends, and every slice lies in the value. */
#include <gatepass/challenge.h>

#include "replay.h"

static void check_inside(struct gp_text text, const char *bytes, size_t len)
{
	must(text.len == 0 || (text.p >= bytes && text.len <= len &&
			       (size_t)(text.p - bytes) <= len - text.len));
}

static void check_params(const struct gp_challenge *challenge)
{
	static char value[128], name[64];
	struct gp_text rest = challenge->params;
	struct gp_auth_param param;
	size_t most = rest.len + 1;

	while (gp_auth_param_next(&rest, &param)) {
		must(most-- > 0);
		must(param.name.len > 0);
		check_inside(param.name, challenge->params.p, challenge->params.len);
		check_inside(param.value, challenge->params.p, challenge->params.len);
		if (!gp_text_copy(param.name, name, sizeof(name)) ||
		    strlen(name) != param.name.len)
			continue;
		if (param.value.len < sizeof(value))
			must(gp_challenge_param(challenge, name, value, sizeof(value)) ||
			     rest.len > 0);
	}
	if (gp_challenge_param(challenge, "realm", value, 8))
		must(strlen(value) < 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gp_challenge challenge;
	size_t most = size + 1;

	if (size > FUZZ_INPUT_MAX)
		return 0;
	char *bytes = fuzz_copy(data, size, 0);
	struct gp_text rest = {bytes, size};

	while (gp_challenge_next(&rest, &challenge)) {
		must(most-- > 0);
		must(challenge.scheme.len > 0);
		check_inside(rest, bytes, size);
		check_inside(challenge.scheme, bytes, size);
		check_inside(challenge.token68, bytes, size);
		check_inside(challenge.params, bytes, size);
		check_params(&challenge);
	}
	return 0;
}
