/* SPDX-License-Identifier: MIT */
/*
 * Environment variables: what a process tells the agent of its own, and what an agent
 * that it starts inherits. The same for the library and for gatepassctl, so that `status`
 * speaks of the proxy that programs use. Pure: the caller lends its getenv().
 */
#ifndef GATEPASS_VARIABLES_H
#define GATEPASS_VARIABLES_H

#include <stdbool.h>

struct gp_variable {
	const char *key;   /* of shim/agent/PROTOCOL.md */
	const char *value; /* of the look-up; may be empty */
	bool is_proxy;     /* names a proxy, or the file that does */
};

/* The next one that is set, for *index beginning with 0; false at the end. */
bool gp_variable_next(unsigned *index, char *(*look_up)(const char *name),
		      struct gp_variable *out);

/* Is "NAME=value" one that the agent needs, to find the user's files, bus, screen,
 * tickets and language, or a setting of ours? Not GATEPASS_PROXY, which may hold a
 * password, and comes with each question. */
bool gp_variable_is_inherited(const char *assignment);

#endif
