/* SPDX-License-Identifier: MIT */
/*
 * The numbers behind stand-in addresses: which name has which. The same for all processes
 * of the user and, by a file, for the agent's next life.
 */
#ifndef GATEPASS_NAMES_H
#define GATEPASS_NAMES_H

#include <stdint.h>

/* Reads DIRECTORY/names and keeps it up to date from now on. When that cannot be done
 * (said in the log), names live as long as the agent does. */
void names_open(const char *directory);
void names_close(void); /* forgets all; the file stays */

/* The number of a normalised name; a new one if it has none. When all GP_FAKE_MAX are in
 * use, the name unused for longest gives its number away. */
uint32_t names_number(const char *name);

/* The name of a number, or NULL. Counts as a use. Valid until the next names_number(). */
const char *names_name(uint32_t number);

#endif
