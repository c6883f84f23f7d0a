/* SPDX-License-Identifier: MIT */
/* Functions that do not return, and allocate on the way: error paths. */
// flags: -fno-optimize-sibling-calls
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "probe.h"

static volatile int zero;
static jmp_buf target;

__attribute__((noinline)) static char *allocate(int n)
{
    char *p = malloc(n + 1); /* @allocate */

    p[0] = zero;
    return p;
}

__attribute__((noreturn, noinline, cold)) static void jumps(int n)
{
    free(allocate(n)); /* @jumps */
    longjmp(target, n);
}

__attribute__((noreturn, noinline)) static void fails(int status)
{
    char *message = allocate(status); /* @message */

    free(message);
    message = allocate(2); /* @second */
    probe_may_end_deep = 1;
    free(message);
    exit(status); /* @exit */
}

__attribute__((noinline)) static int check(int n)
{
    if (n == 3)
        jumps(n); /* @three */
    if (n < 0)
        fails(0); /* @negative */
    free(allocate(n)); /* @fine */
    return n;
}

static void at_end(void)
{
    free(allocate(7)); /* @atend */
}

int main(void)
{
    volatile int sum = 0;

    atexit(at_end);
    sum += check(1); /* @one */
    if (setjmp(target) == 0)
        check(3); /* @main3 */
    else
        free(allocate(4)); /* @caught */
    check(-1); /* @last */
    return sum;
}
// expect: malloc allocate@allocate < check@fine < main@one
// expect: malloc allocate@allocate < jumps@jumps < check@three < main@main3
// expect: malloc allocate@allocate < main@caught
// expect: malloc allocate@allocate < fails@message < check@negative < main@last
// expect: malloc allocate@allocate < fails@second < check@negative < main@last
// expect: malloc allocate@allocate < at_end@atend < fails@exit < check@negative < main@last
