/* SPDX-License-Identifier: MIT */
/*
 * A victim in the manner of the 1990s: echo_client HOST PORT TEXT looks the host up,
 * connects (blocking), writes the text, reads as much back and prints it. What fails is
 * named, with its error, and makes it exit with 1.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct hostent *host;
	struct sockaddr_in to;
	char buf[4096];
	size_t len, got = 0;
	int fd;

	if (argc != 4 || strlen(argv[3]) > sizeof(buf))
		return 2;
	len = strlen(argv[3]);
	host = gethostbyname(argv[1]);
	if (!host) {
		herror(argv[1]);
		return 1;
	}
	bzero(&to, sizeof(to));
	to.sin_family = host->h_addrtype;
	to.sin_port = htons(atoi(argv[2]));
	bcopy(host->h_addr, &to.sin_addr, host->h_length);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		perror("connect");
		return 1;
	}
	if (write(fd, argv[3], len) != (ssize_t)len) {
		perror("write");
		return 1;
	}
	while (got < len) {
		ssize_t n = read(fd, buf + got, len - got);

		if (n <= 0) {
			perror("read");
			return 1;
		}
		got += n;
	}
	close(fd);
	printf("%.*s\n", (int)got, buf);
	return 0;
}
