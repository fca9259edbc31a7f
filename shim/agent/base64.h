/* SPDX-License-Identifier: MIT */
/* Base64 (RFC 4648 4) into memory that the caller chooses, for it may be a secret's. */
#ifndef GATEPASS_BASE64_H
#define GATEPASS_BASE64_H

#include <stddef.h>

#include <gatepass/text.h>

/* Room that is enough for `len` octets; GLib's encoder may need it for its last step. */
#define BASE64_MAX(len) (((len) / 3 + 1) * 4 + 4)

/* Adds the parts, one behind the other, with padding, which Squid insists on. What does
 * not fit sets out->full. */
void base64_add(struct gp_buf *out, const struct gp_text *parts, size_t count);

#endif
