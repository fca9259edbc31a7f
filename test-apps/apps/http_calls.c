/* SPDX-License-Identifier: MIT */
/*
 * A victim that speaks HTTP with every call that moves bytes:
 *
 *   http_calls PUT GET ADDRESS PORT [PREFIX]
 *
 * On one connection that blocks, sends a GET, a POST of 70,000 octets and a HEAD with the
 * calls of PUT, and reads the replies with those of GET, never beyond a reply's end.
 * Prints how much the calls said that they sent, and the replies. "--list" names the
 * ways. PREFIX stands before the paths, "http://host" for a proxy.
 */
#define _GNU_SOURCE
#define _FORTIFY_SOURCE 2
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "http.h"

#define BODY       70000
#define OCTETS_MAX 4096

/* A buffer's size, which the compiler must not know: where it could tell that a call fits
 * in, it would not call the fortified function. */
static volatile size_t room = 5000;

static struct sockaddr_in address;

static void fail(const char *what)
{
	perror(what);
	fflush(stdout);
	_exit(1);
}

static void await(int fd, short events)
{
	struct pollfd pollfd = {.fd = fd, .events = events};

	if (poll(&pollfd, 1, 60000) != 1)
		fail("poll");
}

/* --- sending: each as write(2) would -------------------------------------------------
 */

static ssize_t put_write(int fd, const char *bytes, size_t len)
{
	return write(fd, bytes, len);
}

/* In three parts, the first of which ends within the request line. */
static int parts_of(const char *bytes, size_t len, struct iovec parts[static 3])
{
	size_t first = len < 5 ? len : 5, second = (len - first) / 2;

	parts[0] = (struct iovec){(char *)bytes, first};
	parts[1] = (struct iovec){(char *)bytes + first, second};
	parts[2] = (struct iovec){(char *)bytes + first + second, len - first - second};
	return 3;
}

static ssize_t put_writev(int fd, const char *bytes, size_t len)
{
	struct iovec parts[3];

	return writev(fd, parts, parts_of(bytes, len, parts));
}

static ssize_t put_pwritev2(int fd, const char *bytes, size_t len)
{
	struct iovec parts[3];

	return pwritev2(fd, parts, parts_of(bytes, len, parts), -1, 0);
}

static ssize_t put_send(int fd, const char *bytes, size_t len)
{
	return send(fd, bytes, len, MSG_NOSIGNAL);
}

static ssize_t put_sendto(int fd, const char *bytes, size_t len)
{
	return sendto(fd, bytes, len, 0, NULL, 0);
}

static ssize_t put_sendmsg(int fd, const char *bytes, size_t len)
{
	struct iovec parts[3];
	struct msghdr message = {.msg_iov = parts};

	message.msg_iovlen = (size_t)parts_of(bytes, len, parts);
	return sendmsg(fd, &message, 0);
}

static ssize_t put_sendmmsg(int fd, const char *bytes, size_t len)
{
	struct iovec parts[3];
	struct mmsghdr messages[3] = {0};
	ssize_t sent = 0;
	int count = parts_of(bytes, len, parts), done;

	for (int i = 0; i < count; i++)
		messages[i].msg_hdr =
			(struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	done = sendmmsg(fd, messages, (unsigned)count, 0);
	for (int i = 0; i < done; i++)
		sent += messages[i].msg_len;
	return done < 0 ? -1 : sent;
}

static ssize_t put_more(int fd, const char *bytes, size_t len)
{
	size_t first = len < 30 ? len : 30;

	if (send(fd, bytes, first, MSG_MORE) != (ssize_t)first)
		return -1;
	return (ssize_t)first + send(fd, bytes + first, len - first, 0);
}

static ssize_t put_corked(int fd, const char *bytes, size_t len)
{
	int on = 1, off = 0;
	ssize_t put;

	setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
	put = put_more(fd, bytes, len);
	setsockopt(fd, IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
	return put;
}

static ssize_t put_octet(int fd, const char *bytes, size_t len)
{
	return write(fd, bytes, len < OCTETS_MAX ? 1 : len);
}

static ssize_t put_duplicate(int fd, const char *bytes, size_t len)
{
	int duplicate = dup(fd);
	ssize_t put = write(duplicate, bytes, len);

	close(duplicate);
	return put;
}

static ssize_t put_dprintf(int fd, const char *bytes, size_t len)
{
	return dprintf(fd, "%.*s", (int)len, bytes);
}

static ssize_t put_sendfile(int fd, const char *bytes, size_t len)
{
	int file = memfd_create("request", MFD_CLOEXEC);
	off_t at = 0;
	ssize_t put;

	if (write(file, bytes, len) != (ssize_t)len)
		fail("write");
	put = sendfile(fd, file, &at, len);
	if (put >= 0 && at != put)
		printf("sendfile is at %ld\n", (long)at);
	close(file);
	return put;
}

static ssize_t put_splice(int fd, const char *bytes, size_t len)
{
	ssize_t put, filled;
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK))
		fail("pipe2");
	filled = write(pipes[1], bytes, len);
	close(pipes[1]);
	put = splice(pipes[0], NULL, fd, NULL, (size_t)filled, SPLICE_F_MORE);
	close(pipes[0]);
	return put;
}

