/* SPDX-License-Identifier: MIT */
/*
 * INTERNAL to analysis/: in a program that is being traced, what the analysis
 * itself allocates is not the program's. Included by model.h and symbol.h.
 *
 * Each public function that may come to allocate or free something, be it
 * through the C library, begins with AT_UNTRACED; the test of the layout finds
 * those that lack it. Without the runtime in the program it is one look at a
 * constant, for the references are weak.
 */
#ifndef ALLOCTRACE_UNTRACED_H
#define ALLOCTRACE_UNTRACED_H

/* alloctrace_pause and alloctrace_resume, by names that stand for the runtime's
 * whatever alloctrace.h was included for. */
extern void at_runtime_pause(void) __asm__("alloctrace_pause")
    __attribute__((weak));
extern void at_runtime_resume(void) __asm__("alloctrace_resume")
    __attribute__((weak));

static inline char at_pause(void)
{
    if (at_runtime_pause)
        at_runtime_pause();
    return 0;
}

static inline void at_resume(void)
{
    if (at_runtime_resume)
        at_runtime_resume();
}

static inline void at_resume_scope(const char *scope)
{
    (void)scope;
    at_resume();
}

/* From here to the end of the function. Around what is the user's own, such as
 * a callback, at_resume and at_pause. */
#define AT_UNTRACED \
    __attribute__((cleanup(at_resume_scope))) const char at_scope = at_pause()

#endif
