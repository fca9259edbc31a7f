/* SPDX-License-Identifier: MIT */
/* MIT Kerberos by dlopen(3). It stays loaded: threads that have used it keep its data. */
#include "gss.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

#include "log.h"

static const char *library = "libgssapi_krb5.so.2";
static struct gss functions;
static bool looked, found;

/* libkrb5 comes with it, as a library that it needs itself. */
static bool load(void)
{
	static const struct {
		const char *name;
		size_t place;
	} table[] = {
#define GSS_ENTRY(name) {#name, offsetof(struct gss, name)},
		GSS_FUNCTIONS(GSS_ENTRY)
#undef GSS_ENTRY
	};
	void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; handle && i < sizeof(table) / sizeof(table[0]); i++) {
		void *function = dlsym(handle, table[i].name);

		if (!function)
			return false;
		*(void **)((char *)&functions + table[i].place) = function;
	}
	return handle;
}

const struct gss *gss_get(void)
{
	if (!looked) {
		looked = true;
		found = load();
		if (!found)
			log_info("no Kerberos: %s", dlerror());
	}
	return found ? &functions : NULL;
}

void gss_set_library(const char *name)
{
	library = name;
	looked = false;
}
