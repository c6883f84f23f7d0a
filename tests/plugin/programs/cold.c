/* SPDX-License-Identifier: MIT */
/* The frame is linked on the cold path only; the hot one is left alone. */
#include <stdio.h>
#include <stdlib.h>

static volatile int zero;

__attribute__((noipa)) void grow(int n)
{
    char *p = malloc(n); /* @grow */

    p[0] = zero;
    zero = p[0];
    free(p);
}

__attribute__((noipa)) int push(int *n, int limit)
{
    if (__builtin_expect(*n == limit, 0)) {
        grow(*n + 1); /* @cold */
        zero = 0;
    }
    return ++*n;
}

/* Linked before the loop, not at each turn of it. */
__attribute__((noipa)) int loop(int n)
{
    int sum = 0;

    for (int i = 0; i < n; i++) {
        grow(i + 1); /* @loop */
        sum += zero + i;
    }
    return sum;
}

/* Two places of their own, with a hot path around both. */
__attribute__((noipa)) int two(int n)
{
    if (__builtin_expect(n & 64, 0))
        grow(n); /* @two */
    for (int i = 0; i < 10; i++)
        zero += n & i & 1024;
    if (__builtin_expect(n & 128, 0))
        grow(n + 1); /* @too */
    return n + zero;
}

/* No way back to the program: linked, never unlinked. */
__attribute__((noipa)) int checked(int n)
{
    if (n < 0) {
        printf("%d\n", n);
        abort();
    }
    return n + zero;
}

int main(void)
{
    int n = 0;

    for (int i = 0; i < 4; i++)
        push(&n, 2); /* @push */
    loop(2); /* @main */
    two(1);
    two(64); /* @m64 */
    two(128); /* @m128 */
    return checked(0);
}
// expect: malloc grow@grow < push@cold < main@push
// expect: malloc grow@grow < loop@loop < main@main
// expect: malloc grow@grow < loop@loop < main@main
// expect: malloc grow@grow < two@two < main@m64
// expect: malloc grow@grow < two@too < main@m128
// The thread's word is read after the test only; no register is saved for it.
// asm[-O2]: push: ^((?!alloctrace_thread).)*\bj(e|ne)\b
