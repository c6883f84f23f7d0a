/* SPDX-License-Identifier: MIT */
/*
 * The work of an ideal tool, by hand: the least that exact figures for each
 * call path can take, written beside each allocation and inlined there. No
 * plugin and no entry; ideal.c has what happens once. A program that writes
 *
 *     int f(int n PATH)                     a function with a caller's path
 *     f(n VIA)                              a call of it, a place of its own
 *     MALLOC(size), CALLOC(n, size), FREE(block)
 *     MALLOC_HERE(size)                     in a function that is inlined: of
 *                                           the place that called it
 *     IDEAL_BEGIN()                         first of all in each thread
 *     IDEAL_END()                           when nothing is counted any more
 *
 * is compiled as it is (nothing defined: plain, or for alloctrace), or with
 *
 *     IDEAL_HEADER  a block's context and size stand in front of the block
 *     IDEAL_MAP     they stand in a table indexed by its address
 *     IDEAL_PEAK    with IDEAL_MAP: and what was live at the peak is kept
 *
 * The call path is a hash that each function is handed in a register, and each
 * call hands on: hash * K + key of the call, a multiplication and an addition.
 * That is a call path's cheapest sound name for code that is compiled unit by
 * unit: nothing is stored and nothing undone at a return, and the polynomial
 * tells apart what a sum of keys would not (the order of two recursive calls).
 * Keys have 31 bits, as operands of an instruction; hashes have 64.
 *
 * A context (a path, down to the allocation) has a number, which is the place
 * in a hash table where its hash is; a thread's counters stand there in a
 * table of its own, one line each, with the hash: to look it up is to have
 * it. So what another thread allocated is freed without a question: in the
 * own counters of that number. A thread's figures may be "negative", sums
 * are not. The number 0 is of no context: frees of blocks that nobody knows.
 */
#ifndef BENCH_IDEAL_H
#define BENCH_IDEAL_H

#if !defined IDEAL_HEADER && !defined IDEAL_MAP

#define PATH
#define ROOT
#define VIA
#define MALLOC(size) malloc(size)
#define MALLOC_HERE(size) malloc(size)
#define CALLOC(n, size) calloc(n, size)
#define FREE(block) free(block)
#define IDEAL_BEGIN() ((void)0)
#define IDEAL_END() ((void)0)

#else

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define IDEAL static inline __attribute__((always_inline))
#define ideal_rarely(x) __builtin_expect(!!(x), 0)

#define IDEAL_K UINT64_C(0x5bd1e995)
#define IDEAL_KEY(n) ((((n) + 1) * UINT64_C(0x9e3779b1)) & 0x7fffffff)
#define IDEAL_NEXT (path * IDEAL_K + IDEAL_KEY(__COUNTER__))

#define PATH , uint64_t path
#define ROOT const uint64_t path = 0; /* of a thread's first function */
#define VIA , IDEAL_NEXT
#define MALLOC(size) ideal_malloc(size, IDEAL_NEXT)
#define MALLOC_HERE(size) ideal_malloc(size, path)
#define CALLOC(n, size) ideal_calloc(n, size, IDEAL_NEXT)
#define FREE(block) ideal_free(block)
#define IDEAL_BEGIN() ideal_begin()
#define IDEAL_END() ideal_end()

/* One context's counters in one thread. */
struct ideal_counters {
    uint64_t hash; /* of the context; 0 = the thread has not met it */
    uint64_t total_blocks;
    uint64_t total_bytes;
    uint64_t freed_blocks;
    uint64_t freed_bytes;
    uint64_t epoch;       /* of the peak after which it last changed */
    uint64_t peak_blocks; /* live at that peak */
    uint64_t peak_bytes;
} __attribute__((aligned(64)));

#define IDEAL_LOG2 16 /* of the contexts that there may be */
#define IDEAL_MASK ((UINT32_C(1) << IDEAL_LOG2) - 1)

/* What is known of a block: its context's number and its size. One word, for
 * it is written and read as one. */
typedef uint64_t ideal_block;
#define IDEAL_SIZE_BITS 32

struct ideal_thread {
    struct ideal_counters *counters; /* by number */
    int64_t room;  /* bytes it may grow before the peak is looked at */
    int64_t range; /* that is also when it has more room than this */
};

extern _Thread_local struct ideal_thread ideal_thread;
extern uint64_t ideal_epoch; /* number of the current peak, from 1 */

