/* SPDX-License-Identifier: MIT */
/* The only dlsym() of the library. */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>

#include "libc.h"

enum call {
#define LIBC_INDEX(type, name, params, args) CALL_##name,
	LIBC_CALLS(LIBC_INDEX)
#undef LIBC_INDEX
		CALL_COUNT
};

static const char *const names[CALL_COUNT] = {
#define LIBC_NAME(type, name, params, args) [CALL_##name] = #name,
	LIBC_CALLS(LIBC_NAME)
#undef LIBC_NAME
};

static _Atomic(void *) calls[CALL_COUNT];

/* Racing threads store the same value, so no lock is needed (one would deadlock when
 * dlsym() led back to us through a program's own malloc). */
__attribute__((noinline)) static void *load(enum call call)
{
	void *function = dlsym(RTLD_NEXT, names[call]);

	atomic_store_explicit(&calls[call], function, memory_order_relaxed);
	return function;
}

static void *find(enum call call)
{
	void *function = atomic_load_explicit(&calls[call], memory_order_relaxed);

	return function ? function : load(call);
}

#define LIBC_DEFINE(type, name, params, args)                                            \
	type real_##name params                                                          \
	{                                                                                \
		type(*call) params;                                                      \
		*(void **)&call =                                                        \
			find(CALL_##name); /* POSIX: dlsym() holds functions */          \
		return call args;                                                        \
	}
LIBC_CALLS(LIBC_DEFINE)
