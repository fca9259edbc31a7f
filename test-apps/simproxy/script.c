/* SPDX-License-Identifier: MIT */
/*
 * Reads scenarios. A script is parsed whole before the first connection, so that a
 * mistake in it fails a test at once and with a line number.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"

const char script_help[] =
	"usage: simproxy [-4|-6] [-p PORT] SCRIPT\n"
	"\n"
	"Plays an HTTP proxy on 127.0.0.1 (-6: ::1), at a free port. Prints \"port N\", "
	"then a\n"
	"line for each event, with the number of the connection. SCRIPT is a file, or - "
	"for\n"
	"the standard input. One instruction a line, # begins a comment line:\n"
	"\n"
	"  conn              begins the scenario of the next connection\n"
	"  repeat            this scenario, the last one, serves all further connections "
	"too\n"
	"\n"
	"Reading\n"
	"  expect            read one request, its head and its body, and log it\n"
	"  head              read the head of a request only\n"
	"  payload           read the body of the last head's request\n"
	"  auth BASE64 [early] [close] [head]\n"
	"                    read requests until one has \"Proxy-Authorization: Basic "
	"BASE64\";\n"
	"                    answer the others with a 407, early: before their body is "
	"read,\n"
	"                    and, with close, close; with head, read no bodies\n"
	"  legs SCHEME FIRST LAST [close] [drop] [each] [strict]\n"
	"                    read requests until the connection has been shaken hands "
	"with:\n"
	"                    one with \"Proxy-Authorization: SCHEME FIRST...\", whose "
	"407 "
	"has a\n"
	"                    second message, and then one with \"SCHEME LAST...\". All "
	"others "
	"are\n"
	"                    answered by another 407; what follows on the connection "
	"passes\n"
	"                    without any. With close, that 407 closes; with drop, the "
	"second\n"
	"                    message does; each: what follows does not pass; strict: a "
	"request\n"
	"                    that does not ask for a connection that stays is told "
	"nothing,\n"
	"                    unless it has the last message\n"
	"  challenge TEXT    the 407 that later auth and legs instructions send, whole\n"
	"  second TEXT       the 407 with the second message, whole\n"
	"  read N            read N octets\n"
	"\n"
	"Sending\n"
	"  send TEXT         octets, with \\r \\n \\t \\0 \\\\ and \\xHH; nothing is "
	"added\n"
	"  body N            N octets of text\n"
	"  chunked N SIZE    N octets in chunks of SIZE, and the last chunk\n"
	"  banner TEXT       a 200 to CONNECT, and TEXT of the server in the same "
	"segment\n"
	"  report            a 200 that tells method, path, body's length and CRC32 of "
	"the\n"
	"                    last request\n"
	"  split N           later sends go in pieces of N octets (0: whole)\n"
	"  delay MS          with that pause between pieces\n"
	"  wait MS           do nothing for a while, and read nothing\n"
	"\n"
	"Ending (what a scenario without one of these does is close)\n"
	"  close             close; the kernel sends a reset if unread octets wait\n"
	"  finish            send no more, read and log until the other side closes\n"
	"  reset             close with a reset\n"
	"  hold              read and log, say nothing\n"
	"  echo              send back whatever comes\n"
	"  relay             connect to the port of the last request's authority, "
	"whatever the\n"
	"                    host, at 127.0.0.1, and relay both ways\n"
	"  loop              begin the scenario again on the same connection\n"
	"\n"
	"Events: accept ADDRESS, request LINE, header LINE, body LENGTH CRC32 [cut], "
	"challenged,\n"
	"data TEXT, relay PORT, eof, lost REASON, unscripted, close in=N out=N. What is "
	"not\n"
	"printable is shown as \\xHH.\n";

static const char default_challenge[] = "HTTP/1.1 407 Proxy Authentication Required\r\n"
					"Proxy-Authenticate: Basic realm=\"simproxy\"\r\n"
					"Content-Length: 9\r\n"
					"\r\n"
					"Who goes?";
static const char default_second[] = "HTTP/1.1 407 Proxy Authentication Required\r\n"
				     "Proxy-Authenticate: NTLM c2Vjb25k\r\n"
				     "Content-Length: 9\r\n"
				     "\r\n"
				     "Go ahead.";
static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";

/* A scenario that needs more than this is a mistyped one. */
#define BODY_MAX (256ul << 20)

struct parser {
	struct script *script;
	const char *name;
	unsigned line;
	struct octets {
		char *p;
		size_t len;
	} challenge, second; /* what auth and legs answer with from here on */
};

static void *must(void *memory)
{
	if (!memory) {
		fputs("simproxy: out of memory\n", stderr);
		exit(2);
	}
	return memory;
}

static char *copy_octets(const char *octets, size_t len)
{
	char *copy = must(malloc(len + 1));

	memcpy(copy, octets, len);
	copy[len] = '\0';
	return copy;
}

static char *join(const char *scheme, const char *rest)
{
	char *joined = must(malloc(strlen(scheme) + strlen(rest) + 2));

	sprintf(joined, "%s %s", scheme, rest);
	return joined;
}

