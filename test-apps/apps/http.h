/* SPDX-License-Identifier: MIT */
/*
 * What the victims that speak HTTP share: a request as an old program would write it, and
 * a transcript of each reply. The transcript has nothing in it that depends on how the
 * bytes were cut.
 */
#ifndef APPS_HTTP_H
#define APPS_HTTP_H

#include <arpa/inet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HTTP_HOST "origin.gatepass.test"

static inline struct sockaddr_in http_address(const char *host, const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)atoi(port))};

	inet_pton(AF_INET, host, &address.sin_addr);
	return address;
}

/* The octets of bodies: none of them a line end, no period that divides a buffer's size.
 */
static inline void http_fill(char *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (char)('0' + i % 67);
}

/* Writes the head of a request; `more` is whole field lines. Returns its length. */
static inline size_t http_head(char *out, size_t size, const char *verb,
			       const char *prefix, const char *path, const char *more)
{
	return (size_t)snprintf(out, size,
				"%s %s/%s HTTP/1.1\r\nHost: " HTTP_HOST "\r\n%s\r\n",
				verb, prefix, path, more);
}

/* Ending by it would hide what came before; that it came must not be hidden either. */
static volatile sig_atomic_t http_broken_pipes;

static inline void http_count_pipe(int number)
{
	(void)number;
	http_broken_pipes++;
}

static inline void http_tell_pipes(void)
{
	if (http_broken_pipes)
		printf("SIGPIPE %d\n", (int)http_broken_pipes);
}

static inline void http_begin(void)
{
	alarm(30);
	signal(SIGPIPE, http_count_pipe);
	atexit(http_tell_pipes);
}

/* --- replies -------------------------------------------------------------------------
 */

enum reply_part {
	REPLY_HEAD,
	REPLY_LENGTH,
	REPLY_CHUNK_SIZE,
	REPLY_CHUNK,
	REPLY_CHUNK_END,
	REPLY_LAST,
	REPLY_TO_END, /* of the connection */
	REPLY_OVER
};

/* Zero-initialise for each. */
struct reply {
	enum reply_part part;
	bool to_head;
	int status;
	size_t left;
	size_t head_len, line_len;
	size_t total;
	uint32_t sum; /* FNV-1a of the body */
	char head[16384];
};

static inline void reply_over(struct reply *reply)
{
	printf("body %zu %08x\n", reply->total, reply->sum);
	reply->part = REPLY_OVER;
}

static inline const char *reply_field(const struct reply *reply, const char *name)
{
	const char *line = reply->head;

	while ((line = strchr(line, '\n')) && *++line) {
		if (!strncasecmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			return line + strlen(name) + 1;
	}
	return NULL;
}

static inline void reply_frame(struct reply *reply)
{
	const char *length = reply_field(reply, "Content-Length");

	reply->status = atoi(reply->head + strcspn(reply->head, " "));
	fputs(reply->head, stdout);
	if (reply->status / 100 == 1 && reply->status != 101) {
		reply->head_len = 0;
		return;
	}
	reply->left = length ? strtoul(length, NULL, 10) : 0;
	if (reply->to_head || reply->status == 101 || reply->status == 204 ||
	    reply->status == 304)
		reply_over(reply);
	else if (reply_field(reply, "Transfer-Encoding"))
		reply->part = REPLY_CHUNK_SIZE;
	else if (!length)
		reply->part = REPLY_TO_END;
	else if (reply->left)
		reply->part = REPLY_LENGTH;
	else
		reply_over(reply);
}

static inline bool reply_ends_with(const struct reply *reply, const char *end)
{
	size_t len = strlen(end);

	return reply->head_len >= len &&
	       !strcmp(reply->head + reply->head_len - len, end);
}

static inline void reply_head_octet(struct reply *reply, char octet)
{
	if (reply->head_len + 1 == sizeof(reply->head)) {
		printf("a head without end\n");
		exit(1);
	}
	reply->head[reply->head_len++] = octet;
	reply->head[reply->head_len] = '\0';
	if (reply_ends_with(reply, "\n\r\n") || reply_ends_with(reply, "\n\n"))
		reply_frame(reply);
}

/* An octet of the chunks' framing; the head's buffer is used for their sizes. */
static inline void reply_chunk_octet(struct reply *reply, char octet)
{
	if (octet != '\n') {
		if (reply->line_len + 1 < sizeof(reply->head))
			reply->head[reply->line_len++] = octet;
		return;
	}
	reply->head[reply->line_len] = '\0';
	if (reply->part == REPLY_CHUNK_SIZE) {
		reply->left = strtoul(reply->head, NULL, 16);
		reply->part = reply->left ? REPLY_CHUNK : REPLY_LAST;
	} else if (reply->part == REPLY_CHUNK_END) {
		reply->part = REPLY_CHUNK_SIZE;
	} else if (reply->line_len <= 1) {
		reply_over(reply);
	}
	reply->line_len = 0;
}

static inline size_t reply_body(struct reply *reply, const char *octets, size_t len)
{
	if (reply->part != REPLY_TO_END && len > reply->left)
		len = reply->left;
	if (!reply->total)
		reply->sum = 2166136261u;
	for (size_t i = 0; i < len; i++)
		reply->sum = (reply->sum ^ (unsigned char)octets[i]) * 16777619u;
	reply->total += len;
	if (reply->part == REPLY_TO_END)
		return len;
	reply->left -= len;
	if (!reply->left && reply->part == REPLY_CHUNK)
		reply->part = REPLY_CHUNK_END;
	else if (!reply->left)
		reply_over(reply);
	return len;
}

/* Takes in what belongs to the reply, prints what is complete; returns how much it was.
 */
static inline size_t reply_feed(struct reply *reply, const char *octets, size_t len)
{
	size_t used = 0;

	while (used < len && reply->part != REPLY_OVER) {
		if (reply->part == REPLY_HEAD)
			reply_head_octet(reply, octets[used++]);
		else if (reply->part == REPLY_LENGTH || reply->part == REPLY_CHUNK ||
			 reply->part == REPLY_TO_END)
			used += reply_body(reply, octets + used, len - used);
		else
			reply_chunk_octet(reply, octets[used++]);
	}
	return used;
}

/* How many octets surely belong to it: what can be read without reading beyond its end.
 */
static inline size_t reply_wants(const struct reply *reply)
{
	if (reply->part == REPLY_TO_END)
		return SIZE_MAX;
	return reply->part == REPLY_LENGTH || reply->part == REPLY_CHUNK ? reply->left
									 : 1;
}

/* The connection has ended. False: in the middle of the reply. */
static inline bool reply_end(struct reply *reply)
{
	if (reply->part == REPLY_TO_END)
		reply_over(reply);
	return reply->part == REPLY_OVER;
}

#endif
