/* SPDX-License-Identifier: MIT */
/*
 * The configuration file: key-file format, one `key=value` a line under `[group]` lines,
 * comments are lines that begin with `#`. A value is taken as it stands, trimmed.
 */
#ifndef GATEPASS_CONFIG_H
#define GATEPASS_CONFIG_H

#include <stdbool.h>

#include "ports.h"
#include "proxylist.h"
#include "scheme.h"

#define CONFIG_IDLE_TIMEOUT 600

struct config {
	char *path;    /* NULL: there is no file */
	bool is_there; /* the file exists */
	struct proxy_list proxy;
	char *user;     /* [proxy] user, or NULL */
	char *no_proxy; /* or NULL */
	struct ports forward_ports;
	struct scheme_policy schemes;
	char *helper;  /* [proxy] credential_helper, for helper_argv(); or NULL */
	char *askpass; /* a program; empty: none; NULL: not said */
	bool notifications;
	unsigned idle_timeout; /* seconds; 0: never */
	unsigned serial;       /* another one for each reading; not 0 */
	char **problems;       /* "file:line: what", NULL-terminated, never NULL */
};

/*
 * The configuration in `path`; NULL or empty: of the user's file, else of the system's.
 * Read again when the file has changed. Never fails: what cannot be used is among the
 * problems, with a broken line nothing of the file is used. Belongs to this module and is
 * valid until the next call. Blocks as reading a small local file does.
 */
const struct config *config_get(const char *path);

/* The agent's own, by its environment: what it runs is never taken from a file that the
 * asking process names, which may be one that can do less than we. */
const struct config *config_own(void);

/* An absolute path, or a name to look up in PATH. */
bool config_program_is_valid(const char *path);

void config_clear(void); /* forgets what was read */

#endif
