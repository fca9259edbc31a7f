/* SPDX-License-Identifier: MIT */
/*
 * Starting gatepass-agent.
 */
#ifndef GATEPASS_LAUNCH_H
#define GATEPASS_LAUNCH_H

#include <stdbool.h>

/*
 * Starts the agent that lies beside our own executable, else the installed one, detached
 * from this process and its terminal, and waits until it is ready or gave up, 5 s at
 * most. False after reporting why it cannot be run. True promises only that it was run:
 * whether it listens is seen by connecting.
 */
bool launch_agent(void);

#endif
