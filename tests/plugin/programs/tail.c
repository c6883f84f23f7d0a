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

int main(void)
{
    char *p = jumps(1); /* @one */

    free(p);
    p = both(2); /* @two */
    free(p);
    ends_harmless(3); /* @three */
    ends_free(4); /* @four */
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
// asm[-O2 -O3 -Os]: allocate: jmp\s+__alloctrace_malloc
// asm[-O2 -O3 -Os]: jumps: jmp\s+allocate
// asm[-O2 -O3 -Os]: jumps: !alloctrace_thread
// asm[-O2 -O3 -Os]: both: jmp\s+allocate
// asm[-O2 -O3 -Os]: both: alloctrace_thread
// asm[-O2 -O3 -Os]: ends_harmless: jmp\s+harmless
// asm[-O2 -O3 -Os]: ends_free: jmp\s+__alloctrace_free
