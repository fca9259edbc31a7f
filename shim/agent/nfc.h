/* SPDX-License-Identifier: MIT */
/*
 * Unicode's Normalization Form C, for passwords: one that is typed as a letter and an
 * accent becomes the one with the accented letter. g_utf8_normalize() would leave copies
 * in memory that nobody wipes.
 */
#ifndef GATEPASS_NFC_H
#define GATEPASS_NFC_H

#include <stddef.h>

struct secret;

/* Free with secret_free(). NULL: it is to be taken as it is, being ASCII or not UTF-8. */
struct secret *nfc_new(const char *text, size_t len);

#endif
