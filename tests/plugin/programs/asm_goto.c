/* SPDX-License-Identifier: MIT */
/* asm goto: jumps that no code of GCC's makes, into and out of regions. */
// machine: x86_64
// flags: -fno-optimize-sibling-calls
#include <stdlib.h>

static volatile int zero;
static void *volatile last;

__attribute__((noinline)) static void allocate(int n)
{
    last = malloc(n); /* @malloc */
    free(last);
}

__attribute__((noinline, noclone)) static int leaves(int n)
{
    allocate(n); /* @first */
    __asm__ goto("test %0, %0; jnz %l1" : : "r"(n) : "cc" : other);
    allocate(n + 1); /* @falls */
    return 1;
other:
    allocate(n + 2); /* @other */
    return 2;
}

/* Both labels may be where it goes on, one of them is the next statement. */
__attribute__((noinline, noclone)) static int enters(int n)
{
    __asm__ goto("test %0, %0; jnz %l1" : : "r"(n) : "cc" : other, same);
same:
    allocate(n + 1); /* @same */
    if (zero) {
other:
        allocate(n + 3); /* @inside */
        return 1;
    }
    return 2;
}

int main(void)
{
    int sum = leaves(0); /* @one */

    sum += leaves(1); /* @two */
    sum += enters(0); /* @three */
    sum += enters(1); /* @four */
    return sum - 6;
}
// expect: malloc allocate@malloc < leaves@first < main@one
// expect: malloc allocate@malloc < leaves@falls < main@one
// expect: malloc allocate@malloc < leaves@first < main@two
// expect: malloc allocate@malloc < leaves@other < main@two
// expect: malloc allocate@malloc < enters@same < main@three
// expect: malloc allocate@malloc < enters@inside < main@four
