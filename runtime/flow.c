/* SPDX-License-Identifier: MIT */
/*
 * The C library's functions by which control leaves a function otherwise than
 * by returning, and those of the unwinder: each tells stack.c, then calls the
 * real one. For code that was not instrumented as well as for code that was.
 *
 * An object of its own, which is not linked into static programs: there is no
 * way to the real functions once their names are taken. The names are weak,
 * as a program may bring its own.
 *
 * Cost: none where a block is allocated. About 100 instructions a longjmp and
 * an exception's landing, and 24 for each frame that is popped.
 */
#define _GNU_SOURCE
#define ALLOCTRACE_API
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <ucontext.h>

#include "alloctrace.h"
#include "flow.h"

#define EXPORT __attribute__((visibility("default"), weak))

struct _Unwind_Context;

/* The real functions. Those that a signal handler may call are found before
 * the program's first constructor, for dlsym is nothing for one; the others
 * when first called, for a dlsym that fails is seen by the program. */
#define JUMPS(REAL)                                                           \
    REAL(_exit, void, (int))                                                  \
    REAL(_Exit, void, (int))                                                  \
    REAL(longjmp, void, (jmp_buf, int))                                       \
    REAL(_longjmp, void, (jmp_buf, int))                                      \
    REAL(siglongjmp, void, (sigjmp_buf, int))                                 \
    REAL(__longjmp_chk, void, (jmp_buf, int))                                 \
    REAL(swapcontext, int, (ucontext_t *, const ucontext_t *))                \
    REAL(setcontext, int, (const ucontext_t *))
#define OTHERS(REAL)                                                          \
    REAL(pthread_create, int,                                                 \
         (pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))    \
    REAL(_Unwind_SetIP, void, (struct _Unwind_Context *, uintptr_t))          \
    REAL(_Unwind_GetCFA, uintptr_t, (struct _Unwind_Context *))

#define REAL_DECLARE(name, type, parameters) static type(*real_##name) parameters;
JUMPS(REAL_DECLARE)
OTHERS(REAL_DECLARE)

#define FIND(name)                                  \
    do {                                            \
        if (!real_##name)                           \
            *(void **)&real_##name = dlsym(RTLD_NEXT, #name); \
    } while (0)

__attribute__((constructor(101))) static void find_all(void)
{
    const int saved = errno;

#define REAL_FIND(name, type, parameters) FIND(name);
    JUMPS(REAL_FIND)
    errno = saved;
}

#define LONGJMP(name, type)                                    \
    EXPORT __attribute__((noreturn)) void name(type env, int value); \
    void name(type env, int value)                             \
    {                                                          \
        FIND(name);                                            \
        __alloctrace_flow_jump(env);                           \
        real_##name(env, value);                               \
        __builtin_unreachable();                               \
    }

LONGJMP(longjmp, jmp_buf)
LONGJMP(_longjmp, jmp_buf)
LONGJMP(siglongjmp, sigjmp_buf)
LONGJMP(__longjmp_chk, jmp_buf)

/* The C library's own calls of these, as in exit, do not come here. */
#define END(name)                                           \
    EXPORT __attribute__((noreturn)) void name(int status); \
    void name(int status)                                   \
    {                                                       \
        FIND(name);                                         \
        __alloctrace_flow_end();                            \
        real_##name(status);                                \
        __builtin_unreachable();                            \
    }

END(_exit)
END(_Exit)

/* A suspended stack keeps its own innermost frame, here, until it is resumed,
 * be it by another thread. */
EXPORT int swapcontext(ucontext_t *restrict old,
                       const ucontext_t *restrict next)
{
    void *frame;
    int result;

    FIND(swapcontext);
    frame = __alloctrace_flow_switch(next);
    result = real_swapcontext(old, next);
    alloctrace_switch_stack(frame);
    return result;
}

EXPORT int setcontext(const ucontext_t *next)
{
    void *frame;
    int result;

    FIND(setcontext);
    frame = __alloctrace_flow_switch(next);
    result = real_setcontext(next);
    alloctrace_switch_stack(frame); /* it failed */
    return result;
}

/*
 * The unwinder is about to land in a function: a handler, or something to be
 * cleaned up. What it calls the CFA is the stack pointer there.
 */
EXPORT void _Unwind_SetIP(struct _Unwind_Context *context, uintptr_t address);
void _Unwind_SetIP(struct _Unwind_Context *context, uintptr_t address)
{
    FIND(_Unwind_SetIP);
    FIND(_Unwind_GetCFA);
    if (real__Unwind_GetCFA)
        __alloctrace_flow_leave(real__Unwind_GetCFA(context));
    real__Unwind_SetIP(context, address);
}

/* The thread was cancelled or called pthread_exit: none of its functions is
 * left, but its destructors are to come. */
static void leave_all(void *unused)
{
    (void)unused;
    alloctrace_switch_stack(NULL);
}

static void *run(void *kept)
{
    const struct routine routine = __alloctrace_flow_take(kept);
    void *result;

    pthread_cleanup_push(leave_all, NULL);
    result = routine.function(routine.argument);
    pthread_cleanup_pop(0);
    return result;
}

EXPORT int pthread_create(pthread_t *restrict id,
                          const pthread_attr_t *restrict attributes,
                          void *(*function)(void *), void *restrict argument)
{
    struct routine *kept;
    int error;

    FIND(pthread_create);
    kept = __alloctrace_flow_put(function, argument);
    if (!kept)
        return real_pthread_create(id, attributes, function, argument);
    error = real_pthread_create(id, attributes, run, kept);
    if (error)
        __alloctrace_flow_take(kept);
    return error;
}
