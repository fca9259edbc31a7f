/* SPDX-License-Identifier: MIT */
/* Locally resolved names, the newest in the place of the oldest. */
#include <string.h>

#include "locals.h"
#include "lock.h"

/* A program asks for a name and connects at once; browsers look up a page's names ahead.
 */
#define ENTRIES 64

struct entry {
	char host[GP_ADDRESS_MAX]; /* the address as text, so that forms compare equal */
	char name[GP_HOST_MAX + 1];
};

static struct entry entries[ENTRIES];
static unsigned newest;
static struct lock lock;

static struct entry *search(const char *host)
{
	for (unsigned back = 0; back < ENTRIES; back++) {
		struct entry *entry = &entries[(newest - back) % ENTRIES];

		if (!strcmp(entry->host, host))
			return entry;
	}
	return NULL;
}

void locals_remember(const char *name, const union gp_address *address)
{
	size_t size = strlen(name) + 1;
	char host[GP_ADDRESS_MAX];
	struct entry *entry;

	if (size > sizeof(entry->name))
		return;
	gp_address_host(address, host);
	lock_take(&lock);
	entry = search(host);
	if (!entry)
		entry = &entries[++newest % ENTRIES];
	memcpy(entry->host, host, sizeof(host));
	memcpy(entry->name, name, size);
	lock_release(&lock);
}

bool locals_find(const union gp_address *address, char name[static GP_HOST_MAX + 1])
{
	char host[GP_ADDRESS_MAX];
	const struct entry *entry;

	gp_address_host(address, host);
	lock_take(&lock);
	entry = search(host);
	if (entry)
		memcpy(name, entry->name, sizeof(entry->name));
	lock_release(&lock);
	return entry != NULL;
}

void locals_after_fork(void)
{
	lock_init(&lock);
}
