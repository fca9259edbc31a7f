/* SPDX-License-Identifier: MIT */
/*
 * The chunked transfer coding, to find where a body ends. The data itself is of no
 * interest.
 *
 * Theory of operation: SIZE reads hexadecimal digits; what else is on that line is an
 * extension (EXTENSION). A size above 0 leads to DATA, then to its line end (AFTER_DATA)
 * and back to SIZE; the size 0 leads to the trailer section, line by line (TRAILER: at
 * the beginning of a line, TRAILER_LINE: inside one), until an empty line.
 */
#include <string.h>

#include <gatepass/http.h>

#define LINE_MAX_BYTES  (16 * 1024)
#define SIZE_DIGITS_MAX 15

enum { SIZE, EXTENSION, DATA, AFTER_DATA, TRAILER, TRAILER_LINE };

static enum gp_scan end_of_size(struct gp_chunked *chunked)
{
	if (!chunked->digits)
		return GP_SCAN_BAD;
	chunked->state = chunked->left ? DATA : TRAILER;
	chunked->digits = 0;
	chunked->line = 0;
	return GP_SCAN_MORE;
}

static enum gp_scan in_size(struct gp_chunked *chunked, char c)
{
	int digit = gp_hex_digit(c);

	if (digit >= 0) {
		chunked->left = chunked->left << 4 | (unsigned)digit;
		return ++chunked->digits > SIZE_DIGITS_MAX ? GP_SCAN_BAD : GP_SCAN_MORE;
	}
	if (c == '\n')
		return end_of_size(chunked);
	if (!chunked->digits || !strchr("; \t\r", c))
		return GP_SCAN_BAD;
	chunked->state = EXTENSION;
	return GP_SCAN_MORE;
}

/* One octet of anything but chunk data. */
static enum gp_scan step(struct gp_chunked *chunked, char c)
{
	if (++chunked->line > LINE_MAX_BYTES)
		return GP_SCAN_BAD;
	switch (chunked->state) {
	case SIZE:
		return c ? in_size(chunked, c) : GP_SCAN_BAD;
	case EXTENSION:
		return c == '\n' ? end_of_size(chunked) : GP_SCAN_MORE;
	case AFTER_DATA:
		if (c == '\r')
			return GP_SCAN_MORE;
		chunked->state = SIZE;
		chunked->line = 0;
		return c == '\n' ? GP_SCAN_MORE : GP_SCAN_BAD;
	case TRAILER:
		if (c == '\n')
			return GP_SCAN_DONE;
		if (c != '\r')
			chunked->state = TRAILER_LINE;
		return GP_SCAN_MORE;
	default: /* TRAILER_LINE */
		if (c == '\n') {
			chunked->state = TRAILER;
			chunked->line = 0;
		}
		return GP_SCAN_MORE;
	}
}

enum gp_scan gp_chunked_feed(struct gp_chunked *chunked, const char *bytes, size_t len,
			     size_t *used)
{
	enum gp_scan scan = GP_SCAN_MORE;
	size_t at = 0;

	while (at < len && scan == GP_SCAN_MORE) {
		if (chunked->state == DATA) {
			size_t part = len - at;

			if (part > chunked->left)
				part = (size_t)chunked->left;
			at += part;
			chunked->left -= part;
			if (!chunked->left)
				chunked->state = AFTER_DATA;
		} else {
			scan = step(chunked, bytes[at++]);
		}
	}
	*used = at;
	return scan;
}
