/* SPDX-License-Identifier: MIT */
/*
 * gatepassctl login: hand a password to the agent, which stores it. Nothing is verified
 * here: the first connection through the proxy does that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gatepass/limits.h>

#include "commands.h"
#include "link.h"
#include "options.h"
#include "report.h"
#include "secret.h"
#include "state.h"
#include "terminal.h"
#include "variables.h"

/* A password of the maximum, a newline, and one byte that shows that there is more. */
enum { PASSWORD_SIZE = GP_PASSWORD_MAX + 2 };

struct login {
	char *proxy_option, *user; /* of the command line, or found later */
	gboolean session, from_stdin;
	char shown[GP_URL_SHOW_MAX];          /* the proxy's URL, without user */
	char authority[GP_AUTHORITY_MAX + 1]; /* the proxy in a prompt */
	char *password;                       /* PASSWORD_SIZE bytes */
};

static bool find_proxy(struct login *login, struct link *link)
{
	struct state state;
	bool ok = state_ask(&state, link, *login->shown ? login->shown : NULL);

	if (ok && !state.proxy) {
		report_error("no proxy is configured: use --proxy URL, or set "
			     "GATEPASS_PROXY, or write gatepass.conf");
		ok = false;
	}
	if (ok) {
		const char *host = strstr(state.proxy, "://");
		g_strlcpy(login->shown, state.proxy, sizeof(login->shown));
		g_strlcpy(login->authority, host ? host + 3 : state.proxy,
			  sizeof(login->authority));
		if (!login->user)
			login->user = g_strdup(state.user);
	}
	state_clear(&state);
	return ok;
}

static bool ask_terminal(const char *what, const char *prompt, bool echo, char *out,
			 size_t cap)
{
	int err = terminal_ask(prompt, echo, out, cap);

	if (err == ENXIO || err == ENOENT)
		report_error("there is no terminal to ask for the %s: use %s", what,
			     echo ? "--user USER" : "--password-stdin");
	else if (err == EMSGSIZE)
		report_error("the %s is longer than %d bytes", what,
			     echo ? GP_USER_MAX : GP_PASSWORD_MAX);
	else if (err == ENODATA)
		report_error("no %s was entered; nothing was stored", what);
	else if (err)
		report_error("cannot read the %s: %s", what, strerror(err));
	else if (!*out)
		report_error("the %s is empty; nothing was stored", what);
	return !err && *out;
}

static bool find_user(struct login *login)
{
	char user[GP_USER_MAX + 1];

	if (login->user && *login->user) {
		if (strlen(login->user) <= GP_USER_MAX)
			return true;
		report_error("the user name is longer than %d bytes", GP_USER_MAX);
		return false;
	}
	if (login->user || login->from_stdin) {
		report_error("no user name is %s: use --user USER",
			     login->user ? "given" : "known");
		return false;
	}
	char *prompt = g_strdup_printf("User name for %s: ", login->shown);
	bool ok = ask_terminal("user name", prompt, true, user, sizeof(user));
	if (ok)
		login->user = g_strdup(user);
	g_free(prompt);
	return ok;
}

/* All of standard input; one newline at its end is not part of the password. */
static bool read_password(char *out)
{
	size_t len = 0;
	ssize_t count;

	do {
		count = read(STDIN_FILENO, out + len, PASSWORD_SIZE - len);
		if (count > 0)
			len += (size_t)count;
	} while ((count > 0 && len < PASSWORD_SIZE) || (count < 0 && errno == EINTR));
	if (count < 0) {
		report_error("cannot read the password: %s", strerror(errno));
		return false;
	}
	if (len > 0 && out[len - 1] == '\n' && len < PASSWORD_SIZE)
		len--;
	if (len > GP_PASSWORD_MAX) {
		report_error("the password is longer than %d bytes", GP_PASSWORD_MAX);
		return false;
	}
	if (len == 0 || memchr(out, '\0', len)) {
		report_error("the password on standard input %s; nothing was stored",
			     len == 0 ? "is empty" : "holds a NUL byte");
		return false;
	}
	out[len] = '\0';
	return true;
}

static bool find_password(struct login *login)
{
	if (login->from_stdin)
		return read_password(login->password);

	char *prompt =
		g_strdup_printf("Password for %s at %s: ", login->user, login->authority);
	bool ok = ask_terminal("password", prompt, false, login->password,
			       GP_PASSWORD_MAX + 1);
	g_free(prompt);
	return ok;
}

static void tell_where(struct gp_wire *answer, const struct login *login)
{
	const char *key, *value, *user = login->user, *proxy = login->shown;
	bool in_keyring = !login->session;

	while (gp_wire_next(answer, &key, &value)) {
		if (!strcmp(key, "store"))
			in_keyring = !strcmp(value, "keyring");
		else if (!strcmp(key, "proxy"))
			proxy = value;
		else if (!strcmp(key, "user"))
			user = value;
	}
	fputs("Stored for ", stdout);
	report_text(stdout, user);
	fputs(" at ", stdout);
	report_text(stdout, proxy);
	puts(in_keyring ? " in the keyring." : " in the agent's memory, until it ends.");
}

static bool store(struct login *login)
{
	struct link link;
	bool ok = link_open(&link, true) == LINK_OPEN;

	if (ok) {
		link_ask(&link, "login");
		variables_add(&link.question);
		gp_wire_add(&link.question, "proxy", login->shown);
		gp_wire_add(&link.question, "user", login->user);
		gp_wire_add(&link.question, "password", login->password);
		gp_wire_add(&link.question, "store",
			    login->session ? "session" : "keyring");
		ok = link_answer(&link, "stored");
	}
	if (ok)
		tell_where(&link.answer, login);
	link_close(&link);
	return ok;
}

static bool run(struct login *login)
{
	struct link link;

	if (login->proxy_option &&
	    !options_proxy(login->proxy_option, login->shown, &login->user))
		return false;
	/* The agent keeps no connection open while a person types. */
	bool ok = link_open(&link, true) == LINK_OPEN && find_proxy(login, &link);
	link_close(&link);
	return ok && find_user(login) && find_password(login) && store(login);
}

int login_command(int argc, char **argv)
{
	struct login login = {0};
	const GOptionEntry entries[] = {
		{"proxy", 0, 0, G_OPTION_ARG_FILENAME, &login.proxy_option,
		 "The proxy, instead of the configured one", "URL"},
		{"user", 0, 0, G_OPTION_ARG_FILENAME, &login.user,
		 "The user name: name, DOMAIN\\name or name@REALM", "USER"},
		{"session", 0, 0, G_OPTION_ARG_NONE, &login.session,
		 "Keep it in the agent's memory, not in the keyring", NULL},
		{"password-stdin", 0, 0, G_OPTION_ARG_NONE, &login.from_stdin,
		 "Read the password from standard input", NULL},
		{0}};
	int status = REPORT_EXIT_USAGE;

	if (!options_parse(entries, NULL, "Stores the password for the proxy.", 0, &argc,
			   &argv))
		goto out;
	status = EXIT_FAILURE;
	secret_process();
	login.password = secret_new(PASSWORD_SIZE);
	if (!login.password)
		report_error("out of memory");
	else if (run(&login))
		status = EXIT_SUCCESS;
out:
	secret_free(login.password, PASSWORD_SIZE);
	g_free(login.proxy_option);
	g_free(login.user);
	return status;
}
