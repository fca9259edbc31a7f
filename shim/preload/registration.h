/* SPDX-License-Identifier: MIT */
/*
 * The program's epoll registrations of a socket that has a record (pending.h), of which
 * something is hidden: they are ours meanwhile (watch.h). With the record taken. Keeps
 * errno unless said otherwise.
 */
#ifndef GATEPASS_REGISTRATION_H
#define GATEPASS_REGISTRATION_H

#include <stdbool.h>
#include <sys/epoll.h>

struct pending;
struct watch;

/* The program's own registration is in the set: it becomes ours for the time. */
void registration_take_over(struct pending *pending, int set, int fd,
			    const struct epoll_event *event);

/* The same with all that are known of `fd`. */
void registration_take_over_all(struct pending *pending, int fd);

/* They wait for what the record waits for now, and for what the program may see. */
void registration_point(struct pending *pending);

/* Nothing is hidden any more. `fd_is_ours`: the descriptors mean the socket, or something
 * else by now. */
void registration_give_back(struct pending *pending, bool fd_is_ours);

/* `from` is about to be closed: `to` means the same socket. */
void registration_move(struct pending *pending, int from, int to);

/* An event of ours has come, for a registration in `set`. True: there is something in it
 * for the program, and *event says that now. */
bool registration_show(struct pending *pending, int set, struct epoll_event *event);

/* The registration in `set`, if there is no other one in it; and the same as above by how
 * it was before it was given back, if the kernel has been asked all that it asks. */
bool registration_lone(const struct pending *pending, int set, struct watch *out);
bool registration_answered(const struct watch *watch, struct epoll_event *event);

/* epoll_ctl() on such a socket. As epoll_ctl(2), with errno. */
int registration_control(struct pending *pending, int set, int op, int fd,
			 struct epoll_event *event);

#endif
