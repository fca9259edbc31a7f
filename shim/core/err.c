/* SPDX-License-Identifier: MIT */
/* The wording of each reason. */
#include <gatepass/err.h>

static const char *const reasons[GP_ERR_COUNT] = {
	[GP_OK] = "no error",
	[GP_ERR_URL_SCHEME] = "only http:// proxies are supported",
	[GP_ERR_URL_HOST] = "proxy URL has no valid host",
	[GP_ERR_URL_PORT] = "proxy port is not a number from 1 to 65535",
	[GP_ERR_URL_USERINFO] =
		"user or password in the proxy URL needs its special characters as %XX",
	[GP_ERR_URL_SYNTAX] = "not a proxy URL like http://host:port",
	[GP_ERR_HOST_LONG] = "host name is longer than 255 bytes",
	[GP_ERR_HOST_SYNTAX] = "not a host name",
	[GP_ERR_SOCKET_PATH] = "agent socket path is relative or longer than 107 bytes",
	[GP_ERR_WIRE_VERSION] = "the agent speaks another version of the protocol",
	[GP_ERR_WIRE_SYNTAX] = "not a message of the agent's protocol",
	[GP_ERR_WIRE_LONG] = "message to or from the agent is too long",
	[GP_ERR_HTTP_SYNTAX] = "the proxy's reply is not HTTP/1",
	[GP_ERR_HTTP_LONG] = "the proxy's reply has a head of more than 64 KiB",
	[GP_ERR_HTTP_FRAMING] = "the proxy's reply contradicts itself about its length",
	[GP_ERR_HEADER_OCTET] = "a header field cannot hold CR, LF or NUL",
	[GP_ERR_PROXY_CLOSED] = "the proxy closed the connection without a reply",
	[GP_ERR_PROXY_REFUSED] = "the proxy refused the connection",
	[GP_ERR_PROXY_AUTH] = "the proxy's challenge could not be answered",
	[GP_ERR_BAD_GATEWAY] = "the proxy could not reach the destination",
	[GP_ERR_UNAVAILABLE] = "the proxy's destination is not available (503)",
	[GP_ERR_GATEWAY_TIMEOUT] = "the proxy got no answer from the destination (504)",
	[GP_ERR_SYSTEM] = "system call failed",
	[GP_ERR_TIMEOUT] = "timed out",
};

const char *gp_strerror(enum gp_err err)
{
	if ((unsigned)err >= GP_ERR_COUNT || !reasons[err])
		return "unknown error";
	return reasons[err];
}
