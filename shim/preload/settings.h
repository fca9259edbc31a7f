/* SPDX-License-Identifier: MIT */
/*
 * What this process's environment says of proxies, as lines of the agent's protocol.
 * Taken once, at the first use, because a program may overwrite its environment.
 */
#ifndef GATEPASS_SETTINGS_H
#define GATEPASS_SETTINGS_H

#include <stdbool.h>

#include <gatepass/text.h>

/* Is there a proxy variable, or a configuration file? Looks for files again after a
 * second when there was none. Never blocks; may allocate (mmap); keeps no file open. */
bool settings_configured(void);

/* The lines of "What the asking process says of itself"; valid for ever. Only after
 * settings_configured() was true. */
struct gp_text settings_lines(void);

#endif
