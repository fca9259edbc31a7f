/* SPDX-License-Identifier: MIT */
/* For ThreadSanitizer, in what has GLib, which is not instrumented: that its queues
 * between threads order memory is not seen. */
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:libglib-2.0.so.0\ncalled_from_lib:libgio-2.0.so.0\n"
	       /* What it has libc print in one thread, and read in another. */
	       "race:vasprintf_internal\n";
}
