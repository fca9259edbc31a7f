/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation: while the question stands, the signals that would end or stop us
 * are blocked, except inside ppoll(). So a caught one is seen at one place only, cannot
 * slip in between a check and a wait, and is sent to ourselves again once the terminal is
 * restored. SIGTTIN and SIGTTOU keep their effect: a job in the background stops before
 * it changes anything.
 */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int caught_signals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP};
enum { SIGNAL_COUNT = sizeof(caught_signals) / sizeof(*caught_signals) };

static volatile sig_atomic_t caught;

static void note_signal(int number)
{
	caught = number;
}

struct guard {
	sigset_t before;
	struct sigaction actions[SIGNAL_COUNT];
};

static void guard_init(struct guard *guard)
{
	struct sigaction note = {.sa_handler = note_signal};
	sigset_t blocked;

	caught = 0;
	sigemptyset(&note.sa_mask);
	sigemptyset(&blocked);
	for (int i = 0; i < SIGNAL_COUNT; i++)
		sigaddset(&blocked, caught_signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &guard->before);
	for (int i = 0; i < SIGNAL_COUNT; i++) {
		sigaction(caught_signals[i], NULL, &guard->actions[i]);
		/* nohup, and a shell's background jobs, ignore some: so do we. */
		if (guard->actions[i].sa_handler != SIG_IGN)
			sigaction(caught_signals[i], &note, NULL);
	}
}

static void guard_release(struct guard *guard)
{
	for (int i = 0; i < SIGNAL_COUNT; i++)
		sigaction(caught_signals[i], &guard->actions[i], NULL);
	if (caught)
		raise(caught);
	sigprocmask(SIG_SETMASK, &guard->before, NULL);
}

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t written = write(fd, text, len);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return errno;
		text += written;
		len -= (size_t)written;
	}
	return 0;
}

/* Reads up to a newline, also what does not fit, so that a shell does not get the rest.
 */
static int read_line(int tty, const sigset_t *unblocked, char *out, size_t cap)
{
	struct pollfd waited = {.fd = tty, .events = POLLIN};
	size_t len = 0;
	char c;

	for (;;) {
		if (ppoll(&waited, 1, NULL, unblocked) < 0)
			return errno;
		ssize_t count = read(tty, &c, 1);
		if (count < 0)
			return errno;
		if (count == 0)
			return ENODATA;
		if (c == '\n')
			break;
		if (len < cap)
			out[len] = c;
		len++;
	}
	explicit_bzero(&c, 1);
	if (len >= cap)
		return EMSGSIZE;
	out[len] = '\0';
	return 0;
}

static int ask(int tty, const struct guard *guard, const char *prompt, bool echo,
	       char *out, size_t cap)
{
	struct termios before, quiet;
	int err;

	if (tcgetattr(tty, &before))
		return errno;
	quiet = before;
	quiet.c_lflag |= ICANON | ISIG;
	if (!echo)
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	/* What was typed ahead was meant for something else, and was echoed. */
	if (tcsetattr(tty, TCSAFLUSH, &quiet))
		return errno;
	err = write_all(tty, prompt);
	if (!err)
		err = read_line(tty, &guard->before, out, cap);
	/* The newline that was typed has not been shown. */
	if (!echo || err)
		write_all(tty, "\n");
	if (tcsetattr(tty, TCSADRAIN, &before) && !err)
		err = errno;
	return err;
}

int terminal_ask(const char *prompt, bool echo, char *out, size_t cap)
{
	struct guard guard;
	int err;
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (tty < 0)
		return errno;
	do {
		guard_init(&guard);
		err = ask(tty, &guard, prompt, echo, out, cap);
		guard_release(&guard);
	} while (err == EINTR);
	if (err)
		explicit_bzero(out, cap);
	close(tty);
	return err;
}
