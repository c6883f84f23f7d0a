/* SPDX-License-Identifier: MIT */
/* Tail calls stay jumps; the frame that jumped away is gone. */
#include <stdlib.h>

static volatile int zero;

static __attribute__((noipa)) void *allocate(size_t n)
{
    return malloc(n); /* @allocate */
}

static __attribute__((noipa)) void *jumps(size_t n)
{
    return allocate(n + 1); /* @jumps */
}

/* Needs a frame for the first call, none for the second. */
static __attribute__((noipa)) void *both(size_t n)
{
    char *p = allocate(n + 2); /* @first */

    free(p);
    return allocate(n + 3); /* @second */
}

/* A jump to a harmless function, the frame being linked. */
static __attribute__((noipa)) int harmless(int n)
{
    return n + zero;
}

static __attribute__((noipa)) int ends_harmless(int n)
{
    free(allocate(n)); /* @before */
    return harmless(n);
}

static __attribute__((noipa)) void ends_free(size_t n)
{
    char *p = allocate(n); /* @tofree */

    free(p);
}

/* GCC marks a call as a tail call before it knows whether it can jump: with
 * more arguments on the stack than the function itself was given it cannot. */
#define TWELVE(type) \
    type a, type b, type c, type d, type e, type f, type g, type h, type i, \
        type j, type k, type l

static __attribute__((noipa)) void *twelve(TWELVE(size_t))
{
    return malloc(a + b + c + d + e + f + g + h + i + j + k + l); /* @twelve */
}

static __attribute__((noipa)) void *stays(size_t n)
{
    return twelve(n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11); /* @stays */
}

static __attribute__((noipa)) void *leaves(TWELVE(size_t))
{
    return twelve(b, a, c, d, e, f, h, g, i, j, l, k); /* @leaves */
}

struct large {
    size_t words[8];
};

static __attribute__((noipa)) void *takes_large(struct large large)
{
    return malloc(large.words[7]); /* @large */
}

static __attribute__((noipa)) void *gives_large(size_t n)
{
    struct large large = {{n, n, n, n, n, n, n, n}};

    return takes_large(large); /* @gives */
}

/* Its own arguments, in other places: it can jump if it reads all of them
 * before it writes one. */
static __attribute__((noipa)) void *hands_on(struct large large)
{
    return takes_large(large); /* @hands */
}

int main(void)
{
    struct large large = {{1, 2, 3, 4, 5, 6, 7, 8}};
    char *p = jumps(1); /* @one */

    free(p);
    p = both(2); /* @two */
    free(p);
    ends_harmless(3); /* @three */
    ends_free(4); /* @four */
    free(stays(5)); /* @five */
    free(leaves(6, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)); /* @six */
    free(gives_large(7)); /* @seven */
    free(hands_on(large)); /* @eight */
    return 0;
}
// expect[-O2 -O3 -Os]: malloc allocate@allocate < main@one
// expect[-O2 -O3 -Os]: malloc allocate@allocate < both@first < main@two
// expect[-O2 -O3 -Os]: malloc allocate@allocate < main@two
// expect[-O0 -O1 -Og]: malloc allocate@allocate < jumps@jumps < main@one
// expect[-O0 -O1 -Og]: malloc allocate@allocate < both@first < main@two
// expect[-O0 -O1 -Og]: malloc allocate@allocate < both@second < main@two
// expect: malloc allocate@allocate < ends_harmless@before < main@three
// expect: malloc allocate@allocate < ends_free@tofree < main@four
// expect: malloc twelve@twelve < stays@stays < main@five
// expect[-O2 -O3 -Os]: malloc twelve@twelve < main@six
// expect[-O0 -O1 -Og]: malloc twelve@twelve < leaves@leaves < main@six
// expect: malloc takes_large@large < gives_large@gives < main@seven
// expect: malloc takes_large@large < hands_on@hands < main@eight
// asm[-O2 -O3 -Os]: stays: call\s+twelve
// asm[-O2 -O3 -Os]: leaves: jmp\s+twelve
// asm[-O2 -O3 -Os]: leaves: !alloctrace_thread
// asm[-O2 -O3 -Os]: allocate: jmp\s+__alloctrace_malloc
// asm[-O2 -O3 -Os]: jumps: jmp\s+allocate
// asm[-O2 -O3 -Os]: jumps: !alloctrace_thread
// asm[-O2 -O3 -Os]: both: jmp\s+allocate
// asm[-O2 -O3 -Os]: both: alloctrace_thread
// asm[-O2 -O3 -Os]: ends_harmless: jmp\s+harmless
// asm[-O2 -O3 -Os]: ends_free: jmp\s+__alloctrace_free
