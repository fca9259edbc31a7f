/* SPDX-License-Identifier: MIT */
/*
 * Runs a program of the user's: in a session of its own without a terminal, with the
 * variables that an agent inherits, for a limited time and with limited output. Nothing
 * here blocks.
 */
#ifndef GATEPASS_CHILD_H
#define GATEPASS_CHILD_H

#include <stddef.h>

/* A user name and a password of the longest kind, with room for what helpers add. */
#define CHILD_OUTPUT_MAX (16 * 1024)

enum child_outcome {
	CHILD_SUCCEEDED,
	CHILD_FAILED, /* it ended by itself, and badly */
	CHILD_BROKEN  /* it could not be started, or had to be stopped */
};

struct child_end {
	enum child_outcome outcome;
	const char *problem; /* behind its name; NULL for CHILD_SUCCEEDED */
	/* What it wrote to its standard output, NUL-terminated. */
	const char *output;
	size_t len;
};

struct child_request {
	const char *name;  /* for the log */
	char **argv;       /* NULL-terminated; the program is looked up in PATH */
	const char *input; /* for its standard input */
	size_t len;
	unsigned seconds;
	/* Once, maybe before child_run() returns. What it is given is wiped after it. */
	void (*done)(void *data, const struct child_end *end);
	void *data;
};

/* Copies the request. What the program says on its standard error goes to the log,
 * without lines that hold a password. Programs that it leaves behind live on. */
void child_run(const struct child_request *request);

#endif
