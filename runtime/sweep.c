/* SPDX-License-Identifier: MIT */
/*
 * Memory of ledgers that are retired (generation.c) is used again, so that a
 * program that clears its traces each second needs no more than one that
 * clears them once.
 *
 * A ledger can be used again when its thread has left it, by going on with
 * another one and leaving that, or by ending, and when no entry of the block
 * map or of tracked.c names its accounts. To see to that costs a look at all
 * entries; so it is done when there is enough to be had, by the thread that
 * asks for a clear or a stop, without at_lock: entries are exchanged by compare
 * and swap, and nobody but this file touches ledgers that are being swept. Then
 * accounts are given out again in the next generation: a thread that has read
 * an entry just before it was swept can tell that the account is another now,
 * for its generation is later than the one that the thread knows (event.c).
 *
 * A dump reads accounts without at_lock: while one is written nothing is swept.
 *
 * A thread that sleeps keeps the ledger that it had when it fell asleep and the
 * one before.
 */
#include "runtime.h"

/* Chunks that are worth a sweep: 1 MiB. */
#define N_WORTH 16

static uint64_t gone[ACCOUNT_CHUNKS_MAX / 64]; /* chunks, as bits */
static bool is_sweeping;                       /* under at_lock */

static bool is_left(const struct ledger *ledger)
{
    return ledger->generation && !generation_has(ledger) &&
           tenant_has_left(ledger);
}

static uint32_t count_chunks(const struct ledger *ledger)
{
    uint32_t n = 0;

    for (const struct account_chunk *chunk = ledger->chunks; chunk;
         chunk = chunk->next)
        n++;
    return n;
}

/* Is there enough? */
static bool is_worth(void)
{
    uint32_t n = 0;

    for (uint32_t id = 1; id <= at_ledgers.n; id++)
        if (is_left(ledger_at(id)))
            n += count_chunks(ledger_at(id));
    return n >= N_WORTH;
}

static void mark(struct ledger *ledger)
{
    ledger->is_swept = is_left(ledger);
    if (!ledger->is_swept)
        return;
    for (const struct account_chunk *chunk = ledger->chunks; chunk;
         chunk = chunk->next) {
        const uint32_t number = account_chunk_number(chunk);

        gone[number / 64] |= UINT64_C(1) << number % 64;
    }
}

static bool begin(void)
{
    bool is_begun;

    lock_take();
    is_begun = !is_sweeping && is_worth();
    if (is_begun) {
        is_sweeping = true;
        for (size_t i = 0; i < ACCOUNT_CHUNKS_MAX / 64; i++)
            gone[i] = 0;
        for (uint32_t id = 1; id <= at_ledgers.n; id++)
            mark(ledger_at(id));
    }
    lock_release();
    return is_begun;
}

static void forget_details(const struct ledger *ledger)
{
    for (struct account_chunk *chunk = ledger->chunks; chunk;
         chunk = chunk->next)
        detail_forget(chunk);
}

/* A dump that was begun before the clear reads what was retired. Then it stays
 * until the next sweep: who has the dump lock must not wait for another. */
static void recycle(void)
{
    for (uint32_t id = 1; id <= at_ledgers.n; id++) {
        struct ledger *const ledger = ledger_at(id);
        struct generation *const generation = ledger->generation;

        if (!ledger->is_swept)
            continue;
        forget_details(ledger);
        ledger_recycle(ledger);
        generation->n_ledgers--;
        generation_drop(generation);
    }
}

static void end(void)
{
    lock_take();
    if (lock_try_dump()) {
        recycle();
        lock_end_dump();
    }
    is_sweeping = false;
    lock_release();
}

void sweep_retired(void)
{
    if (!begin())
        return;
    block_sweep(gone);
    tracked_sweep(gone);
    end();
}

void sweep_after_fork(void)
{
    is_sweeping = false;
}
