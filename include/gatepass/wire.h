/* SPDX-License-Identifier: MIT */
/*
 * Messages between the library, gatepassctl and the agent, as shim/agent/PROTOCOL.md
 * specifies them: a version line with a verb, then lines of key=value. Pure; no
 * allocation; safe everywhere.
 */
#ifndef GATEPASS_WIRE_H
#define GATEPASS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gatepass/err.h>
#include <gatepass/limits.h>
#include <gatepass/text.h>

/* Begins a message in an empty buffer. Additions that do not fit set buf->full. */
void gp_wire_begin(struct gp_buf *buf, const char *verb);
void gp_wire_add(struct gp_buf *buf, const char *key,
		 const char *value); /* NULL: nothing */
void gp_wire_add_text(struct gp_buf *buf, const char *key, struct gp_text value);
void gp_wire_add_uint(struct gp_buf *buf, const char *key, uint64_t value);

/* A received message. Points into the packet, which it writes to. */
struct gp_wire {
	const char *verb;
	char *rest; /* the lines not read yet */
	char *end;
};

/* `packet` needs room for one byte more than `len`. GP_ERR_WIRE_VERSION: the verb can be
 * trusted no more than the rest. */
enum gp_err gp_wire_open(struct gp_wire *wire, char *packet, size_t len) GP_MUST_CHECK;

/* The next line, unescaped and NUL-terminated, in order; false at the end. Lines that are
 * none (no '=', a bad escape, an escaped NUL) are skipped, as unknown keys are by
 * everybody: a newer peer may send them. */
bool gp_wire_next(struct gp_wire *wire, const char **key, const char **value);

/* Where the agent's socket is. */
struct gp_agent_place {
	const char *agent;       /* $GATEPASS_AGENT, or NULL */
	const char *runtime_dir; /* $XDG_RUNTIME_DIR, or NULL */
	bool run_user;           /* the directory /run/user/UID exists */
	unsigned uid;
};

/* $GATEPASS_AGENT, $XDG_RUNTIME_DIR/gatepass/agent, /run/user/UID/gatepass/agent,
 * /tmp/gatepass-UID/agent: the first that is there. GP_ERR_SOCKET_PATH if it is relative
 * or too long; empty variables count as unset. */
enum gp_err gp_agent_path(const struct gp_agent_place *place,
			  char out[static GP_SOCKET_PATH_MAX]) GP_MUST_CHECK;

#endif
