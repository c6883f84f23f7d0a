/* SPDX-License-Identifier: MIT */
/* A library that switches stacks in assembly and says so: the same coroutines
 * on several threads, from a small function and from one that does more. */
// flags: -fno-optimize-sibling-calls -pthread
// needs: runtime
// machine: x86_64
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloctrace.h"

struct coroutine {
    void *stack_pointer; /* where it stopped; of its resumer while it runs */
    void *frame;         /* the same for its frames; NULL: not begun */
    char *stack;
    int n;
};

/* Saves what a function may expect to keep, and exchanges *AT and the stack
 * pointer. */
void exchange(void **at);
__asm__(".text\n"
        ".type exchange, @function\n"
        "exchange:\n\t"
        "push %rbp\n\tpush %rbx\n\tpush %r12\n\t"
        "push %r13\n\tpush %r14\n\tpush %r15\n\t"
        "mov (%rdi), %rax\n\t"
        "mov %rsp, (%rdi)\n\t"
        "mov %rax, %rsp\n\t"
        "pop %r15\n\tpop %r14\n\tpop %r13\n\t"
        "pop %r12\n\tpop %rbx\n\tpop %rbp\n\t"
        "ret\n"
        ".size exchange, .-exchange\n");

enum { N_COROUTINES = 3, STACK_SIZE = 1 << 16 };

static volatile int zero;
static struct coroutine coroutines[N_COROUTINES];
static struct coroutine *running;

__attribute__((noinline)) static void switch_to(struct coroutine *coroutine)
{
    coroutine->frame = alloctrace_switch_stack(coroutine->frame);
    exchange(&coroutine->stack_pointer);
}

__attribute__((noinline)) static void allocate(int n)
{
    char *p = malloc(n + 1); /* @allocate */

    p[0] = zero;
    free(p);
}

/* More than a switch: it has no frame, so its callees count for its caller. */
__attribute__((noinline)) static void yield(struct coroutine *coroutine)
{
    if (zero == 0)
        allocate(1);
    coroutine->frame = alloctrace_switch_stack(coroutine->frame);
    exchange(&coroutine->stack_pointer);
    for (int i = 0; i <= zero; i++)
        allocate(2);
}

__attribute__((noinline)) static void deeper(struct coroutine *coroutine,
                                             int n)
{
    allocate(n); /* @deeper */
    if (n > 0)
        deeper(coroutine, n - 1); /* @again */
    else
        yield(coroutine); /* @bottom */
    zero = 0;
}

static void body(void)
{
    struct coroutine *const self = running;

    deeper(self, self->n); /* @body */
    yield(self); /* @second */
    allocate(9); /* @last */
    switch_to(self); /* for good */
    abort();
}

__attribute__((noinline)) static void resume(struct coroutine *coroutine)
{
    running = coroutine;
    switch_to(coroutine);
}

static void *thread(void *unused)
{
    for (int i = 0; i < N_COROUTINES; i++) {
        resume(&coroutines[i]); /* @thread */
        allocate(3); /* @resumed */
    }
    return unused;
}

__attribute__((noinline)) static void start(int i)
{
    struct coroutine *const coroutine = &coroutines[i];
    void **top;

    coroutine->n = i;
    coroutine->stack = calloc(1, STACK_SIZE); /* @stack */
    top = (void **)(coroutine->stack + STACK_SIZE - 64);
    top[0] = (void *)body;
    coroutine->stack_pointer = top - 6;
}

int main(void)
{
    for (int i = 0; i < N_COROUTINES; i++)
        start(i); /* @start */
    for (int turn = 0; turn < 3; turn++) {
        pthread_t id;

        pthread_create(&id, NULL, thread, NULL);
        pthread_join(id, NULL);
    }
    for (int i = 0; i < N_COROUTINES; i++)
        free(coroutines[i].stack);
    allocate(0); /* @end */
    return 0;
}
// expect: calloc start@stack < main@start
// expect: calloc start@stack < main@start
// expect: calloc start@stack < main@start
// expect: malloc allocate@allocate < deeper@deeper < body@body
// expect: malloc allocate@allocate < deeper@bottom < body@body
// expect: malloc allocate@allocate < thread@resumed
// expect: malloc allocate@allocate < deeper@deeper < body@body
// expect: malloc allocate@allocate < deeper@deeper < deeper@again < body@body
// expect: malloc allocate@allocate < deeper@bottom < deeper@again < body@body
// expect: malloc allocate@allocate < thread@resumed
// expect: malloc allocate@allocate < deeper@deeper < body@body
// expect: malloc allocate@allocate < deeper@deeper < deeper@again < body@body
// expect: malloc allocate@allocate < deeper@deeper < deeper@again < deeper@again < body@body
// expect: malloc allocate@allocate < deeper@bottom < deeper@again < deeper@again < body@body
// expect: malloc allocate@allocate < thread@resumed
// expect: malloc allocate@allocate < deeper@bottom < body@body
// expect: malloc allocate@allocate < body@second
// expect: malloc allocate@allocate < thread@resumed
// expect: malloc allocate@allocate < deeper@bottom < deeper@again < body@body
// expect: malloc allocate@allocate < body@second
// expect: malloc allocate@allocate < thread@resumed
// expect: malloc allocate@allocate < deeper@bottom < deeper@again < deeper@again < body@body
// expect: malloc allocate@allocate < body@second
// expect: malloc allocate@allocate < thread@resumed
// expect: malloc allocate@allocate < body@second
// expect: malloc allocate@allocate < body@last
// expect: malloc allocate@allocate < thread@resumed
// expect: malloc allocate@allocate < body@second
// expect: malloc allocate@allocate < body@last
// expect: malloc allocate@allocate < thread@resumed
// expect: malloc allocate@allocate < body@second
// expect: malloc allocate@allocate < body@last
// expect: malloc allocate@allocate < thread@resumed
// expect: malloc allocate@allocate < main@end
