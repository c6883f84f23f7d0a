/* SPDX-License-Identifier: MIT */
/* longjmp: over frames, out of a handler, into a function without calls. */
// flags: -fno-optimize-sibling-calls -fno-builtin -Wno-infinite-recursion
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static jmp_buf target;
static sigjmp_buf signal_target;
static volatile int zero;

__attribute__((noinline)) static void deep(int n)
{
    char *p = malloc(n + 1); /* @deep */

    p[0] = zero;
    free(p);
    if (n == 0)
        longjmp(target, 1);
    deep(n - 1); /* @deeper */
    zero = 0;
}

__attribute__((noinline)) static int catches(void)
{
    if (setjmp(target) == 0) {
        deep(1); /* @try */
        return 0;
    }
    char *p = malloc(7); /* @caught */
    p[0] = zero;
    free(p);
    return 1;
}

__attribute__((noinline)) static int catches_in_loop(void)
{
    volatile int n = 0;

    for (volatile int i = 0; i < 2; i++) {
        if (setjmp(target) == 0)
            deep(0); /* @looptry */
        else
            n++;
        free(malloc(i + 20)); /* @loopcaught */
    }
    return n;
}

static void handler(int number)
{
    char *p = malloc(number); /* @handler */

    p[0] = zero;
    free(p);
    siglongjmp(signal_target, 1);
}

__attribute__((noinline)) static void raises(void)
{
    char *p = malloc(3); /* @raises */

    p[0] = zero;
    raise(SIGUSR1); /* @raise */
    free(p);
}

__attribute__((noinline)) static int survives(void)
{
    if (sigsetjmp(signal_target, 1) == 0)
        raises(); /* @survives */
    free(malloc(zero + 9)); /* @survived */
    return 1;
}

__attribute__((noinline)) static int builtin(void)
{
    static void *buffer[5];

    if (__builtin_setjmp(buffer) == 0) {
        free(malloc(zero + 11)); /* @builtin */
        raise(0); /* may do anything */
        if (zero == 0)
            return 2;
    }
    return 1;
}

int main(void)
{
    signal(SIGUSR1, handler);
    int sum = catches(); /* @main */
    sum += catches_in_loop(); /* @mainloop */
    sum += survives(); /* @signal */
    sum += builtin(); /* @mainbuiltin */
    char *p = malloc(sum); /* @end */
    p[0] = zero;
    free(p);
    printf("%d\n", sum);
    return 0;
}
// expect: malloc deep@deep < catches@try < main@main
// expect: malloc deep@deep < deep@deeper < catches@try < main@main
// expect: malloc catches@caught < main@main
// expect: malloc deep@deep < catches_in_loop@looptry < main@mainloop
// expect: malloc catches_in_loop@loopcaught < main@mainloop
// expect: malloc deep@deep < catches_in_loop@looptry < main@mainloop
// expect: malloc catches_in_loop@loopcaught < main@mainloop
// expect: malloc raises@raises < survives@survives < main@signal
// expect: malloc handler@handler < raises@raise < survives@survives < main@signal
// expect: malloc survives@survived < main@signal
// expect: malloc builtin@builtin < main@mainbuiltin
// expect: malloc main@end
// expect: 6
