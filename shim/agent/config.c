/* SPDX-License-Identifier: MIT */
/* The configuration file. GKeyFile is not used: it knows no line numbers, and it would
 * keep a URL's password in memory that is not wiped. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include <gatepass/text.h>

#include "credential.h"
#include "helper.h"
#include "secret.h"

#define SYSTEM_FILE "/etc/gatepass.conf"

/* A page of comments for each key, and a URL of GP_URL_MAX. */
#define FILE_MAX (64 * 1024)

/* Programs with different $GATEPASS_CONFIG at the same time; above it all are read anew.
 */
#define CACHE_MAX 16

struct cached {
	struct config config;
	struct stat seen; /* zero: the file could not be looked at */
};

struct reader {
	struct config *config;
	GPtrArray *problems;
	bool private; /* readable by its owner only */
	bool trusted; /* nobody else can have written to it */
	bool broken;
	enum { GROUP_NONE, GROUP_PROXY, GROUP_AGENT, GROUP_UNKNOWN } group;
	char group_name[64];
	unsigned line;
};

static GHashTable *cache; /* path -> struct cached */

/* A key of the file may be cut within a character, or want to tell a terminal something.
 */
static char *make_line(const char *text)
{
	char *line = g_utf8_make_valid(text, -1);

	for (char *c = line; *c; c++)
		if (gp_is_control(*c))
			*c = '?';
	return line;
}

__attribute__((format(printf, 2, 3))) static void problem(struct reader *reader,
							  const char *format, ...)
{
	va_list args;
	char *text, *what;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	what = make_line(text);
	g_free(text);
	g_ptr_array_add(reader->problems,
			reader->line
				? g_strdup_printf("%s:%u: %s", reader->config->path,
						  reader->line, what)
				: g_strdup_printf("%s: %s", reader->config->path, what));
	g_free(what);
}

static void read_url(struct reader *reader, const char *value)
{
	struct proxy_list *proxy = &reader->config->proxy;
	enum gp_err err;

	proxy_list_release(proxy);
	err = proxy_list_parse(value, proxy);
	if (err) {
		problem(reader, "%s", gp_strerror(err));
		return;
	}
	if (!proxy->credential || reader->private)
		return;
	problem(reader,
		"the password in \"url\" is not used, others can read this file: run "
		"\"gatepassctl login\" and remove it, or make the file's mode 0600");
	credential_unref(proxy->credential);
	proxy->credential = NULL;
}

static void read_user(struct reader *reader, const char *value)
{
	if (!value[0] || !credential_user_is_valid(value)) {
		problem(reader,
			"bad value of \"user\": a name without colon and control "
			"characters, of at most %d octets, is needed",
			GP_USER_MAX);
		return;
	}
	g_free(reader->config->user);
	reader->config->user = g_strdup(value);
}

static void read_no_proxy(struct reader *reader, const char *value)
{
	g_free(reader->config->no_proxy);
	reader->config->no_proxy = g_strdup(value);
}

static void read_forward_ports(struct reader *reader, const char *value)
{
	if (!ports_parse(value, &reader->config->forward_ports))
		problem(reader,
			"bad value of \"forward_ports\": numbers from 1 to 65535 are "
			"needed, at most %d, separated by commas",
			PORTS_MAX);
}

static void read_schemes(struct reader *reader, const char *value)
{
	struct scheme_policy policy;
	bool ok = scheme_policy_parse(value, &policy);

	policy.ticket_by_password = reader->config->schemes.ticket_by_password;
	if (ok)
		reader->config->schemes = policy;
	else
		problem(reader,
			"bad value of \"schemes\": one or more of %s are needed, "
			"separated by commas",
			scheme_labels());
}

static void read_switch(struct reader *reader, const char *key, const char *value,
			bool *out)
{
	bool yes = !strcmp(value, "yes");

	if (yes || !strcmp(value, "no"))
		*out = yes;
	else
		problem(reader, "bad value of \"%s\": yes or no is needed", key);
}

static void read_kerberos_password(struct reader *reader, const char *value)
{
	read_switch(reader, "kerberos_password", value,
		    &reader->config->schemes.ticket_by_password);
}

static bool may_name_program(struct reader *reader, const char *key)
{
	if (!reader->trusted)
		problem(reader,
			"\"%s\" is not used, others can write to this file: it must "
			"belong to you or root, with mode 0644 or less",
			key);
	return reader->trusted;
}

