/* SPDX-License-Identifier: MIT */
/* Marks the functions that stand in for libc's; exports.map lists the same names. */
#ifndef GATEPASS_EXPORT_H
#define GATEPASS_EXPORT_H

#define SHIM_EXPORT __attribute__((visibility("default")))

#endif
