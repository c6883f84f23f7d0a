/* SPDX-License-Identifier: MIT */
/* What a test program may say to the checking runtime, and it to the test. */
#ifndef ALLOCTRACE_TESTS_PROBE_H
#define ALLOCTRACE_TESTS_PROBE_H

#ifdef __cplusplus
extern "C" {
#endif

/* Set by programs that call exit below main. */
extern int probe_may_end_deep;

/* Allocations seen so far. */
extern unsigned long probe_count;

/* Blocks given out by an operator new and not taken back by delete. */
extern long probe_live;

/* Called on each allocation, if the program defines it. */
__attribute__((weak)) void probe_traceback(const char *what,
                                           const char *traceback);

#ifdef __cplusplus
}
#endif

#endif
