/* SPDX-License-Identifier: MIT */
/*
 * Writing JSON (RFC 8259).
 */
#ifndef GATEPASS_JSON_H
#define GATEPASS_JSON_H

#include <glib.h>

/* Appends the text as a JSON string, "null" for NULL. Octets that are not UTF-8 become
 * U+FFFD. */
void json_add_string(GString *out, const char *text);

/* Appends the text as it is if it is a decimal number, "null" otherwise. */
void json_add_number(GString *out, const char *text);

/* Appends an array of the strings; NULL is an empty one. */
void json_add_strings(GString *out, const GPtrArray *texts);

#endif
