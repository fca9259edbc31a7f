/* SPDX-License-Identifier: MIT */
/*
 * One accepted connection, going through its scenario. Theory of operation: conn_run()
 * does the scenario's instructions until one has to wait, for the socket, for the relay's
 * other end or for time, and says so through conn_wait(). Nothing in it blocks.
 */
#ifndef SIMPROXY_CONN_H
#define SIMPROXY_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>

#include "script.h"

struct conn;

/* Takes over the descriptor. `number` is the connection's, from 1, for the log. */
struct conn *conn_new(int fd, size_t number, const struct block *block);

/* False when the connection has ended: conn_free() it. `now`: a clock in milliseconds. */
bool conn_run(struct conn *conn, uint64_t now);

/* Fills in what to wait for; returns when to run at the latest, 0 for no such time. */
uint64_t conn_wait(const struct conn *conn, struct pollfd fds[static 2]);

void conn_free(struct conn *conn);

#endif
