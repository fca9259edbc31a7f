/* SPDX-License-Identifier: MIT */
/*
 * The agent's socket: its own, or one that systemd hands over; who may connect to it.
 */
#ifndef GATEPASS_LISTENER_H
#define GATEPASS_LISTENER_H

#include <stdbool.h>

enum listener_start { LISTENER_LISTENS, LISTENER_NOT_NEEDED, LISTENER_FAILED };

/* Not needed: another agent listens already. Failed: said in the log why. */
enum listener_start listener_open(void);

const char *listener_path(void);      /* of the socket */
const char *listener_directory(void); /* it is in */

/* Can new clients find us: is the socket still in its place? */
bool listener_is_reachable(void);

void listener_on_session(void (*began)(void)); /* told of each connection accepted */

/* Removes the socket and takes no new connections, but starts sessions for those that had
 * come before. */
void listener_close(void);

#endif
