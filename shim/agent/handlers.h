/* SPDX-License-Identifier: MIT */
/*
 * What answers the questions of PROTOCOL.md, by verb; see session.h for the contract.
 */
#ifndef GATEPASS_HANDLERS_H
#define GATEPASS_HANDLERS_H

struct gp_wire;
struct session;

void way_route(struct session *session, struct gp_wire *question);

void handshake_challenge(struct session *session, struct gp_wire *question);
void handshake_outcome(struct session *session, struct gp_wire *question);

void lookup_resolve(struct session *session, struct gp_wire *question);
void lookup_reverse(struct session *session, struct gp_wire *question);

void control_status(struct session *session, struct gp_wire *question);
void control_login(struct session *session, struct gp_wire *question);
void control_logout(struct session *session, struct gp_wire *question);
void control_stop(struct session *session, struct gp_wire *question);

#endif
