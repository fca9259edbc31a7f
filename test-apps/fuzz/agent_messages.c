/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes a conversation with the agent. The input is what a client sends, one message
 * after the other, each ended by an octet FF. Every question gets one answer, which can
 * be read and sent on; and nothing is left of the session when the client has gone. There
 * is no keyring, no helper, and nobody to ask.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gatepass/text.h>
#include <gatepass/wire.h>

#include "config.h"
#include "session.h"

#include "../unit/resolver.h"
#include "replay.h"

#define INPUT_MAX 16384

static const char own_config[] = "[proxy]\nschemes=ntlm,digest,basic\naskpass=\n"
				 "[agent]\nnotifications=no\n";

static void set_environment(void)
{
	static char path[64];
	int file = memfd_create("config", MFD_CLOEXEC);

	must(file >= 0);
	must(write(file, own_config, strlen(own_config)) == (ssize_t)strlen(own_config));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	setenv("GATEPASS_CONFIG", path, 1);
	setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere", 1);
	setenv("KRB5_CONFIG", "/dev/null", 1);
	setenv("KRB5CCNAME", "MEMORY:", 1);
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("SSH_ASKPASS");
}

static void begin(void)
{
	static bool begun;

	if (begun)
		return;
	begun = true;
	set_environment();
	resolver_init();
	resolver_set("p.test", "192.0.2.8");
}

/* Returns whether more is to come. */
static bool check_answer(char *bytes, size_t len)
{
	struct gp_wire answer;
	const char *key, *value;
	bool is_wait;

	must(gp_wire_open(&answer, bytes, len) == GP_OK);
	is_wait = !strcmp(answer.verb, "wait");
	while (gp_wire_next(&answer, &key, &value)) {
		if (strcmp(key, "authorization") && strcmp(key, "text"))
			continue;
		for (const char *c = value; *c; c++)
			must(!gp_is_control(*c) || *c == '\t');
	}
	return is_wait;
}

/* Lets the agent do something, for which it may have to wait. */
static void go_on(void)
{
	if (g_queue_is_empty(&resolver_open))
		g_main_context_iteration(NULL, TRUE);
	else
		resolver_answer();
}

/* False: the agent has closed the connection. */
static bool get_answer(int fd)
{
	static char bytes[GP_WIRE_MAX + 1];

	for (;;) {
		ssize_t len = recv(fd, bytes, GP_WIRE_MAX, MSG_DONTWAIT);

		if (!len)
			return false;
		if (len > 0 && !check_answer(bytes, (size_t)len))
			return true;
		if (len < 0)
			go_on();
	}
}

static bool is_of(const uint8_t *message, size_t len, const char *verb)
{
	static char copy[INPUT_MAX + 1];
	struct gp_wire wire;

	memcpy(copy, message, len);
	return gp_wire_open(&wire, copy, len) == GP_OK && !strcmp(wire.verb, verb);
}

static bool tell(int fd, const uint8_t *message, size_t len)
{
	if (!len || is_of(message, len, "stop"))
		return true;
	if (send(fd, message, len, MSG_NOSIGNAL) < 0) /* it has been closed */
		return false;
	return is_of(message, len, "outcome") || get_answer(fd);
}

static void converse(int fd, const uint8_t *data, size_t size)
{
	const uint8_t *end;
	size_t len;

	for (; size; data += len, size -= len) {
		end = memchr(data, 0xFF, size);
		len = end ? (size_t)(end - data) + 1 : size;
		if (!tell(fd, data, end ? len - 1 : len))
			break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fds[2];

	if (size > INPUT_MAX)
		return 0;
	begin();
	must(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds));
	session_start(fds[1]);
	converse(fds[0], data, size);
	close(fds[0]);
	while (session_count())
		go_on();
	config_clear();
	return 0;
}
