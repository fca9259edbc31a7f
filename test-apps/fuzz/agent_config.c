/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the configuration file. The input is one octet, odd where others can read and
 * write the file, and the file. Whatever is in it, what is used can be used, and what is
 * not is told in a line.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include <gatepass/text.h>

#include "config.h"
#include "credential.h"
#include "helper.h"

#include "replay.h"

#define TEXT_MAX 8192

static int file = -1;
static char path[64];

static void write_file(const uint8_t *text, size_t len, bool is_open)
{
	if (file < 0) {
		file = memfd_create("config", MFD_CLOEXEC);
		must(file >= 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	}
	must(!ftruncate(file, 0) && pwrite(file, text, len, 0) == (ssize_t)len);
	must(!fchmod(file, is_open ? 0666 : 0600));
}

static void check_problems(const struct config *config)
{
	for (char **problem = config->problems; *problem; problem++) {
		must(g_str_has_prefix(*problem, path));
		must(g_utf8_validate(*problem, -1, NULL));
		for (const char *c = *problem; *c; c++)
			must(!gp_is_control(*c));
	}
}

static void check_proxy(const struct proxy_list *proxy)
{
	must(proxy->count <= PROXY_LIST_MAX);
	for (unsigned i = 0; i < proxy->count; i++)
		must(proxy->hops[i].host[0] && proxy->hops[i].port);
	must(proxy->count || (!proxy->user && !proxy->credential));
}

static void check_programs(const struct config *config)
{
	char **argv = config->helper ? helper_argv(config->helper, "get") : NULL;

	must(!config->helper == !argv);
	must(!config->askpass || config_program_is_valid(config->askpass));
	g_strfreev(argv);
}

static void check_open(const struct config *config)
{
	must(!config->proxy.credential && !config->helper);
	must(!config->askpass || !config->askpass[0]);
}

static bool is_same(const struct config *a, const struct config *b)
{
	return a->proxy.count == b->proxy.count && !g_strcmp0(a->user, b->user) &&
	       !g_strcmp0(a->no_proxy, b->no_proxy) &&
	       !memcmp(&a->forward_ports, &b->forward_ports, sizeof(a->forward_ports)) &&
	       !g_strcmp0(a->helper, b->helper) && !g_strcmp0(a->askpass, b->askpass) &&
	       a->notifications == b->notifications && a->idle_timeout == b->idle_timeout;
}

/* "PATH:LINE: broken line: ..." */
static bool is_broken_line(const char *problem)
{
	problem += strlen(path) + 1;
	problem += strspn(problem, "0123456789");
	return g_str_has_prefix(problem, ": broken line: ");
}

/* Nothing of a file with a broken line is used. */
static void check_broken(const struct config *config, const struct config *empty)
{
	for (char **problem = config->problems; *problem; problem++)
		if (is_broken_line(*problem))
			must(is_same(config, empty));
}

static const struct config *read_config(const uint8_t *text, size_t len, bool is_open)
{
	write_file(text, len, is_open);
	config_clear();
	return config_get(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config defaults = {
		.forward_ports = {.count = 1, .list = {80}},
		.notifications = true,
		.idle_timeout = CONFIG_IDLE_TIMEOUT,
	};
	const struct config *config;

	if (!size || size > TEXT_MAX)
		return 0;
	config = read_config(data + 1, size - 1, data[0] & 1);
	must(config->is_there && config->serial && !strcmp(config->path, path));
	must(!config->user || credential_user_is_valid(config->user));
	must(config->forward_ports.count <= PORTS_MAX && config->schemes.order[0]);
	check_problems(config);
	check_proxy(&config->proxy);
	check_programs(config);
	check_broken(config, &defaults);
	if (data[0] & 1)
		check_open(config);
	return 0;
}
