/* SPDX-License-Identifier: MIT */
/*
 * Between flow.c, which has the C library's names, and the rest of the
 * runtime, from which it is linked apart. Exported for that reason only.
 */
#ifndef ALLOCTRACE_FLOW_H
#define ALLOCTRACE_FLOW_H

#include <stdint.h>

/* What a thread runs. */
struct routine {
    void *(*function)(void *);
    void *argument;
    struct routine *next; /* in the list of those that are free */
};

/* Before _exit: the last dump. */
void __alloctrace_flow_end(void);
/* Before a longjmp: pops the frames that it will leave. */
void __alloctrace_flow_jump(const void *environment);
/* Before control goes to where the stack pointer will be `target`. */
void __alloctrace_flow_leave(uintptr_t target);
/* Before control goes to a ucontext_t. Gives what was the innermost frame. */
void *__alloctrace_flow_switch(const void *context);

/* Keeps a routine for a thread to be made. NULL: let it be made as usual. */
struct routine *__alloctrace_flow_put(void *(*function)(void *),
                                      void *argument);
/* Gives it, to be done with. */
struct routine __alloctrace_flow_take(struct routine *kept);

#endif
