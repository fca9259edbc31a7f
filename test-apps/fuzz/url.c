/* SPDX-License-Identifier: MIT */
/* Fuzzes the proxy URL parser: what it accepts, it accepts again in the form it shows. */
#include <gatepass/host.h>
#include <gatepass/url.h>

#include "replay.h"

static void check_accepted(const struct gp_url *url)
{
	static struct gp_url again;
	char host[GP_HOST_MAX + 1], shown[GP_URL_SHOW_MAX];

	must(url->port != 0);
	must(strlen(url->host) <= GP_HOST_MAX);
	must(strlen(url->user) <= GP_USER_MAX);
	must(strlen(url->password) <= GP_PASSWORD_MAX);
	must(gp_host_normalise(gp_text(url->host), host) == GP_OK);
	must(strcmp(host, url->host) == 0);
	gp_url_show(url, shown);
	must(gp_url_parse(shown, &again) == GP_OK);
	must(strcmp(again.host, url->host) == 0 && again.port == url->port);
	must(!again.has_user && !again.has_password);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gp_url url;

	if (size >= FUZZ_INPUT_MAX)
		return 0;
	if (gp_url_parse(fuzz_copy(data, size, 1), &url) == GP_OK)
		check_accepted(&url);
	else
		must(!url.host[0] && !url.user[0] && !url.password[0] && !url.has_user);
	gp_url_clear(&url);
	return 0;
}
