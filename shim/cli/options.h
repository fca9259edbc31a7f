/* SPDX-License-Identifier: MIT */
/*
 * Command lines of the subcommands.
 */
#ifndef GATEPASS_OPTIONS_H
#define GATEPASS_OPTIONS_H

#include <stdbool.h>

#include <glib.h>
#include <gatepass/url.h>

/*
 * Takes the options out of argv; what is left are argv[0] and exactly `words` words,
 * named in `parameters` (for the help, NULL if there are none). On --help it prints
 * `summary` and the options and exits. False after reporting wrong usage. String options
 * must be G_OPTION_ARG_FILENAME: the others are refused where the locale is not UTF-8.
 */
bool options_parse(const GOptionEntry *entries, const char *parameters,
		   const char *summary, int words, int *argc, char ***argv);

/* The proxy of --proxy: fills `shown` with its URL without user and password, and *user,
 * if that is NULL, with a copy of the URL's user. False after reporting what is wrong; a
 * URL with a password is refused, because argv is no place for it. */
bool options_proxy(const char *text, char shown[static GP_URL_SHOW_MAX], char **user);

#endif
