/* SPDX-License-Identifier: MIT */
/*
 * HOT: sampling, as far as it concerns blocks that are not sampled: nearly all
 * of them. The thread has no ledger then (types.h), so that tracing every
 * block costs nothing for it.
 *
 *     allocation   the thread counts down the bytes to its next sample
 *     free         a counter that the address leads to says that no sampled
 *                  block is near
 *
 * Data flow: sample.h -> event.c, which finds the account of a chosen block
 * -> sampled.c, which enters it in tracked.c's table with its weight
 * (sample.c).
 */
#ifndef ALLOCTRACE_SAMPLE_H
#define ALLOCTRACE_SAMPLE_H

#include "runtime.h"

/*
 * The filter: how many sampled blocks lie near an address, by one of
 * SAMPLE_CELLS counters. Blocks within 256 bytes share one, and those in a
 * 16 MiB window have neighbouring ones, so that a program that uses little
 * memory touches little of it. A counter that has reached 255 stays there.
 */
#define SAMPLE_CELLS_LOG2 16
#define SAMPLE_CELLS (1u << SAMPLE_CELLS_LOG2)
extern uint8_t at_sample_filter[SAMPLE_CELLS];

static inline uint8_t *sample_cell(uintptr_t address)
{
    const uintptr_t cell = (address ^ address >> SAMPLE_CELLS_LOG2) >> 8;

    return &at_sample_filter[cell % SAMPLE_CELLS];
}

/* May it be a sampled block? One load, mostly from the cache. */
static inline bool sample_may_be(const void *block)
{
    return unlikely(count_look(sample_cell((uintptr_t)block)) != 0);
}

/*
 * Is a block that is being allocated not to be sampled? By the thread that
 * allocates it; counts it. False: so it is, or the thread does not sample (its
 * sample_left is 0 then), or is to ask sample_choose.
 */
static inline bool sample_passes(size_t size)
{
    const uint64_t left = count_read(&__alloctrace_thread.sample_left);

    if (unlikely(size >= left))
        return false;
    count_write(&__alloctrace_thread.sample_left, left - size - 1);
    return true;
}

#endif
