/* SPDX-License-Identifier: MIT */
/*
 * Memory for passwords: whole pages by mmap(), so that locking and wiping one secret
 * never touches another's page. A few single pages are kept when they are given back,
 * wiped, because making one (mlock(2) above all) takes longer than what it is used for: a
 * password in a proxy's URL needs two in each answer.
 */
#include "secret.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib.h>

#define SPARES_MAX 4

static char *spares[SPARES_MAX];
static unsigned spare_count;

static bool is_single(size_t size)
{
	return size <= (size_t)sysconf(_SC_PAGESIZE);
}

static char *make(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	if (p == MAP_FAILED)
		g_error("out of memory: %zu bytes", size);
	/* RLIMIT_MEMLOCK may be as low as 64 KiB in a container; then the pages can be
	 * swapped out, which is no reason to leave the user without network. */
	if (mlock(p, size))
		g_debug("mlock: not allowed, secrets may be swapped out");
	(void)madvise(p, size, MADV_DONTDUMP);
	return p;
}

char *secret_alloc(size_t size)
{
	return is_single(size) && spare_count ? spares[--spare_count] : make(size);
}

void secret_dealloc(char *p, size_t size)
{
	if (!p)
		return;
	explicit_bzero(p, size);
	if (is_single(size) && spare_count < SPARES_MAX)
		spares[spare_count++] = p;
	else
		munmap(p, size);
}

struct secret *secret_new(const char *bytes, size_t len)
{
	struct secret *secret = (struct secret *)secret_alloc(sizeof(*secret) + len + 1);

	secret->len = len;
	if (len)
		memcpy(secret->bytes, bytes, len);
	return secret;
}

void secret_free(struct secret *secret)
{
	if (secret)
		secret_dealloc((char *)secret, sizeof(*secret) + secret->len + 1);
}
