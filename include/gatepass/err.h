/* SPDX-License-Identifier: MIT */
/*
 * The reasons for which something can fail, for all parts. Functions that can fail return
 * one of these; GP_OK is 0. They never set errno and never print.
 */
#ifndef GATEPASS_ERR_H
#define GATEPASS_ERR_H

#define GP_MUST_CHECK __attribute__((warn_unused_result))

enum gp_err {
	GP_OK = 0,

	/* proxy URL */
	GP_ERR_URL_SCHEME,   /* not http:// */
	GP_ERR_URL_HOST,     /* no host, or not a host */
	GP_ERR_URL_PORT,     /* not in 1..65535 */
	GP_ERR_URL_USERINFO, /* bad percent-encoding, control character, too long */
	GP_ERR_URL_SYNTAX,   /* anything else: a query, a space, too long */

	/* host and socket names */
	GP_ERR_HOST_LONG,   /* more than GP_HOST_MAX bytes */
	GP_ERR_HOST_SYNTAX, /* empty, or an octet that no host name has */
	GP_ERR_SOCKET_PATH, /* longer than a Unix socket's name can be, or not absolute */

	/* the agent's messages */
	GP_ERR_WIRE_VERSION, /* another version of the protocol */
	GP_ERR_WIRE_SYNTAX,  /* not a message */
	GP_ERR_WIRE_LONG,    /* more than GP_WIRE_MAX bytes */

	/* HTTP on the connection to the proxy */
	GP_ERR_HTTP_SYNTAX,   /* not HTTP/1 */
	GP_ERR_HTTP_LONG,     /* a head of more than GP_HEAD_MAX bytes */
	GP_ERR_HTTP_FRAMING,  /* contradictory about where its body ends */
	GP_ERR_HEADER_OCTET,  /* CR, LF or NUL in a header that we would send */
	GP_ERR_PROXY_CLOSED,  /* connection closed where a response was due */
	GP_ERR_PROXY_REFUSED, /* refused by policy: 403 and other statuses */
	GP_ERR_PROXY_AUTH,    /* 407 that could not be answered, or not to its content */
	GP_ERR_BAD_GATEWAY,   /* 500, 502 */
	GP_ERR_UNAVAILABLE,   /* 503 */
	GP_ERR_GATEWAY_TIMEOUT, /* 504 */

	/* the rest of the system */
	GP_ERR_SYSTEM,  /* a system call failed: errno, where the caller kept it, says why
			 */
	GP_ERR_TIMEOUT, /* our own deadline passed */
	GP_ERR_COUNT
};

/* What went wrong, as the end of a sentence: "proxy URL has no host". Static text in
 * English, never NULL, also for numbers that are none of ours. Safe everywhere. */
const char *gp_strerror(enum gp_err err);

/* What an incremental parser says of the bytes that it has seen. */
enum gp_scan {
	GP_SCAN_MORE, /* everything so far is fine; more is needed */
	GP_SCAN_DONE,
	GP_SCAN_BAD
};

#endif
