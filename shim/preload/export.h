/* SPDX-License-Identifier: MIT */
/* Marks the functions that stand in for libc's; exports.map lists the same names. */
#ifndef GATEPASS_EXPORT_H
#define GATEPASS_EXPORT_H

#define SHIM_EXPORT __attribute__((visibility("default")))

/* A second name, in libc as here, of a function that is defined above. */
#define SHIM_ALIAS(name, function)                                                       \
	extern __typeof__(function) name SHIM_EXPORT __attribute__((alias(#function)))

/* That it promises less (nothrow, leaf) than libc's header says of the first one matters
 * to nobody: we do not call it. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmissing-attributes"
#endif

/* What is done while a handshake is in flight stays out of the exported functions, which
 * are a load, a test and a jump without it: no frame, and no guard of it. */
#define SHIM_SLOW __attribute__((noinline))

#endif
