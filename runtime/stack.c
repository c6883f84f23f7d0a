/* SPDX-License-Identifier: MIT */
/*
 * Keeps the list of frames true where control does not return: it jumps to an
 * outer function (longjmp, exceptions), to another stack (contexts,
 * coroutines), or a thread ends in the middle of its work. What is
 * instrumented puts itself back as the innermost frame when it is landed in;
 * this file is for all other landing places. It is told before control
 * leaves, by flow.c.
 *
 * A stack grows downwards. Control leaves stack pointer `here` for `target`.
 * On one stack the frames that die lie between the two. If the target lies
 * below, it is on another stack, and the innermost frame that may live is the
 * first one found between target and here. If it lies above on another
 * stack, all between the two is dead as well, for it was called from there.
 * So a frame that lives is popped only if a stack in between called the
 * target's stack and not the other way round.
 *
 * Nothing is written but the thread's own word: frames that seemed dead and
 * are not come back when the next of them returns.
 */
#include <errno.h>

#include "flow.h"
#include "runtime.h"

/* As in traceback.c: more than this is damage. */
#define MAX_STACK_CHANGES 64
/* Two places so near one another are on one stack, which can be read. */
#define NEAR (1 << 20)

/* Frames to be popped, seen from one that will be. */
struct walk {
    uintptr_t here;
    uintptr_t target;
    bool is_checked; /* frames may be anywhere: ask before reading them */
    unsigned n_changes;
};

static bool dies(const struct walk *walk,
                 const struct alloctrace_shadow_frame *frame)
{
    const uintptr_t address = (uintptr_t)frame;

    if (frame == &at_sentinel)
        return false;
    if (walk->here <= walk->target)
        return address >= walk->here && address < walk->target;
    return address < walk->target || address >= walk->here;
}

/* The frame's parent; the sentinel where the list is damaged. */
static struct alloctrace_shadow_frame *
parent_of(struct walk *walk, const struct alloctrace_shadow_frame *frame)
{
    struct alloctrace_shadow_frame *parent;

    if ((uintptr_t)frame % sizeof(void *) != 0 ||
        (walk->is_checked && !os_is_readable(frame, sizeof *frame)))
        return &at_sentinel;
    parent = frame->parent;
    walk->n_changes += parent <= frame;
    if (!parent || walk->n_changes > MAX_STACK_CHANGES)
        return &at_sentinel;
    return parent;
}

void stack_leave(uintptr_t here, uintptr_t target)
{
    struct thread *const thread = &__alloctrace_thread;
    struct alloctrace_shadow_frame *top = thread->top;
    struct walk walk = {here, target, target - here > NEAR, 0};
    const int saved = errno;

    if (!target)
        return;
    while (dies(&walk, top))
        top = parent_of(&walk, top);
    count_set(&thread->top, top);
    errno = saved;
}

void *stack_switch(void *next)
{
    struct thread *const thread = &__alloctrace_thread;
    void *const old = thread->top;

    count_set(&thread->top, next ? next : &at_sentinel);
    return old;
}

at_export void __alloctrace_flow_leave(uintptr_t target)
{
    stack_leave((uintptr_t)__builtin_frame_address(0), target);
}

at_export void __alloctrace_flow_jump(const void *environment)
{
    __alloctrace_flow_leave(os_jump_stack(environment));
}

at_export void *__alloctrace_flow_switch(const void *context)
{
    void *const old = __alloctrace_thread.top;

    __alloctrace_flow_leave(os_context_stack(context));
    return old;
}