struct errand {
	int fd;
	const char *bytes;
	size_t len;
	ssize_t put;
};

static void *run_errand(void *argument)
{
	struct errand *errand = argument;

	usleep(2000); /* by now the other thread waits for the reply */
	errand->put = write(errand->fd, errand->bytes, errand->len);
	return NULL;
}

static ssize_t put_thread(int fd, const char *bytes, size_t len)
{
	struct errand errand = {.fd = fd, .bytes = bytes, .len = len};
	pthread_t thread;

	pthread_create(&thread, NULL, run_errand, &errand);
	await(fd, POLLIN | POLLOUT);
	pthread_join(thread, NULL);
	return errand.put;
}

/* The other thread is in a call for the reply when the request goes out. */
static ssize_t put_reader(int fd, const char *bytes, size_t len)
{
	struct errand errand = {.fd = fd, .bytes = bytes, .len = len};
	char status[] = "HTTP/1.1 ...";
	pthread_t thread;

	pthread_create(&thread, NULL, run_errand, &errand);
	if (recv(fd, status, strlen(status), MSG_PEEK) < 0)
		fail("recv");
	pthread_join(thread, NULL);
	printf("%s\n", status);
	return errand.put;
}

static bool was_here(void)
{
	static bool here;
	bool was = here;

	here = true;
	return was;
}

static ssize_t put_fast_open(int fd, const char *bytes, size_t len)
{
	if (was_here())
		return send(fd, bytes, len, 0);
	return sendto(fd, bytes, len, MSG_FASTOPEN, (struct sockaddr *)&address,
		      sizeof(address));
}

static ssize_t put_fast_open_message(int fd, const char *bytes, size_t len)
{
	struct iovec part = {(char *)bytes, len};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (was_here())
		return sendmsg(fd, &message, 0);
	message.msg_name = &address;
	message.msg_namelen = sizeof(address);
	return sendmsg(fd, &message, MSG_FASTOPEN);
}

/* Sends while it connects. */
static ssize_t put_meanwhile(int fd, const char *bytes, size_t len)
{
	if (!was_here()) {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) &&
		    errno != EINPROGRESS)
			fail("connect");
		fcntl(fd, F_SETFL, 0);
	}
	return write(fd, bytes, len);
}

/* --- receiving: each as read(2) would ------------------------------------------------
 */

static ssize_t get_read(int fd, char *bytes, size_t len)
{
	return read(fd, bytes, len);
}

static size_t at_most(size_t len)
{
	size_t most = room;

	return len < most ? len : most;
}

/* __read_chk() */
static ssize_t get_read_chk(int fd, char *bytes, size_t len)
{
	char buffer[5000];
	ssize_t got = read(fd, buffer, at_most(len));

	if (got > 0)
		memcpy(bytes, buffer, (size_t)got);
	return got;
}

static ssize_t get_recv_chk(int fd, char *bytes, size_t len)
{
	char buffer[5000];
	ssize_t got = recv(fd, buffer, at_most(len), 0);

	if (got > 0)
		memcpy(bytes, buffer, (size_t)got);
	return got;
}

static ssize_t get_recvfrom_chk(int fd, char *bytes, size_t len)
{
	char buffer[5000];
	ssize_t got = recvfrom(fd, buffer, at_most(len), 0, NULL, NULL);

	if (got > 0)
		memcpy(bytes, buffer, (size_t)got);
	return got;
}

static ssize_t get_readv(int fd, char *bytes, size_t len)
{
	struct iovec parts[3];

	return readv(fd, parts, parts_of(bytes, len, parts));
}

