/* SPDX-License-Identifier: MIT */
/*
 * The subcommands of gatepassctl. Each gets its own name as argv[0], may change argv, and
 * returns the exit status.
 */
#ifndef GATEPASS_COMMANDS_H
#define GATEPASS_COMMANDS_H

int login_command(int argc, char **argv);
int logout_command(int argc, char **argv);
int status_command(int argc, char **argv);
int agent_command(int argc, char **argv);
int check_command(int argc, char **argv);

#endif
