/* SPDX-License-Identifier: MIT */
/* Matching a destination against a no_proxy list. */
#include <arpa/inet.h>
#include <string.h>

#include <gatepass/host.h>
#include <gatepass/noproxy.h>

/* The destination, looked at once for a whole list. */
struct target {
	struct gp_text host;
	uint16_t port;
	int family; /* AF_INET, AF_INET6, or AF_UNSPEC for a name */
	uint8_t ip[16];
};

static int parse_ip(struct gp_text text, uint8_t ip[static 16])
{
	char host[INET6_ADDRSTRLEN];

	if (text.len >= 2 && text.p[0] == '[' && text.p[text.len - 1] == ']')
		text = (struct gp_text){text.p + 1, text.len - 2};
	if (!gp_text_copy(text, host, sizeof(host)))
		return AF_UNSPEC;
	if (inet_pton(AF_INET, host, ip) == 1)
		return AF_INET;
	if (inet_pton(AF_INET6, host, ip) != 1)
		return AF_UNSPEC;
	if (!IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)ip))
		return AF_INET6;
	memmove(ip, ip + 12, 4);
	return AF_INET;
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (memcmp(a, b, bytes))
		return false;
	return !rest || !((a[bytes] ^ b[bytes]) & mask);
}

static bool matches_network(struct gp_text entry, const struct target *target)
{
	struct gp_text bits = entry;
	struct gp_text network = gp_text_cut(&bits, "/");
	uint8_t ip[16] = {0};
	int family = parse_ip(network, ip);
	uint64_t count;

	if (family == AF_UNSPEC || family != target->family)
		return false;
	if (!gp_text_to_uint(bits, family == AF_INET ? 32 : 128, &count))
		return false;
	return same_prefix(ip, target->ip, (unsigned)count);
}

/* Cuts ":port" off an entry. A bare IPv6 address has colons, but no port. False if the
 * entry is for another port. */
static bool port_agrees(struct gp_text *entry, uint16_t port)
{
	const char *colon = entry->len ? memchr(entry->p, ':', entry->len) : NULL;
	const char *last = entry->len ? memrchr(entry->p, ':', entry->len) : NULL;
	size_t len = (size_t)(last - entry->p);
	uint64_t wanted;

	if (!colon || (colon != last && last[-1] != ']'))
		return true;
	if (entry->p[0] == '[' && last[-1] != ']')
		return true;
	if (!gp_text_to_uint(gp_text_from(*entry, len + 1), 65535, &wanted))
		return false;
	entry->len = len;
	return wanted == port;
}

static bool matches_name(struct gp_text entry, struct gp_text host)
{
	bool below_only = entry.len >= 2 && entry.p[0] == '*' && entry.p[1] == '.';

	if (below_only)
		entry = gp_text_from(entry, 2);
	else if (entry.len && entry.p[0] == '.')
		entry = gp_text_from(entry, 1);
	if (entry.len && entry.p[entry.len - 1] == '.')
		entry.len--;
	if (!entry.len || !gp_text_ends(host, entry))
		return false;
	if (host.len == entry.len)
		return !below_only;
	return host.p[host.len - entry.len - 1] == '.';
}

static bool matches(struct gp_text entry, const struct target *target)
{
	uint8_t ip[16] = {0};
	int family;

	if (gp_text_is(entry, "*"))
		return true;
	if (gp_text_is(entry, "<local>"))
		return target->family == AF_UNSPEC &&
		       !memchr(target->host.p, '.', target->host.len);
	if (entry.len && memchr(entry.p, '/', entry.len))
		return matches_network(entry, target);
	if (!port_agrees(&entry, target->port))
		return false;
	family = parse_ip(entry, ip);
	if (family != AF_UNSPEC)
		return family == target->family &&
		       !memcmp(ip, target->ip, family == AF_INET ? 4 : 16);
	return target->family == AF_UNSPEC && matches_name(entry, target->host);
}

bool gp_noproxy_match(const char *list, const char *host, uint16_t port)
{
	struct target target = {.host = gp_text(host), .port = port};
	struct gp_text rest = gp_text(list);

	if (!target.host.len)
		return false;
	target.family = parse_ip(target.host, target.ip);
	while (rest.p) {
		struct gp_text entry = gp_text_cut(&rest, ", \t\r\n");

		if (entry.len && matches(entry, &target))
			return true;
	}
	return false;
}
