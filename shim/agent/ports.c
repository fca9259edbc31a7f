/* SPDX-License-Identifier: MIT */
/* Ports. */
#include "ports.h"

#include <stddef.h>

#include <gatepass/text.h>

bool ports_parse(const char *text, struct ports *out)
{
	struct gp_text rest = gp_text(text);
	struct ports ports = {0};
	uint64_t port;

	while (rest.p) {
		struct gp_text part = gp_text_cut(&rest, ", \t");

		if (!part.len)
			continue;
		if (ports.count == PORTS_MAX ||
		    !gp_text_to_uint(part, UINT16_MAX, &port) || !port)
			return false;
		ports.list[ports.count++] = (uint16_t)port;
	}
	*out = ports;
	return true;
}

static bool contains(const uint16_t *list, size_t count, uint16_t port)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == port)
			return true;
	return false;
}

bool ports_have(const struct ports *ports, uint16_t port)
{
	return contains(ports->list, ports->count, port);
}

/*
 * When a proxy refuses CONNECT, the program is told that it is connected, and the first
 * thing that it says must then be a request. Where that cannot be, the refusal is the
 * better answer, at once: TLS cannot be forwarded; if the server is to speak first, both
 * sides wait forever; and with other protocols the error only comes later. So the table
 * has what is common in networks behind proxies, not more: a port too many loses a last
 * resort, a port too few gets a late error.
 */
static const uint16_t not_http[] = {
	/* TLS: Docker, LDAP, HTTPS, Kubernetes, SIP, XMPP, AMQP, WinRM, syslog, IRC, MQTT
	 */
	2376, 3269, 4443, 8443, 9443, 6443, 5061, 5223, 5671, 5986, 6514, 6697, 8883,
	/* the server speaks first: FTP, SSH, mail, Sieve, MySQL, VNC */
	2121, 2222, 2525, 4190, 3306, 33060, 5900, 5901, 5902, 5903,
	/* SQL Server, Oracle, PostgreSQL, Cassandra, Redis, memcached, MongoDB */
	1433, 1521, 5432, 9042, 6379, 11211, 27017,
	/* MQTT, AMQP, Kafka, XMPP of clients and servers, SIP, IRC */
	1883, 5672, 9092, 5222, 5269, 5060, 6666, 6667, 6668, 6669,
	/* LDAP, RTMP, Remote Desktop, git */
	3268, 1935, 3389, 9418};

/* Below 1024 every port has its protocol. These: HTTP and its usual neighbours,
 * http-mgmt, FileMaker, RPC over HTTP. */
static const uint16_t low_http[] = {80, 81, 82, 280, 591, 593};

bool ports_may_be_http(uint16_t port)
{
	if (port < 1024)
		return contains(low_http, sizeof(low_http) / sizeof(low_http[0]), port);
	return !contains(not_http, sizeof(not_http) / sizeof(not_http[0]), port);
}
