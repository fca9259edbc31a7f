/* SPDX-License-Identifier: MIT */
/*
 * Environment variables of this process, to the agent.
 */
#include "variables.h"

#include <stdlib.h>
#include <unistd.h>

#include <glib.h>

#include <gatepass/variables.h>
#include <gatepass/wire.h>

void variables_add(struct gp_buf *message)
{
	struct gp_variable variable;
	unsigned index = 0;

	while (gp_variable_next(&index, getenv, &variable))
		gp_wire_add(message, variable.key, variable.value);
}

char **variables_for_agent(void)
{
	GPtrArray *kept = g_ptr_array_new();

	for (char **variable = environ; *variable; variable++) {
		if (gp_variable_is_inherited(*variable))
			g_ptr_array_add(kept, g_strdup(*variable));
	}
	g_ptr_array_add(kept, NULL);
	return (char **)g_ptr_array_free(kept, FALSE);
}
