/* SPDX-License-Identifier: MIT */
/* Host names: what we accept, and how they are written into a request. */
#include <arpa/inet.h>
#include <string.h>

#include <gatepass/host.h>

static bool is_host_octet(char c)
{
	char lower = gp_ascii_lower(c);

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_' || c == '.' || (unsigned char)c >= 0x80;
}

static enum gp_err normalise_ipv6(struct gp_text host, char *out)
{
	struct in6_addr address;

	/* A scope ("%eth0") means something on this machine only. */
	if (!gp_text_copy(host, out, INET6_ADDRSTRLEN) ||
	    inet_pton(AF_INET6, out, &address) != 1) {
		out[0] = '\0';
		return GP_ERR_HOST_SYNTAX;
	}
	inet_ntop(AF_INET6, &address, out, INET6_ADDRSTRLEN);
	return GP_OK;
}

enum gp_err gp_host_normalise(struct gp_text host, char out[static GP_HOST_MAX + 1])
{
	out[0] = '\0';
	if (host.len >= 2 && host.p[0] == '[' && host.p[host.len - 1] == ']')
		return normalise_ipv6((struct gp_text){host.p + 1, host.len - 2}, out);
	if (host.len && memchr(host.p, ':', host.len))
		return normalise_ipv6(host, out);
	if (host.len && host.p[host.len - 1] == '.')
		host.len--;
	if (!host.len || host.p[0] == '.' || host.p[host.len - 1] == '.')
		return GP_ERR_HOST_SYNTAX;
	if (host.len > GP_HOST_MAX)
		return GP_ERR_HOST_LONG;
	for (size_t i = 0; i < host.len; i++) {
		if (!is_host_octet(host.p[i]) ||
		    (host.p[i] == '.' && host.p[i - 1] == '.')) {
			out[0] = '\0';
			return GP_ERR_HOST_SYNTAX;
		}
		out[i] = gp_ascii_lower(host.p[i]);
	}
	out[host.len] = '\0';
	return GP_OK;
}

void gp_host_authority(const char *host, uint16_t port, struct gp_buf *out)
{
	bool bare_ipv6 = strchr(host, ':') && host[0] != '[';

	gp_buf_add_string(out, bare_ipv6 ? "[" : "");
	gp_buf_add_string(out, host);
	gp_buf_add_string(out, bare_ipv6 ? "]:" : ":");
	gp_buf_add_uint(out, port);
}

bool gp_host_is_numeric(const char *host)
{
	struct in_addr in;

	/* inet_aton() also knows "127.1" and "0x7f000001", as getaddrinfo() does; a colon
	 * is in no name, so such text is an IPv6 address or an error of the caller's. */
	return strchr(host, ':') || inet_aton(host, &in);
}

bool gp_host_is_local(const char *host)
{
	struct gp_text text = gp_text(host);

	return !strchr(host, '.') || gp_text_ends(text, gp_text(".local")) ||
	       gp_text_ends(text, gp_text(".localhost"));
}
