/* SPDX-License-Identifier: MIT */
/* The agent's messages, and where its socket is. */
#include <stdio.h>
#include <string.h>

#include <gatepass/wire.h>

#define MAGIC   "gatepass "
#define VERSION "1"

void gp_wire_begin(struct gp_buf *buf, const char *verb)
{
	gp_buf_add_string(buf, MAGIC VERSION " ");
	gp_buf_add_string(buf, verb);
	gp_buf_add_string(buf, "\n");
}

static void add_escaped(struct gp_buf *buf, struct gp_text value)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t from = 0;

	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.p[i];
		char escape[3] = {'%', digits[c >> 4], digits[c & 15]};

		if (c != '%' && !gp_is_control((char)c))
			continue;
		gp_buf_add(buf, value.p + from, i - from);
		gp_buf_add(buf, escape, sizeof(escape));
		from = i + 1;
	}
	if (from < value.len)
		gp_buf_add(buf, value.p + from, value.len - from);
}

void gp_wire_add_text(struct gp_buf *buf, const char *key, struct gp_text value)
{
	gp_buf_add_string(buf, key);
	gp_buf_add_string(buf, "=");
	add_escaped(buf, value);
	gp_buf_add_string(buf, "\n");
}

void gp_wire_add(struct gp_buf *buf, const char *key, const char *value)
{
	if (value)
		gp_wire_add_text(buf, key, gp_text(value));
}

void gp_wire_add_uint(struct gp_buf *buf, const char *key, uint64_t value)
{
	gp_buf_add_string(buf, key);
	gp_buf_add_string(buf, "=");
	gp_buf_add_uint(buf, value);
	gp_buf_add_string(buf, "\n");
}

/* Cuts the next line off, NUL-terminated in place; NULL at the end. */
static char *next_line(struct gp_wire *wire)
{
	char *line = wire->rest;
	char *lf;

	if (line == wire->end)
		return NULL;
	lf = memchr(line, '\n', (size_t)(wire->end - line));
	if (lf)
		*lf = '\0';
	wire->rest = lf ? lf + 1 : wire->end;
	return line;
}

enum gp_err gp_wire_open(struct gp_wire *wire, char *packet, size_t len)
{
	size_t magic = sizeof(MAGIC) - 1;
	char *line, *verb;

	if (len > GP_WIRE_MAX)
		return GP_ERR_WIRE_LONG;
	packet[len] = '\0';
	*wire = (struct gp_wire){.rest = packet, .end = packet + len};
	if (memchr(packet, '\0', len) || strncmp(packet, MAGIC, magic) != 0)
		return GP_ERR_WIRE_SYNTAX;
	line = next_line(wire);
	verb = strchr(line + magic, ' ');
	if (!verb || !verb[1])
		return GP_ERR_WIRE_SYNTAX;
	*verb = '\0';
	if (strcmp(line + magic, VERSION) != 0)
		return GP_ERR_WIRE_VERSION;
	wire->verb = verb + 1;
	return GP_OK;
}

/* In place; false on a bad escape or an escaped NUL. */
static bool unescape(char *value)
{
	char *out = value;

	for (const char *in = value; *in; in++) {
		char c = *in;

		if (c == '%') {
			int high = gp_hex_digit(in[1]);
			int low = high < 0 ? -1 : gp_hex_digit(in[2]);

			if (low < 0 || !(high | low))
				return false;
			c = (char)(high << 4 | low);
			in += 2;
		}
		*out++ = c;
	}
	*out = '\0';
	return true;
}

bool gp_wire_next(struct gp_wire *wire, const char **key, const char **value)
{
	char *line;

	while ((line = next_line(wire))) {
		char *equals = strchr(line, '=');

		if (!equals || equals == line)
			continue;
		*equals = '\0';
		if (!unescape(equals + 1))
			continue;
		*key = line;
		*value = equals + 1;
		return true;
	}
	return false;
}

enum gp_err gp_agent_path(const struct gp_agent_place *place,
			  char out[static GP_SOCKET_PATH_MAX])
{
	int len;

	if (place->agent && *place->agent)
		len = snprintf(out, GP_SOCKET_PATH_MAX, "%s", place->agent);
	else if (place->runtime_dir && *place->runtime_dir)
		len = snprintf(out, GP_SOCKET_PATH_MAX, "%s/gatepass/agent",
			       place->runtime_dir);
	else if (place->run_user)
		len = snprintf(out, GP_SOCKET_PATH_MAX, "/run/user/%u/gatepass/agent",
			       place->uid);
	else
		len = snprintf(out, GP_SOCKET_PATH_MAX, "/tmp/gatepass-%u/agent",
			       place->uid);
	if (len < 0 || len >= GP_SOCKET_PATH_MAX || out[0] != '/') {
		out[0] = '\0';
		return GP_ERR_SOCKET_PATH;
	}
	return GP_OK;
}