static void read_helper(struct reader *reader, const char *value)
{
	char **argv = helper_argv(value, "get");

	g_strfreev(argv);
	g_clear_pointer(&reader->config->helper, g_free);
	if (!value[0])
		return;
	if (!argv)
		problem(reader,
			"bad value of \"credential_helper\": a name as in git's "
			"credential.helper, an absolute path, or ! and a shell's command "
			"is needed");
	else if (may_name_program(reader, "credential_helper"))
		reader->config->helper = g_strdup(value);
}

bool config_program_is_valid(const char *path)
{
	return path[0] == '/' || !strchr(path, '/');
}

static void read_askpass(struct reader *reader, const char *value)
{
	if (!config_program_is_valid(value)) {
		problem(reader,
			"bad value of \"askpass\": an absolute path is needed, or "
			"a name that is found in PATH");
	} else if (!value[0] || may_name_program(reader, "askpass")) {
		g_free(reader->config->askpass);
		reader->config->askpass = g_strdup(value);
	}
}

static void read_notifications(struct reader *reader, const char *value)
{
	read_switch(reader, "notifications", value, &reader->config->notifications);
}

static void read_idle_timeout(struct reader *reader, const char *value)
{
	uint64_t seconds;

	/* GLib's timers count milliseconds in 32 bits. */
	if (!gp_text_to_uint(gp_text(value), G_MAXINT / 1000, &seconds)) {
		problem(reader,
			"bad value of \"idle_timeout\": a number of seconds is needed, "
			"0 for never");
		return;
	}
	reader->config->idle_timeout = (unsigned)seconds;
}

static void read_key(struct reader *reader, const char *key, const char *value)
{
	static const struct {
		int group;
		const char *key;
		void (*read)(struct reader *reader, const char *value);
	} keys[] = {
		{GROUP_PROXY, "url", read_url},
		{GROUP_PROXY, "user", read_user},
		{GROUP_PROXY, "no_proxy", read_no_proxy},
		{GROUP_PROXY, "forward_ports", read_forward_ports},
		{GROUP_PROXY, "schemes", read_schemes},
		{GROUP_PROXY, "kerberos_password", read_kerberos_password},
		{GROUP_PROXY, "credential_helper", read_helper},
		{GROUP_PROXY, "askpass", read_askpass},
		{GROUP_AGENT, "idle_timeout", read_idle_timeout},
		{GROUP_AGENT, "notifications", read_notifications},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		if ((int)reader->group != keys[i].group || strcmp(key, keys[i].key))
			continue;
		keys[i].read(reader, value);
		return;
	}
	if (reader->group == GROUP_UNKNOWN)
		return;
	/* Somebody has forgotten the "=", and the first one stands in a password. */
	if (strpbrk(key, ":/@"))
		problem(reader, "unknown key in [%s]: a line is key=value",
			reader->group_name);
	else
		problem(reader, "unknown key \"%.64s\" in [%s]", key, reader->group_name);
}

static void read_group(struct reader *reader, struct gp_text line)
{
	struct gp_text name = gp_text_from(line, 1);

	if (name.len < 2 || name.p[name.len - 1] != ']') {
		problem(reader, "broken line: a group is written [name]");
		reader->broken = true;
		return;
	}
	name.len--;
	if (!gp_text_copy(name, reader->group_name, sizeof(reader->group_name)))
		reader->group_name[0] = '\0';
	reader->group = !strcmp(reader->group_name, "proxy")   ? GROUP_PROXY
			: !strcmp(reader->group_name, "agent") ? GROUP_AGENT
							       : GROUP_UNKNOWN;
	if (reader->group == GROUP_UNKNOWN)
		problem(reader, "unknown group [%s]: there are [proxy] and [agent]",
			reader->group_name);
}

/* `line` stands in the reader's own buffer and is cut up in place. */
static void read_line(struct reader *reader, char *line)
{
	struct gp_text text = gp_text_trim(gp_text(line)), key;
	char *equals;

	if (!text.len || text.p[0] == '#')
		return;
	line += text.p - line;
	line[text.len] = '\0';
	if (line[0] == '[') {
		read_group(reader, text);
		return;
	}
	equals = strchr(line, '=');
	if (!equals || equals == line || reader->group == GROUP_NONE) {
		problem(reader, !equals || equals == line
					? "broken line: neither [group] nor key=value"
					: "broken line: a key before the first [group]");
		reader->broken = true;
		return;
	}
	key = gp_text_trim((struct gp_text){line, (size_t)(equals - line)});
	line[key.len] = '\0';
	for (equals++; *equals == ' ' || *equals == '\t'; equals++)
		;
	read_key(reader, line, equals);
}

