/* SPDX-License-Identifier: MIT */
/*
 * What starting a process costs. spawn ROUNDS COUNT PROGRAM ENVIRONMENT... runs PROGRAM
 * in each ENVIRONMENT (lines of NAME=VALUE) in turn, COUNT times in a round, and prints
 * for each round the median time of each in nanoseconds, from posix_spawn() (a vfork) to
 * the end of the process.
 */
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "times.h"

#define VARIABLES_MAX 32

static void split_lines(char *text, char *lines[static VARIABLES_MAX + 1])
{
	size_t count = 0;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (count < VARIABLES_MAX)
			lines[count++] = line;
	lines[count] = NULL;
}

static uint64_t run(char *program, char **environment)
{
	char *argv[] = {program, NULL};
	uint64_t begin = now_ns();
	int status = -1;
	pid_t pid;

	if (posix_spawn(&pid, program, NULL, NULL, argv, environment) ||
	    waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "spawn: %s failed: status %d\n", program, status);
		exit(1);
	}
	return now_ns() - begin;
}

int main(int argc, char **argv)
{
	size_t rounds = argc > 4 ? strtoul(argv[1], NULL, 10) : 0;
	size_t count = argc > 4 ? strtoul(argv[2], NULL, 10) : 0;
	size_t kinds = argc > 4 ? (size_t)argc - 4 : 0;
	char *(*environments)[VARIABLES_MAX + 1];
	uint64_t *times = times_new(kinds * count + 1);

	if (!rounds || !count) {
		fputs("usage: spawn ROUNDS COUNT PROGRAM ENVIRONMENT...\n", stderr);
		return 2;
	}
	environments = calloc(kinds, sizeof(*environments));
	for (size_t kind = 0; kind < kinds; kind++)
		split_lines(argv[4 + kind], environments[kind]);
	while (rounds--) {
		for (size_t i = 0; i < count; i++)
			for (size_t kind = 0; kind < kinds; kind++)
				times[kind * count + i] =
					run(argv[3], environments[kind]);
		for (size_t kind = 0; kind < kinds; kind++)
			printf("%lu ",
			       (unsigned long)median(times + kind * count, count));
		putchar('\n');
	}
	return 0;
}
