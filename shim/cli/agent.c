/* SPDX-License-Identifier: MIT */
/*
 * gatepassctl agent start|stop. Nobody needs them, the agent comes and goes by itself;
 * but a person who tries something out does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "link.h"
#include "options.h"
#include "report.h"
#include "state.h"

static int start(void)
{
	struct link link;
	struct state state = {0};
	enum link_open first = link_open(&link, false);
	bool ok = first == LINK_OPEN;

	if (first == LINK_NO_AGENT) {
		link_close(&link);
		ok = link_open(&link, true) == LINK_OPEN;
	}
	if (ok && state_ask(&state, &link, NULL)) {
		printf("The agent runs%s, process ",
		       first == LINK_OPEN ? " already" : "");
		report_text(stdout, state.pid ? state.pid : "unknown");
		puts(".");
	} else {
		ok = false;
	}
	state_clear(&state);
	link_close(&link);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int stop(void)
{
	struct link link;
	enum link_open opened = link_open(&link, false);
	bool ok = opened == LINK_NO_AGENT;

	if (ok) {
		puts("The agent is not running.");
	} else if (opened == LINK_OPEN) {
		link_ask(&link, "stop");
		ok = link_answer(&link, "stopping");
		if (ok && !link_ended(&link)) {
			report_error("the agent said that it would end, and has not yet");
			ok = false;
		} else if (ok) {
			puts("The agent has ended.");
		}
	}
	link_close(&link);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int agent_command(int argc, char **argv)
{
	const GOptionEntry none[] = {{0}};

	if (!options_parse(none, "start|stop", "Starts or ends gatepass-agent.", 1, &argc,
			   &argv))
		return REPORT_EXIT_USAGE;
	if (!strcmp(argv[1], "start"))
		return start();
	if (!strcmp(argv[1], "stop"))
		return stop();
	return report_usage("agent", "agent: '%s' is neither start nor stop", argv[1]);
}
