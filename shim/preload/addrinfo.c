/* SPDX-License-Identifier: MIT */
/* getaddrinfo() and getnameinfo(). */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "libc.h"
#include "locals.h"
#include "process.h"
#include "stand_in.h"

static int resolve_here(const char *node, const char *service,
			const struct addrinfo *hints, struct addrinfo **result)
{
	union gp_address address;
	int err;

	process_enter();
	err = real_getaddrinfo(node, service, hints, result);
	process_leave();
	if (err || !node || gp_host_is_numeric(node) || !process_active())
		return err;
	for (struct addrinfo *info = *result; info; info = info->ai_next)
		if (gp_address_set(&address, info->ai_addr, info->ai_addrlen))
			locals_remember(node, &address);
	return 0;
}

/* The program frees it with libc's freeaddrinfo(), so it has to come from libc. */
static int set_canonical_name(struct addrinfo *info, const char *node)
{
	char *name = strdup(node);

	if (!name)
		return EAI_MEMORY;
	free(info->ai_canonname);
	info->ai_canonname = name;
	return 0;
}

/* libc itself builds the list, for the stand-in as a numeric address: services, socket
 * types and allocation are its own. */
static int resolve_stand_in(uint32_t number, const char *node, const char *service,
			    const struct addrinfo *hints, struct addrinfo **result)
{
	struct addrinfo numeric = {0};
	char text[GP_ADDRESS_MAX];
	union gp_address address;
	bool canonical;
	int err;

	if (hints)
		numeric = *hints;
	canonical = numeric.ai_flags & AI_CANONNAME;
	/* AI_ADDRCONFIG would drop IPv4 on a machine that has only loopback. */
	numeric.ai_flags &= ~(AI_ADDRCONFIG | AI_V4MAPPED | AI_ALL);
	numeric.ai_flags |= AI_NUMERICHOST;
	if (numeric.ai_family != AF_INET6)
		numeric.ai_family =
			numeric.ai_family == AF_UNSPEC ? AF_INET : numeric.ai_family;
	gp_fake_address(number, numeric.ai_family, 0, &address);
	gp_address_host(&address, text);
	err = real_getaddrinfo(text, service, &numeric, result);
	if (err || !canonical)
		return err;
	err = set_canonical_name(*result, node);
	if (err)
		freeaddrinfo(*result);
	return err;
}

static int shim_getaddrinfo(const char *node, const char *service,
			    const struct addrinfo *hints, struct addrinfo **result)
{
	bool numeric = hints && hints->ai_flags & AI_NUMERICHOST;
	uint32_t number = numeric ? 0 : stand_in_for(node);

	if (number)
		return resolve_stand_in(number, node, service, hints, result);
	return resolve_here(node, service, hints, result);
}

static int shim_getnameinfo(const struct sockaddr *sa, socklen_t len, char *host,
			    socklen_t host_len, char *service, socklen_t service_len,
			    int flags)
{
	char name[GP_HOST_MAX + 1];
	union gp_address address;

	if (!host || !host_len || flags & NI_NUMERICHOST ||
	    !gp_address_set(&address, sa, len) || !stand_in_name(&address, name))
		return real_getnameinfo(sa, len, host, host_len, service, service_len,
					flags);
	if (!gp_text_copy(gp_text(name), host, host_len))
		return EAI_OVERFLOW;
	if (!service || !service_len)
		return 0;
	return real_getnameinfo(sa, len, NULL, 0, service, service_len, flags);
}

SHIM_EXPORT int getaddrinfo(const char *restrict node, const char *restrict service,
			    const struct addrinfo *restrict hints,
			    struct addrinfo **restrict result)
{
	return shim_getaddrinfo(node, service, hints, result);
}

SHIM_EXPORT int getnameinfo(const struct sockaddr *restrict sa, socklen_t len,
			    char *restrict host, socklen_t host_len,
			    char *restrict service, socklen_t service_len, int flags)
{
	return shim_getnameinfo(sa, len, host, host_len, service, service_len, flags);
}
