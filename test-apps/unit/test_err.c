/* SPDX-License-Identifier: MIT */
/* Every reason of gatepass/err.h has a text of its own, in one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gatepass/err.h>

#include "guard.h"

static void each_has_its_own_text(void **state)
{
	(void)state;
	for (int err = GP_OK; err < GP_ERR_COUNT; err++) {
		const char *text = gp_strerror(err);

		expect(text && *text && !strchr(text, '\n'), "error %d", err);
		for (int other = GP_OK; other < err; other++)
			expect(strcmp(text, gp_strerror(other)) != 0, "%d is like %d: %s",
			       err, other, text);
	}
}

static void others_have_a_text_too(void **state)
{
	(void)state;
	assert_non_null(gp_strerror(GP_ERR_COUNT));
	assert_non_null(gp_strerror((enum gp_err)(GP_ERR_COUNT + 1000)));
	assert_non_null(gp_strerror((enum gp_err) - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_its_own_text),
		cmocka_unit_test(others_have_a_text_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
