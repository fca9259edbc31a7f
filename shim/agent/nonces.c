/* SPDX-License-Identifier: MIT */
/* The Digest nonces, the youngest first; those that were refused among them, for what is
 * said of them later. */
#include "nonces.h"

#include <string.h>
#include <sys/random.h>

#include <glib.h>

#include "endpoint.h"

/* A crowd of programs that meet a proxy together gets one each. One that is forgotten too
 * early costs a round trip. */
#define NONCES_MAX 64

/* After so long a request has come to the proxy, or is held up for a reason that a round
 * trip more does not matter to. */
#define ARRIVED_US (G_USEC_PER_SEC / 2)

struct entry {
	struct nonce nonce; /* the first member */
	struct endpoint proxy;
};

static GQueue entries = G_QUEUE_INIT;

static void free_entry(struct entry *entry)
{
	digest_release(&entry->nonce.digest);
	g_free(entry);
}

static void make_cnonce(char out[static CNONCE_MAX + 1])
{
	uint8_t bytes[CNONCE_MAX / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		g_error("getrandom: no random numbers");
	for (size_t i = 0; i < sizeof(bytes); i++)
		g_snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static bool is_same_space(const struct digest *a, const struct digest *b)
{
	return a->algorithm == b->algorithm && a->session == b->session &&
	       a->qop == b->qop && !strcmp(a->realm, b->realm);
}

static bool is_for_everybody(const struct nonce *nonce)
{
	return (nonce->proven || nonce->early) && !nonce->refused;
}

static struct nonce *add(const struct endpoint *proxy, const struct digest *digest)
{
	struct entry *entry = g_new0(struct entry, 1);

	entry->proxy = *proxy;
	digest_copy(&entry->nonce.digest, digest);
	make_cnonce(entry->nonce.cnonce);
	g_queue_push_head(&entries, entry);
	if (entries.length > NONCES_MAX)
		free_entry(g_queue_pop_tail(&entries));
	return &entry->nonce;
}

/* A nonce for two algorithms, as in RFC 7616 3.9.1, has one counter and the words of the
 * challenge that was answered last. */
struct nonce *nonces_need(const struct endpoint *proxy, const struct digest *digest)
{
	struct nonce *nonce = nonces_find(proxy, digest->nonce);

	if (!nonce)
		return add(proxy, digest);
	digest_release(&nonce->digest);
	digest_copy(&nonce->digest, digest);
	if (nonce->refused)
		nonce->refused = nonce->proven = nonce->early = false;
	return nonce;
}

/* Of two requests at once with one nonce, that with the higher count may be the first at
 * the proxy, which then refuses the other one (Squid does). So they are spread. */
struct nonce *nonces_choose(const struct endpoint *proxy, const struct digest *digest)
{
	const gint64 before = g_get_monotonic_time() - ARRIVED_US;
	struct nonce *best = NULL;

	for (GList *link = entries.head; link; link = link->next) {
		struct entry *entry = link->data;
		struct nonce *nonce = &entry->nonce;

		if (!is_for_everybody(nonce) || !endpoint_equal(&entry->proxy, proxy) ||
		    !is_same_space(&nonce->digest, digest))
			continue;
		if (nonce->used <= before)
			return nonce;
		if (!best || nonce->used < best->used)
			best = nonce;
	}
	return best;
}

struct nonce *nonces_find(const struct endpoint *proxy, const char *nonce)
{
	for (GList *link = entries.head; link; link = link->next) {
		struct entry *entry = link->data;

		if (!strcmp(entry->nonce.digest.nonce, nonce) &&
		    endpoint_equal(&entry->proxy, proxy))
			return &entry->nonce;
	}
	return NULL;
}

uint32_t nonce_use(struct nonce *nonce)
{
	nonce->used = g_get_monotonic_time();
	return ++nonce->count;
}

void nonce_refuse(struct nonce *nonce, bool expired)
{
	const struct entry *refused = (const struct entry *)nonce;

	nonce->refused = true;
	if (!expired)
		return;
	for (GList *link = g_queue_find(&entries, nonce); link; link = link->next) {
		struct entry *entry = link->data;

		if (endpoint_equal(&entry->proxy, &refused->proxy) &&
		    is_same_space(&entry->nonce.digest, &nonce->digest))
			entry->nonce.refused = true;
	}
}
