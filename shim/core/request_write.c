/* SPDX-License-Identifier: MIT */
/* Request heads as the proxy is to get them. */
#include <string.h>

#include <gatepass/limits.h>
#include <gatepass/request.h>

#include "authority.h"
#include "head.h"

/* A head on its way. */
struct editing {
	const struct gp_request *request;
	const struct gp_edit *edit;
	struct gp_buf *out;
	struct authority authority; /* of the rewritten target; host.p is NULL if it stays
				     */
	bool has_host, has_length;  /* written */
	int minor;                  /* of HTTP/1.x */
};

static void add_text(struct gp_buf *out, struct gp_text text)
{
	gp_buf_add(out, text.p, text.len);
}

static void add_line(struct gp_buf *out, struct gp_text line)
{
	add_text(out, line);
	gp_buf_add_string(out, "\r\n");
}

static void add_authorization(struct gp_buf *out, const char *authorization)
{
	if (!authorization)
		return;
	gp_buf_add_string(out, "Proxy-Authorization: ");
	add_line(out, gp_text(authorization));
}

/* What Host names, with the port that the program has connected to if it names none; else
 * what the program has connected to. */
static bool find_authority(const struct gp_request *request, const struct gp_edit *edit,
			   struct authority *out)
{
	struct authority connected = {0};
	bool found = authority_parse(gp_text(edit->authority), &connected);

	if (gp_text_is(connected.port, "80"))
		connected.port = (struct gp_text){NULL, 0};
	*out = connected;
	if (!request->host.p)
		return found;
	found = authority_parse(request->host, out);
	if (!out->port.len)
		out->port = connected.port;
	return found;
}

/* The Host of a rewritten request is the authority of its target (RFC 9112 3.2.2). */
static void write_host(struct editing *editing, struct gp_text name)
{
	if (!editing->has_host) {
		add_text(editing->out, name);
		gp_buf_add_string(editing->out, ": ");
		authority_write(&editing->authority, editing->out);
		gp_buf_add_string(editing->out, "\r\n");
	}
	editing->has_host = true;
}

/* One Content-Length, with one number, or none beside a transfer coding (RFC 9112 6.3).
 */
static void write_length(struct editing *editing, const struct gp_http_field *field,
			 struct gp_text line)
{
	const struct gp_request *request = editing->request;
	struct gp_text rest = field->value;
	struct gp_text number = gp_text_cut(&rest, ",");

	if (request->body == GP_BODY_NONE) {
		add_line(editing->out, line);
	} else if (request->body == GP_BODY_LENGTH && !editing->has_length) {
		if (rest.p)
			line.len = (size_t)(number.p + number.len - line.p);
		add_line(editing->out, line);
		editing->has_length = true;
	}
}

static bool is_upgrade(struct gp_text option)
{
	return gp_text_is(option, "upgrade") || gp_text_is(option, "http2-settings");
}

/* Of Connection. */
static bool drops_option(const struct gp_edit *edit, struct gp_text option)
{
	return (edit->without_upgrade && is_upgrade(option)) ||
	       (edit->persistent && gp_text_is(option, "close"));
}

static bool drops_any(const struct gp_edit *edit, struct gp_text options)
{
	struct gp_text option;

	while (head_list_next(&options, &option))
		if (drops_option(edit, option))
			return true;
	return false;
}

static void write_connection(struct editing *editing, const struct gp_http_field *field,
			     struct gp_text line)
{
	struct gp_text rest = field->value, option;
	bool begun = false;

	if (!drops_any(editing->edit, rest)) {
		add_line(editing->out, line);
		return;
	}
	while (head_list_next(&rest, &option)) {
		if (drops_option(editing->edit, option))
			continue;
		if (!begun)
			add_text(editing->out, field->name);
		gp_buf_add_string(editing->out, begun ? ", " : ": ");
		add_text(editing->out, option);
		begun = true;
	}
	gp_buf_add_string(editing->out, begun ? "\r\n" : "");
}

static bool drops_field(const struct editing *editing, struct gp_text name)
{
	const struct gp_edit *edit = editing->edit;
	bool was_older = editing->minor > editing->request->minor;

	/* Neither has had a meaning in HTTP/1.0 (RFC 9110 7.8, 10.1.1). */
	if (was_older && (gp_text_is(name, "upgrade") || gp_text_is(name, "expect")))
		return true;
	if (gp_text_is(name, "proxy-authorization"))
		return edit->authorization || edit->without_own;
	if (gp_text_is(name, "proxy-connection"))
		return edit->persistent;
	return edit->without_upgrade && is_upgrade(name);
}

static void write_line(struct editing *editing, struct gp_text line)
{
	struct gp_http_field field;

	if (!head_field(line, &field))
		field = (struct gp_http_field){0}; /* which nothing is to become of */
	if (editing->authority.host.p && gp_text_is(field.name, "host"))
		write_host(editing, field.name);
	else if (gp_text_is(field.name, "content-length"))
		write_length(editing, &field, line);
	else if (gp_text_is(field.name, "connection"))
		write_connection(editing, &field, line);
	else if (!drops_field(editing, field.name))
		add_line(editing->out, line);
}

