/* SPDX-License-Identifier: MIT */
/* Tail calls stay jumps; the frame that jumped away is gone. */
#include <stdlib.h>

static volatile int zero;

__attribute__((noipa)) void *allocate(size_t n)
{
    return malloc(n); /* @allocate */
}

__attribute__((noipa)) void *jumps(size_t n)
{
    return allocate(n + 1); /* @jumps */
}

/* Needs a frame for the first call, none for the second. */
__attribute__((noipa)) void *both(size_t n)
{
    char *p = allocate(n + 2); /* @first */

    free(p);
    return allocate(n + 3); /* @second */
}

/* A jump to a harmless function, the frame being linked. */
__attribute__((noipa)) int harmless(int n)
{
    return n + zero;
}

__attribute__((noipa)) int ends_harmless(int n)
{
    free(allocate(n)); /* @before */
    return harmless(n);
}

__attribute__((noipa)) void ends_free(size_t n)
{
    char *p = allocate(n); /* @tofree */

    free(p);
}

/* GCC marks a call as a tail call before it knows whether it can jump: with
 * more arguments on the stack than the function itself was given it cannot. */
__attribute__((noipa)) void *eight(size_t a, size_t b, size_t c, size_t d,
                                   size_t e, size_t f, size_t g, size_t h)
{
    return malloc(a + b + c + d + e + f + g + h); /* @eight */
}

__attribute__((noipa)) void *stays(size_t n)
{
    return eight(n, 1, 2, 3, 4, 5, 6, 7); /* @stays */
}

__attribute__((noipa)) void *leaves(size_t a, size_t b, size_t c, size_t d,
                                    size_t e, size_t f, size_t g, size_t h)
{
    return eight(b, a, c, d, e, f, h, g); /* @leaves */
}

struct large {
    size_t words[4];
};

__attribute__((noipa)) void *takes_large(struct large large)
{
    return malloc(large.words[3]); /* @large */
}

__attribute__((noipa)) void *gives_large(size_t n)
{
    struct large large = {{n, n, n, n}};

    return takes_large(large); /* @gives */
}

int main(void)
{
    char *p = jumps(1); /* @one */

    free(p);
    p = both(2); /* @two */
    free(p);
    ends_harmless(3); /* @three */
    ends_free(4); /* @four */
    free(stays(5)); /* @five */
    free(leaves(6, 1, 2, 3, 4, 5, 6, 7)); /* @six */
    free(gives_large(7)); /* @seven */
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
// expect: malloc eight@eight < stays@stays < main@five
// expect[-O2 -O3 -Os]: malloc eight@eight < main@six
// expect[-O0 -O1 -Og]: malloc eight@eight < leaves@leaves < main@six
// expect: malloc takes_large@large < gives_large@gives < main@seven
// asm[-O2 -O3 -Os]: stays: call\s+eight
// asm[-O2 -O3 -Os]: leaves: jmp\s+eight
// asm[-O2 -O3 -Os]: leaves: !alloctrace_thread
// asm[-O2 -O3 -Os]: allocate: jmp\s+__alloctrace_malloc
// asm[-O2 -O3 -Os]: jumps: jmp\s+allocate
// asm[-O2 -O3 -Os]: jumps: !alloctrace_thread
// asm[-O2 -O3 -Os]: both: jmp\s+allocate
// asm[-O2 -O3 -Os]: both: alloctrace_thread
// asm[-O2 -O3 -Os]: ends_harmless: jmp\s+harmless
// asm[-O2 -O3 -Os]: ends_free: jmp\s+__alloctrace_free
