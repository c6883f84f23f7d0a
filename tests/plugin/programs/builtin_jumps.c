/* SPDX-License-Identifier: MIT */
/* GCC's own setjmp and longjmp; sigsetjmp; jumps between siblings. */
// flags: -fno-optimize-sibling-calls
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile int zero;
static void *buffer[5];
static sigjmp_buf signal_target;

__attribute__((noinline)) static void allocate(int n)
{
    char *p = malloc(n + 1); /* @allocate */

    p[0] = zero;
    free(p);
}

__attribute__((noipa)) void deep(int n)
{
    allocate(n); /* @deep */
    if (n == 0)
        __builtin_longjmp(buffer, 1);
    deep(n - 1); /* @deeper */
    zero = 0;
}

__attribute__((noipa)) void catches(int n)
{
    if (__builtin_setjmp(buffer) == 0) {
        allocate(5); /* @before */
        deep(n); /* @try */
    } else {
        allocate(6); /* @caught */
    }
    allocate(7); /* @after */
}

static void handler(int number)
{
    allocate(number); /* @handler */
    siglongjmp(signal_target, 1);
}

__attribute__((noipa)) void signals(int n)
{
    for (volatile int i = 0; i < n; i++) {
        if (sigsetjmp(signal_target, 1) == 0) {
            allocate(8); /* @set */
            raise(SIGUSR1); /* @raise */
        }
        allocate(9); /* @jumped */
    }
}

static void visitor(int number)
{
    allocate(number); /* @visitor */
}

/* The second return finds what was noted last, not what the first one did. */
__attribute__((noipa)) void returns(void)
{
    volatile int i = 0;

    raise(SIGUSR2); /* @ahead */
    sigsetjmp(signal_target, 1);
    raise(SIGUSR2); /* @behind */
    if (i++ < 2)
        raise(SIGUSR1); /* @again */
}

int main(void)
{
    catches(1); /* @one */
    catches(0); /* @two */
    signal(SIGUSR1, handler);
    signals(2); /* @signals */
    signal(SIGUSR2, visitor);
    returns(); /* @returns */
    allocate(0); /* @end */
    return 0;
}
// expect: malloc allocate@allocate < catches@before < main@one
// expect: malloc allocate@allocate < deep@deep < catches@try < main@one
// expect: malloc allocate@allocate < deep@deep < deep@deeper < catches@try < main@one
// expect: malloc allocate@allocate < catches@caught < main@one
// expect: malloc allocate@allocate < catches@after < main@one
// expect: malloc allocate@allocate < catches@before < main@two
// expect: malloc allocate@allocate < deep@deep < catches@try < main@two
// expect: malloc allocate@allocate < catches@caught < main@two
// expect: malloc allocate@allocate < catches@after < main@two
// expect: malloc allocate@allocate < signals@set < main@signals
// expect: malloc allocate@allocate < handler@handler < signals@raise < main@signals
// expect: malloc allocate@allocate < signals@jumped < main@signals
// expect: malloc allocate@allocate < signals@set < main@signals
// expect: malloc allocate@allocate < handler@handler < signals@raise < main@signals
// expect: malloc allocate@allocate < signals@jumped < main@signals
// expect: malloc allocate@allocate < visitor@visitor < returns@ahead < main@returns
// expect: malloc allocate@allocate < visitor@visitor < returns@behind < main@returns
// expect: malloc allocate@allocate < handler@handler < returns@again < main@returns
// expect: malloc allocate@allocate < visitor@visitor < returns@behind < main@returns
// expect: malloc allocate@allocate < handler@handler < returns@again < main@returns
// expect: malloc allocate@allocate < visitor@visitor < returns@behind < main@returns
// expect: malloc allocate@allocate < main@end
