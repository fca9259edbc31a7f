/* SPDX-License-Identifier: MIT */
/*
 * What our own registrations carry instead of the program's data, in epoll sets that we
 * share with it. The upper bits are those of no pointer (it would not be canonical) and
 * of no small number.
 */
#ifndef GATEPASS_TAG_H
#define GATEPASS_TAG_H

#include <stdbool.h>
#include <stdint.h>

#define TAG_MARK UINT64_C(0xa7e5)

enum tag_kind {
	TAG_RECORD =
		1, /* a socket in handshake, or what stands in for it; a record's id */
	TAG_ALARM, /* the timer of alarm.h */
	TAG_SET    /* a set in this set (nest.h); its descriptor */
};

static inline uint64_t tag_make(enum tag_kind kind, uint32_t value)
{
	return TAG_MARK << 48 | (uint64_t)kind << 32 | value;
}

static inline bool tag_is_ours(uint64_t data)
{
	return data >> 48 == TAG_MARK;
}

static inline enum tag_kind tag_kind(uint64_t data)
{
	return (enum tag_kind)(data >> 32 & 0xffff);
}

static inline uint32_t tag_value(uint64_t data)
{
	return (uint32_t)data;
}

#endif
