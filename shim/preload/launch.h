/* SPDX-License-Identifier: MIT */
/*
 * Starting the agent from inside a program that must not notice: no SIGCHLD, no child
 * left to wait for, none of its descriptors, signal settings or variables passed on.
 */
#ifndef GATEPASS_LAUNCH_H
#define GATEPASS_LAUNCH_H

/* Starts the agent without waiting for it. Returns a socket, the caller's to close, that
 * becomes readable when the agent listens, or has given up because another one does; -1
 * if it cannot be started, or was postponed. Takes about a millisecond. Keeps errno. */
int launch_agent(void);

/* It was started and is not there: this process does not try again for some seconds. */
void launch_postpone(void);

#endif
