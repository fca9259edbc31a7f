/* SPDX-License-Identifier: MIT */
/*
 * What the proxy thought of a credential, for those who gave it and for the person.
 */
#ifndef GATEPASS_FEEDBACK_H
#define GATEPASS_FEEDBACK_H

struct endpoint;
struct verdict_id;

/* Before the verdict is known to others, who then ask the stores again. */
void feedback_accepted(const struct endpoint *proxy, const struct verdict_id *id);
void feedback_rejected(const struct endpoint *proxy, const struct verdict_id *id);

/* A program does not get through, for a reason of PROTOCOL.md's "refuse". `text` is a
 * sentence without secrets. */
void feedback_refused(const struct endpoint *proxy, const char *reason, const char *text);

/* The person has changed something. */
void feedback_reset(const struct endpoint *proxy);

#endif