static bool find_field(struct gp_text fields, const char *name, struct gp_http_field *out)
{
	while (gp_http_field_next(&fields, out))
		if (gp_text_is(out->name, name))
			return true;
	return false;
}

static void write_request_line(struct editing *editing)
{
	const struct gp_request *request = editing->request;
	struct gp_buf *out = editing->out;

	add_text(out, request->method);
	gp_buf_add_string(out, " ");
	if (editing->authority.host.p) {
		gp_buf_add_string(out, "http://");
		authority_write(&editing->authority, out);
	}
	/* "OPTIONS *" becomes "OPTIONS http://host", without a path (RFC 9112 3.2.4). */
	if (!editing->authority.host.p || request->form == GP_TARGET_ORIGIN)
		add_text(out, request->target);
	gp_buf_add_string(out, " HTTP/1.");
	gp_buf_add_uint(out, (unsigned)editing->minor);
	gp_buf_add_string(out, "\r\n");
}

/* Of an absolute target, without userinfo, which is for the origin alone. */
static bool find_target(struct gp_text target, struct gp_text *scheme,
			struct authority *authority)
{
	const char *at;

	*scheme = gp_text_cut(&target, ":");
	target = gp_text_from(target, strlen("//"));
	target = gp_text_cut(&target, "/?#");
	at = target.len ? memrchr(target.p, '@', target.len) : NULL;
	authority->host = at ? gp_text_from(target, (size_t)(at - target.p) + 1) : target;
	return authority->host.len > 0;
}

/* What was HTTP/1.0 needs it now. */
static void add_host_of_target(struct editing *editing)
{
	const struct gp_request *request = editing->request;
	struct authority authority = {.host = request->target};
	struct gp_text scheme;

	if (request->form == GP_TARGET_ABSOLUTE &&
	    !find_target(request->target, &scheme, &authority))
		return;
	if (authority.host.len > GP_AUTHORITY_MAX)
		return;
	gp_buf_add_string(editing->out, "Host: ");
	add_line(editing->out, authority.host);
}

static void add_host(struct editing *editing)
{
	const struct gp_request *request = editing->request;
	struct gp_http_field host;

	if (editing->minor == 0 || find_field(request->fields, "host", &host))
		return;
	if (editing->authority.host.p)
		write_host(editing, gp_text("Host"));
	else if (request->minor == 0)
		add_host_of_target(editing);
}

static enum gp_err write_request(struct editing *editing)
{
	const struct gp_request *request = editing->request;
	struct gp_text rest = request->fields;
	bool relative =
		request->form == GP_TARGET_ORIGIN || request->form == GP_TARGET_ASTERISK;

	if (relative && editing->edit->authority &&
	    !find_authority(request, editing->edit, &editing->authority))
		return GP_ERR_HOST_SYNTAX;
	write_request_line(editing);
	add_host(editing);
	while (rest.len)
		write_line(editing, head_cut_line(&rest));
	if (editing->edit->persistent)
		gp_buf_add_string(editing->out, "Proxy-Connection: keep-alive\r\n");
	add_authorization(editing->out, editing->edit->authorization);
	gp_buf_add_string(editing->out, "\r\n");
	return GP_OK;
}

static enum gp_err write_probe(struct editing *editing)
{
	const struct gp_request *request = editing->request;
	struct authority *authority = &editing->authority;
	struct gp_text scheme = gp_text("http");
	struct gp_buf *out = editing->out;
	struct gp_http_field agent;
	bool found;

	if (request->form == GP_TARGET_ABSOLUTE)
		found = find_target(request->target, &scheme, authority);
	else
		found = find_authority(request, editing->edit, authority);
	if (!found || request->form == GP_TARGET_AUTHORITY)
		return GP_ERR_HOST_SYNTAX;
	gp_buf_add_string(out, "OPTIONS ");
	add_text(out, scheme);
	gp_buf_add_string(out, "://");
	authority_write(authority, out);
	gp_buf_add_string(out, "/ HTTP/1.1\r\n");
	write_host(editing, gp_text("Host"));
	if (find_field(request->fields, "user-agent", &agent)) {
		gp_buf_add_string(out, "User-Agent: ");
		add_line(out, agent.value);
	}
	gp_buf_add_string(out, "Content-Length: 0\r\nProxy-Connection: keep-alive\r\n");
	add_authorization(out, editing->edit->authorization);
	gp_buf_add_string(out, "\r\n");
	return GP_OK;
}

enum gp_err gp_request_write(const struct gp_request *request, const struct gp_edit *edit,
			     struct gp_buf *out)
{
	struct editing editing = {
		.request = request,
		.edit = edit,
		.out = out,
		.minor = edit->persistent && !request->minor ? 1 : request->minor,
	};

	if (edit->authorization && !head_fits(edit->authorization))
		return GP_ERR_HEADER_OCTET;
	return edit->probe ? write_probe(&editing) : write_request(&editing);
}