static ssize_t get_preadv2(int fd, char *bytes, size_t len)
{
	struct iovec parts[3];

	return preadv2(fd, parts, parts_of(bytes, len, parts), -1, 0);
}

static ssize_t get_recv(int fd, char *bytes, size_t len)
{
	return recv(fd, bytes, len, 0);
}

static ssize_t get_recvfrom(int fd, char *bytes, size_t len)
{
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);

	return recvfrom(fd, bytes, len, 0, (struct sockaddr *)&from, &from_len);
}

static ssize_t get_recvmsg(int fd, char *bytes, size_t len)
{
	struct iovec parts[3];
	struct msghdr message = {.msg_iov = parts};

	message.msg_iovlen = (size_t)parts_of(bytes, len, parts);
	return recvmsg(fd, &message, 0);
}

static ssize_t get_recvmmsg(int fd, char *bytes, size_t len)
{
	struct iovec part = {bytes, len};
	struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
	int got = recvmmsg(fd, &message, 1, 0, NULL);

	return got == 1 ? (ssize_t)message.msg_len : got;
}

/* As wget: looks at what is there, and takes then what it wants. */
static ssize_t get_peek(int fd, char *bytes, size_t len)
{
	char seen[4096];
	ssize_t peeked = recv(fd, seen, sizeof(seen), MSG_PEEK);
	ssize_t got = recv(fd, bytes, len, 0);

	if (peeked <= 0 || got <= 0)
		return got;
	if (memcmp(seen, bytes, (size_t)(peeked < got ? peeked : got)))
		printf("peeked something else\n");
	return got;
}

static ssize_t get_waitall(int fd, char *bytes, size_t len)
{
	ssize_t got = recv(fd, bytes, len, MSG_WAITALL);

	if (got >= 0 && (size_t)got != len)
		printf("MSG_WAITALL: %zd of %zu\n", got, len);
	return got;
}

static ssize_t get_dontwait(int fd, char *bytes, size_t len)
{
	ssize_t got;

	while ((got = recv(fd, bytes, len, MSG_DONTWAIT)) < 0 && errno == EAGAIN)
		await(fd, POLLIN);
	return got;
}

/* FIONREAD says how much can be read without waiting. */
static ssize_t get_counted(int fd, char *bytes, size_t len)
{
	int there = 0;

	await(fd, POLLIN);
	if (ioctl(fd, FIONREAD, &there))
		fail("FIONREAD");
	if (there <= 0)
		printf("FIONREAD %d\n", there);
	return recv(fd, bytes, (size_t)there < len ? (size_t)there : len, MSG_WAITALL);
}

static ssize_t get_lowat(int fd, char *bytes, size_t len)
{
	int wanted = (int)len, set = 0, one = 1;
	socklen_t size = sizeof(set);
	ssize_t got;

	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof(wanted));
	await(fd, POLLIN);
	got = recv(fd, bytes, len, MSG_DONTWAIT);
	getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &set, &size);
	if (got != wanted || set != wanted)
		printf("SO_RCVLOWAT %d: %zd, and is %d\n", wanted, got, set);
	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof(one));
	return got;
}

static ssize_t get_octet(int fd, char *bytes, size_t len)
{
	return len ? read(fd, bytes, 1) : 0;
}

static ssize_t get_duplicate(int fd, char *bytes, size_t len)
{
	int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, 50);
	ssize_t got = read(duplicate, bytes, len);

	close(duplicate);
	return got;
}

static ssize_t get_splice(int fd, char *bytes, size_t len)
{
	ssize_t got;
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC))
		fail("pipe2");
	got = splice(fd, NULL, pipes[1], NULL, len, 0);
	if (got > 0 && read(pipes[0], bytes, len) != got)
		fail("read");
	close(pipes[0]);
	close(pipes[1]);
	return got;
}

/* --- */

