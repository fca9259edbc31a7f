/* SPDX-License-Identifier: MIT */
/*
 * Every maximum that more than one part of gatepass relies on, with its reason.
 * What exceeds a maximum is refused with an error, never cut.
 */
#ifndef GATEPASS_LIMITS_H
#define GATEPASS_LIMITS_H

/* A DNS name in text form has at most 253 characters (RFC 1035 2.3.4); 255 leaves room
 * for a trailing dot and is what SOCKS and most resolvers accept. */
#define GP_HOST_MAX 255

/* "[" host "]:65535" */
#define GP_AUTHORITY_MAX (GP_HOST_MAX + 8)

/* A numeric address with port: "[" INET6_ADDRSTRLEN "%" IFNAMSIZ "]:65535". */
#define GP_ADDRESS_MAX 80

/* Squid refuses a header above 64 KiB (MAX_AUTHTOKEN_LEN 65 535); Kerberos tokens with a
 * PAC reach 48 KiB in base64. A response head above this is not HTTP that we know. */
#define GP_HEAD_MAX (64 * 1024)

/* The value of one Proxy-Authorization field: the same bound as a whole head, less the
 * rest of a CONNECT request. */
#define GP_AUTHORIZATION_MAX (60 * 1024)

/* Passwords: pass phrases and machine-made tokens are well below it, and its base64 form
 * fits into the header limits of Squid (64 KiB) and Apache (8 KiB,
 * LimitRequestFieldSize). */
#define GP_PASSWORD_MAX 4096
#define GP_USER_MAX     512

/* A proxy URL with percent-encoded user and password, each octet in three. */
#define GP_URL_MAX (3 * (GP_PASSWORD_MAX + GP_USER_MAX) + GP_AUTHORITY_MAX + 16)

/* One message between library and agent. Holds a head of 64 KiB even when it is escaped
 * here and there; below the default socket buffer (net.core.wmem_default, 208 KiB). */
#define GP_WIRE_MAX (128 * 1024)

/* The body of a 407 is drained up to here to keep the connection; a longer one costs less
 * by reconnecting. */
#define GP_DRAIN_MAX (256 * 1024)

/* How much of a request's body is kept until the proxy has answered it, to be sent again
 * after a challenge. With everything else below 2 MiB for each connection. */
#define GP_COPY_MAX (1024 * 1024)

/* How much of further requests is kept until the one before has been answered. A program
 * that writes more before it reads anything gets no answer to challenges in the midst. */
#define GP_QUEUE_MAX (256 * 1024)

/* Addresses of one proxy (and of its alternatives) that are tried, in order. */
#define GP_PROXY_ADDRESSES_MAX 16

/* Rounds of 407 and answer for one tunnel: a multi-leg scheme takes three, falling
 * through four schemes a few more. Beyond it somebody is playing with us. */
#define GP_ROUNDS_MAX 12

/* Interim responses (1xx) to one request: "100 Continue" comes once, "102 Processing"
 * every few seconds. */
#define GP_INFORMATIONAL_MAX 64

/* Seconds that a handshake may take, from connect() to the tunnel. */
#define GP_DEADLINE 30

/* sizeof(sun_path), with its NUL (unix(7)). */
#define GP_SOCKET_PATH_MAX 108

#endif
