/* SPDX-License-Identifier: MIT */
/*
 * A victim in the manner of the 1990s, that speaks HTTP through stdio:
 *
 *   http_stdio STYLE ADDRESS PORT [PREFIX]
 *
 * Sends a GET, a POST of 20,000 octets and another GET, whose reply ends the connection,
 * and prints what it reads. STYLE is how it opens the streams, and when; see `styles`;
 * "--list" names them. PREFIX stands before the paths, "http://host" for a proxy.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>

#include "http.h"

#define BODY 20000

static FILE *in, *out;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static FILE *open_stream(int fd, const char *mode)
{
	FILE *stream = fdopen(fd, mode);

	if (!stream)
		fail("fdopen");
	if (fileno(stream) != fd)
		printf("fileno %d for %d\n", fileno(stream), fd);
	return stream;
}

static void with_duplicate(int fd)
{
	in = open_stream(fd, "r");
	out = open_stream(dup(fd), "w");
}

static void on_one_descriptor(int fd)
{
	in = open_stream(fd, "r");
	out = open_stream(fd, "w");
}

static void in_one_stream(int fd)
{
	in = out = open_stream(fd, "r+");
}

static void unbuffered(int fd)
{
	with_duplicate(fd);
	setvbuf(in, NULL, _IONBF, 0);
	setvbuf(out, NULL, _IONBF, 0);
}

static void line_buffered(int fd)
{
	with_duplicate(fd);
	setlinebuf(out);
}

static void with_own_buffers(int fd)
{
	static char for_in[700], for_out[900];

	with_duplicate(fd);
	setvbuf(in, for_in, _IOFBF, sizeof(for_in));
	setvbuf(out, for_out, _IOFBF, sizeof(for_out));
}

/* Only the output is a stream. */
static void read_by_descriptor(int fd)
{
	out = open_stream(fd, "w");
}

static const struct style {
	const char *name;
	void (*open)(int fd);
	enum { CONNECTED, UNCONNECTED, CONNECTING } when;
} styles[] = {
	{"duplicate", with_duplicate, CONNECTED},
	{"same", on_one_descriptor, CONNECTED},
	{"plus", in_one_stream, CONNECTED},
	{"unbuffered", unbuffered, CONNECTED},
	{"lines", line_buffered, CONNECTED},
	{"own-buffers", with_own_buffers, CONNECTED},
	{"write-only", read_by_descriptor, CONNECTED},
	{"before", in_one_stream, UNCONNECTED},
	{"both-before", on_one_descriptor, UNCONNECTED},
	{"meanwhile", in_one_stream, CONNECTING},
};

/* --- */

static void say(const char *verb, const char *prefix, const char *more)
{
	fprintf(out, "%s %s/%s HTTP/1.1\r\n", verb, prefix, verb);
	fputs("Host: " HTTP_HOST "\r\n", out);
	if (!strcmp(verb, "POST"))
		fprintf(out, "Content-Length: %d\r\n", BODY);
	fprintf(out, "%s\r\n", more);
}

static void say_body(void)
{
	char body[BODY];

	http_fill(body, BODY);
	for (int i = 0; i < 100; i++)
		putc(body[i], out);
	if (fwrite(body + 100, 1, BODY - 100, out) != BODY - 100)
		printf("fwrite %s\n", strerrorname_np(errno));
}

/* Reads the lines of the head; returns the Content-Length, or -1. */
static long hear_head(void)
{
	char line[1000];
	long length = -1;

	/* To see whether anything is there, as old programs did. */
	if (ungetc(getc(in), in) == EOF)
		return -1;
	while (fgets(line, sizeof(line), in)) {
		fputs(line, stdout);
		if (!strncasecmp(line, "Content-Length:", 15))
			length = atol(line + 15);
		if (!strcmp(line, "\r\n"))
			return length;
	}
	printf("the head ends early: feof %d ferror %d\n", !!feof(in), !!ferror(in));
	return -1;
}

static void hear(void)
{
	long left = hear_head();
	char word[20], bytes[999];
	size_t got;

	if (left > 20 && fscanf(in, "%20c", word) == 1) {
		printf("%.20s", word);
		left -= 20;
	}
	while (left) {
		got = fread(bytes, 1, left > 0 && left < 999 ? (size_t)left : 999, in);
		fwrite(bytes, 1, got, stdout);
		if (!got)
			break;
		left -= left > 0 ? (long)got : 0;
	}
	printf("\nfeof %d ferror %d\n", !!feof(in), !!ferror(in));
}

static void hear_by_descriptor(int fd)
{
	struct reply reply = {0};
	size_t wanted;
	char bytes[999];
	ssize_t got;

	while (reply.part != REPLY_OVER) {
		wanted = reply_wants(&reply);
		got = read(fd, bytes, wanted < sizeof(bytes) ? wanted : sizeof(bytes));
		if (got <= 0 && !reply_end(&reply)) {
			printf("cut short\n");
			return;
		}
		reply_feed(&reply, bytes, got > 0 ? (size_t)got : 0);
	}
}

static void exchange(int fd, const char *verb, const char *prefix, const char *more)
{
	say(verb, prefix, more);
	if (!strcmp(verb, "POST"))
		say_body();
	printf("fflush %d\n", fflush(out));
	if (in)
		hear();
	else
		hear_by_descriptor(fd);
}

static void end_stream(FILE *stream)
{
	int told = fclose(stream);

	printf("fclose %s\n", told ? strerrorname_np(errno) : "ok");
}

static void set_blocking(int fd, bool blocks)
{
	fcntl(fd, F_SETFL, blocks ? 0 : O_NONBLOCK);
}

static const struct style *find(const char *name)
{
	for (size_t i = 0; i < sizeof(styles) / sizeof(*styles); i++)
		if (!strcmp(styles[i].name, name))
			return &styles[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const char *prefix = argc > 4 ? argv[4] : "";
	const struct style *style;
	struct sockaddr_in address;
	int fd;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (size_t i = 0; i < sizeof(styles) / sizeof(*styles); i++)
			puts(styles[i].name);
		return 0;
	}
	if (argc < 4 || !(style = find(argv[1]))) {
		fprintf(stderr, "usage: http_stdio STYLE ADDRESS PORT [PREFIX]\n");
		return 2;
	}
	http_begin();
	address = http_address(argv[2], argv[3]);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (style->when == UNCONNECTED)
		style->open(fd);
	set_blocking(fd, style->when != CONNECTING);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) &&
	    (style->when != CONNECTING || errno != EINPROGRESS))
		fail("connect");
	if (style->when != UNCONNECTED)
		style->open(fd);
	set_blocking(fd, true);
	exchange(fd, "GET", prefix, "");
	exchange(fd, "POST", prefix, "");
	exchange(fd, "GET", prefix, "Connection: close\r\n");
	if (in && in != out)
		end_stream(in);
	/* Its descriptor can be the one that the input has just closed. */
	end_stream(out);
	return 0;
}
