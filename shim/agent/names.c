/* SPDX-License-Identifier: MIT */
/*
 * The numbers behind stand-in addresses. The file has a line "number name" for each
 * number given, in that order; a later line outdates an earlier one with the same number
 * or name. Only whoever holds the socket's lock writes to it.
 */
#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include <gatepass/host.h>

#include "log.h"

/* A full set of names of 30 characters has 5 MB; a file above this is none of ours. */
#define FILE_MAX (64 * 1024 * 1024)

/* Fewer lines than this are not worth compacting. */
#define COMPACT_MIN 256

struct entry {
	GList link; /* in `uses` */
	uint32_t number;
	char name[];
};

static GHashTable *by_name;   /* name -> entry, which it owns */
static GHashTable *by_number; /* number -> entry */
static GQueue uses;           /* of entries, the one unused for longest first */
static uint32_t next_number = 1;
static char *path;
static int fd = -1;
static size_t lines; /* in the file */

static void init(void)
{
	if (by_name)
		return;
	by_name = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	by_number = g_hash_table_new(NULL, NULL);
}

static void drop(struct entry *entry)
{
	if (!entry)
		return;
	g_queue_unlink(&uses, &entry->link);
	g_hash_table_remove(by_number, GUINT_TO_POINTER(entry->number));
	g_hash_table_remove(by_name, entry->name); /* frees it */
}

static void insert(uint32_t number, const char *name)
{
	size_t size = strlen(name) + 1;
	struct entry *entry = g_malloc0(sizeof(*entry) + size);

	drop(g_hash_table_lookup(by_number, GUINT_TO_POINTER(number)));
	drop(g_hash_table_lookup(by_name, name));
	entry->link.data = entry;
	entry->number = number;
	memcpy(entry->name, name, size);
	g_hash_table_insert(by_name, entry->name, entry);
	g_hash_table_insert(by_number, GUINT_TO_POINTER(number), entry);
	g_queue_push_tail_link(&uses, &entry->link);
	next_number = MAX(next_number, number + 1);
}

static void use(struct entry *entry)
{
	g_queue_unlink(&uses, &entry->link);
	g_queue_push_tail_link(&uses, &entry->link);
}

static void give_up_file(const char *what)
{
	log_error("%s: %s: %s; names will not survive the agent", path, what,
		  g_strerror(errno));
	if (fd >= 0)
		close(fd);
	fd = -1;
}

static bool write_all(int to, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(to, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* Writes the live names in the order of their use to a new file, which takes the place of
 * the old one in one step. */
static void compact(void)
{
	char *temporary = g_strconcat(path, ".new", NULL);
	GString *text = g_string_new(NULL);
	int new_fd;

	for (GList *link = uses.head; link; link = link->next) {
		struct entry *entry = link->data;

		g_string_append_printf(text, "%" PRIu32 " %s\n", entry->number,
				       entry->name);
	}
	unlink(temporary);
	new_fd =
		open(temporary, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (new_fd >= 0 && write_all(new_fd, text->str, text->len) &&
	    !rename(temporary, path)) {
		close(fd);
		fd = new_fd;
		lines = uses.length;
	} else {
		if (new_fd >= 0)
			close(new_fd);
		give_up_file("cannot be written anew");
	}
	g_string_free(text, TRUE);
	g_free(temporary);
}

static void append(uint32_t number, const char *name)
{
	char line[GP_HOST_MAX + 16];
	int len = snprintf(line, sizeof(line), "%" PRIu32 " %s\n", number, name);

	if (fd < 0)
		return;
	if (!write_all(fd, line, (size_t)len)) {
		give_up_file("cannot be written");
		return;
	}
	lines++;
	if (lines > COMPACT_MIN && lines > 2 * (size_t)uses.length)
		compact();
}

static void load_line(struct gp_text line)
{
	struct gp_text number = gp_text_cut(&line, " ");
	char name[GP_HOST_MAX + 1];
	uint64_t n;

	lines++;
	if (!gp_text_to_uint(number, GP_FAKE_MAX, &n) || !n)
		return;
	if (gp_host_normalise(line, name) || gp_host_is_numeric(name))
		return;
	insert((uint32_t)n, name);
}

/* Ends the file behind the last whole line: what follows was torn when the machine or the
 * disk gave up, and the next line must not be glued to it. */
static void load(const char *text, size_t len)
{
	const char *newline;
	size_t done = 0;

	while ((newline = memchr(text + done, '\n', len - done))) {
		load_line((struct gp_text){text + done, (size_t)(newline - text) - done});
		done = (size_t)(newline - text) + 1;
	}
	if (done < len && ftruncate(fd, (off_t)done))
		give_up_file("cannot be cut");
}

static char *read_whole(size_t size)
{
	char *text = g_malloc(size + 1);
	size_t len = 0;
	ssize_t n;

	while (len < size) {
		n = pread(fd, text + len, size - len, (off_t)len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			g_free(text);
			return NULL;
		}
		len += (size_t)n;
	}
	return text;
}

void names_open(const char *directory)
{
	struct stat st;
	char *text;

	init();
	path = g_build_filename(directory, "names", NULL);
	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		  0600);
	if (fd < 0 || fstat(fd, &st)) {
		give_up_file("cannot be opened");
		return;
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != getuid() || st.st_size > FILE_MAX) {
		errno = EPERM;
		give_up_file("is no file of ours");
		return;
	}
	text = read_whole((size_t)st.st_size);
	if (!text) {
		give_up_file("cannot be read");
		return;
	}
	load(text, (size_t)st.st_size);
	g_free(text);
	if (fd >= 0 && lines > COMPACT_MIN && lines > 2 * (size_t)uses.length)
		compact();
}

void names_close(void)
{
	if (fd >= 0)
		close(fd);
	fd = -1;
	lines = 0;
	next_number = 1;
	g_queue_init(&uses);
	g_clear_pointer(&by_number, g_hash_table_unref);
	g_clear_pointer(&by_name, g_hash_table_unref);
	g_clear_pointer(&path, g_free);
}

uint32_t names_number(const char *name)
{
	struct entry *entry;
	uint32_t number;

	init();
	entry = g_hash_table_lookup(by_name, name);
	if (entry) {
		use(entry);
		return entry->number;
	}
	number = next_number <= GP_FAKE_MAX ? next_number
					    : ((struct entry *)uses.head->data)->number;
	insert(number, name);
	append(number, name);
	return number;
}

const char *names_name(uint32_t number)
{
	struct entry *entry;

	init();
	entry = g_hash_table_lookup(by_number, GUINT_TO_POINTER(number));
	if (!entry)
		return NULL;
	use(entry);
	return entry->name;
}
