/* SPDX-License-Identifier: MIT */
/*
 * How long the agent lives: until it is told to stop, or until nobody needs it any more.
 */
#ifndef GATEPASS_LIFE_H
#define GATEPASS_LIFE_H

/* Runs the main loop until the end. Leaves after `idle_seconds` without a connection (0:
 * never), unless that would lose what the user cannot get back. */
void life_run(unsigned idle_seconds);

/* Removes the socket and ends life_run() when the sessions of now have ended, or soon. */
void life_stop(void);

#endif
