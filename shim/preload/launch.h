/* SPDX-License-Identifier: MIT */
/*
 * Starting the agent from inside a program that must not notice: no SIGCHLD, no child
 * left to wait for, none of its descriptors, signal settings or variables passed on.
 */
#ifndef GATEPASS_LAUNCH_H
#define GATEPASS_LAUNCH_H

#include <gatepass/err.h>

/* Returns when the agent listens, or has given up because another one does. Blocks for
 * five seconds at the most. GP_ERR_SYSTEM if it cannot be started, or was postponed.
 * Keeps errno. */
enum gp_err launch_agent(void) GP_MUST_CHECK;

/* It was started and is not there: this process does not try again for some seconds. */
void launch_postpone(void);

#endif