static void read_lines(struct reader *reader, char *text, size_t len)
{
	char *end = text + len, *next;

	if (memchr(text, '\0', len) || !g_utf8_validate(text, (gssize)len, NULL)) {
		problem(reader, "not a text file in UTF-8");
		reader->broken = true;
		return;
	}
	for (char *line = text; line < end; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		next = next ? next + 1 : end + 1;
		next[-1] = '\0';
		if (next - line >= 2 && next[-2] == '\r')
			next[-2] = '\0';
		reader->line++;
		read_line(reader, line);
	}
	reader->line = 0;
}

/* Fills `text`, which has room for FILE_MAX + 1 octets. */
static ssize_t read_file(int fd, char *text)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, text + len, FILE_MAX + 1 - len);
		len += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && len <= FILE_MAX) || (n < 0 && errno == EINTR));
	return n < 0 ? -1 : (ssize_t)len;
}

static void set_defaults(struct config *config)
{
	config->forward_ports = (struct ports){.count = 1, .list = {80}};
	scheme_policy_init(&config->schemes);
	config->notifications = true;
	config->idle_timeout = CONFIG_IDLE_TIMEOUT;
}

static void drop_values(struct config *config)
{
	proxy_list_release(&config->proxy);
	g_clear_pointer(&config->user, g_free);
	g_clear_pointer(&config->no_proxy, g_free);
	g_clear_pointer(&config->helper, g_free);
	g_clear_pointer(&config->askpass, g_free);
}

static void read_open_file(struct reader *reader, int fd, struct stat *st)
{
	char *text;
	ssize_t len;

	if (fstat(fd, st) || !S_ISREG(st->st_mode)) {
		problem(reader, "not a regular file");
		return;
	}
	reader->private = !(st->st_mode & 077);
	reader->trusted = !(st->st_mode & 022) && (!st->st_uid || st->st_uid == getuid());
	text = secret_alloc(FILE_MAX + 2);
	len = read_file(fd, text);
	if (len < 0)
		problem(reader, "%s", g_strerror(errno));
	else if (len > FILE_MAX)
		problem(reader, "longer than %d octets", FILE_MAX);
	else
		read_lines(reader, text, (size_t)len);
	secret_dealloc(text, FILE_MAX + 2);
}

static void load(struct cached *cached, const char *path, bool required)
{
	static unsigned serial;
	struct reader reader = {.config = &cached->config};
	int fd;

	reader.problems = g_ptr_array_new();
	cached->config.path = g_strdup(path);
	cached->config.serial = ++serial;
	set_defaults(&cached->config);
	if (path[0] != '/') {
		problem(&reader,
			"not used: the path of a configuration must begin with /");
		goto out;
	}
	/* O_NONBLOCK: a FIFO must not stop us. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		if (errno != ENOENT || required)
			problem(&reader, "%s", g_strerror(errno));
		goto out;
	}
	cached->config.is_there = true;
	read_open_file(&reader, fd, &cached->seen);
	close(fd);
	if (reader.broken) {
		drop_values(&cached->config);
		set_defaults(&cached->config);
	}
out:
	g_ptr_array_add(reader.problems, NULL);
	cached->config.problems = (char **)g_ptr_array_free(reader.problems, FALSE);
}

static void free_cached(gpointer data)
{
	struct cached *cached = data;

	drop_values(&cached->config);
	g_strfreev(cached->config.problems);
	g_free(cached->config.path);
	g_free(cached);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_mode == b->st_mode &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static const struct config *get(const char *path, bool required)
{
	struct stat now = {0};
	struct cached *cached;

	if (path[0] == '/' && stat(path, &now))
		memset(&now, 0, sizeof(now));
	if (!cache)
		cache = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_cached);
	cached = g_hash_table_lookup(cache, path);
	if (cached && is_same(&cached->seen, &now))
		return &cached->config;
	if (g_hash_table_size(cache) >= CACHE_MAX)
		g_hash_table_remove_all(cache);
	cached = g_new0(struct cached, 1);
	load(cached, path, required);
	/* The new one's path is the new key. */
	g_hash_table_replace(cache, cached->config.path, cached);
	return &cached->config;
}

const struct config *config_get(const char *path)
{
	static char *user_file;
	const struct config *config;

	if (path && path[0])
		return get(path, true);
	if (!user_file)
		user_file = g_build_filename(g_get_user_config_dir(), "gatepass",
					     "gatepass.conf", NULL);
	config = get(user_file, false);
	return config->is_there || config->problems[0] ? config : get(SYSTEM_FILE, false);
}

const struct config *config_own(void)
{
	return config_get(getenv("GATEPASS_CONFIG"));
}

void config_clear(void)
{
	g_clear_pointer(&cache, g_hash_table_unref);
}