static bool complain(const struct parser *parser, const char *what)
{
	fprintf(stderr, "simproxy: %s:%u: %s\n", parser->name, parser->line, what);
	return false;
}

/* One escape sequence at *at, which stands behind the backslash; -1 if there is none. */
static int unescape(const char **at)
{
	char digits[3] = "";
	char *end;
	int octet;

	switch (*(*at)++) {
	case 'r':
		return '\r';
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case '0':
		return '\0';
	case '\\':
		return '\\';
	case 'x':
		strncpy(digits, *at, 2);
		octet = (int)strtoul(digits, &end, 16);
		*at += 2;
		return end == digits + 2 ? octet : -1;
	default:
		return -1;
	}
}

/* The octets that `text` stands for, with `prefix` before them; NULL for a bad escape. */
static char *octets_of(const char *prefix, const char *text, size_t *len)
{
	size_t used = strlen(prefix);
	char *octets = must(malloc(used + strlen(text) + 1));
	const char *at = text;
	int octet;

	memcpy(octets, prefix, used);
	while (*at) {
		octet = (unsigned char)*at++;
		if (octet == '\\')
			octet = unescape(&at);
		if (octet < 0) {
			free(octets);
			return NULL;
		}
		octets[used++] = (char)octet;
	}
	octets[used] = '\0';
	*len = used;
	return octets;
}

static bool number_of(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno && *out <= max;
}

static void fill(char *octets, size_t len)
{
	for (size_t i = 0; i < len; i++)
		octets[i] = (char)('a' + i % 26);
}

static struct block *last_block(struct parser *parser)
{
	struct script *script = parser->script;

	return script->count ? &script->blocks[script->count - 1] : NULL;
}

static struct step *add_step(struct parser *parser, enum step_kind kind)
{
	struct block *block = last_block(parser);
	size_t size = (block->count + 1) * sizeof(*block->steps);

	block->steps = must(realloc(block->steps, size));
	block->steps[block->count] = (struct step){.kind = kind};
	return &block->steps[block->count++];
}

static bool add_block(struct parser *parser)
{
	struct script *script = parser->script;
	size_t size = (script->count + 1) * sizeof(*script->blocks);

	if (script->count && last_block(parser)->repeats)
		return complain(parser,
				"no connection gets past a scenario that repeats");
	script->blocks = must(realloc(script->blocks, size));
	script->blocks[script->count++] = (struct block){0};
	return true;
}

static bool add_send(struct parser *parser, const char *prefix, const char *text)
{
	size_t len;
	char *octets = octets_of(prefix, text, &len);
	struct step *step;

	if (!octets)
		return complain(parser,
				"unknown escape, known are \\r \\n \\t \\0 \\\\ \\xHH");
	step = add_step(parser, STEP_SEND);
	step->text = octets; /* transferred */
	step->len = len;
	return true;
}

static bool add_body(struct parser *parser, const char *text)
{
	struct step *step;
	unsigned long len;

	if (!number_of(text, BODY_MAX, &len))
		return complain(parser, "body: a number of octets");
	step = add_step(parser, STEP_SEND);
	step->text = must(malloc(len + 1));
	step->len = len;
	fill(step->text, len);
	return true;
}

static bool add_chunked(struct parser *parser, char *text)
{
	char *second = strchr(text, ' ');
	unsigned long left, size;
	struct step *step;
	FILE *out;

	if (second)
		*second++ = '\0';
	if (!second || !number_of(text, BODY_MAX, &left) ||
	    !number_of(second, BODY_MAX, &size) || !size)
		return complain(parser,
				"chunked: a number of octets, and one for a chunk");
	step = add_step(parser, STEP_SEND);
	out = must(open_memstream(&step->text, &step->len));
	while (left) {
		size = size < left ? size : left;
		fprintf(out, "%lx\r\n", size);
		for (unsigned long i = 0; i < size; i++)
			fputc('a' + (int)(i % 26), out);
		fputs("\r\n", out);
		left -= size;
	}
	fputs("0\r\n\r\n", out);
	fclose(out);
	return true;
}

static bool add_auth(struct parser *parser, char *text)
{
	char *credentials = strsep(&text, " ");
	struct step *step = add_step(parser, STEP_AUTH);
	const char *mode;

	while ((mode = strsep(&text, " "))) {
		if (!strcmp(mode, "early"))
			step->early = true;
		else if (!strcmp(mode, "close"))
			step->closes = true;
		else if (!strcmp(mode, "head"))
			step->bodies_stay = true;
		else
			return complain(parser, "auth: BASE64, early, close and head");
	}
	if (!*credentials)
		return complain(parser, "auth: BASE64 is missing");
	step->text = join("Basic", credentials);
	step->reply = copy_octets(parser->challenge.p, parser->challenge.len);
	step->reply_len = parser->challenge.len;
	return true;
}

static bool *mode_of(struct step *step, const char *mode)
{
	if (!strcmp(mode, "close"))
		return &step->closes;
	if (!strcmp(mode, "drop"))
		return &step->drops;
	if (!strcmp(mode, "each"))
		return &step->each;
	return strcmp(mode, "strict") ? NULL : &step->strict;
}

