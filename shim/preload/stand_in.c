/* SPDX-License-Identifier: MIT */
/* Asking the agent about names. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "link.h"
#include "process.h"
#include "settings.h"
#include "stand_in.h"
#include "tcp.h"

/* Asks one question about a name or an address, and copies the value of `wanted` from the
 * answer. False without one. */
static bool ask(const char *verb, const char *key, const char *subject,
		const char *wanted, char *out, size_t cap)
{
	struct gp_text lines = settings_lines();
	struct link *link = mmap(NULL, sizeof(*link), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const char *found, *value;
	struct gp_wire answer;
	bool told = false;

	if (link == MAP_FAILED)
		return false;
	link_init(link);
	link_begin(link, verb);
	gp_wire_add(&link->out, key, subject);
	gp_buf_add(&link->out, lines.p, lines.len);
	if (!link_ask(link, &answer) && !strcmp(answer.verb, "name"))
		while (gp_wire_next(&answer, &found, &value))
			if (!strcmp(found, wanted))
				told = gp_text_copy(gp_text(value), out, cap);
	link_clear(link);
	munmap(link, sizeof(*link));
	return told;
}

uint32_t stand_in_for(const char *name)
{
	char text[GP_ADDRESS_MAX];
	char normal[GP_HOST_MAX + 1];
	union gp_address address;
	int saved_errno = errno;
	uint32_t number = 0;

	if (!name || gp_host_is_numeric(name) ||
	    gp_host_normalise(gp_text(name), normal) || gp_host_is_local(normal) ||
	    !process_active())
		return 0;
	if (ask("resolve", "host", normal, "address", text, sizeof(text)) &&
	    gp_address_parse_host(text, &address))
		number = gp_fake_number(&address);
	errno = saved_errno;
	return number;
}

bool stand_in_name(const union gp_address *address, char name[static GP_HOST_MAX + 1])
{
	char text[GP_ADDRESS_MAX];
	char told[GP_HOST_MAX + 1];
	int saved_errno = errno;
	bool known;

	if (!gp_fake_number(address) || !process_active())
		return false;
	gp_address_host(address, text);
	/* The program is going to print it: whoever listens there, it is a name. */
	known = ask("reverse", "address", text, "host", told, sizeof(told)) &&
		!gp_host_normalise(gp_text(told), name);
	errno = saved_errno;
	return known;
}

bool stand_in_blocks(int fd, const union gp_address *address)
{
	char name[GP_HOST_MAX + 1];
	int saved_errno = errno;
	bool blocks = gp_fake_number(address) && tcp_is_datagram(fd) &&
		      stand_in_name(address, name);

	errno = saved_errno;
	return blocks;
}
