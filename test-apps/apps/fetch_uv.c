/* SPDX-License-Identifier: MIT */
/* A victim with libuv: fetch_uv URL... fetches all at once. */
#include <uv.h>

#include "fetch.h"

struct fetch {
	struct page *page;
	uv_getaddrinfo_t look_up;
	uv_tcp_t stream;
	uv_connect_t connect;
	uv_write_t write;
	char bytes[4096];
};

static void expect(const struct fetch *fetch, int status)
{
	if (status < 0)
		fetch_fail(fetch->page->host, uv_strerror(status));
}

static void lend(uv_handle_t *stream, size_t size, uv_buf_t *buf)
{
	struct fetch *fetch = stream->data;

	(void)size;
	*buf = uv_buf_init(fetch->bytes, sizeof(fetch->bytes));
}

static void hear(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
	struct fetch *fetch = stream->data;

	if (got == UV_EOF) {
		uv_close((uv_handle_t *)stream, NULL);
		return;
	}
	expect(fetch, (int)got);
	page_add(fetch->page, buf->base, (size_t)got);
}

static void written(uv_write_t *write, int status)
{
	expect(write->data, status);
}

static void connected(uv_connect_t *connect, int status)
{
	struct fetch *fetch = connect->data;
	char *request = fetch->page->request;
	uv_buf_t buf = uv_buf_init(request, (unsigned)strlen(request));

	expect(fetch, status);
	fetch->write.data = fetch;
	expect(fetch, uv_write(&fetch->write, connect->handle, &buf, 1, written));
	expect(fetch, uv_read_start(connect->handle, lend, hear));
}

static void found(uv_getaddrinfo_t *look_up, int status, struct addrinfo *list)
{
	struct fetch *fetch = look_up->data;

	expect(fetch, status);
	fetch->connect.data = fetch->stream.data = fetch;
	expect(fetch, uv_tcp_init(look_up->loop, &fetch->stream));
	expect(fetch,
	       uv_tcp_connect(&fetch->connect, &fetch->stream, list->ai_addr, connected));
	uv_freeaddrinfo(list);
}

int main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct page *pages = pages_new(argc - 1, argv + 1);
	struct fetch *fetches = calloc((size_t)argc, sizeof(*fetches));
	uv_loop_t *loop = uv_default_loop();

	for (int i = 0; i < argc - 1; i++) {
		fetches[i].page = &pages[i];
		fetches[i].look_up.data = &fetches[i];
		expect(&fetches[i], uv_getaddrinfo(loop, &fetches[i].look_up, found,
						   pages[i].host, pages[i].port, &hints));
	}
	uv_run(loop, UV_RUN_DEFAULT);
	uv_loop_close(loop);
	free(fetches);
	pages_print(pages, argc - 1);
	return 0;
}
