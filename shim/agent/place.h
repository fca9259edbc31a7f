/* SPDX-License-Identifier: MIT */
/*
 * The socket's place in the file system: its directory, its lock, and the socket itself.
 */
#ifndef GATEPASS_PLACE_H
#define GATEPASS_PLACE_H

#include <stdbool.h>

#include <gatepass/limits.h>

struct place {
	char path[GP_SOCKET_PATH_MAX];
	char *directory;
	bool is_own; /* one of the default places: nobody else has business there */
	int lock;    /* -1: not held */
};

/* Finds and prepares the directory. False: said in the log why not. */
bool place_prepare(struct place *place);

enum place_lock { PLACE_LOCKED, PLACE_TAKEN, PLACE_FAILED };

/* Takes the lock for the process's life. PLACE_TAKEN: another agent listens. Waits, for a
 * few seconds at the most, for one that is just starting or leaving. */
enum place_lock place_take(struct place *place);

/* With the lock: a listening, non-blocking socket, or -1, said in the log why. */
int place_listen(struct place *place);

/* Removes the socket. The lock stays until the process ends: there is never more than one
 * agent that gives names their numbers. */
void place_leave(struct place *place);

#endif
