/* SPDX-License-Identifier: MIT */
/*
 * gatepassctl check: can the library be loaded into a program, and would it see anything?
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "commands.h"
#include "elf.h"
#include "options.h"
#include "report.h"
#include "script.h"

/* The kernel follows as many interpreters of interpreters. */
enum { SCRIPT_DEPTH_MAX = 5 };

/* A file, mapped. */
struct image {
	int fd;
	struct stat status;
	void *bytes; /* NULL for an empty file */
	size_t len;
};

static void image_release(struct image *image)
{
	if (image->bytes)
		munmap(image->bytes, image->len);
	if (image->fd >= 0)
		close(image->fd);
}

/* 0 or an errno; image_release() in either case. */
static int image_init(struct image *image, const char *path)
{
	*image = (struct image){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
	if (image->fd < 0 || fstat(image->fd, &image->status))
		return errno;
	if (!S_ISREG(image->status.st_mode))
		return EACCES;
	if (image->status.st_size == 0)
		return 0;
	image->len = (size_t)image->status.st_size;
	void *bytes = mmap(NULL, image->len, PROT_READ, MAP_PRIVATE, image->fd, 0);
	if (bytes == MAP_FAILED)
		return errno;
	image->bytes = bytes;
	return 0;
}

/* The functions below return why not, to be freed by g_free(), or NULL if all is well. */

static char *privileges(const struct image *image)
{
	mode_t mode = image->status.st_mode;

	if (mode & S_ISUID)
		return g_strdup(
			"it is setuid, and the loader ignores LD_PRELOAD for such");
	/* Without the execute bit it means something else, and the kernel ignores it. */
	if ((mode & S_ISGID) && (mode & S_IXGRP))
		return g_strdup(
			"it is setgid, and the loader ignores LD_PRELOAD for such");
	if (fgetxattr(image->fd, "security.capability", NULL, 0) > 0)
		return g_strdup("it has file capabilities, and the loader ignores "
				"LD_PRELOAD for such");
	return NULL;
}

static const char *machine_name(uint16_t machine)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {
		{EM_386, "x86"},       {EM_X86_64, "x86-64"},       {EM_ARM, "ARM"},
		{EM_AARCH64, "ARM64"}, {EM_RISCV, "RISC-V"},        {EM_PPC, "PowerPC"},
		{EM_PPC64, "POWER"},   {EM_S390, "IBM Z"},          {EM_MIPS, "MIPS"},
		{EM_SPARCV9, "SPARC"}, {EM_LOONGARCH, "LoongArch"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (names[i].machine == machine)
			return names[i].name;
	}
	return "unknown";
}

/* Our own machine is the library's: both come from one build. */
static char *other_machine(const struct elf *elf)
{
	struct image image;
	struct elf own;
	char *reason = NULL;

	bool known = !image_init(&image, "/proc/self/exe") && image.bytes &&
		     elf_inspect(image.bytes, image.len, &own);
	image_release(&image);
	if (known && (elf->machine != own.machine || elf->is_64 != own.is_64 ||
		      elf->is_big_endian != own.is_big_endian))
		reason = g_strdup_printf(
			"it is a %d-bit %s program, and libgatepass.so here "
			"is %d-bit %s",
			elf->is_64 ? 64 : 32, machine_name(elf->machine),
			own.is_64 ? 64 : 32, machine_name(own.machine));
	return reason;
}

static char *loader(const struct elf *elf)
{
	const char *slash = strrchr(elf->loader, '/');
	const char *name = slash ? slash + 1 : elf->loader;

	if (g_str_has_prefix(name, "ld-musl"))
		return g_strdup("it is linked with musl, and libgatepass.so needs glibc");
	/* ld-linux-x86-64.so.2, ld-linux.so.2, ld64.so.2 (POWER), ld.so.1 (MIPS) */
	if (!g_str_has_prefix(name, "ld-linux") && !g_str_has_prefix(name, "ld64.so.") &&
	    !g_str_has_prefix(name, "ld.so."))
		return g_strdup_printf("its loader, %s, is not glibc's", elf->loader);
	if (access(elf->loader, F_OK))
		return g_strdup_printf("its loader, %s, is not there", elf->loader);
	return NULL;
}

static char *binary(const struct image *image)
{
	struct elf elf;
	bool ok = elf_inspect(image->bytes, image->len, &elf);

	if (!ok || (elf.type != ET_EXEC && elf.type != ET_DYN))
		return g_strdup(ok ? "it is an object file, not a program"
				   : "it is cut off, or damaged");
	char *reason = privileges(image);
	if (!reason && elf.is_go)
		reason = g_strdup("a Go program makes its system calls itself");
	if (!reason)
		reason = other_machine(&elf);
	if (!reason && !*elf.loader)
		reason = g_strdup(
			"it is statically linked, so nothing can be loaded into it");
	if (!reason)
		reason = loader(&elf);
	return reason;
}

/* Where PATH has it, or the path itself. NULL if it is nowhere. */
static char *find(const char *program)
{
	if (!strchr(program, '/'))
		return g_find_program_in_path(program);
	return access(program, F_OK) ? NULL : g_strdup(program);
}

static char *examine(const char *path, int depth, char **interpreter);

static char *script(const char *name, int depth, char **interpreter)
{
	char *path = find(name), *reason;

	if (!path) {
		reason = g_strdup_printf("its interpreter, %s, is not there", name);
	} else if (depth >= SCRIPT_DEPTH_MAX) {
		reason = g_strdup("its interpreters are scripts of scripts without end");
	} else {
		char *why = examine(path, depth + 1, interpreter);
		reason = why ? g_strdup_printf("it is run by %s: %s", path, why) : NULL;
		g_free(why);
		if (!*interpreter)
			*interpreter = g_strdup(path);
	}
	g_free(path);
	return reason;
}

static char *contents(const struct image *image, int depth, char **interpreter)
{
	const char *bytes = image->bytes ? image->bytes : "";

	if (elf_is(bytes, image->len))
		return binary(image);
	char *name = script_interpreter(bytes, image->len);
	if (!name)
		return g_strdup("it is neither an ELF program nor a script");
	char *reason = script(name, depth, interpreter);
	g_free(name);
	return reason;
}

/* Sets *interpreter, if the file is a script, to what finally runs it. */
static char *examine(const char *path, int depth, char **interpreter)
{
	struct image image;
	struct stat status;
	char *reason;

	if (stat(path, &status))
		return g_strdup_printf("it cannot be read: %s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return g_strdup(S_ISDIR(status.st_mode) ? "it is a directory"
							: "it is not a regular file");
	if (access(path, X_OK))
		return g_strdup("it is not executable");
	int err = image_init(&image, path);
	reason = err ? g_strdup_printf("it cannot be read: %s", strerror(err))
		     : contents(&image, depth, interpreter);
	image_release(&image);
	return reason;
}

static void tell(const char *program, const char *path, const char *reason,
		 const char *interpreter)
{
	report_text(stdout, program);
	if (reason) {
		fputs(": cannot be interposed: ", stdout);
		report_text(stdout, reason);
	} else {
		fputs(": can be interposed (", stdout);
		report_text(stdout, path);
		fputs(interpreter ? ", run by " : "", stdout);
		report_text(stdout, interpreter ? interpreter : "");
		putchar(')');
	}
	putchar('\n');
}

int check_command(int argc, char **argv)
{
	const GOptionEntry none[] = {{0}};
	char *interpreter = NULL;

	if (!options_parse(none, "PROGRAM",
			   "Tells whether libgatepass.so can be interposed into PROGRAM.",
			   1, &argc, &argv))
		return REPORT_EXIT_USAGE;
	char *path = find(argv[1]);
	if (!path)
		return report_error("%s: no such program%s", argv[1],
				    strchr(argv[1], '/') ? "" : " in PATH");
	char *reason = examine(path, 0, &interpreter);
	tell(argv[1], path, reason, interpreter);
	int status = reason ? EXIT_FAILURE : EXIT_SUCCESS;
	g_free(reason);
	g_free(interpreter);
	g_free(path);
	return status;
}
