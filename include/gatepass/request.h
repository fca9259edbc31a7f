/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1 requests as programs send them (RFC 9112 3), to an origin or to a proxy, and
 * their heads as a proxy is to get them. Pure; no allocation; slices point into the
 * caller's buffer.
 */
#ifndef GATEPASS_REQUEST_H
#define GATEPASS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gatepass/err.h>
#include <gatepass/http.h>
#include <gatepass/text.h>

/* Can these bytes be the beginning of an HTTP/1 request head? GP_SCAN_DONE once the
 * request line is whole and one of HTTP/1; GP_SCAN_BAD with the first octet that tells
 * (TLS, SSH, the preface of HTTP/2, HTTP/0.9). Empty lines before it belong to it (RFC
 * 9112 2.2). */
enum gp_scan gp_request_begins(const char *bytes, size_t len) GP_MUST_CHECK;

/* Length of the head with its blank line and the empty lines before it, 0 while there is
 * none. `seen` bytes were looked at before without success. */
size_t gp_request_head_length(const char *bytes, size_t len, size_t seen);

/* The forms of RFC 9112 3.2. */
enum gp_target_form {
	GP_TARGET_ORIGIN,    /* "/path?query" */
	GP_TARGET_ABSOLUTE,  /* "http://host/path" */
	GP_TARGET_AUTHORITY, /* "host:port", of CONNECT alone */
	GP_TARGET_ASTERISK   /* "*", of OPTIONS alone */
};

struct gp_request {
	int minor; /* of HTTP/1.x */
	struct gp_text method, target;
	enum gp_target_form form;
	struct gp_text fields;  /* the field lines, without the blank line */
	struct gp_text host;    /* the value of Host; p is NULL if it is absent or bad */
	bool authorized;        /* it has a Proxy-Authorization of its own */
	bool upgrades;          /* wants to leave HTTP/1 (Upgrade, RFC 9110 7.8) */
	bool expects;           /* waits for 100 (Continue) (RFC 9110 10.1.1) */
	bool persistent;        /* asks for a connection that stays (RFC 9112 9.3) */
	enum gp_http_body body; /* GP_BODY_NONE, GP_BODY_LENGTH or GP_BODY_CHUNKED */
	uint64_t length;        /* of GP_BODY_LENGTH */
};

/* Parses a complete head, which is unfolded in place. GP_ERR_HTTP_SYNTAX: no request line
 * of HTTP/1, or a NUL; GP_ERR_HTTP_FRAMING: nobody could tell where its body ends; all
 * but the body is told then. A field line without colon is skipped, as by
 * gp_http_field_next(), and written as it is. CONNECT and TRACE have no body. */
enum gp_err gp_request_parse(char *bytes, size_t len,
			     struct gp_request *out) GP_MUST_CHECK;

/* What becomes of a head on its way. Zero-initialised: nothing but the rules of framing
 * (a Content-Length beside Transfer-Encoding goes, RFC 9112 6.3). */
struct gp_edit {
	/* The "host:port" that the program has connected to: an origin- or asterisk-form
	 * becomes absolute, with the authority that Host names, else with this one. A
	 * Host without a port means this one's; ":80" is not written. Host becomes what
	 * the target names (RFC 9112 3.2.2), and is added to a request of HTTP/1.1 if it
	 * is absent. NULL: the target and Host stay. */
	const char *authority;
	/* Takes the place of the program's own Proxy-Authorization; NULL: that stays, if
	 * there is one. */
	const char *authorization;
	bool without_own;     /* the program's own goes in any case */
	bool without_upgrade; /* Upgrade and what belongs to it goes */
	/* It asks for a connection that stays, whatever the program's says: HTTP/1.1,
	 * with Host, Proxy-Connection: keep-alive, and without Connection: close. */
	bool persistent;
	/* A request that asks nothing but whether the proxy lets us through: OPTIONS of
	 * the same scheme and authority, without a body, on a connection that stays. Of
	 * the program's fields only User-Agent is in it. A proxy that does let us through
	 * passes it on: OPTIONS is safe (RFC 9110 9.2.1). Without Max-Forwards: at 0,
	 * Squid 5.7 answers 501 and closes, before it asks for any authentication. */
	bool probe;
};

/* Writes the edited head with its blank line: the other fields in their order and
 * spelling, the authorization behind them, each line ended by CRLF. Sets buf->full if it
 * does not fit. GP_ERR_HEADER_OCTET: `authorization` cannot stand in a field;
 * GP_ERR_HOST_SYNTAX: neither Host nor `authority` can stand in a target, or a probe has
 * none (CONNECT). */
enum gp_err gp_request_write(const struct gp_request *request, const struct gp_edit *edit,
			     struct gp_buf *out) GP_MUST_CHECK;

#endif
