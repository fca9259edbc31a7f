/* SPDX-License-Identifier: MIT */
/* Fuzzes the proxy's message of NTLM, and what is answered: it fits, and each of its
 * fields and attributes lies in it. */
#include <gatepass/limits.h>

#include "ntlm.h"

#include "replay.h"

static size_t number_at(struct gp_text text, size_t place, unsigned size)
{
	size_t number = 0;

	must(place + size <= text.len);
	for (unsigned i = 0; i < size; i++)
		number |= (size_t)(uint8_t)text.p[place + i] << 8 * i;
	return number;
}

/* Up to the end mark, which four octets follow. */
static void check_attributes(struct gp_text info)
{
	bool flags = false;

	while (number_at(info, 0, 2)) {
		size_t len = number_at(info, 2, 2);

		if (number_at(info, 0, 2) == 6) {
			must(!flags && len == 4 && number_at(info, 4, 4) & 2);
			flags = true;
		}
		must(info.len >= 4 + len);
		info = gp_text_from(info, 4 + len);
	}
	must(flags && info.len == 8);
}

static void check_answer(struct gp_text message)
{
	size_t place = 88;

	must(ntlm_type(message) == 3);
	/* domain, user, workstation, LM, NT */
	for (const size_t *field = (const size_t[]){28, 36, 44, 12, 20, 0}; *field;
	     field++) {
		must(number_at(message, *field + 4, 4) == place);
		place += number_at(message, *field, 2);
	}
	must(place == message.len);
	place = number_at(message, 24, 4);
	check_attributes(gp_text_from(message, place + 16 + 28));
}

static struct gp_text take(struct gp_text *rest, size_t most)
{
	struct gp_text part = {rest->p, rest->len < most ? rest->len : most};

	*rest = gp_text_from(*rest, part.len);
	return part;
}

/* All names are octets of the message too. */
static void answer(struct gp_text message, const struct ntlm_challenge *challenge)
{
	static struct guard guard;
	struct gp_text rest = message;
	struct ntlm_use use = {.flags = challenge->flags,
			       .negotiate = message,
			       .challenge = message,
			       .password = message,
			       .workstation = take(&rest, GP_USER_MAX)};
	struct gp_buf out;

	ntlm_split(take(&rest, GP_USER_MAX), &use.domain, &use.user);
	use.service = take(&rest, GP_USER_MAX);
	if (!guard.map)
		guard_init(&guard, NTLM_MESSAGE_MAX);
	gp_buf_init(&out, guard_room(&guard, GUARD_TAIL, NTLM_MESSAGE_MAX),
		    NTLM_MESSAGE_MAX);
	must(ntlm_write_authenticate(challenge, &use, &out));
	must(!out.full);
	check_answer((struct gp_text){out.p, out.len});
	gp_buf_init(&out, guard_room(&guard, GUARD_TAIL, out.len - 1), out.len - 1);
	must(ntlm_write_authenticate(challenge, &use, &out));
	must(out.full);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ntlm_challenge challenge;
	struct gp_text message;

	if (size > FUZZ_INPUT_MAX)
		return 0;
	message = (struct gp_text){fuzz_copy(data, size, 0), size};
	if (!ntlm_read_challenge(message, &challenge))
		return 0;
	must(challenge.info.len <= NTLM_INFO_MAX);
	must(!challenge.info.len ||
	     (challenge.info.p >= message.p + 48 &&
	      challenge.info.p + challenge.info.len <= message.p + message.len));
	answer(message, &challenge);
	return 0;
}
