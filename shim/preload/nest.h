/* SPDX-License-Identifier: MIT */
/*
 * Epoll sets inside other epoll sets: such a set is readable when something in it is
 * ready, and the outer one must not tell so when that is a registration of ours alone. As
 * long as the inner set has any, its own registrations in outer sets carry a tag. Any
 * thread; keeps errno.
 */
#ifndef GATEPASS_NEST_H
#define GATEPASS_NEST_H

#include <stdbool.h>
#include <sys/epoll.h>

/* A set has got another registration of ours, or has lost one. */
void nest_enter(int set);
void nest_leave(int set);

/* Does the set have any? */
bool nest_has(int set);

/* An event of `outer` with TAG_SET: lets go on what waits in the inner set. True if that
 * is ready for the program still; *event is as the program registered it then. */
bool nest_event(int outer, struct epoll_event *event);

/* Is `set` ready for the program, and not only for us? */
bool nest_is_ready(int set);

void nest_after_fork(void);

#endif
