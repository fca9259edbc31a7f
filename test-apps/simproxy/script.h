/* SPDX-License-Identifier: MIT */
/*
 * Scenarios of simproxy: what it does with each connection it accepts. The language is
 * described in script_help, which is what `simproxy --help` prints.
 */
#ifndef SIMPROXY_SCRIPT_H
#define SIMPROXY_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum step_kind {
	STEP_EXPECT,
	STEP_HEAD,
	STEP_PAYLOAD,
	STEP_AUTH,
	STEP_LEGS,
	STEP_READ,
	STEP_SEND,
	STEP_REPORT,
	STEP_SPLIT,
	STEP_DELAY,
	STEP_WAIT,
	STEP_FINISH,
	STEP_CLOSE,
	STEP_RESET,
	STEP_HOLD,
	STEP_ECHO,
	STEP_RELAY,
	STEP_LOOP
};

struct step {
	enum step_kind kind;
	/* SEND: the octets; AUTH: the authorization awaited, LEGS: how the last one
	 * begins, NUL-terminated. */
	char *text;
	size_t len;
	char *reply; /* AUTH, LEGS: the 407 for anything else */
	size_t reply_len;
	char *first, *second; /* LEGS: how the first one begins; the 407 for it */
	size_t second_len;
	unsigned long number; /* READ, SPLIT: octets; DELAY, WAIT: milliseconds */
	bool early;           /* AUTH: the 407 goes out before the body is read */
	bool bodies_stay;     /* AUTH: they are not read */
	bool closes;          /* AUTH, LEGS: the connection ends after the 407, */
	bool drops;           /* LEGS: after the second message */
	bool each;            /* LEGS: for each request */
	bool strict;          /* LEGS: for a connection that is to stay, or not at all */
};

/* What happens on one connection, or with `repeats` on every further one. */
struct block {
	struct step *steps;
	size_t count;
	bool repeats;
};

struct script {
	struct block *blocks;
	size_t count;
};

extern const char script_help[];

/* Reads a whole script. On failure prints one line, with `name` and the line's number, to
 * stderr and returns false. The script belongs to the caller until script_release(), also
 * after a failure. */
bool script_read(FILE *file, const char *name, struct script *script);
void script_release(struct script *script);

/* The scenario for the connection of that number (from 0); NULL if there is none. */
const struct block *script_block(const struct script *script, size_t number);

#endif
