/* SPDX-License-Identifier: MIT */
/*
 * Where libc's own times have 32 bits, programs can be compiled with 64 (_TIME_BITS=64).
 * These call what is interposed by other names, most of which are second names of the
 * same functions; some take these times. TIME64_SIBLINGS is defined where libc has the
 * names.
 */
#ifndef GATEPASS_TIME64_H
#define GATEPASS_TIME64_H

#include <stdint.h>
#include <time.h>

#if __TIMESIZE == 32
#define TIME64_SIBLINGS
/* Before, fortified programs called ppoll(), by mistake. */
#if __GLIBC_PREREQ(2, 37)
#define TIME64_PPOLL_CHK
#endif

struct timespec64 {
	int64_t tv_sec;
#if __BYTE_ORDER == __BIG_ENDIAN
	int : 32;
#endif
	long tv_nsec;
};

struct timeval64 {
	int64_t tv_sec, tv_usec;
};

#endif
#endif