static bool add_legs(struct parser *parser, char *text)
{
	const char *scheme = strsep(&text, " "), *first = strsep(&text, " ");
	const char *last = strsep(&text, " "), *mode;
	struct step *step = add_step(parser, STEP_LEGS);
	bool *set;

	if (!last)
		return complain(parser, "legs: SCHEME FIRST LAST");
	while ((mode = strsep(&text, " "))) {
		set = mode_of(step, mode);
		if (!set)
			return complain(parser, "legs: close, drop, each and strict");
		*set = true;
	}
	step->first = join(scheme, first);
	step->text = join(scheme, last);
	step->reply = copy_octets(parser->challenge.p, parser->challenge.len);
	step->reply_len = parser->challenge.len;
	step->second = copy_octets(parser->second.p, parser->second.len);
	step->second_len = parser->second.len;
	return true;
}

static bool set_octets(struct parser *parser, struct octets *set, const char *text)
{
	size_t len;
	char *octets = octets_of("", text, &len);

	if (!octets)
		return complain(parser,
				"unknown escape, known are \\r \\n \\t \\0 \\\\ \\xHH");
	free(set->p);
	*set = (struct octets){octets, len}; /* transferred */
	return true;
}

static const struct word {
	const char *name;
	enum step_kind kind;
	bool numbered;
} words[] = {
	{"expect", STEP_EXPECT, false},   {"head", STEP_HEAD, false},
	{"payload", STEP_PAYLOAD, false}, {"read", STEP_READ, true},
	{"split", STEP_SPLIT, true},      {"delay", STEP_DELAY, true},
	{"wait", STEP_WAIT, true},        {"finish", STEP_FINISH, false},
	{"report", STEP_REPORT, false},   {"close", STEP_CLOSE, false},
	{"reset", STEP_RESET, false},     {"hold", STEP_HOLD, false},
	{"echo", STEP_ECHO, false},       {"relay", STEP_RELAY, false},
	{"loop", STEP_LOOP, false},
};

static bool add_plain(struct parser *parser, const char *name, const char *text)
{
	unsigned long number = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(words[i].name, name))
			continue;
		if (words[i].numbered && !number_of(text, BODY_MAX, &number))
			return complain(parser, "this instruction takes a number");
		if (!words[i].numbered && *text)
			return complain(parser, "this instruction takes nothing");
		add_step(parser, words[i].kind)->number = number;
		return true;
	}
	return complain(parser, "unknown instruction, see simproxy --help");
}

static bool add_line(struct parser *parser, char *line)
{
	char *text = strchr(line, ' ');

	if (text)
		*text++ = '\0';
	else
		text = line + strlen(line);
	if (!strcmp(line, "challenge"))
		return set_octets(parser, &parser->challenge, text);
	if (!strcmp(line, "second"))
		return set_octets(parser, &parser->second, text);
	if (!strcmp(line, "conn"))
		return *text ? complain(parser, "conn takes nothing") : add_block(parser);
	if (!last_block(parser))
		return complain(parser, "conn must come first");
	if (!strcmp(line, "repeat")) {
		last_block(parser)->repeats = true;
		return *text ? complain(parser, "repeat takes nothing") : true;
	}
	if (!strcmp(line, "auth"))
		return add_auth(parser, text);
	if (!strcmp(line, "legs"))
		return add_legs(parser, text);
	if (!strcmp(line, "send"))
		return add_send(parser, "", text);
	if (!strcmp(line, "banner"))
		return add_send(parser, established, text);
	if (!strcmp(line, "body"))
		return add_body(parser, text);
	if (!strcmp(line, "chunked"))
		return add_chunked(parser, text);
	return add_plain(parser, line, text);
}

bool script_read(FILE *file, const char *name, struct script *script)
{
	struct parser parser = {.script = script, .name = name};
	char *line = NULL, *start;
	size_t cap = 0;
	bool ok = true;

	set_octets(&parser, &parser.challenge, default_challenge);
	set_octets(&parser, &parser.second, default_second);
	while (ok && getline(&line, &cap, file) >= 0) {
		parser.line++;
		line[strcspn(line, "\n")] = '\0';
		start = line + strspn(line, " \t");
		if (*start && *start != '#')
			ok = add_line(&parser, start);
	}
	if (ok && !script->count)
		ok = complain(&parser, "no conn in it");
	free(line);
	free(parser.challenge.p);
	free(parser.second.p);
	return ok;
}

void script_release(struct script *script)
{
	for (size_t i = 0; i < script->count; i++) {
		for (size_t j = 0; j < script->blocks[i].count; j++) {
			free(script->blocks[i].steps[j].text);
			free(script->blocks[i].steps[j].reply);
			free(script->blocks[i].steps[j].first);
			free(script->blocks[i].steps[j].second);
		}
		free(script->blocks[i].steps);
	}
	free(script->blocks);
	*script = (struct script){0};
}

const struct block *script_block(const struct script *script, size_t number)
{
	const struct block *last = &script->blocks[script->count - 1];

	if (number < script->count)
		return &script->blocks[number];
	return last->repeats ? last : NULL;
}
