/* SPDX-License-Identifier: MIT */
/*
 * Proxy URLs: [http://][user[:password]@]host[:port][/]
 */
#ifndef GATEPASS_URL_H
#define GATEPASS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include <gatepass/err.h>
#include <gatepass/limits.h>

/* Port of http when a proxy URL names none (RFC 9110 4.2.1), as wget, Python and Go do.
 */
#define GP_PROXY_PORT_DEFAULT 80

struct gp_url {
	char host[GP_HOST_MAX + 1]; /* normalised, see gp_host_normalise() */
	uint16_t port;
	bool has_user, has_password;        /* a password may come with an empty user */
	char user[GP_USER_MAX + 1];         /* percent-decoded */
	char password[GP_PASSWORD_MAX + 1]; /* percent-decoded; a secret */
};

/* Fills `out` from the NUL-terminated text; white space around it is not part of it. On
 * failure `out` holds nothing. Whoever parsed a URL clears it: it may hold a password. */
enum gp_err gp_url_parse(const char *text, struct gp_url *out) GP_MUST_CHECK;
void gp_url_clear(struct gp_url *url);

/* Writes "http://host:port", never the user or the password: fit for logs and messages.
 */
#define GP_URL_SHOW_MAX (GP_AUTHORITY_MAX + 8)
void gp_url_show(const struct gp_url *url, char out[static GP_URL_SHOW_MAX]);

#endif
