/* SPDX-License-Identifier: MIT */
/* longjmp from instrumented functions to code that is not instrumented, by
 * all its names, from the same stack and from an alternate one. */
// flags: -fno-optimize-sibling-calls -pthread
// plain: -O2
// needs: runtime
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not instrumented. protect calls f(n), and g(n) when f has been left. */
void protect(void (*f)(int), void (*g)(int), int n);
void leave(int how);
int run_with_stack(void *stack, size_t size, void *(*f)(void *), void *argument);

#ifdef PLAIN

static __thread sigjmp_buf *target;

/* What longjmp is with _FORTIFY_SOURCE. */
void __longjmp_chk(sigjmp_buf, int);

/* Writes over what lies below on the stack. */
__attribute__((noinline)) static void burn(void)
{
    volatile char bytes[2048];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = 0x55;
}

void protect(void (*f)(int), void (*g)(int), int n)
{
    sigjmp_buf *const outer = target;
    sigjmp_buf here;

    target = &here;
    if (sigsetjmp(here, 1) == 0)
        f(n);
    target = outer;
    burn();
    g(n);
}

void leave(int how)
{
    if (how == 0)
        longjmp(*target, 1);
    if (how == 1)
        _longjmp(*target, 1);
    if (how == 2)
        __longjmp_chk(*target, 1);
    siglongjmp(*target, 1);
}

int run_with_stack(void *stack, size_t size, void *(*f)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_t id;

    if (pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setstack(&attributes, stack, size) != 0 ||
        pthread_create(&id, &attributes, f, argument) != 0)
        return 1;
    return pthread_join(id, NULL);
}

#else

static volatile int zero;
static char low_stack[1 << 18] __attribute__((aligned(4096)));
static char alternate[1 << 16];

__attribute__((noinline)) static void allocate(int n)
{
    char *p = malloc(n + 1); /* @allocate */

    p[0] = zero;
    free(p);
}

__attribute__((noinline)) static void deep(int n)
{
    if (n >= 10) {
        deep(n - 10); /* @deeper */
    } else {
        allocate(n); /* @deep */
        leave(n);
    }
    zero = 0;
}

static void after(int n)
{
    allocate(n); /* @after */
}

__attribute__((noinline)) static void inner(int n)
{
    protect(deep, after, n); /* @inner */
    allocate(n); /* @caught */
    leave(n); /* out of this function too */
}

static void handler(int number)
{
    (void)number;
    allocate(3); /* @handler */
    protect(deep, after, 10); /* @onalternate */
    allocate(4); /* @still */
    leave(3);
}

static void raises(int n)
{
    allocate(n); /* @beforeraise */
    raise(SIGUSR1); /* @raise */
}

__attribute__((noinline)) static void signals(void *stack, size_t size)
{
    stack_t on = {.ss_sp = stack, .ss_size = size};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};

    sigaltstack(&on, NULL);
    sigaction(SIGUSR1, &action, NULL);
    protect(raises, after, 5); /* @signals */
    allocate(6); /* @aftersignals */
}

/* Its stack lies below the alternate one, which is main's. */
static void *thread(void *stack)
{
    signals(stack, 1 << 16); /* @thread */
    return NULL;
}

int main(void)
{
    char on_stack[1 << 16];

    memset(on_stack, 0, sizeof on_stack);
    for (int how = 0; how < 4; how++)
        protect(deep, after, 20 + how); /* @main */
    protect(inner, after, 11); /* @nested */
    signals(alternate, sizeof alternate); /* @low */
    signals(on_stack, sizeof on_stack); /* @within */
    return run_with_stack(low_stack, sizeof low_stack, thread, on_stack);
}
#endif
// expect: malloc allocate@allocate < deep@deep < deep@deeper < deep@deeper < main@main
// expect: malloc allocate@allocate < after@after < main@main
// expect: malloc allocate@allocate < deep@deep < deep@deeper < deep@deeper < main@main
// expect: malloc allocate@allocate < after@after < main@main
// expect: malloc allocate@allocate < deep@deep < deep@deeper < deep@deeper < main@main
// expect: malloc allocate@allocate < after@after < main@main
// expect: malloc allocate@allocate < deep@deep < deep@deeper < deep@deeper < main@main
// expect: malloc allocate@allocate < after@after < main@main
// expect: malloc allocate@allocate < deep@deep < deep@deeper < inner@inner < main@nested
// expect: malloc allocate@allocate < after@after < inner@inner < main@nested
// expect: malloc allocate@allocate < inner@caught < main@nested
// expect: malloc allocate@allocate < after@after < main@nested
// expect: malloc allocate@allocate < raises@beforeraise < signals@signals < main@low
// expect: malloc allocate@allocate < handler@handler < raises@raise < signals@signals < main@low
// expect: malloc allocate@allocate < deep@deep < deep@deeper < handler@onalternate < raises@raise < signals@signals < main@low
// expect: malloc allocate@allocate < after@after < handler@onalternate < raises@raise < signals@signals < main@low
// expect: malloc allocate@allocate < handler@still < raises@raise < signals@signals < main@low
// expect: malloc allocate@allocate < after@after < signals@signals < main@low
// expect: malloc allocate@allocate < signals@aftersignals < main@low
// expect: malloc allocate@allocate < raises@beforeraise < signals@signals < main@within
// expect: malloc allocate@allocate < handler@handler < raises@raise < signals@signals < main@within
// expect: malloc allocate@allocate < deep@deep < deep@deeper < handler@onalternate < raises@raise < signals@signals < main@within
// expect: malloc allocate@allocate < after@after < handler@onalternate < raises@raise < signals@signals < main@within
// expect: malloc allocate@allocate < handler@still < raises@raise < signals@signals < main@within
// expect: malloc allocate@allocate < after@after < signals@signals < main@within
// expect: malloc allocate@allocate < signals@aftersignals < main@within
// expect: malloc allocate@allocate < raises@beforeraise < signals@signals < thread@thread
// expect: malloc allocate@allocate < handler@handler < raises@raise < signals@signals < thread@thread
// expect: malloc allocate@allocate < deep@deep < deep@deeper < handler@onalternate < raises@raise < signals@signals < thread@thread
// expect: malloc allocate@allocate < after@after < handler@onalternate < raises@raise < signals@signals < thread@thread
// expect: malloc allocate@allocate < handler@still < raises@raise < signals@signals < thread@thread
// expect: malloc allocate@allocate < after@after < signals@signals < thread@thread
// expect: malloc allocate@allocate < signals@aftersignals < thread@thread
