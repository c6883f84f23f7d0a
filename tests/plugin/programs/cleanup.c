/* SPDX-License-Identifier: MIT */
/* Cleanups with exception edges, variable arrays, alloca. */
// flags: -fexceptions -fno-optimize-sibling-calls
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile int zero;

__attribute__((noinline)) static void *allocate(int n)
{
    char *p = malloc(n); /* @allocate */

    p[0] = zero;
    return p;
}

static void cleanup(char **p)
{
    free(*p);
    free(allocate(9)); /* @cleanup */
}

__attribute__((noinline)) static int guarded(int n)
{
    __attribute__((cleanup(cleanup))) char *p = allocate(n); /* @guarded */

    if (n > 5)
        return p[0] + 1; /* @early */
    free(allocate(n + 1)); /* @more */
    return p[0]; /* @late */
}

__attribute__((noinline)) static int variable(int n)
{
    char buffer[n];
    char *more = alloca(n);

    memset(buffer, zero, n);
    memset(more, 1, n);
    for (int i = 0; i < n; i++) {
        char inner[i + 1];

        memset(inner, 1, i + 1);
        free(allocate(buffer[i] + more[i] + inner[i])); /* @variable */
    }
    return n;
}

int main(void)
{
    int sum = guarded(6); /* @six */

    sum += guarded(4); /* @four */
    sum += variable(2); /* @main */
    printf("%d\n", sum);
    return 0;
}
// expect: malloc allocate@allocate < guarded@guarded < main@six
// expect: malloc allocate@allocate < cleanup@cleanup < guarded@guarded < main@six
// expect: malloc allocate@allocate < guarded@guarded < main@four
// expect: malloc allocate@allocate < guarded@more < main@four
// expect: malloc allocate@allocate < cleanup@cleanup < guarded@guarded < main@four
// expect: malloc allocate@allocate < variable@variable < main@main
// expect: malloc allocate@allocate < variable@variable < main@main
// expect: 3
