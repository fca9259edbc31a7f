/* SPDX-License-Identifier: MIT */
/* A victim with GIO: fetch_gio URL... fetches all at once. GIO speaks to proxies itself,
 * so its request is the one for the page's own server. */
#include <gio/gio.h>

#include "fetch.h"

struct fetch {
	struct page *page;
	GSocketConnection *connection;
	char bytes[4096];
};

static int left; /* fetches */

static void expect(const struct fetch *fetch, const GError *error)
{
	if (error)
		fetch_fail(fetch->page->host, error->message);
}

static void listen_on(struct fetch *fetch);

static void hear(GObject *stream, GAsyncResult *result, void *data)
{
	struct fetch *fetch = data;
	GError *error = NULL;
	ssize_t got = g_input_stream_read_finish(G_INPUT_STREAM(stream), result, &error);

	expect(fetch, error);
	if (got) {
		page_add(fetch->page, fetch->bytes, (size_t)got);
		listen_on(fetch);
	} else {
		g_object_unref(fetch->connection);
		left--;
	}
}

static void listen_on(struct fetch *fetch)
{
	GIOStream *stream = G_IO_STREAM(fetch->connection);

	g_input_stream_read_async(g_io_stream_get_input_stream(stream), fetch->bytes,
				  sizeof(fetch->bytes), G_PRIORITY_DEFAULT, NULL, hear,
				  fetch);
}

static void written(GObject *stream, GAsyncResult *result, void *data)
{
	GError *error = NULL;

	g_output_stream_write_all_finish(G_OUTPUT_STREAM(stream), result, NULL, &error);
	expect(data, error);
	listen_on(data);
}

static void connected(GObject *client, GAsyncResult *result, void *data)
{
	struct fetch *fetch = data;
	GError *error = NULL;
	GIOStream *stream;

	fetch->connection = g_socket_client_connect_to_host_finish(
		G_SOCKET_CLIENT(client), result, &error);
	expect(fetch, error);
	stream = G_IO_STREAM(fetch->connection);
	g_output_stream_write_all_async(
		g_io_stream_get_output_stream(stream), fetch->page->request,
		strlen(fetch->page->request), G_PRIORITY_DEFAULT, NULL, written, fetch);
}

static GSocketClient *make_client(void)
{
	const char *proxy = getenv("http_proxy");
	GSocketClient *client = g_socket_client_new();

	if (proxy)
		g_socket_client_set_proxy_resolver(
			client, g_simple_proxy_resolver_new(proxy, NULL));
	unsetenv("http_proxy");
	return client;
}

int main(int argc, char **argv)
{
	GSocketClient *client = make_client();
	struct page *pages = pages_new(argc - 1, argv + 1);
	struct fetch *fetches = calloc((size_t)argc, sizeof(*fetches));

	left = argc - 1;
	for (int i = 0; i < argc - 1; i++) {
		fetches[i].page = &pages[i];
		g_socket_client_connect_to_host_async(client, pages[i].host,
						      (guint16)atoi(pages[i].port), NULL,
						      connected, &fetches[i]);
	}
	while (left)
		g_main_context_iteration(NULL, TRUE);
	g_object_unref(client);
	free(fetches);
	pages_print(pages, argc - 1);
	return 0;
}
