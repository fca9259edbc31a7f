/* SPDX-License-Identifier: MIT */
/*
 * A victim that looks a name up in every way that libc has, and the address back: names
 * HOST. One line for each way, "call: result".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void show_hostent(const char *call, const struct hostent *host)
{
	char text[INET6_ADDRSTRLEN];

	if (!host) {
		printf("%s: error %d\n", call, h_errno);
		return;
	}
	printf("%s: %s %s aliases=%d more=%d\n", call, host->h_name,
	       inet_ntop(host->h_addrtype, host->h_addr_list[0], text, sizeof(text)),
	       host->h_aliases[0] != NULL, host->h_addr_list[1] != NULL);
}

static void show_addrinfo(const char *call, const char *name, const char *service,
			  int family, int flags)
{
	struct addrinfo hints = {.ai_family = family, .ai_flags = flags};
	struct addrinfo *list, *info;
	char host[64], port[16];
	int err = getaddrinfo(name, service, &hints, &list);

	printf("%s:", call);
	if (err) {
		printf(" %s\n", gai_strerror(err));
		return;
	}
	for (info = list; info; info = info->ai_next) {
		getnameinfo(info->ai_addr, info->ai_addrlen, host, sizeof(host), port,
			    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
		printf(" %s,%s,%d", host, port, info->ai_socktype);
	}
	printf(" canonname=%s\n", list->ai_canonname ? list->ai_canonname : "-");
	freeaddrinfo(list);
}

static void show_r(const char *name)
{
	struct hostent storage, *host;
	char buf[2048], small[16], *odd = buf + 1;
	int error = 0;
	int err = gethostbyname_r(name, &storage, odd, sizeof(buf) - 1, &host, &error);

	show_hostent("gethostbyname_r", err ? NULL : host);
	err = gethostbyname2_r(name, AF_INET6, &storage, buf, sizeof(buf), &host, &error);
	show_hostent("gethostbyname2_r", err ? NULL : host);
	err = gethostbyname_r(name, &storage, small, sizeof(small), &host, &error);
	printf("gethostbyname_r small: %s %d %s\n", strerrorname_np(err), error,
	       host ? "host" : "no host");
}

static void show_reverse(struct in_addr address)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(443)};
	struct hostent storage, *host;
	char buf[2048], name[256], service[32], tiny[4];
	int error;

	in.sin_addr = address;
	show_hostent("gethostbyaddr", gethostbyaddr(&address, sizeof(address), AF_INET));
	if (gethostbyaddr_r(&address, sizeof(address), AF_INET, &storage, buf,
			    sizeof(buf), &host, &error))
		host = NULL;
	show_hostent("gethostbyaddr_r", host);
	if (!getnameinfo((struct sockaddr *)&in, sizeof(in), name, sizeof(name), service,
			 sizeof(service), 0))
		printf("getnameinfo: %s %s\n", name, service);
	if (!getnameinfo((struct sockaddr *)&in, sizeof(in), name, sizeof(name), NULL, 0,
			 NI_NUMERICHOST))
		printf("getnameinfo numeric: %s\n", name);
	printf("getnameinfo tiny: %s\n",
	       gai_strerror(getnameinfo((struct sockaddr *)&in, sizeof(in), tiny,
					sizeof(tiny), NULL, 0, 0)));
}

static const char *told(ssize_t result)
{
	return result < 0 ? strerrorname_np(errno) : "OK";
}

static void show_datagrams(struct in_addr address)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(443)};
	struct sockaddr_in self = {.sin_family = AF_INET};
	struct iovec iov = {"x", 1};
	struct msghdr msg = {.msg_name = &to,
			     .msg_namelen = sizeof(to),
			     .msg_iov = &iov,
			     .msg_iovlen = 1};
	struct mmsghdr msgs[2] = {{.msg_hdr = msg}, {.msg_hdr = msg}};
	socklen_t len = sizeof(self);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	to.sin_addr = address;
	self.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) ||
	    getsockname(fd, (struct sockaddr *)&self, &len))
		perror("bind");
	printf("sendto: %s\n",
	       told(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to))));
	printf("sendmsg: %s\n", told(sendmsg(fd, &msg, 0)));
	printf("sendmmsg: %s\n", told(sendmmsg(fd, msgs, 2, 0)));
	msgs[0].msg_hdr.msg_name = &self;
	printf("sendmmsg second: %d\n", sendmmsg(fd, msgs, 2, 0));
	printf("connect: %s\n", told(connect(fd, (struct sockaddr *)&to, sizeof(to))));
	printf("sendto elsewhere: %s\n",
	       told(sendto(fd, "x", 1, 0, (struct sockaddr *)&self, sizeof(self))));
	close(fd);
}

int main(int argc, char **argv)
{
	struct hostent *host;
	struct in_addr address = {0};

	if (argc != 2)
		return 2;
	host = gethostbyname(argv[1]);
	show_hostent("gethostbyname", host);
	if (host)
		memcpy(&address, host->h_addr_list[0], sizeof(address));
	fflush(stdout);
	if (!fork()) {
		show_hostent("gethostbyname in a child", gethostbyname(argv[1]));
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	show_hostent("gethostbyname2", gethostbyname2(argv[1], AF_INET6));
	show_r(argv[1]);
	show_addrinfo("getaddrinfo", argv[1], "443", AF_UNSPEC, 0);
	show_addrinfo("getaddrinfo inet6", argv[1], "https", AF_INET6, AI_V4MAPPED);
	show_addrinfo("getaddrinfo canonname", argv[1], NULL, AF_INET,
		      AI_CANONNAME | AI_ADDRCONFIG);
	show_addrinfo("getaddrinfo service", argv[1], "no-such-service", AF_UNSPEC, 0);
	show_addrinfo("getaddrinfo numeric", argv[1], "1", AF_UNSPEC, AI_NUMERICHOST);
	show_addrinfo("getaddrinfo address", "192.0.2.1", "1", AF_UNSPEC, 0);
	show_addrinfo("getaddrinfo passive", NULL, "1", AF_INET, AI_PASSIVE);
	show_reverse(address);
	show_datagrams(address);
	return 0;
}
