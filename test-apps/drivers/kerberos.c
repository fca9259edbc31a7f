/* SPDX-License-Identifier: MIT */
/*
 * The agent's part for Kerberos, by itself. Reads commands, a line each:
 *
 *   ask NAME host=HOST [ccache=CCACHE] [user=USER password=PASSWORD] [token=TOKEN]
 *   cancel NAME | free NAME     what becomes of the handshake NAME
 *   seconds N | forget          see kerberos.h
 *
 * and prints each answer as it comes: NAME, the state, and either "complete" or "open",
 * the principal, the ticket's identity and the token, or the text. Ends with its input.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "kerberos.h"
#include "secret.h"

static GMainLoop *loop;
static GHashTable *handshakes; /* name -> struct kerberos */

static void print(void *data, const struct kerberos_answer *answer)
{
	static const char *const states[] = {"token", "none", "refused", "failed"};
	const char *name = data;

	if (answer->state == KERBEROS_TOKEN)
		printf("%s %s %s %s %s %s\n", name, states[answer->state],
		       answer->complete ? "complete" : "open", answer->principal,
		       answer->identity, answer->token);
	else
		printf("%s %s %s\n", name, states[answer->state], answer->text);
	fflush(stdout);
}

static void free_handshake(gpointer data)
{
	kerberos_free(data);
}

static void ask(const char *name, char **words)
{
	struct kerberos_question question = {0};
	struct secret *password = NULL;
	gpointer key, handshake;
	const struct {
		const char *key;
		const char **place;
	} keys[] = {
		{"host=", &question.host},
		{"ccache=", &question.ccache},
		{"user=", &question.user},
		{"token=", &question.token},
	};

	for (; *words; words++) {
		for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
			if (g_str_has_prefix(*words, keys[i].key))
				*keys[i].place = *words + strlen(keys[i].key);
		if (g_str_has_prefix(*words, "password="))
			password = secret_new(*words + 9, strlen(*words + 9));
	}
	question.password = password;
	if (!g_hash_table_lookup_extended(handshakes, name, &key, &handshake)) {
		key = g_strdup(name);
		handshake = kerberos_new();
		g_hash_table_insert(handshakes, key, handshake);
	}
	kerberos_ask(handshake, &question, print, key);
	secret_free(password);
}

static void obey(const char *line)
{
	char **words = g_strsplit(line, " ", -1);
	const char *verb = words[0] ? words[0] : "", *name = verb[0] ? words[1] : NULL;

	if (!strcmp(verb, "forget"))
		kerberos_forget();
	else if (!name)
		fprintf(stderr, "?\n");
	else if (!strcmp(verb, "ask"))
		ask(name, words + 2);
	else if (!strcmp(verb, "cancel"))
		kerberos_cancel(g_hash_table_lookup(handshakes, name));
	else if (!strcmp(verb, "free"))
		g_hash_table_remove(handshakes, name);
	else if (!strcmp(verb, "seconds"))
		kerberos_set_seconds((unsigned)atoi(name));
	g_strfreev(words);
}

static gboolean read_line(GIOChannel *channel, GIOCondition condition, gpointer data)
{
	GIOStatus status;
	char *line;

	(void)condition;
	(void)data;
	do {
		status = g_io_channel_read_line(channel, &line, NULL, NULL, NULL);
		if (status == G_IO_STATUS_NORMAL)
			obey(g_strchomp(line));
		g_free(line);
	} while (status == G_IO_STATUS_NORMAL);
	if (status == G_IO_STATUS_AGAIN)
		return G_SOURCE_CONTINUE;
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

int main(void)
{
	GIOChannel *channel = g_io_channel_unix_new(STDIN_FILENO);

	loop = g_main_loop_new(NULL, FALSE);
	handshakes =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_handshake);
	g_io_channel_set_flags(channel, G_IO_FLAG_NONBLOCK, NULL);
	g_io_add_watch(channel, G_IO_IN | G_IO_HUP, read_line, NULL);
	g_main_loop_run(loop);
	g_hash_table_unref(handshakes);
	kerberos_forget();
	g_io_channel_unref(channel);
	g_main_loop_unref(loop);
	return 0;
}