static const struct way {
	const char *name;
	ssize_t (*put)(int fd, const char *bytes, size_t len);
	ssize_t (*get)(int fd, char *bytes, size_t len);
	bool connects; /* by itself */
} ways[] = {
	{"write", put_write, NULL, false},
	{"writev", put_writev, NULL, false},
	{"pwritev2", put_pwritev2, NULL, false},
	{"send", put_send, NULL, false},
	{"sendto", put_sendto, NULL, false},
	{"sendmsg", put_sendmsg, NULL, false},
	{"sendmmsg", put_sendmmsg, NULL, false},
	{"more", put_more, NULL, false},
	{"corked", put_corked, NULL, false},
	{"put-octets", put_octet, NULL, false},
	{"put-duplicate", put_duplicate, NULL, false},
	{"dprintf", put_dprintf, NULL, false},
	{"sendfile", put_sendfile, NULL, false},
	{"splice-out", put_splice, NULL, false},
	{"thread", put_thread, NULL, false},
	{"reader", put_reader, NULL, false},
	{"fast-open", put_fast_open, NULL, true},
	{"fast-open-message", put_fast_open_message, NULL, true},
	{"meanwhile", put_meanwhile, NULL, true},
	{"read", NULL, get_read, false},
	{"read-chk", NULL, get_read_chk, false},
	{"recv-chk", NULL, get_recv_chk, false},
	{"recvfrom-chk", NULL, get_recvfrom_chk, false},
	{"readv", NULL, get_readv, false},
	{"preadv2", NULL, get_preadv2, false},
	{"recv", NULL, get_recv, false},
	{"recvfrom", NULL, get_recvfrom, false},
	{"recvmsg", NULL, get_recvmsg, false},
	{"recvmmsg", NULL, get_recvmmsg, false},
	{"peek", NULL, get_peek, false},
	{"waitall", NULL, get_waitall, false},
	{"dontwait", NULL, get_dontwait, false},
	{"counted", NULL, get_counted, false},
	{"lowat", NULL, get_lowat, false},
	{"get-octets", NULL, get_octet, false},
	{"get-duplicate", NULL, get_duplicate, false},
	{"splice-in", NULL, get_splice, false},
};

static const struct way *find(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(ways[i].name, name))
			return &ways[i];
	fprintf(stderr, "http_calls: %s is not among --list\n", name);
	exit(2);
}

static void say(const struct way *way, int fd, const char *bytes, size_t len)
{
	size_t sent = 0;
	ssize_t put;

	while (sent < len) {
		put = way->put(fd, bytes + sent, len - sent);
		if (put <= 0) {
			printf("%s %s\n", way->name, strerrorname_np(errno));
			break;
		}
		sent += (size_t)put;
	}
	printf("sent %s\n", sent == len ? "all" : "not all");
}

static void hear(const struct way *way, int fd, bool to_head)
{
	struct reply reply = {.to_head = to_head};
	static char bytes[1 << 17];
	size_t wanted;
	ssize_t got;

	while (reply.part != REPLY_OVER) {
		wanted = reply_wants(&reply);
		got = way->get(fd, bytes,
			       wanted < sizeof(bytes) ? wanted : sizeof(bytes));
		if (got <= 0) {
			printf("%s %s\n", way->name,
			       got ? strerrorname_np(errno) : "end");
			if (!reply_end(&reply))
				printf("cut short\n");
			return;
		}
		if (reply_feed(&reply, bytes, (size_t)got) != (size_t)got)
			printf("read beyond the end\n");
	}
}

static void exchange(const struct way *put, const struct way *get, int fd,
		     const char *verb, const char *prefix)
{
	bool has_body = !strcmp(verb, "POST");
	static char request[4096 + BODY];
	char length[64] = "";
	size_t len;

	if (has_body)
		sprintf(length, "Content-Length: %d\r\n", BODY);
	len = http_head(request, sizeof(request), verb, prefix, verb, length);
	if (has_body) {
		http_fill(request + len, BODY);
		len += BODY;
	}
	say(put, fd, request, len);
	hear(get, fd, !strcmp(verb, "HEAD"));
}

int main(int argc, char **argv)
{
	static const char *const verbs[] = {"GET", "POST", "HEAD"};
	const char *prefix = argc > 5 ? argv[5] : "";
	const struct way *put, *get;
	int fd;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
			printf("%s %s\n", ways[i].put ? "put" : "get", ways[i].name);
		return 0;
	}
	if (argc < 5 || !(put = find(argv[1]))->put || !(get = find(argv[2]))->get) {
		fprintf(stderr, "usage: http_calls PUT GET ADDRESS PORT [PREFIX]\n");
		return 2;
	}
	http_begin();
	address = http_address(argv[3], argv[4]);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (!put->connects && connect(fd, (struct sockaddr *)&address, sizeof(address)))
		fail("connect");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		exchange(put, get, fd, verbs[i], prefix);
	close(fd);
	return 0;
}
