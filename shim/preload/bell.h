/* SPDX-License-Identifier: MIT */
/*
 * What wakes a thread in poll(2) when another one has changed what it should wait for: a
 * descriptor that becomes readable. It is a timer, because a number that a stranger has
 * got meanwhile is then refused by the kernel rather than written to. Any thread; keeps
 * errno.
 */
#ifndef GATEPASS_BELL_H
#define GATEPASS_BELL_H

int bell_new(void); /* -1: there is none to be had */
void bell_ring(int bell);
void bell_silence(int bell);
void bell_free(int bell); /* -1 is fine */

#endif
