/* SPDX-License-Identifier: MIT */
/*
 * Tells the person at the desktop why programs do not get through, by
 * org.freedesktop.Notifications. Where there is no desktop, nothing happens.
 */
#ifndef GATEPASS_NOTIFY_H
#define GATEPASS_NOTIFY_H

struct endpoint;

/* Once for each proxy and reason (of PROTOCOL.md's "refuse"), until notify_forget(); only
 * reasons about which a person can do something. Never blocks. */
void notify_person(const struct endpoint *proxy, const char *reason, const char *text);
void notify_forget(const struct endpoint *proxy);

#endif
