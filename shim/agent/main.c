/* SPDX-License-Identifier: MIT */
/* gatepass-agent: the per-user process that knows the proxy and its password. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <getopt.h>

#include <glib.h>

#include "config.h"
#include "hygiene.h"
#include "life.h"
#include "listener.h"
#include "log.h"
#include "names.h"

enum { EXIT_USAGE = 2 };

struct options {
	bool check, check_proxy;
	int ready_fd; /* -1: none */
	bool has_idle;
	unsigned idle;
};

static const char usage[] =
	"usage: gatepass-agent [--idle SECONDS] [--ready-fd N]\n"
	"       gatepass-agent --check | --check-proxy\n"
	"       gatepass-agent --version | --help\n"
	"\n"
	"Answers the questions of programs that run under gatepass. Stays in the "
	"foreground;\n"
	"it is started when needed and leaves when idle.\n"
	"\n"
	"  --idle SECONDS  leave after so long without a question, 0: never (600)\n"
	"  --ready-fd N    close descriptor N when programs can connect\n"
	"  --check         say what is wrong with the configuration file, or\n"
	"  --check-proxy   with the URL in GATEPASS_PROXY; exit 0 if nothing is\n";

static bool read_number(const char *text, uint64_t max, uint64_t *out)
{
	return gp_text_to_uint(gp_text(text), max, out);
}

static void say_usage_error(const char *what)
{
	if (what)
		fprintf(stderr, "gatepass-agent: %s\n", what);
	fprintf(stderr, "Try 'gatepass-agent --help'.\n");
	exit(EXIT_USAGE);
}

static void read_option(int option, struct options *out)
{
	uint64_t number;

	switch (option) {
	case 'c':
		out->check = true;
		break;
	case 'p':
		out->check_proxy = true;
		break;
	case 'r':
		if (!read_number(optarg, INT32_MAX, &number) || number <= STDERR_FILENO)
			say_usage_error("--ready-fd needs a descriptor above 2");
		out->ready_fd = (int)number;
		break;
	case 'i':
		if (!read_number(optarg, INT32_MAX / 1000, &number))
			say_usage_error("--idle needs a number of seconds");
		out->has_idle = true;
		out->idle = (unsigned)number;
		break;
	case 'v':
		puts("gatepass-agent " GP_VERSION);
		exit(EXIT_SUCCESS);
	case 'h':
		fputs(usage, stdout);
		exit(EXIT_SUCCESS);
	default: /* getopt_long() has said what is wrong */
		say_usage_error(NULL);
	}
}

static void read_options(int argc, char **argv, struct options *out)
{
	static const struct option table[] = {
		{"check", no_argument, NULL, 'c'},
		{"check-proxy", no_argument, NULL, 'p'},
		{"ready-fd", required_argument, NULL, 'r'},
		{"idle", required_argument, NULL, 'i'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	*out = (struct options){.ready_fd = -1};
	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1)
		read_option(option, out);
	if (optind < argc)
		say_usage_error("unexpected argument");
}

/* In the environment, because everybody can read a command line. */
static int check_proxy(void)
{
	const char *url = getenv("GATEPASS_PROXY");
	struct proxy_list list;
	enum gp_err err = proxy_list_parse(url ? url : "", &list);

	proxy_list_release(&list);
	if (err)
		/* Not the URL itself: it may hold a password. */
		fprintf(stderr,
			"gatepass: GATEPASS_PROXY: %s (like http://proxy.example:3128)\n",
			gp_strerror(err));
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int check_config(void)
{
	const struct config *config = config_own();

	for (char **problem = config->problems; *problem; problem++)
		fprintf(stderr, "%s\n", *problem);
	return config->problems[0] ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int serve(const struct options *options)
{
	const struct config *config;
	enum listener_start start;

	start = listener_open();
	if (start != LISTENER_LISTENS)
		return start == LISTENER_NOT_NEEDED ? EXIT_SUCCESS : EXIT_FAILURE;
	names_open(listener_directory());
	if (options->ready_fd >= 0)
		close(options->ready_fd);
	config = config_own();
	for (char **problem = config->problems; *problem; problem++)
		log_warn("%s", *problem);
	life_run(options->has_idle ? options->idle : config->idle_timeout);
	names_close();
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options;

	hygiene_apply();
	read_options(argc, argv, &options);
	log_init(getenv("GATEPASS_LOG"));
	if (options.check_proxy)
		return check_proxy();
	if (options.check)
		return check_config();
	return serve(&options);
}
