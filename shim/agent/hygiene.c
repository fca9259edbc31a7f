/* SPDX-License-Identifier: MIT */
/* What a process that holds passwords does before anything else, as ssh-agent does. */
#include "hygiene.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* 1024 conversations, the bus, the resolver's sockets. */
#define WANTED_FILES 2048

static void limit_resources(void)
{
	struct rlimit core = {0, 0}, files;

	(void)setrlimit(RLIMIT_CORE, &core);
	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= WANTED_FILES)
		return;
	files.rlim_cur = files.rlim_max < WANTED_FILES ? files.rlim_max : WANTED_FILES;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

/* A socket of ours that became descriptor 2 would be sent what libraries print. */
static void open_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

void hygiene_apply(void)
{
	/* Without it any process of the user could read our memory by ptrace(2). */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	limit_resources();
	open_standard_fds();
	umask(0177);
	signal(SIGPIPE, SIG_IGN);
	if (chdir("/"))
		abort(); /* "/" cannot be missing */
	unsetenv("LD_PRELOAD");
	/* A terminal inside a snap would send us to that snap's own store. */
	unsetenv("SNAP_NAME");
}
