/* SPDX-License-Identifier: MIT */
/* A victim with libevent: fetch_event URL... fetches all at once. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "fetch.h"

static void hear(struct bufferevent *stream, void *page)
{
	char bytes[4096];
	size_t got;

	while ((got = bufferevent_read(stream, bytes, sizeof(bytes))))
		page_add(page, bytes, got);
}

static void note(struct bufferevent *stream, short what, void *context)
{
	struct page *page = context;

	if (what & BEV_EVENT_CONNECTED) {
		bufferevent_write(stream, page->request, strlen(page->request));
		return;
	}
	if (what & BEV_EVENT_ERROR)
		fetch_fail(page->host,
			   evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
	bufferevent_free(stream);
}

int main(int argc, char **argv)
{
	struct page *pages = pages_new(argc - 1, argv + 1);
	struct event_base *base = event_base_new();

	fprintf(stderr, "waits with %s\n", event_base_get_method(base));
	for (int i = 0; i < argc - 1; i++) {
		struct bufferevent *stream =
			bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

		bufferevent_setcb(stream, hear, NULL, note, &pages[i]);
		bufferevent_enable(stream, EV_READ);
		if (bufferevent_socket_connect_hostname(
			    stream, NULL, AF_UNSPEC, pages[i].host, atoi(pages[i].port)))
			fetch_fail(pages[i].host, "connect");
	}
	event_base_dispatch(base);
	event_base_free(base);
	pages_print(pages, argc - 1);
	return 0;
}
