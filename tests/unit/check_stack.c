/* SPDX-License-Identifier: MIT */
/* stack.c with frames of our own making: what is popped when control leaves
 * one stack pointer for another; and what os_linux.c reads in a jmp_buf. */
#include <setjmp.h>
#include <ucontext.h>

#include "check_alloctrace.h"
#include "runtime.h"

/* Two stacks, LOW below HIGH; slot 7 is the oldest frame of a stack. */
static struct alloctrace_shadow_frame memory[2][8];
#define LOW memory[0]
#define HIGH memory[1]

static struct alloctrace_shadow_frame *top(void)
{
    return __alloctrace_thread.top;
}

/* Links slots 7 to 4 of STACK on top of PARENT; gives the innermost. */
static struct alloctrace_shadow_frame *
link_stack(struct alloctrace_shadow_frame *stack,
           struct alloctrace_shadow_frame *parent)
{
    for (int i = 7; i >= 4; i--) {
        stack[i].parent = parent;
        parent = &stack[i];
    }
    return parent;
}

static void leave(struct alloctrace_shadow_frame *innermost, void *here,
                  void *target)
{
    __alloctrace_thread.top = innermost;
    stack_leave((uintptr_t)here, (uintptr_t)target);
}

START_TEST(on_one_stack_the_frames_between_die)
{
    struct alloctrace_shadow_frame *const innermost =
        link_stack(HIGH, &at_sentinel);

    leave(innermost, &HIGH[2], &HIGH[3]);
    ck_assert(top() == &HIGH[4]);
    leave(innermost, &HIGH[2], &HIGH[6]);
    ck_assert(top() == &HIGH[6]);
    leave(innermost, &HIGH[2], &HIGH[6].hash);
    ck_assert(top() == &HIGH[7]);
    leave(innermost, &HIGH[2], &HIGH[8]);
    ck_assert(top() == &at_sentinel);
    leave(innermost, &HIGH[2], NULL);
    ck_assert(top() == &HIGH[4]);
}
END_TEST

START_TEST(a_jump_leaves_one_stack_for_another)
{
    /* A handler's stack, high or low, above a thread's. */
    struct alloctrace_shadow_frame *innermost =
        link_stack(HIGH, link_stack(LOW, &at_sentinel));

    leave(innermost, &HIGH[2], &HIGH[6]);
    ck_assert(top() == &HIGH[6]);
    leave(innermost, &HIGH[2], &HIGH[8]);
    ck_assert(top() == &LOW[4]);
    leave(innermost, &HIGH[2], &LOW[3]);
    ck_assert(top() == &LOW[4]);
    leave(innermost, &HIGH[2], &LOW[6]);
    ck_assert(top() == &LOW[6]);
    innermost = link_stack(LOW, link_stack(HIGH, &at_sentinel));
    leave(innermost, &LOW[2], &LOW[6]);
    ck_assert(top() == &LOW[6]);
    leave(innermost, &LOW[2], &HIGH[5]);
    ck_assert(top() == &HIGH[5]);
    /* To a stack that has no frames. */
    innermost = link_stack(HIGH, &at_sentinel);
    leave(innermost, &HIGH[2], &LOW[3]);
    ck_assert(top() == &at_sentinel);
    innermost = link_stack(LOW, &at_sentinel);
    leave(innermost, &LOW[2], &HIGH[3]);
    ck_assert(top() == &at_sentinel);
}
END_TEST

/* Damage ends the walk, and nothing unreadable is read. */
START_TEST(damage_empties_the_list)
{
    struct alloctrace_shadow_frame *const innermost =
        link_stack(HIGH, &at_sentinel);

    HIGH[5].parent = &HIGH[5];
    leave(innermost, &HIGH[2], &HIGH[7]);
    ck_assert(top() == &at_sentinel);
    HIGH[5].parent = NULL;
    leave(innermost, &HIGH[2], &HIGH[7]);
    ck_assert(top() == &at_sentinel);
    HIGH[5].parent = (struct alloctrace_shadow_frame *)64;
    leave(innermost, &HIGH[2], &LOW[3]);
    ck_assert(top() == &at_sentinel);
    HIGH[5].parent =
        (struct alloctrace_shadow_frame *)((char *)&HIGH[6] + 1);
    leave(innermost, &HIGH[2], &HIGH[8]);
    ck_assert(top() == &at_sentinel);
}
END_TEST

START_TEST(a_stack_is_left_and_resumed)
{
    struct alloctrace_shadow_frame *const innermost =
        link_stack(HIGH, &at_sentinel);
    void *old;

    __alloctrace_thread.top = innermost;
    old = stack_switch(NULL);
    ck_assert(old == innermost && top() == &at_sentinel);
    ck_assert(stack_switch(old) == &at_sentinel);
    ck_assert(top() == innermost);
}
END_TEST

static bool is_here(uintptr_t stack, const void *frame)
{
    return stack != 0 && (uintptr_t)frame - stack < 4096;
}

/* Where the C library is glibc, on the machines that are known. */
START_TEST(saved_stack_pointers_are_known)
{
    sigjmp_buf with_mask;
    jmp_buf buffer;
    ucontext_t context;

    (void)!setjmp(buffer);
    ck_assert(is_here(os_jump_stack(buffer), __builtin_frame_address(0)));
    (void)!sigsetjmp(with_mask, 1);
    ck_assert(is_here(os_jump_stack(with_mask), __builtin_frame_address(0)));
    getcontext(&context);
    ck_assert(is_here(os_context_stack(&context), __builtin_frame_address(0)));
}
END_TEST

CHECK_MAIN("stack", on_one_stack_the_frames_between_die,
           a_jump_leaves_one_stack_for_another,
           damage_empties_the_list,
           a_stack_is_left_and_resumed,
           saved_stack_pointers_are_known)
