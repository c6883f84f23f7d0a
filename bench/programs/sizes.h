/* SPDX-License-Identifier: MIT */
/*
 * The blocks of the programs that do pairs: their sizes, and their use, of
 * which the compiler knows nothing.
 */
#ifndef BENCH_SIZES_H
#define BENCH_SIZES_H

#include <stdint.h>
#include <stdlib.h>

#define N_SIZES 256

/* Keeps a function whole: not inlined, cloned or looked into. (Not every
 * program calls each.) */
#define WHOLE __attribute__((noipa, unused)) static

/* The compiler must take it that the block is read and written here; and a
 * call before this is no tail call. */
#define TOUCH(block) __asm__ volatile("" : : "r"(block) : "memory")

static size_t sizes[N_SIZES];

static uint32_t random_next(void)
{
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

/* Half of the blocks have up to 32 bytes, one in 64 up to 1024. */
static void sizes_init(void)
{
    for (unsigned i = 0; i < N_SIZES; i++) {
        const uint32_t number = random_next();
        unsigned class = 0;

        while (class < 6 && (number >> class & 1))
            class ++;
        sizes[i] = (16u << class) + (number >> 8) % ((16u << class) + 1);
    }
}

/* The block, which is there and in use. (malloc stands in the callers: what is
 * inlined would be a frame more.) */
static void *used(void *block)
{
    if (!block)
        exit(1);
    TOUCH(block);
    return block;
}

#endif
