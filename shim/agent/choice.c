/* SPDX-License-Identifier: MIT */
/* Which proxy is configured for a process, and where. */
#include "choice.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "asker.h"
#include "config.h"
#include "log.h"

struct source {
	const char *name, *value;
};

/* In the order of PROTOCOL.md. */
static void sources(const struct asker *asker, uint16_t port, struct source out[static 3])
{
	const struct source http = {"http_proxy", asker->http_proxy};
	const struct source https = {"https_proxy", asker->https_proxy};

	out[0] = port == 80 ? http : https;
	out[1] = (struct source){"all_proxy", asker->all_proxy};
	out[2] = port == 80 ? https : http;
}

static void choose(struct choice *out, const char *origin)
{
	out->kind = CHOICE_PROXY;
	out->origin = g_strdup(origin);
}

static void choose_variable(const struct asker *asker, uint16_t port, struct choice *out)
{
	struct source list[3];
	enum gp_err err;

	sources(asker, port, list);
	for (size_t i = 0; i < G_N_ELEMENTS(list); i++) {
		if (!list[i].value)
			continue;
		err = proxy_list_parse(list[i].value, &out->proxy);
		if (!err) {
			choose(out, list[i].name);
			return;
		}
		log_info("%s is not used: %s", list[i].name, gp_strerror(err));
	}
}

/* [proxy] user is the name for the file's own proxy; without one, for any. */
static void apply_user(const struct config *config, struct proxy_list *proxy)
{
	if (proxy->count && !proxy->user && !proxy->credential &&
	    (!config->proxy.count || endpoint_equal(proxy->hops, config->proxy.hops)))
		proxy->user = g_strdup(config->user);
}

void choice_make(const struct asker *asker, const struct config *config, uint16_t port,
		 struct choice *out)
{
	memset(out, 0, sizeof(*out));
	if (asker->gatepass_proxy) {
		out->err = proxy_list_parse(asker->gatepass_proxy, &out->proxy);
		choose(out, "GATEPASS_PROXY");
		if (out->err)
			out->kind = CHOICE_INVALID;
	} else if (config->proxy.count) {
		proxy_list_copy(&out->proxy, &config->proxy);
		choose(out, config->path);
	} else {
		choose_variable(asker, port, out);
	}
	apply_user(config, &out->proxy);
}

enum gp_err choice_given(const char *url, const struct asker *asker,
			 const struct config *config, struct choice *out)
{
	if (!url || !url[0]) {
		choice_make(asker, config, 0, out);
		return out->err;
	}
	memset(out, 0, sizeof(*out));
	out->err = proxy_list_parse(url, &out->proxy);
	out->kind = out->err ? CHOICE_INVALID : CHOICE_PROXY;
	apply_user(config, &out->proxy);
	return out->err;
}

void choice_release(struct choice *choice)
{
	proxy_list_release(&choice->proxy);
	g_clear_pointer(&choice->origin, g_free);
}

void choice_problems(const struct asker *asker,
		     void (*tell)(void *data, const char *text), void *data)
{
	struct source list[4] = {[3] = {"GATEPASS_PROXY", asker->gatepass_proxy}};
	struct proxy_list proxy;
	char text[128];
	enum gp_err err;

	sources(asker, 0, list);
	for (size_t i = 0; i < G_N_ELEMENTS(list); i++) {
		if (!list[i].value)
			continue;
		err = proxy_list_parse(list[i].value, &proxy);
		proxy_list_release(&proxy);
		if (!err)
			continue;
		snprintf(text, sizeof(text), "%s: %s", list[i].name, gp_strerror(err));
		tell(data, text);
	}
}

void choice_endpoint(const struct endpoint *proxy, const struct config *config,
		     struct proxy_list *out)
{
	memset(out, 0, sizeof(*out));
	out->hops[0] = *proxy;
	out->count = 1;
	apply_user(config, out);
}

void choice_each(const struct asker *asker, const struct config *config,
		 void (*visit)(void *data, const struct proxy_list *proxy), void *data)
{
	const char *const urls[] = {asker->gatepass_proxy, NULL, asker->http_proxy,
				    asker->https_proxy, asker->all_proxy};
	struct proxy_list proxy = {0};

	for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
		if (i == 1)
			proxy_list_copy(&proxy, &config->proxy);
		else if (!urls[i] || proxy_list_parse(urls[i], &proxy))
			continue;
		apply_user(config, &proxy);
		visit(data, &proxy);
		proxy_list_release(&proxy);
	}
}
