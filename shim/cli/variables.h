/* SPDX-License-Identifier: MIT */
/*
 * The process's environment, as the agent is told of it and as it inherits it.
 */
#ifndef GATEPASS_CLI_VARIABLES_H
#define GATEPASS_CLI_VARIABLES_H

#include <gatepass/text.h>

/* Adds what PROTOCOL.md lists under "What the asking process says of itself". */
void variables_add(struct gp_buf *message);

/* A new environment for the agent, to be freed by g_strfreev(): what it needs to find the
 * person's session, and nothing else, above all no LD_PRELOAD. */
char **variables_for_agent(void);

#endif