void ideal_begin(void);
void ideal_end(void);

/* The number of a context that is not where it is looked for first. */
uint32_t ideal_meet(uint64_t hash);

/* The thread has no room left, or so much that the others must hear of it. */
void ideal_pass(void);

IDEAL uint32_t ideal_number(uint64_t hash)
{
    const uint32_t number = (uint32_t)(hash + (hash >> 32)) & IDEAL_MASK;

    if (ideal_rarely(ideal_thread.counters[number].hash != hash))
        return ideal_meet(hash);
    return number;
}

/* Keeps the figures at the peak before they change. */
IDEAL void ideal_touch(struct ideal_counters *counters)
{
#ifdef IDEAL_PEAK
    if (ideal_rarely(counters->epoch != ideal_epoch)) {
        counters->peak_blocks = counters->total_blocks - counters->freed_blocks;
        counters->peak_bytes = counters->total_bytes - counters->freed_bytes;
        counters->epoch = ideal_epoch;
    }
#else
    (void)counters;
#endif
}

IDEAL void ideal_count(uint32_t number, size_t size)
{
    struct ideal_counters *const counters = &ideal_thread.counters[number];

    ideal_touch(counters);
    counters->total_blocks++;
    counters->total_bytes += size;
#ifdef IDEAL_PEAK
    ideal_thread.room -= (int64_t)size;
    if (ideal_rarely(ideal_thread.room < 0))
        ideal_pass();
#endif
}

IDEAL void ideal_uncount(ideal_block block)
{
    struct ideal_counters *const counters =
        &ideal_thread.counters[block >> IDEAL_SIZE_BITS];
    const uint32_t size = (uint32_t)block;

    ideal_touch(counters);
    counters->freed_blocks++;
    counters->freed_bytes += size;
#ifdef IDEAL_PEAK
    ideal_thread.room += size;
    if (ideal_rarely(ideal_thread.room > ideal_thread.range))
        ideal_pass();
#endif
}

IDEAL ideal_block ideal_entry(uint32_t number, size_t size)
{
    return (ideal_block)number << IDEAL_SIZE_BITS | size;
}

#ifdef IDEAL_HEADER

/* All blocks of the program must be the tool's. */
#define IDEAL_EXTRA 16 /* blocks stay aligned */

IDEAL void *ideal_enter(void *memory, uint32_t number, size_t size)
{
    if (ideal_rarely(!memory))
        return NULL;
    *(ideal_block *)memory = ideal_entry(number, size);
    ideal_count(number, size);
    return (char *)memory + IDEAL_EXTRA;
}

IDEAL void ideal_free(void *block)
{
    char *const memory = (char *)block - IDEAL_EXTRA;

    if (ideal_rarely(!block))
        return;
    ideal_uncount(*(ideal_block *)(void *)memory);
    free(memory);
}

#else

/* Untouched pages are no memory. All addresses that a program has; at a
 * constant place, so that nothing is loaded to find it. Blocks lie at least
 * four words apart. */
#define IDEAL_EXTRA 0
#define IDEAL_GRANULE 32
#define IDEAL_ADDRESS_BITS 47
#define ideal_blocks ((ideal_block *)UINT64_C(0x100000000000))

IDEAL void *ideal_enter(void *memory, uint32_t number, size_t size)
{
    if (ideal_rarely(!memory))
        return NULL;
    ideal_blocks[(uintptr_t)memory / IDEAL_GRANULE] = ideal_entry(number, size);
    ideal_count(number, size);
    return memory;
}

/* What nobody knows is counted as nobody's: no question. The entry goes, for
 * the address may be given to somebody who does not count. */
IDEAL void ideal_free(void *block)
{
    ideal_block *const entry = &ideal_blocks[(uintptr_t)block / IDEAL_GRANULE];

    ideal_uncount(*entry);
    *entry = 0;
    free(block);
}

#endif

IDEAL void *ideal_malloc(size_t size, uint64_t hash)
{
    const uint32_t number = ideal_number(hash);

    return ideal_enter(malloc(size + IDEAL_EXTRA), number, size);
}

/* (Nobody asks for more than there is.) */
IDEAL void *ideal_calloc(size_t n, size_t size, uint64_t hash)
{
    const uint32_t number = ideal_number(hash);

    return ideal_enter(calloc(1, n * size + IDEAL_EXTRA), number, n * size);
}

#endif
#endif
