/* SPDX-License-Identifier: MIT */
/*
 * The real functions behind the interposed ones: real_connect() and so on. They are
 * looked up at the first use of any of them, all together; from then on a call is one
 * atomic load. Safe before any initialisation, after fork, in a vfork child, and in
 * signal handlers once the look-up is done. errno is theirs.
 */
#ifndef GATEPASS_LIBC_H
#define GATEPASS_LIBC_H

#include <netdb.h>
#include <sys/socket.h>

/* X(return type, name, parameters, arguments) */
#define LIBC_CALLS(X)                                                                    \
	X(int, connect, (int fd, const struct sockaddr *sa, socklen_t len),              \
	  (fd, sa, len))                                                                 \
	X(int, getpeername, (int fd, struct sockaddr *sa, socklen_t *len),               \
	  (fd, sa, len))                                                                 \
	X(ssize_t, sendto,                                                               \
	  (int fd, const void *data, size_t n, int flags, const struct sockaddr *sa,     \
	   socklen_t len),                                                               \
	  (fd, data, n, flags, sa, len))                                                 \
	X(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags),               \
	  (fd, msg, flags))                                                              \
	X(int, sendmmsg, (int fd, struct mmsghdr *msgs, unsigned n, int flags),          \
	  (fd, msgs, n, flags))                                                          \
	X(int, getaddrinfo,                                                              \
	  (const char *node, const char *service, const struct addrinfo *hints,          \
	   struct addrinfo **result),                                                    \
	  (node, service, hints, result))                                                \
	X(int, getnameinfo,                                                              \
	  (const struct sockaddr *sa, socklen_t len, char *host, socklen_t host_len,     \
	   char *service, socklen_t service_len, int flags),                             \
	  (sa, len, host, host_len, service, service_len, flags))                        \
	X(struct hostent *, gethostbyname, (const char *name), (name))                   \
	X(struct hostent *, gethostbyname2, (const char *name, int family),              \
	  (name, family))                                                                \
	X(int, gethostbyname_r,                                                          \
	  (const char *name, struct hostent *host, char *storage, size_t len,            \
	   struct hostent **result, int *error),                                         \
	  (name, host, storage, len, result, error))                                     \
	X(int, gethostbyname2_r,                                                         \
	  (const char *name, int family, struct hostent *host, char *storage,            \
	   size_t len, struct hostent **result, int *error),                             \
	  (name, family, host, storage, len, result, error))                             \
	X(struct hostent *, gethostbyaddr,                                               \
	  (const void *address, socklen_t len, int family), (address, len, family))      \
	X(int, gethostbyaddr_r,                                                          \
	  (const void *address, socklen_t address_len, int family, struct hostent *host, \
	   char *storage, size_t len, struct hostent **result, int *error),              \
	  (address, address_len, family, host, storage, len, result, error))

#define LIBC_DECLARE(type, name, params, args) type real_##name params;
LIBC_CALLS(LIBC_DECLARE)
#undef LIBC_DECLARE

#endif
