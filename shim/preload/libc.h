/* SPDX-License-Identifier: MIT */
/*
 * The real functions behind the interposed ones: real_connect() and so on. Each is looked
 * up at its first use, because a process that calls three of them should not pay for all;
 * from then on a call is one atomic load. Safe before any initialisation, after fork, in
 * a vfork child, and in signal handlers once the look-up is done. errno is theirs.
 */
#ifndef GATEPASS_LIBC_H
#define GATEPASS_LIBC_H

#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "time64.h"

/* X(return type, name, parameters, arguments). fcntl() and ioctl() take one optional
 * argument, which Linux passes like any other third one. */
#define LIBC_CALLS(X)                                                                    \
	X(int, connect, (int fd, const struct sockaddr *sa, socklen_t len),              \
	  (fd, sa, len))                                                                 \
	X(int, getpeername, (int fd, struct sockaddr *sa, socklen_t *len),               \
	  (fd, sa, len))                                                                 \
	X(int, shutdown, (int fd, int how), (fd, how))                                   \
	X(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len),   \
	  (fd, level, name, value, len))                                                 \
	X(int, setsockopt,                                                               \
	  (int fd, int level, int name, const void *value, socklen_t len),               \
	  (fd, level, name, value, len))                                                 \
	X(int, close, (int fd), (fd))                                                    \
	X(int, dup, (int fd), (fd))                                                      \
	X(int, dup2, (int fd, int to), (fd, to))                                         \
	X(int, dup3, (int fd, int to, int flags), (fd, to, flags))                       \
	X(int, fcntl, (int fd, int command, void *argument), (fd, command, argument))    \
	X(int, fcntl64, (int fd, int command, void *argument), (fd, command, argument))  \
	X(int, ioctl, (int fd, unsigned long request, void *argument),                   \
	  (fd, request, argument))                                                       \
	X(ssize_t, send, (int fd, const void *data, size_t n, int flags),                \
	  (fd, data, n, flags))                                                          \
	X(ssize_t, sendto,                                                               \
	  (int fd, const void *data, size_t n, int flags, const struct sockaddr *sa,     \
	   socklen_t len),                                                               \
	  (fd, data, n, flags, sa, len))                                                 \
	X(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags),               \
	  (fd, msg, flags))                                                              \
	X(int, sendmmsg, (int fd, struct mmsghdr *msgs, unsigned n, int flags),          \
	  (fd, msgs, n, flags))                                                          \
	X(ssize_t, write, (int fd, const void *data, size_t n), (fd, data, n))           \
	X(ssize_t, writev, (int fd, const struct iovec *parts, int n), (fd, parts, n))   \
	X(ssize_t, pwritev2,                                                             \
	  (int fd, const struct iovec *parts, int n, off_t offset, int flags),           \
	  (fd, parts, n, offset, flags))                                                 \
	X(ssize_t, pwritev64v2,                                                          \
	  (int fd, const struct iovec *parts, int n, off64_t offset, int flags),         \
	  (fd, parts, n, offset, flags))                                                 \
	X(int, vdprintf, (int fd, const char *format, va_list args), (fd, format, args)) \
	X(int, __vdprintf_chk, (int fd, int flag, const char *format, va_list args),     \
	  (fd, flag, format, args))                                                      \
	X(ssize_t, recv, (int fd, void *data, size_t n, int flags),                      \
	  (fd, data, n, flags))                                                          \
	X(ssize_t, __recv_chk, (int fd, void *data, size_t n, size_t room, int flags),   \
	  (fd, data, n, room, flags))                                                    \
	X(ssize_t, recvfrom,                                                             \
	  (int fd, void *data, size_t n, int flags, struct sockaddr *sa,                 \
	   socklen_t *len),                                                              \
	  (fd, data, n, flags, sa, len))                                                 \
	X(ssize_t, __recvfrom_chk,                                                       \
	  (int fd, void *data, size_t n, size_t room, int flags, struct sockaddr *sa,    \
	   socklen_t *len),                                                              \
	  (fd, data, n, room, flags, sa, len))                                           \
	X(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags))   \
	X(int, recvmmsg,                                                                 \
	  (int fd, struct mmsghdr *msgs, unsigned n, int flags,                          \
	   struct timespec *timeout),                                                    \
	  (fd, msgs, n, flags, timeout))                                                 \
	X(ssize_t, read, (int fd, void *data, size_t n), (fd, data, n))                  \
	X(ssize_t, __read_chk, (int fd, void *data, size_t n, size_t room),              \
	  (fd, data, n, room))                                                           \
	X(ssize_t, readv, (int fd, const struct iovec *parts, int n), (fd, parts, n))    \
	X(ssize_t, preadv2,                                                              \
	  (int fd, const struct iovec *parts, int n, off_t offset, int flags),           \
	  (fd, parts, n, offset, flags))                                                 \
	X(ssize_t, preadv64v2,                                                           \
	  (int fd, const struct iovec *parts, int n, off64_t offset, int flags),         \
	  (fd, parts, n, offset, flags))                                                 \
	X(ssize_t, sendfile, (int to, int from, off_t *offset, size_t n),                \
	  (to, from, offset, n))                                                         \
	X(ssize_t, sendfile64, (int to, int from, off64_t *offset, size_t n),            \
	  (to, from, offset, n))                                                         \
	X(ssize_t, splice,                                                               \
	  (int from, off64_t *from_offset, int to, off64_t *to_offset, size_t n,         \
	   unsigned flags),                                                              \
	  (from, from_offset, to, to_offset, n, flags))                                  \
	X(FILE *, fdopen, (int fd, const char *mode), (fd, mode))                        \
	X(int, fileno, (FILE * stream), (stream))                                        \
	X(int, poll, (struct pollfd * fds, nfds_t n, int timeout), (fds, n, timeout))    \
	X(int, __poll_chk, (struct pollfd * fds, nfds_t n, int timeout, size_t room),    \
	  (fds, n, timeout, room))                                                       \
	X(int, ppoll,                                                                    \
	  (struct pollfd * fds, nfds_t n, const struct timespec *timeout,                \
	   const sigset_t *mask),                                                        \
	  (fds, n, timeout, mask))                                                       \
	X(int, __ppoll_chk,                                                              \
	  (struct pollfd * fds, nfds_t n, const struct timespec *timeout,                \
	   const sigset_t *mask, size_t room),                                           \
	  (fds, n, timeout, mask, room))                                                 \
	X(int, select,                                                                   \
	  (int n, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout),     \
	  (n, in, out, except, timeout))                                                 \
	X(int, pselect,                                                                  \
	  (int n, fd_set *in, fd_set *out, fd_set *except,                               \
	   const struct timespec *timeout, const sigset_t *mask),                        \
	  (n, in, out, except, timeout, mask))                                           \
	X(int, epoll_ctl, (int set, int op, int fd, struct epoll_event *event),          \
	  (set, op, fd, event))                                                          \
	X(int, epoll_wait, (int set, struct epoll_event *events, int max, int timeout),  \
	  (set, events, max, timeout))                                                   \
	X(int, epoll_pwait,                                                              \
	  (int set, struct epoll_event *events, int max, int timeout,                    \
	   const sigset_t *mask),                                                        \
	  (set, events, max, timeout, mask))                                             \
	X(int, epoll_pwait2,                                                             \
	  (int set, struct epoll_event *events, int max, const struct timespec *timeout, \
	   const sigset_t *mask),                                                        \
	  (set, events, max, timeout, mask))                                             \
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
	  (address, address_len, family, host, storage, len, result, error))             \
	LIBC_TIME64_CALLS(X)

