/* SPDX-License-Identifier: MIT */
/*
 * Host names and numeric addresses as text and as sockaddr. Pure; safe everywhere.
 */
#ifndef GATEPASS_HOST_H
#define GATEPASS_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include <gatepass/err.h>
#include <gatepass/limits.h>
#include <gatepass/text.h>

/* The uri-host of RFC 3986 as we accept it: a name of letters, digits, '-', '_', '.' and
 * octets above 127 (other alphabets), or a numeric address without brackets. Lower-cased,
 * without trailing dot or brackets, NUL-terminated. */
enum gp_err gp_host_normalise(struct gp_text host,
			      char out[static GP_HOST_MAX + 1]) GP_MUST_CHECK;

/* authority-form "host:port" of a CONNECT request (RFC 9112 3.2.3); IPv6 in brackets. */
void gp_host_authority(const char *host, uint16_t port, struct gp_buf *out);

/* Not a name: an address in one of the forms that getaddrinfo() knows, or text with a
 * colon, which only it can judge. */
bool gp_host_is_numeric(const char *host);

/* A normalised name that no proxy is asked for, whatever is configured: one without a
 * dot, and those below "localhost" (RFC 6761) and "local" (multicast DNS, RFC 6762). */
bool gp_host_is_local(const char *host);

/* An IPv4 or IPv6 socket address. */
union gp_address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Copies an IPv4 or IPv6 address of a call's (sockaddr, length) pair; false if it is of
 * another family, or too short for its own. An IPv4-mapped IPv6 address stays as it is.
 */
bool gp_address_set(union gp_address *out, const struct sockaddr *sa,
		    socklen_t len) GP_MUST_CHECK;
/* From the octets in network order, 4 or 16 by the family, AF_INET or AF_INET6; port 0.
 */
void gp_address_from_octets(int family, const void *octets, union gp_address *out);
socklen_t gp_address_len(const union gp_address *address);
uint16_t gp_address_port(const union gp_address *address);
void gp_address_set_port(union gp_address *address, uint16_t port);

/* ::ffff:a.b.c.d becomes a.b.c.d; everything else stays. */
void gp_address_unmap(union gp_address *address);
/* a.b.c.d becomes ::ffff:a.b.c.d; IPv6 stays. */
void gp_address_map(union gp_address *address);

/* "192.0.2.1:80", "[2001:db8::1%eth0]:80" is not accepted: no scope. */
bool gp_address_parse(const char *text, union gp_address *out) GP_MUST_CHECK;
/* "192.0.2.1", "2001:db8::1"; the port is 0. */
bool gp_address_parse_host(const char *text, union gp_address *out) GP_MUST_CHECK;
/* What gp_address_parse_host() reads; IPv4-mapped as IPv4. */
void gp_address_host(const union gp_address *address, char out[static GP_ADDRESS_MAX]);
/* What gp_address_parse() reads. */
void gp_address_format(const union gp_address *address, char out[static GP_ADDRESS_MAX]);

/* Loopback, unspecified (which connects to loopback), link-local, multicast, broadcast:
 * what no proxy can stand in for. IPv4-mapped ones too. */
bool gp_address_is_local(const union gp_address *address);

/* Of these, what leads to a server on this machine: loopback and unspecified. */
bool gp_address_is_loopback(const union gp_address *address);

/*
 * Stand-in addresses for names that only the proxy can resolve. Number n (1 ...
 * GP_FAKE_MAX) is 198.18.0.0 + n of the benchmarking network 198.18.0.0/15 (RFC 2544),
 * which is never routed, and 100::198.18.0.0 + n of the discard prefix 100::/64 (RFC
 * 6666).
 */
#define GP_FAKE_MAX 131070u

uint32_t
gp_fake_number(const union gp_address *address); /* 0: not a stand-in; maps too */
void gp_fake_address(uint32_t number, int family, uint16_t port, union gp_address *out);

#endif
