/* SPDX-License-Identifier: MIT */
/*
 * Who we are in.
 *
 * Theory of operation: the constructor notes the process id and registers the fork
 * handler, for a vfork child could be the first to call us, and would leave its own id in
 * the memory that it shares with its parent. A forked child gets its id by the handler; a
 * vfork child does not (no handler runs in it), so that a process id other than the noted
 * one means: hands off. Whether the program may be touched at all is decided at the first
 * call that could need us, also one from a foreign constructor before ours.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alarm.h"
#include "interest.h"
#include "locals.h"
#include "nest.h"
#include "peers.h"
#include "pending.h"
#include "process.h"
#include "settings.h"

/* The agent, and what it asks for passwords and tickets: were one of them to wait for the
 * agent, both would wait for ever. */
static const char *const untouchable[] = {
	"gatepass-agent",
	"dbus-daemon",
	"dbus-broker",
	"dbus-broker-launch",
	"gnome-keyring-daemon",
	"kwalletd5",
	"kwalletd6",
	"ksecretd",
	"keepassxc",
	"secret-tool",
	"pinentry",
	"gcr-prompter",
	"ssh-agent",
	"gpg-agent",
	"systemd",
};

enum { UNDECIDED, INERT, USABLE };

static atomic_int verdict;
static atomic_int owner; /* the process id that this memory belongs to */
static _Thread_local int depth;

static int raw_getpid(void)
{
	return (int)syscall(SYS_getpid);
}

static void after_fork(void)
{
	atomic_store_explicit(&owner, raw_getpid(), memory_order_relaxed);
	peers_after_fork();
	locals_after_fork();
	interest_after_fork();
	alarm_after_fork();
	nest_after_fork();
	pending_after_fork();
}

static bool is_untouchable(void)
{
	const char *name = program_invocation_short_name;
	const char *disable = getenv("GATEPASS_DISABLE");

	if (getauxval(AT_SECURE))
		return true;
	if (disable && *disable && strcmp(disable, "0") != 0)
		return true;
	for (size_t i = 0; name && i < sizeof(untouchable) / sizeof(untouchable[0]); i++)
		if (!strcmp(name, untouchable[i]))
			return true;
	return false;
}

__attribute__((constructor)) static void begin(void)
{
	int nobody = 0;

	if (atomic_compare_exchange_strong(&owner, &nobody, raw_getpid()))
		pthread_atfork(NULL, pending_shared_by_fork, after_fork);
}

static int decide(void)
{
	int decision = is_untouchable() ? INERT : USABLE;

	begin();
	atomic_store_explicit(&verdict, decision, memory_order_release);
	return decision;
}

bool process_active(void)
{
	int known = atomic_load_explicit(&verdict, memory_order_acquire);
	int saved_errno = errno;
	bool active;

	if (known == UNDECIDED)
		known = decide();
	active = known == USABLE && !depth && settings_configured() &&
		 process_owns_memory();
	errno = saved_errno;
	return active;
}

bool process_may_connect(void)
{
	int known = atomic_load_explicit(&verdict, memory_order_acquire);
	int saved_errno = errno;
	bool may;

	if (known == UNDECIDED)
		known = decide();
	may = known == USABLE && settings_configured();
	errno = saved_errno;
	return may;
}

bool process_owns_memory(void)
{
	return atomic_load_explicit(&owner, memory_order_relaxed) == raw_getpid();
}

int process_id(void)
{
	return atomic_load_explicit(&owner, memory_order_relaxed);
}

bool process_is_threaded(void)
{
	return !__libc_single_threaded;
}

void process_enter(void)
{
	depth++;
}

void process_leave(void)
{
	depth--;
}