/* The siblings that are no second names. */
#ifdef TIME64_SIBLINGS
#define LIBC_TIME64_CALLS(X)                                                             \
	X(ssize_t, __recvmsg64, (int fd, struct msghdr *msg, int flags),                 \
	  (fd, msg, flags))                                                              \
	X(int, __recvmmsg64,                                                             \
	  (int fd, struct mmsghdr *msgs, unsigned n, int flags,                          \
	   struct timespec64 *timeout),                                                  \
	  (fd, msgs, n, flags, timeout))                                                 \
	X(int, __ppoll64,                                                                \
	  (struct pollfd * fds, nfds_t n, const struct timespec64 *timeout,              \
	   const sigset_t *mask),                                                        \
	  (fds, n, timeout, mask))                                                       \
	X(int, __ppoll64_chk,                                                            \
	  (struct pollfd * fds, nfds_t n, const struct timespec64 *timeout,              \
	   const sigset_t *mask, size_t room),                                           \
	  (fds, n, timeout, mask, room))                                                 \
	X(int, __select64,                                                               \
	  (int n, fd_set *in, fd_set *out, fd_set *except, struct timeval64 *timeout),   \
	  (n, in, out, except, timeout))                                                 \
	X(int, __pselect64,                                                              \
	  (int n, fd_set *in, fd_set *out, fd_set *except,                               \
	   const struct timespec64 *timeout, const sigset_t *mask),                      \
	  (n, in, out, except, timeout, mask))                                           \
	X(int, __epoll_pwait2_time64,                                                    \
	  (int set, struct epoll_event *events, int max,                                 \
	   const struct timespec64 *timeout, const sigset_t *mask),                      \
	  (set, events, max, timeout, mask))
#else
#define LIBC_TIME64_CALLS(X)
#endif

#define LIBC_DECLARE(type, name, params, args) type real_##name params;
LIBC_CALLS(LIBC_DECLARE)
#undef LIBC_DECLARE

#endif
