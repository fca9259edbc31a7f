/* SPDX-License-Identifier: MIT */
/* Socket addresses: copying, writing, classifying, and the stand-ins for names. */
#include <arpa/inet.h>
#include <string.h>

#include <gatepass/host.h>

#define FAKE_NET 0xc6120000u /* 198.18.0.0 */

bool gp_address_set(union gp_address *out, const struct sockaddr *sa, socklen_t len)
{
	sa_family_t family;

	memset(out, 0, sizeof(*out));
	if (!sa || len < sizeof(family))
		return false;
	/* The program's sockaddr may lie at any alignment. */
	memcpy(&family, sa, sizeof(family));
	if (family == AF_INET && len >= sizeof(out->in))
		memcpy(&out->in, sa, sizeof(out->in));
	else if (family == AF_INET6 && len >= sizeof(out->in6))
		memcpy(&out->in6, sa, sizeof(out->in6));
	else
		return false;
	return true;
}

void gp_address_from_octets(int family, const void *octets, union gp_address *out)
{
	memset(out, 0, sizeof(*out));
	out->sa.sa_family = (sa_family_t)family;
	if (family == AF_INET6)
		memcpy(&out->in6.sin6_addr, octets, 16);
	else
		memcpy(&out->in.sin_addr, octets, 4);
}

socklen_t gp_address_len(const union gp_address *address)
{
	return address->sa.sa_family == AF_INET6 ? sizeof(address->in6)
						 : sizeof(address->in);
}

uint16_t gp_address_port(const union gp_address *address)
{
	return ntohs(address->sa.sa_family == AF_INET6 ? address->in6.sin6_port
						       : address->in.sin_port);
}

void gp_address_set_port(union gp_address *address, uint16_t port)
{
	if (address->sa.sa_family == AF_INET6)
		address->in6.sin6_port = htons(port);
	else
		address->in.sin_port = htons(port);
}

void gp_address_unmap(union gp_address *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	if (address->sa.sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr))
		return;
	in.sin_port = address->in6.sin6_port;
	memcpy(&in.sin_addr, address->in6.sin6_addr.s6_addr + 12, 4);
	memset(address, 0, sizeof(*address));
	address->in = in;
}

void gp_address_map(union gp_address *address)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (address->sa.sa_family != AF_INET)
		return;
	in6.sin6_port = address->in.sin_port;
	in6.sin6_addr.s6_addr[10] = 0xff;
	in6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(in6.sin6_addr.s6_addr + 12, &address->in.sin_addr, 4);
	address->in6 = in6;
}

bool gp_address_parse_host(const char *string, union gp_address *out)
{
	memset(out, 0, sizeof(*out));
	if (strchr(string, ':')) {
		out->in6.sin6_family = AF_INET6;
		return inet_pton(AF_INET6, string, &out->in6.sin6_addr) == 1;
	}
	out->in.sin_family = AF_INET;
	return inet_pton(AF_INET, string, &out->in.sin_addr) == 1;
}

bool gp_address_parse(const char *string, union gp_address *out)
{
	struct gp_text text = gp_text(string);
	const char *colon = strrchr(string, ':');
	char host[INET6_ADDRSTRLEN];
	struct gp_text name;
	uint64_t port;
	bool bracketed;

	if (!colon)
		return false;
	name = (struct gp_text){string, (size_t)(colon - string)};
	if (!gp_text_to_uint(gp_text_from(text, name.len + 1), 65535, &port))
		return false;
	bracketed = name.len >= 2 && name.p[0] == '[' && name.p[name.len - 1] == ']';
	if (bracketed)
		name = (struct gp_text){name.p + 1, name.len - 2};
	/* Brackets are for IPv6, and IPv6 is in brackets. */
	if (!gp_text_copy(name, host, sizeof(host)) ||
	    bracketed != (strchr(host, ':') != NULL) || !gp_address_parse_host(host, out))
		return false;
	gp_address_set_port(out, (uint16_t)port);
	return true;
}

void gp_address_host(const union gp_address *address, char out[static GP_ADDRESS_MAX])
{
	union gp_address plain = *address;

	gp_address_unmap(&plain);
	if (plain.sa.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &plain.in6.sin6_addr, out, GP_ADDRESS_MAX);
	else
		inet_ntop(AF_INET, &plain.in.sin_addr, out, GP_ADDRESS_MAX);
}

void gp_address_format(const union gp_address *address, char out[static GP_ADDRESS_MAX])
{
	char host[GP_ADDRESS_MAX];
	struct gp_buf buf;

	gp_address_host(address, host);
	gp_buf_init(&buf, out, GP_ADDRESS_MAX - 1);
	gp_host_authority(host, gp_address_port(address), &buf);
	out[buf.len] = '\0';
}

static bool ipv4_is_local(uint32_t ip)
{
	return ip >> 24 == 127 || ip >> 24 == 0 || ip >> 16 == 0xa9fe || ip >> 28 >= 0xe;
}

bool gp_address_is_local(const union gp_address *address)
{
	union gp_address plain = *address;
	const struct in6_addr *in6 = &plain.in6.sin6_addr;

	gp_address_unmap(&plain);
	if (plain.sa.sa_family == AF_INET)
		return ipv4_is_local(ntohl(plain.in.sin_addr.s_addr));
	return IN6_IS_ADDR_LOOPBACK(in6) || IN6_IS_ADDR_UNSPECIFIED(in6) ||
	       IN6_IS_ADDR_LINKLOCAL(in6) || IN6_IS_ADDR_MULTICAST(in6);
}

bool gp_address_is_loopback(const union gp_address *address)
{
	union gp_address plain = *address;
	const struct in6_addr *in6 = &plain.in6.sin6_addr;
	uint32_t ip;

	gp_address_unmap(&plain);
	if (plain.sa.sa_family != AF_INET)
		return IN6_IS_ADDR_LOOPBACK(in6) || IN6_IS_ADDR_UNSPECIFIED(in6);
	ip = ntohl(plain.in.sin_addr.s_addr);
	return ip >> 24 == IN_LOOPBACKNET || ip == INADDR_ANY;
}

uint32_t gp_fake_number(const union gp_address *address)
{
	static const uint8_t discard[12] = {0x01};
	union gp_address plain = *address;
	uint32_t ip;

	gp_address_unmap(&plain);
	if (plain.sa.sa_family == AF_INET) {
		ip = plain.in.sin_addr.s_addr;
	} else if (plain.sa.sa_family == AF_INET6 &&
		   !memcmp(plain.in6.sin6_addr.s6_addr, discard, sizeof(discard))) {
		memcpy(&ip, plain.in6.sin6_addr.s6_addr + 12, sizeof(ip));
	} else {
		return 0;
	}
	ip = ntohl(ip) - FAKE_NET;
	return ip <= GP_FAKE_MAX ? ip : 0;
}

void gp_fake_address(uint32_t number, int family, uint16_t port, union gp_address *out)
{
	uint32_t ip = htonl(FAKE_NET + number);
	uint8_t octets[16] = {0x01}; /* 100:: */

	memcpy(octets + 12, &ip, sizeof(ip));
	if (family == AF_INET6)
		gp_address_from_octets(AF_INET6, octets, out);
	else
		gp_address_from_octets(AF_INET, &ip, out);
	gp_address_set_port(out, port);
}
