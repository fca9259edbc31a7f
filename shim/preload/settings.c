/* SPDX-License-Identifier: MIT */
/* The process's proxy variables and the places of configuration files. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gatepass/variables.h>
#include <gatepass/wire.h>

#include "clock.h"
#include "settings.h"

struct settings {
	bool proxy; /* a variable names a proxy or a configuration file */
	size_t len;
	char lines[];
};

/* Everything that one message can carry besides its own keys. */
#define LINES_MAX (GP_WIRE_MAX / 2)

static _Atomic(struct settings *) settings;
static _Atomic int64_t next_look; /* when to look for files again; 0: now */
static atomic_bool file_found;

static struct settings *take(void)
{
	struct settings *taken =
		mmap(NULL, sizeof(*taken) + LINES_MAX, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct gp_variable variable;
	unsigned index = 0;
	struct gp_buf buf;

	if (taken == MAP_FAILED)
		return NULL;
	gp_buf_init(&buf, taken->lines, LINES_MAX);
	while (gp_variable_next(&index, getenv, &variable)) {
		size_t before = buf.len;

		if (!*variable.value)
			continue;
		gp_wire_add(&buf, variable.key, variable.value);
		if (buf.full) { /* without this one, then */
			buf.len = before;
			buf.full = false;
			continue;
		}
		taken->proxy |= variable.is_proxy;
	}
	taken->len = buf.len;
	return taken;
}

static const struct settings *get(void)
{
	struct settings *known = atomic_load_explicit(&settings, memory_order_acquire);
	struct settings *taken;

	if (known)
		return known;
	taken = take();
	if (taken && !atomic_compare_exchange_strong(&settings, &known, taken)) {
		munmap(taken, sizeof(*taken) + LINES_MAX); /* another thread was faster */
		taken = known;
	}
	return taken;
}

static bool readable(const char *directory, const char *file)
{
	char path[4096];
	int len = snprintf(path, sizeof(path), "%s%s", directory, file);

	return len > 0 && (size_t)len < sizeof(path) && path[0] == '/' &&
	       access(path, R_OK) == 0;
}

static bool find_file(void)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (config && *config) {
		if (readable(config, "/gatepass/gatepass.conf"))
			return true;
	} else if (home && readable(home, "/.config/gatepass/gatepass.conf")) {
		return true;
	}
	return readable("/etc", "/gatepass.conf");
}

bool settings_configured(void)
{
	const struct settings *known = get();
	int64_t now;

	if (!known || known->proxy || atomic_load(&file_found))
		return known != NULL;
	now = clock_now();
	if (now < atomic_load(&next_look))
		return false;
	atomic_store(&next_look, now + 1000);
	if (find_file())
		atomic_store(&file_found, true);
	return atomic_load(&file_found);
}

struct gp_text settings_lines(void)
{
	const struct settings *known = get();

	return known ? (struct gp_text){known->lines, known->len} : gp_text(NULL);
}
