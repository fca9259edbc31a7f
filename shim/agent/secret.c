/* SPDX-License-Identifier: MIT */
/* Memory for passwords: whole pages by mmap(), so that locking and wiping one secret
 * never touches another's page. */
#include "secret.h"

#include <string.h>
#include <sys/mman.h>

#include <glib.h>

char *secret_alloc(size_t size)
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

void secret_dealloc(char *p, size_t size)
{
	if (!p)
		return;
	explicit_bzero(p, size);
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
