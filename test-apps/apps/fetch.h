/* SPDX-License-Identifier: MIT */
/* What the victims with an event loop fetch: pages over HTTP/1.0, by way of the proxy
 * that http_proxy names, if it names one. They know no password. */
#ifndef APPS_FETCH_H
#define APPS_FETCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct page {
	char host[256], port[6]; /* where to connect */
	char request[1024];
	char *reply;
	size_t length;
};

static inline void fetch_fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static inline void page_init(struct page *page, const char *url)
{
	const char *proxy = getenv("http_proxy");
	char host[256], port[6];
	int path = 0;

	if (sscanf(url, "http://%255[^:]:%5[0-9]%n", host, port, &path) != 2 ||
	    (proxy &&
	     sscanf(proxy, "http://%255[^:]:%5[0-9]", page->host, page->port) != 2))
		fetch_fail(url, "not understood");
	if (!proxy) {
		strcpy(page->host, host);
		strcpy(page->port, port);
	}
	snprintf(page->request, sizeof(page->request),
		 "GET %s HTTP/1.0\r\nHost: %s:%s\r\n\r\n", proxy ? url : url + path, host,
		 port);
}

static inline struct page *pages_new(int count, char **urls)
{
	struct page *pages = calloc((size_t)count + 1, sizeof(*pages));

	for (int i = 0; i < count; i++)
		page_init(&pages[i], urls[i]);
	return pages;
}

static inline void page_add(struct page *page, const void *bytes, size_t n)
{
	page->reply = realloc(page->reply, page->length + n + 1);
	if (!page->reply)
		abort();
	memcpy(page->reply + page->length, bytes, n);
	page->length += n;
	page->reply[page->length] = '\0';
}

static inline void page_print(struct page *page)
{
	char *body = page->reply ? strstr(page->reply, "\r\n\r\n") : NULL;

	if (!body)
		fetch_fail(page->host, "no reply");
	if (!strstr(page->reply, " 200 ") || strstr(page->reply, " 200 ") > body)
		fetch_fail(page->host, page->reply);
	body += 4;
	fwrite(body, 1, page->length - (size_t)(body - page->reply), stdout);
	free(page->reply);
}

/* The bodies in the URLs' order. */
static inline void pages_print(struct page *pages, int count)
{
	for (int i = 0; i < count; i++)
		page_print(&pages[i]);
	free(pages);
}

#endif
