/* SPDX-License-Identifier: MIT */
/*
 * gatepassctl: log in, look and diagnose. A table of subcommands, one file each.
 */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "report.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *synopsis, *summary;
} commands[] = {
	{"login", login_command,
	 "login [--proxy URL] [--user USER] [--session] [--password-stdin]",
	 "store the password for the proxy"},
	{"logout", logout_command, "logout [--proxy URL] [--user USER]", "forget it"},
	{"status", status_command, "status [--json]",
	 "tell which proxy and which credential are used, and how it went"},
	{"agent", agent_command, "agent start|stop", "start or end gatepass-agent"},
	{"check", check_command, "check PROGRAM",
	 "tell whether gatepass works for a program, and why not"},
};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(*commands) };

static int help(void)
{
	puts("Usage: gatepassctl COMMAND [OPTION...]\n");
	for (int i = 0; i < COMMAND_COUNT; i++)
		printf("  %s\n      %s\n", commands[i].synopsis, commands[i].summary);
	puts("\n'gatepassctl COMMAND --help' tells more, gatepassctl(1) all.");
	return EXIT_SUCCESS;
}

static int run(int argc, char **argv)
{
	if (argc < 2)
		return report_usage("", "a command is missing");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return help();
	if (!strcmp(argv[1], "--version")) {
		puts("gatepassctl " GP_VERSION);
		return EXIT_SUCCESS;
	}
	for (int i = 0; i < COMMAND_COUNT; i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	}
	return report_usage("", "unknown command '%s'", argv[1]);
}

int main(int argc, char **argv)
{
	/* For the characters of names and messages, nothing else. */
	setlocale(LC_CTYPE, "");
	/* A reader of our output, or an agent, that went away is an error like others. */
	signal(SIGPIPE, SIG_IGN);

	int status = run(argc, argv);
	if (fflush(stdout) || ferror(stdout))
		return report_error("cannot write to standard output");
	return status;
}
