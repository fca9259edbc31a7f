/* SPDX-License-Identifier: MIT */
/* resolve and reverse: the names behind stand-in addresses. */
#include "handlers.h"

#include <string.h>

#include <gatepass/host.h>

#include "asker.h"
#include "config.h"
#include "hostname.h"
#include "log.h"
#include "names.h"
#include "routes.h"
#include "session.h"

void lookup_resolve(struct session *session, struct gp_wire *question)
{
	struct asker asker = {0};
	const char *key, *value, *host = NULL;
	char name[GP_HOST_MAX + 1], text[GP_ADDRESS_MAX];
	union gp_address address;
	struct gp_buf *reply;
	bool proxied;

	while (gp_wire_next(question, &key, &value))
		if (!asker_take(&asker, key, value) && !strcmp(key, "host"))
			host = value;
	if (!host) {
		session_error(session, "syntax", "resolve needs host");
		return;
	}
	/* What is no host name gets its error from the system's resolver. */
	proxied = hostname_normalise(host, name) &&
		  routes_name_is_proxied(&asker, config_get(asker.gatepass_config), name);
	reply = session_reply(session, "name");
	gp_wire_add(reply, "way", proxied ? "tunnel" : "direct");
	if (proxied) {
		gp_fake_address(names_number(name), AF_INET, 0, &address);
		gp_address_host(&address, text);
		gp_wire_add(reply, "address", text);
	}
	session_send(session);
}

void lookup_reverse(struct session *session, struct gp_wire *question)
{
	const char *key, *value, *address = NULL;
	union gp_address parsed;
	struct gp_buf *reply;
	uint32_t number = 0;

	while (gp_wire_next(question, &key, &value))
		if (!strcmp(key, "address"))
			address = value;
	if (!address || !gp_address_parse_host(address, &parsed)) {
		session_error(session, "syntax", "reverse needs a numeric address");
		return;
	}
	number = gp_fake_number(&parsed);
	reply = session_reply(session, "name");
	gp_wire_add(reply, "host", number ? names_name(number) : NULL);
	session_send(session);
}
