/* SPDX-License-Identifier: MIT */
/* Edges on which no code can stand: computed goto, goto out of a function. */
// flags: -fno-optimize-sibling-calls -Wno-infinite-recursion
#include <stdio.h>
#include <stdlib.h>

static volatile int zero;

__attribute__((noinline)) static void *allocate(int n)
{
    char *p = malloc(n); /* @allocate */

    p[0] = zero;
    return p;
}

/* A small interpreter. */
__attribute__((noinline)) static int run(const char *code)
{
    static const void *const labels[] = {&&stop, &&plus, &&call, &&twice};
    int n = 0;

#define NEXT goto *labels[(int)*code++]
    NEXT;
plus:
    n++;
    NEXT;
call:
    free(allocate(n + 1)); /* @call */
    NEXT;
twice:
    if (n > 2)
        free(allocate(n)); /* @twice */
    n *= 2;
    NEXT;
stop:
    return n;
}

__attribute__((noinline)) static int leave_nested(int n)
{
    __label__ out;
    __attribute__((noinline)) void nested(int depth)
    {
        char *p = allocate(depth + 1); /* @nested */

        free(p);
        if (depth == 0)
            goto out;
        nested(depth - 1); /* @deeper */
        zero = 0;
    }

    nested(n); /* @start */
    return 0;
out:
    free(allocate(n + 5)); /* @out */
    return 1;
}

int main(void)
{
    int n = run("\1\2\1\3\3\2\0"); /* @run */

    n += leave_nested(1); /* @leave */
    free(allocate(1)); /* @end */
    printf("%d\n", n);
    return 0;
}
// expect: malloc allocate@allocate < run@call < main@run
// expect: malloc allocate@allocate < run@twice < main@run
// expect: malloc allocate@allocate < run@call < main@run
// expect: malloc allocate@allocate < nested@nested < leave_nested@start < main@leave
// expect: malloc allocate@allocate < nested@nested < nested@deeper < leave_nested@start < main@leave
// expect: malloc allocate@allocate < leave_nested@out < main@leave
// expect: malloc allocate@allocate < main@end
// expect: 9
