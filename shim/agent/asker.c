/* SPDX-License-Identifier: MIT */
/* The environment variables of the process that asks. */
#include "asker.h"

#include <stddef.h>
#include <string.h>

bool asker_take(struct asker *asker, const char *key, const char *value)
{
	const struct {
		const char *key;
		const char **place;
	} keys[] = {
		{"gatepass-proxy", &asker->gatepass_proxy},
		{"gatepass-no-proxy", &asker->gatepass_no_proxy},
		{"gatepass-config", &asker->gatepass_config},
		{"http-proxy", &asker->http_proxy},
		{"https-proxy", &asker->https_proxy},
		{"all-proxy", &asker->all_proxy},
		{"no-proxy", &asker->no_proxy},
		{"krb5-ccname", &asker->krb5_ccname},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(key, keys[i].key))
			continue;
		*keys[i].place = value[0] ? value : NULL;
		return true;
	}
	return false;
}
