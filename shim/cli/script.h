/* SPDX-License-Identifier: MIT */
/*
 * The first line of a script. Pure.
 */
#ifndef GATEPASS_SCRIPT_H
#define GATEPASS_SCRIPT_H

#include <stddef.h>

/*
 * Which program runs the file that begins with these bytes? A path, or after
 * "#!/usr/bin/env NAME" the name to be looked up in PATH; "/bin/sh" for text without
 * "#!", as the shells do it; NULL when it is no script, or its first line names nothing.
 * To be freed by g_free().
 */
char *script_interpreter(const char *bytes, size_t len);

#endif
