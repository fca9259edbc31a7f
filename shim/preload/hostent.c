/* SPDX-License-Identifier: MIT */
/* The older look-ups: gethostbyname() and gethostbyaddr(), with all their forms. */
#include <errno.h>
#include <netdb.h>
#include <stdint.h>
#include <string.h>

#include "export.h"
#include "libc.h"
#include "locals.h"
#include "process.h"
#include "stand_in.h"

/* What a hostent points to, laid out in the caller's storage. */
struct parts {
	char *aliases[1];
	char *addresses[2];
	unsigned char address[16];
	char name[];
};

/* For the forms without storage of the caller's; they are not thread-safe by definition.
 */
static struct hostent static_host;
static char static_storage[sizeof(struct parts) + GP_HOST_MAX + 1]
	__attribute__((aligned(__alignof__(struct parts))));

/* False if `len` bytes are not enough. */
static bool fill(struct hostent *host, char *storage, size_t len, const char *name,
		 const union gp_address *address)
{
	size_t skip = -(uintptr_t)storage % __alignof__(struct parts);
	struct parts *parts = (struct parts *)(void *)(storage + skip);
	size_t name_size = strlen(name) + 1;
	bool ipv6 = address->sa.sa_family == AF_INET6;

	if (len < skip + sizeof(*parts) + name_size)
		return false;
	memcpy(parts->name, name, name_size);
	if (ipv6)
		memcpy(parts->address, &address->in6.sin6_addr, 16);
	else
		memcpy(parts->address, &address->in.sin_addr, 4);
	parts->aliases[0] = NULL;
	parts->addresses[0] = (char *)parts->address;
	parts->addresses[1] = NULL;
	*host = (struct hostent){
		.h_name = parts->name,
		.h_aliases = parts->aliases,
		.h_addrtype = address->sa.sa_family,
		.h_length = ipv6 ? 16 : 4,
		.h_addr_list = parts->addresses,
	};
	return true;
}

static struct hostent *fill_static(const char *name, const union gp_address *address)
{
	fill(&static_host, static_storage, sizeof(static_storage), name, address);
	return &static_host;
}

/* As the _r functions report: ERANGE asks the caller for more storage. */
static int fill_caller(struct hostent *host, char *storage, size_t len, const char *name,
		       const union gp_address *address, struct hostent **result,
		       int *error)
{
	if (fill(host, storage, len, name, address)) {
		*result = host;
		return 0;
	}
	*result = NULL;
	*error = NETDB_INTERNAL;
	return ERANGE;
}

/* True if a stand-in answers for the name. */
static bool find(const char *name, int family, union gp_address *address)
{
	uint32_t number = 0;

	if (family == AF_INET || family == AF_INET6)
		number = stand_in_for(name);
	if (number)
		gp_fake_address(number, family, 0, address);
	return number != 0;
}

/* Notes what the system's resolver found, and returns it. */
static struct hostent *note(const char *name, struct hostent *host)
{
	union gp_address address;

	if (!host || gp_host_is_numeric(name) || !process_active())
		return host;
	for (char **entry = host->h_addr_list; *entry; entry++) {
		gp_address_from_octets(host->h_addrtype, *entry, &address);
		locals_remember(name, &address);
	}
	return host;
}

static struct hostent *shim_gethostbyname2(const char *name, int family)
{
	union gp_address address;
	struct hostent *host;

	if (find(name, family, &address))
		return fill_static(name, &address);
	process_enter();
	host = real_gethostbyname2(name, family);
	process_leave();
	return note(name, host);
}

static int shim_gethostbyname2_r(const char *name, int family, struct hostent *host,
				 char *storage, size_t len, struct hostent **result,
				 int *error)
{
	union gp_address address;
	int err;

	if (find(name, family, &address))
		return fill_caller(host, storage, len, name, &address, result, error);
	process_enter();
	err = real_gethostbyname2_r(name, family, host, storage, len, result, error);
	process_leave();
	if (!err)
		note(name, *result);
	return err;
}

/* True if the raw address is a stand-in with a name. */
static bool find_name(const void *raw, socklen_t len, int family,
		      union gp_address *address, char *name)
{
	if ((family != AF_INET || len != 4) && (family != AF_INET6 || len != 16))
		return false;
	gp_address_from_octets(family, raw, address);
	return stand_in_name(address, name);
}

SHIM_EXPORT struct hostent *gethostbyname(const char *name)
{
	union gp_address address;
	struct hostent *host;

	if (find(name, AF_INET, &address))
		return fill_static(name, &address);
	process_enter();
	host = real_gethostbyname(name);
	process_leave();
	return note(name, host);
}

SHIM_EXPORT struct hostent *gethostbyname2(const char *name, int family)
{
	return shim_gethostbyname2(name, family);
}

SHIM_EXPORT int gethostbyname_r(const char *restrict name, struct hostent *restrict host,
				char *restrict storage, size_t len,
				struct hostent **restrict result, int *restrict error)
{
	union gp_address address;
	int err;

	if (find(name, AF_INET, &address))
		return fill_caller(host, storage, len, name, &address, result, error);
	process_enter();
	err = real_gethostbyname_r(name, host, storage, len, result, error);
	process_leave();
	if (!err)
		note(name, *result);
	return err;
}

SHIM_EXPORT int gethostbyname2_r(const char *restrict name, int family,
				 struct hostent *restrict host, char *restrict storage,
				 size_t len, struct hostent **restrict result,
				 int *restrict error)
{
	return shim_gethostbyname2_r(name, family, host, storage, len, result, error);
}

SHIM_EXPORT struct hostent *gethostbyaddr(const void *raw, socklen_t len, int family)
{
	char name[GP_HOST_MAX + 1];
	union gp_address address;

	if (find_name(raw, len, family, &address, name))
		return fill_static(name, &address);
	return real_gethostbyaddr(raw, len, family);
}

SHIM_EXPORT int gethostbyaddr_r(const void *restrict raw, socklen_t raw_len, int family,
				struct hostent *restrict host, char *restrict storage,
				size_t len, struct hostent **restrict result,
				int *restrict error)
{
	char name[GP_HOST_MAX + 1];
	union gp_address address;

	if (find_name(raw, raw_len, family, &address, name))
		return fill_caller(host, storage, len, name, &address, result, error);
	return real_gethostbyaddr_r(raw, raw_len, family, host, storage, len, result,
				    error);
}
